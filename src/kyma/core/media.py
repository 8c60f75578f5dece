"""Media SKUs: what images, clips and sounds are sold for, within which limits, and who could make them.

Nothing here knows how a vendor is asked for it.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec

from kyma.core.model import CostTier, LatencyTier, Model, QualityTier, ReleaseStage, Status, release_stage
from kyma.core.rates import Rate

Modality = Literal["image", "video", "audio"]
Capability = Literal[
    "image_generate",
    "image_edit",
    "vector",
    "video_generate",
    "stt",
    "audio-understand",
    "speech",
    "music",
    "sfx",
    "voice-clone",
    "voice-design",
    "realtime",
]
PickerTier = Literal["quality", "fast", "cheap"]
Pool = Literal["groq", "vertex", "elevenlabs", "minimax", "openai"]
"""Whose slots a call of audio takes one of."""

Positive = Annotated[int, msgspec.Meta(gt=0)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request for a SKU may ask; None or empty: the SKU has no such thing, or no limit of it is known.

    Sizes are written `1024x1024`, ratios `16:9`; the default stands first in each. Durations are of what is made, of a
    cloned voice those of its reference; characters are counted after NFC.
    """

    sizes: tuple[str, ...] = ()
    aspect_ratios: tuple[str, ...] = ()
    resolution: str | None = None
    """The only one that is sold: `720p`."""
    max_count: Positive | None = None
    qualities: tuple[str, ...] = ()
    default_quality: str | None = None
    min_references: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Images that must come with the request."""
    max_references: Annotated[int, msgspec.Meta(ge=0)] = 0
    min_duration_s: Seconds | None = None
    max_duration_s: Seconds | None = None
    default_duration_s: Seconds | None = None
    durations_s: tuple[Positive, ...] = ()
    """The only ones, where a SKU makes no others."""
    max_prompt_chars: Positive | None = None
    max_lyrics_chars: Positive | None = None
    max_input_chars: Positive | None = None
    """Of the text to speak; of a designed voice, that of its preview."""
    max_name_chars: Positive | None = None
    max_upload_bytes: Positive | None = None
    max_url_bytes: Positive | None = None


class MediaRoute(msgspec.Struct, frozen=True):
    """A vendor that could make it, the vendor's id for it, and what it costs us."""

    id: str
    """`vendor/upstream-model`, for operators and logs."""
    vendor: str
    upstream_model: str
    cost: Rate
    source: str
    switch: str
    """What an operator sets to have the vendor."""
    retires_on: str | None = None


class MediaModel(msgspec.Struct, frozen=True, kw_only=True):
    """A media SKU of the catalog. `rate` is what the customer pays, whoever makes it."""

    id: str
    name: str
    description: str
    owned_by: str
    prefixes: tuple[str, ...]
    """What may stand before its id with a slash."""
    created: int
    modality: Modality
    capability: Capability
    tier: PickerTier | None
    best_for: str
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    supported_parameters: tuple[str, ...]
    rate: Rate
    price_source: str
    limits: Limits
    status: Status
    endpoint: str
    """The path that customers ask for it at."""
    pool: Pool | None
    """Audio only."""
    latency_tier: LatencyTier
    cost_tier: CostTier
    quality_tier: QualityTier
    recommended_for: tuple[str, ...]
    recommended: bool
    hot: bool
    retires_on: str | None
    routes: tuple[MediaRoute, ...]

    @property
    def release_stage(self) -> ReleaseStage:
        return release_stage(self.status)


Sku: TypeAlias = Model | MediaModel
"""Anything that is sold."""
