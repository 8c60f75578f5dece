"""Ids that we mint, and the clock that is handed in so that a simulator can drive time."""

import secrets
import time
from typing import Protocol


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

    def monotonic(self) -> float:
        return time.monotonic()


def new_id(prefix: str) -> str:
    """`prefix_` and 24 hex digits (96 random bits): no order, no meaning, safe to show."""
    return f"{prefix}_{secrets.token_hex(12)}"
