"""Ids that we mint, and the clock that is handed in so that a simulator can drive time. Days and hours are UTC."""

import random
import time
from typing import Protocol

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Clock(Protocol):
    """Where time comes from; nothing else in Kyma reads the system's clock near money."""

    def now_ms(self) -> int:
        """Wall time in milliseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    monotonic = staticmethod(time.monotonic)


def new_id(prefix: str) -> str:
    """`prefix_` and 24 hex digits: 11 of the millisecond, so that rows lie in the order they come, then 52 random bits.

    An id says when it was made and nothing else; it is safe to show and no secret.
    """
    number = time.time_ns() // 1_000_000 << 52 | random.getrandbits(52)
    return f"{prefix}_{number.to_bytes(12).hex()}"
