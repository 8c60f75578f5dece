"""What we believe about each source: how often it failed in a row and until when it is left alone."""

from dataclasses import dataclass

from kyma.core.errors import RefusedUs, UpstreamError, Verdict
from kyma.core.ids import Clock
from kyma.core.model import Route

FAILURES_TO_SKIP = 5
SKIP_S = 30.0
REFUSED_US_S = 300.0
MIN_COOL_DOWN_S, MAX_COOL_DOWN_S = 1, 60


@dataclass(slots=True)
class _Record:
    failures: int = 0
    skipped_until: float = 0.0


class Health:
    """Opinions by route id, and by provider for what concerns our key there."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, _Record] = {}

    def allows(self, route: Route) -> bool:
        """Whether `route` should be tried now."""
        if not self._records:
            return True
        now = self._clock.monotonic()
        return not any(
            (record := self._records.get(name)) and record.skipped_until > now for name in (route.id, route.provider.id)
        )

    def succeeded(self, route: Route) -> None:
        """The route answered: its failures are forgotten."""
        if self._records:
            self._records.pop(route.id, None)

    def failed(self, route: Route, error: UpstreamError) -> None:
        """Count a fault against the route, or leave the provider alone when our key is what it refuses."""
        now = self._clock.monotonic()
        if error.verdict is Verdict.STOP:
            return
        if error.verdict is Verdict.COOL_DOWN:
            wait_s = min(MAX_COOL_DOWN_S, max(MIN_COOL_DOWN_S, error.retry_after_s or 1))
            record = self._records.setdefault(route.provider.id, _Record())
            record.skipped_until = now + (REFUSED_US_S if isinstance(error, RefusedUs) else wait_s)
            return
        record = self._records.setdefault(route.id, _Record())
        record.failures += 1
        if record.failures >= FAILURES_TO_SKIP:
            record.skipped_until = now + SKIP_S
