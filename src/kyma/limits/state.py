"""What the limiter keeps and hands out. Time is monotonic nanoseconds, all of it integers.

A bucket is one number, the time at which it will be full again. How far that lies ahead is its debt; each unit taken
adds 60 s ÷ limit to the debt, and a debt of 60 s is an empty bucket (GCRA with a burst of one minute's limit).
"""

import msgspec

from kyma.core.principal import Tier

MINUTE_NS = 60_000_000_000


class Rate(msgspec.Struct, frozen=True):
    """One limit a minute: what a unit adds to the debt, and how much debt there may be."""

    limit: int
    limit_text: str
    unit_ns: int
    room_ns: int

    def left(self, debt_ns: int) -> int:
        """How many units may be taken at once."""
        return (self.room_ns - debt_ns) // self.unit_ns if debt_ns < self.room_ns else 0


def rate(limit: int) -> Rate:
    """The rate of `limit` units a minute; `limit` is positive. Rounding is against the caller, by under 1 ns a unit."""
    unit_ns = -(-MINUTE_NS // limit)
    return Rate(limit, str(limit), unit_ns, limit * unit_ns)


class Rates(msgspec.Struct, frozen=True):
    """A tier's limits, worked out once."""

    tier: Tier
    requests: Rate
    model_requests: Rate
    tokens: Rate
    max_single_request: int
    policy: str
    """The draft header field `RateLimit-Policy`."""


def rates_of(tier: Tier) -> Rates:
    policy = f'"requests";q={tier.rpm};w=60, "model-requests";q={tier.per_model_rpm};w=60, "tokens";q={tier.tpm};w=60'
    return Rates(tier, rate(tier.rpm), rate(tier.per_model_rpm), rate(tier.tpm), tier.max_single_request, policy)


class Buckets(msgspec.Struct):
    """One account's buckets, and its requests of the UTC day `day`."""

    requests_full_at: int
    tokens_full_at: int
    models_full_at: dict[str, int]
    day: int = -1
    used_today: int = 0

    def is_idle(self, now: int) -> bool:
        """Every bucket is full: forgetting them changes nothing."""
        return (
            self.requests_full_at <= now
            and self.tokens_full_at <= now
            and all(full_at <= now for full_at in self.models_full_at.values())
        )


class Standing(msgspec.Struct, frozen=True, gc=False):
    """The debts of an account at one moment, in nanoseconds."""

    requests_ns: int
    model_ns: int
    tokens_ns: int


class Admission(msgspec.Struct, gc=False):
    """A request that was let through. `tokens` is what it was charged; `standing` is how things stood right after."""

    buckets: Buckets
    rates: Rates
    tokens: int
    standing: Standing
    is_corrected: bool = False


class LimitsView(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account stands now. `remaining` and `resets_at` are older names clients read: requests left this minute,
    and when (epoch ms) all of them are back. `used_today` counts this process's requests since midnight UTC."""

    tier: int
    tier_name: str
    rpm_limit: int
    rpm_used: int
    rpm_remaining: int
    remaining: int
    resets_at: int
    used_today: int
    per_model_rpm: int
    tpm_limit: int
    tpm_used: int
    tpm_remaining: int
    max_single_request: int
    next_tier: Tier | None
