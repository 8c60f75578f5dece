"""Who calls: what accounts hand to limits, ledger and calls."""

import msgspec


class Tier(msgspec.Struct, frozen=True):
    """A deposit tier: what an account may do at once. Limits are per account, not per key."""

    tier: int
    name: str
    min_deposit_usd: int
    rpm: int
    per_model_rpm: int
    tpm: int
    max_single_request: int


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
