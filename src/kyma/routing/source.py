"""What we have seen of one source: how fast it answered, what went wrong last, and a breaker for each of its keys."""

from collections import deque

from kyma.core.credential import Credential
from kyma.core.errors import UpstreamError
from kyma.routing.breaker import Breaker, BreakerSettings

SAMPLES = 64
ENOUGH_SAMPLES = 20
"""From so many answers on, percentiles are believed."""

SPEED_MEMORY = 0.2
MIN_TOKENS_FOR_SPEED = 8
MIN_SECONDS_FOR_SPEED = 0.02
"""What took less came in one piece: it was written before it was sent, and how fast nobody saw."""


class Source:
    """One route as it behaves. Latencies are in milliseconds: to the first token of streams, of wholes to the end."""

    __slots__ = (
        "breakers",
        "first_token_ms",
        "in_flight",
        "last_error",
        "last_error_at",
        "p50_ms",
        "p95_ms",
        "tokens_per_s",
        "whole_ms",
        "whole_p95_ms",
    )

    def __init__(self) -> None:
        self.breakers: dict[str, Breaker] = {}
        self.first_token_ms: deque[int] = deque(maxlen=SAMPLES)
        self.whole_ms: deque[int] = deque(maxlen=SAMPLES)
        self.p50_ms: int | None = None
        self.p95_ms: int | None = None
        self.whole_p95_ms: int | None = None
        self.tokens_per_s: float | None = None
        self.in_flight = 0
        self.last_error: str | None = None
        self.last_error_at: int | None = None

    def breaker(self, credential: Credential | None, settings: BreakerSettings) -> Breaker:
        """The breaker of that key here; all customers' own keys share one, since a customer's trouble is not ours."""
        name = "" if credential is None else "own" if credential.is_own else credential.id
        found = self.breakers.get(name)
        if found is None:
            found = self.breakers[name] = Breaker(settings)
        return found

    @property
    def recent(self) -> tuple[int, int]:
        """Calls of late and faults among them, over all keys."""
        seen = [breaker.recent for breaker in self.breakers.values()]
        return sum(calls for calls, _ in seen), sum(faults for _, faults in seen)

    def note(self, error: UpstreamError, now_ms: int) -> None:
        """What went wrong last, in our words."""
        self.last_error, self.last_error_at = f"{type(error).__name__}: {error.message}", now_ms

    def measure(self) -> None:
        """Bring the percentiles up to date."""
        self.p50_ms, self.p95_ms = _percentiles(self.first_token_ms or self.whole_ms)
        self.whole_p95_ms = _percentiles(self.whole_ms)[1] if len(self.whole_ms) >= ENOUGH_SAMPLES else None

    def speak(self, tokens: int, seconds: float) -> bool:
        """It wrote `tokens` in `seconds` after its first one. Whether that tells how fast it is."""
        if tokens < MIN_TOKENS_FOR_SPEED or seconds < MIN_SECONDS_FOR_SPEED:
            return False
        speed, known = tokens / seconds, self.tokens_per_s
        self.tokens_per_s = speed if known is None else known + SPEED_MEMORY * (speed - known)
        return True


def _percentiles(samples: deque[int]) -> tuple[int | None, int | None]:
    """The 50th and the 95th of them."""
    if not samples:
        return None, None
    ordered = sorted(samples)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
