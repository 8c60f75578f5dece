"""Which models may answer in place of another: those that can do all that it can, and cost the caller no more.

Pure. What a substitute is asked for is sold at the lower of both prices, so a source that costs more than that with
the mark-up is none.
"""

import math
from collections.abc import Iterable

import msgspec

from kyma.catalog.pricing import fits
from kyma.core.model import Alternative, Model, Price

ABILITIES = (
    "supports_tools",
    "supports_vision",
    "supports_reasoning",
    "supports_structured_outputs",
    "takes_token_ids",
)


def substitute_for(asked: Model, other: Model) -> Alternative | None:
    """`other` in place of `asked`; None where it is weaker, or no source of it here is cheap enough."""
    if weakness(asked, other):
        return None
    routes = tuple([route for route in other.routes if covers(asked, route.cost)])
    if not routes:
        return None
    return Alternative(msgspec.structs.replace(other, routes=routes), asked.price.cheaper(other.price))


def covers(asked: Model, cost: Price) -> bool:
    """Whether a source may serve at the price of `asked`: also none that would search for nothing."""
    return fits(asked.kind, cost, asked.price) and (cost.search is None or asked.price.search is not None)


def shortcoming(asked: Model, other: Model, costs: Iterable[Price]) -> str:
    """Why `other` can never stand in for `asked`, its sources costing `costs` on or off; empty if it can."""
    found = tuple(costs)
    if lacks := weakness(asked, other):
        return lacks
    if not found:
        return "it has no source"
    return "" if any(covers(asked, cost) for cost in found) else "every source of it is too dear"


def weakness(asked: Model, other: Model) -> str:
    """The first thing that `asked` can do and `other` cannot; empty if there is none."""
    for ability in ABILITIES:
        if getattr(asked, ability) and not getattr(other, ability):
            return f"{ability} is false"
    for field in ("input_modalities", "output_modalities"):
        if missing := set(getattr(asked, field)).difference(getattr(other, field)):
            return f"{field} lack {min(missing)}"
    if asked.supports_vision and other.image_tokens > asked.image_tokens:
        return f"image_tokens is {other.image_tokens}, more than {asked.image_tokens}"
    if other.context_window < asked.context_window:
        return f"context_window is {other.context_window}, less than {asked.context_window}"
    if _most_output(other) < _most_output(asked):
        return f"max_output_tokens is {other.max_output_tokens}, less than {asked.max_output_tokens or 'unlimited'}"
    if asked.price.search is not None and other.price.search is None:
        return "it is sold without searches"
    return ""


def _most_output(model: Model) -> float:
    return math.inf if model.max_output_tokens is None else model.max_output_tokens
