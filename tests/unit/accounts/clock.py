"""A clock that stands still until it is told to go on."""


class FixedClock:
    """Wall time and monotonic time go forward together, by hand."""

    def __init__(self, now_ms: int = 1_780_000_000_000, monotonic: float = 1000.0) -> None:
        self.wall_ms = now_ms
        self.seconds = monotonic

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return self.seconds

    def go_on(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)
        self.seconds += seconds
