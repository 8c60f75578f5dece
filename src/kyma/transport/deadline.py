"""A deadline that is cheap to move: one lazy timer serves all the waits of a connection."""

import asyncio
from collections.abc import Callable

NEVER = float("inf")


class Deadline:
    """Calls `on_passed` once when a started wait has run out; starting and stopping arm no timer as a rule.

    The timer is left where it is when the deadline moves away, and looks at the deadline anew when it fires. So a busy
    connection arms about one timer per timeout, not one per wait.
    """

    __slots__ = ("_at", "_loop", "_on_passed", "_timer", "_timer_at")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_passed: Callable[[], None]) -> None:
        self._loop = loop
        self._on_passed = on_passed
        self._at = NEVER
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER

    def start(self, seconds: float) -> None:
        """The wait that begins now may last `seconds`."""
        self._at = at = self._loop.time() + seconds
        if at < self._timer_at:
            self._arm(at)

    def stop(self) -> None:
        """Nothing is waited for."""
        self._at = NEVER

    def close(self) -> None:
        """Stop for good and let go of the timer."""
        self._at = self._timer_at = NEVER
        self._on_passed = _nothing
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        self._timer_at = NEVER
        if self._at <= self._loop.time():
            self._at = NEVER
            self._on_passed()
        elif self._at != NEVER:
            self._arm(self._at)


def _nothing() -> None:
    """In the place of what a closed deadline must not keep alive."""
