"""A clock that stands still until a test moves it."""


class ManualClock:
    """Wall time and monotonic time, moved together by `advance`."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._start_ms = now_ms
        self._passed_s = 0.0

    def now_ms(self) -> int:
        return self._start_ms + int(self._passed_s * 1000)

    def monotonic(self) -> float:
        return 1000.0 + self._passed_s

    def advance(self, seconds: float) -> None:
        self._passed_s += seconds
