"""Whether one key may be used at one source: faults open the breaker, a probe at a time closes it again.

Source of the figures: `money-and-reliability.md` §6. Busy answers and our own key's trouble never come here.
"""

import random

import msgspec

from kyma.routing.state import BreakerState

WINDOW = 50
_MASK = (1 << WINDOW) - 1
FAULTS_IN_A_ROW = 5
SHARE_IN_A_ROW = 0.5
SHARE_OF_WINDOW = 0.6
PROBES_TO_CLOSE = 3
EJECTION_DECAY_S = 60.0
JITTER = 0.2


class BreakerSettings(msgspec.Struct, frozen=True):
    """Seconds that a source is left alone: `open_s` times its ejections of late, at most `max_open_s`."""

    open_s: float = 30.0
    max_open_s: float = 300.0


class Breaker:
    """Outcomes of the last calls as bits, newest lowest; `now` is always monotonic seconds."""

    __slots__ = (
        "_calm_since",
        "_ejections",
        "_faults",
        "_in_a_row",
        "_is_probed",
        "_probes",
        "_seen",
        "_settings",
        "until",
    )

    def __init__(self, settings: BreakerSettings) -> None:
        self._settings = settings
        self._faults = 0
        self._seen = 0
        self._in_a_row = 0
        self._ejections = 0
        self._calm_since = 0.0
        self._probes = 0
        self._is_probed = False
        self.until: float | None = None
        """When an open breaker lets a probe through; None while it is closed."""

    @property
    def recent(self) -> tuple[int, int]:
        """Calls of late and how many of them were faults."""
        return self._seen, self._faults.bit_count()

    def state(self, now: float) -> BreakerState:
        if self.until is None:
            return "closed"
        return "open" if now < self.until else "half_open"

    def allows(self, now: float) -> bool:
        """Whether a call may go this way: always while closed, one at a time when it is time to probe."""
        return self.until is None or (now >= self.until and not self._is_probed)

    def begin(self, now: float) -> None:
        """A call goes this way now, allowed or for want of a better one."""
        if self.until is not None and now >= self.until:
            self._is_probed = True

    def let_go(self) -> None:
        """The call ended without telling anything about the source."""
        self._is_probed = False

    def succeeded(self) -> None:
        """The source answered. Three such answers close an open breaker, and what was before is forgotten."""
        self._in_a_row = 0
        if self.until is None:
            if self._seen < WINDOW:
                self._seen += 1
            if self._faults:
                self._faults = self._faults << 1 & _MASK
            return
        self._is_probed = False
        self._probes += 1
        if self._probes >= PROBES_TO_CLOSE:
            self.until = None
            self._faults = self._seen = 0

    def failed(self, now: float) -> None:
        """A fault of the source."""
        self._is_probed = False
        if self.until is not None:
            if now >= self.until:
                self._open(now)
            return
        self._in_a_row += 1
        self._seen = min(WINDOW, self._seen + 1)
        self._faults = (self._faults << 1 | 1) & _MASK
        share = self._faults.bit_count() / self._seen
        is_dead = self._in_a_row >= FAULTS_IN_A_ROW and share >= SHARE_IN_A_ROW
        if is_dead or (self._seen == WINDOW and share >= SHARE_OF_WINDOW):
            self._open(now)

    def _open(self, now: float) -> None:
        calm_minutes = max(0, int((now - self._calm_since) // EJECTION_DECAY_S))
        self._ejections = max(0, self._ejections - calm_minutes) + 1
        self._probes = 0
        seconds = min(self._settings.max_open_s, self._settings.open_s * self._ejections)
        self.until = self._calm_since = now + seconds * random.uniform(1 - JITTER, 1 + JITTER)
