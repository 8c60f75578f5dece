"""Shares of the sources of a model, and the draw that turns shares into an order. Pure.

A cheap source gets more than a dear one by the square of their prices, as routers of the field do it; one that fails,
starts late or writes slowly gets less, but never nothing: who is never asked is never seen to recover.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from kyma.core.model import Price
from kyma.routing.source import Source

LEAST_FACTOR = 0.25
LEAST_HEALTH = 0.02
ENOUGH_CALLS = 5
INPUT_PER_OUTPUT = 3
"""Input tokens for each output token when the price of two sources is compared."""

MULTIPLIER, INCREMENT, MASK = 6364136223846793005, 1442695040888963407, (1 << 64) - 1
"""Knuth's 64-bit linear congruence: one point gives the next."""

T = TypeVar("T")


class Seen(msgspec.Struct, frozen=True):
    """What of a source its share depends on."""

    base: float
    cost: Price
    source: Source


def shares(seen: Sequence[Seen]) -> list[float]:
    """The weight of each; 0 where the catalog says 0."""
    costs = [blended(one.cost) for one in seen]
    cheapest = min((cost for cost in costs if cost), default=0)
    quickest = min((one.source.p50_ms for one in seen if one.source.p50_ms), default=None)
    fastest = max((one.source.tokens_per_s for one in seen if one.source.tokens_per_s), default=None)
    return [
        one.base
        * ((cheapest / cost) ** 2 if cost and cheapest else 1.0)
        * _health(one.source)
        * _share(quickest, one.source.p50_ms)
        * _share(one.source.tokens_per_s, fastest)
        for one, cost in zip(seen, costs, strict=True)
    ]


def blended(cost: Price) -> int:
    """One figure for what a source costs, to compare it by."""
    return INPUT_PER_OUTPUT * cost.input + cost.output


def drawn(items: Sequence[T], weights: Sequence[float], point: float) -> Iterator[T]:
    """All items, the heavier the sooner: `point` in [0, 1) decides, and the same point gives the same order.

    A weight that changes a little moves few points to another first item. Items without weight come last, as they are.
    """
    left = [(item, weight) for item, weight in zip(items, weights, strict=True) if weight > 0]
    state = int(point * (1 << 53)) << 11
    while left:
        at = point * sum(weight for _, weight in left)
        index = 0
        while index < len(left) - 1 and at >= left[index][1]:
            at -= left[index][1]
            index += 1
        yield left.pop(index)[0]
        state = (state * MULTIPLIER + INCREMENT) & MASK
        point = state / (MASK + 1)
    yield from (item for item, weight in zip(items, weights, strict=True) if weight <= 0)


def _health(source: Source) -> float:
    """The share of its calls that went well, squared."""
    calls, faults = source.recent
    return max(LEAST_HEALTH, ((calls - faults) / calls) ** 2) if calls >= ENOUGH_CALLS else 1.0


def _share(part: float | None, whole: float | None) -> float:
    """`part / whole` where both are known, between a quarter and one."""
    return min(1.0, max(LEAST_FACTOR, part / whole)) if part and whole else 1.0
