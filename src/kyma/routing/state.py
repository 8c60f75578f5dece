"""What operators see of a source."""

from typing import Literal

import msgspec

BreakerState = Literal["closed", "open", "half_open"]


class RouteState(msgspec.Struct, frozen=True):
    """One source as it stands now. `weight` is its share among the sources of a model, before stickiness.

    Latencies are to the first token (of a whole answer: to its end), in milliseconds, over the last answers.
    """

    route: str
    provider: str
    models: tuple[str, ...]
    is_on: bool
    weight: float
    breaker: BreakerState
    opens_until_s: float | None
    """Seconds from now until a probe is let through; None while the breaker is closed."""
    recent_calls: int
    recent_failures: int
    p50_ms: int | None
    p95_ms: int | None
    tokens_per_s: float | None
    in_flight: int
    last_error: str | None
    last_error_at: int | None
    """Epoch milliseconds."""
