"""What a suite is: a name, sizes, a run that answers figures, and the limits those figures must keep."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One result. `limit` says what was demanded; empty for what is only told."""

    name: str
    value: str
    limit: str = ""
    is_met: bool = True

    def __str__(self) -> str:
        verdict = "" if self.is_met else "  FAILED"
        return f"  {self.name:<44} {self.value:>14}  {self.limit}{verdict}".rstrip()


class Run(msgspec.Struct, frozen=True):
    """One run of a suite: how much, from which seed, in which empty folder."""

    size: int
    seed: int
    is_full: bool
    folder: Path

    def dice(self, label: object = "") -> random.Random:
        """Random numbers that depend on nothing but seed and label."""
        return random.Random(f"{self.seed}:{label}")


class Suite(msgspec.Struct, frozen=True):
    """`quick`, `full` and `for_mutants` are sizes, counted in `unit`.

    One that `runs_by_name_only` is left out when no suite is named; `limit_s` is its time in quick sizes.
    """

    name: str
    unit: str
    quick: int
    full: int
    for_mutants: int
    run: Callable[[Run], list[Figure]]
    runs_by_name_only: bool = False
    limit_s: float = 120.0


def zero(name: str, found: int | Sequence[object]) -> Figure:
    """Nothing of the kind may happen; of a sequence the first one is shown."""
    count = found if isinstance(found, int) else len(found)
    first = "" if isinstance(found, int) or not found else f"; first: {found[0]}"
    return Figure(name, str(count), f"must be 0{first}", count == 0)


def at_most(name: str, value: float, limit: float, unit: str = "") -> Figure:
    return Figure(name, f"{value:.6g}{unit}", f"at most {limit:g}{unit}", value <= limit)


def at_least(name: str, value: float, limit: float, unit: str = "") -> Figure:
    return Figure(name, f"{value:.6g}{unit}", f"at least {limit:g}{unit}", value >= limit)


def told(name: str, value: object) -> Figure:
    """For information, with no limit."""
    return Figure(name, str(value))
