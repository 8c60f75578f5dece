"""Pairs: the same measurement on two targets in turns, so that what the machine does meanwhile hits both."""

import statistics
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from bench.target import Target

T = TypeVar("T")


class Pair(msgspec.Struct, Generic[T], frozen=True):
    """One round: the target under test and nginx right after it."""

    tested: T
    nginx: T


class Spread(msgspec.Struct, frozen=True):
    """The median of some rounds, and how far they went."""

    median: float
    least: float
    most: float

    def text(self, digits: int = 1) -> str:
        """`median (least–most)`."""
        return f"{self.median:.{digits}f} ({self.least:.{digits}f}–{self.most:.{digits}f})"


def in_turns(measure: Callable[[Target], T], tested: Target, nginx: Target, rounds: int) -> list[Pair[T]]:
    """Measure A B A B …"""
    return [Pair(measure(tested), measure(nginx)) for _ in range(rounds)]


def spread(values: Sequence[float]) -> Spread:
    """Median, minimum and maximum."""
    return Spread(statistics.median(values), min(values), max(values))
