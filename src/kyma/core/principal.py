"""Who calls: what accounts hand to limits, ledger and calls."""

import msgspec


class AudioPools(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number for each pool of audio slots, by who stands behind it."""

    groq: int = 0
    vertex: int = 0
    elevenlabs: int = 0
    minimax: int = 0
    openai: int = 0


class MediaSlots(msgspec.Struct, frozen=True, kw_only=True):
    """How many media jobs run at once and how many may wait; nought running means that none is taken.

    Where there is a `combined` figure, images and videos share it, and their own queues have no cap of their own.
    """

    image_concurrent: int = 0
    image_queue_depth_cap: int = 0
    video_concurrent: int = 0
    video_queue_depth_cap: int = 0
    audio: AudioPools = AudioPools()
    combined_media_concurrent: int | None = None
    combined_queue_depth_cap: int | None = None


class Tier(msgspec.Struct, frozen=True):
    """A deposit tier: what an account may do at once. Limits are per account, not per key."""

    tier: int
    name: str
    min_deposit_usd: int
    rpm: int
    per_model_rpm: int
    tpm: int
    max_single_request: int
    media: MediaSlots = MediaSlots()


class Principal(msgspec.Struct, frozen=True):
    """An authenticated caller. `account_id` owns the money; `key_id` is empty for a session."""

    user_id: str
    account_id: str
    email: str
    key_id: str
    key_name: str
    tier: int
    is_session: bool
    is_operator: bool
