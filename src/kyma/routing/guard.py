"""The amplification guard: when most of a model's calls fail, asking everybody for each of them is a storm."""

from collections.abc import Callable

WINDOW_S = 10.0
FREE_EXTRAS = 20
"""Further attempts in a window that nobody minds, however few the requests."""


class _Window:
    __slots__ = ("extras", "extras_before", "requests", "requests_before", "started_at")

    def __init__(self, now: float) -> None:
        self.started_at = now
        self.requests = self.extras = self.requests_before = self.extras_before = 0

    def advance(self, now: float) -> float:
        """Start a new window if it is time; the share of the one before that still counts."""
        age = now - self.started_at
        if age >= WINDOW_S:
            is_next = age < 2 * WINDOW_S
            self.requests_before, self.extras_before = (self.requests, self.extras) if is_next else (0, 0)
            self.requests = self.extras = 0
            self.started_at = self.started_at + WINDOW_S if is_next else now
            age = now - self.started_at
        return 1 - age / WINDOW_S


class Guard:
    """Allows as many further attempts as there were requests, by model, over ten seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._windows: dict[str, _Window] = {}

    def count_request(self, model_id: str, now: float) -> None:
        """A request's first attempt begins."""
        window = self._windows.get(model_id)
        if window is None:
            window = self._windows[model_id] = _Window(now)
        elif now - window.started_at >= WINDOW_S:
            window.advance(now)
        window.requests += 1

    def allows_more(self, model_id: str) -> bool:
        """Whether one more attempt is fair; it is counted if so."""
        now = self._monotonic()
        window = self._windows.setdefault(model_id, _Window(now))
        share = window.advance(now)
        extras = window.extras + window.extras_before * share
        if extras >= max(FREE_EXTRAS, window.requests + window.requests_before * share):
            return False
        window.extras += 1
        return True
