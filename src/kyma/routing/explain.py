"""What would be tried for a model now, in which order, and why the rest would not. Pure."""

from collections.abc import Callable

import msgspec

from kyma.core.model import Model, Route
from kyma.routing.plan import MAX_ATTEMPTS, plan


class Explained(msgspec.Struct, frozen=True):
    """One source as a request would find it. `model` is whose source it is: the asked one's, or a substitute's."""

    route: Route
    model: Model
    layer: int
    weight: float
    would_try: bool
    reason: str


def explain(
    model: Model, is_healthy: Callable[[Route], bool], is_on: Callable[[Route], bool], dialect: str | None = None
) -> tuple[Explained, ...]:
    """Every source of `model`: those that would be tried, in that order, then the others.

    `dialect` is that of a request which has something only its own kind of source can be told.
    """
    served = tuple(filter(is_on, model.routes))
    planned = plan(msgspec.structs.replace(model, routes=served), is_healthy, dialect).candidates
    tried = [
        Explained(
            candidate.route,
            model,
            candidate.layer,
            candidate.route.weight,
            would_try=True,
            reason=_why_tried(number, candidate.route, is_healthy, dialect),
        )
        for number, candidate in enumerate(planned)
    ]
    ids = {candidate.route.id for candidate in planned}
    left = [
        Explained(
            route, model, min(number, 2), route.weight, would_try=False, reason=_why_left(route, is_healthy, is_on)
        )
        for number, route in enumerate(model.routes)
        if route.id not in ids
    ]
    return (*tried, *left)


def _why_tried(number: int, route: Route, is_healthy: Callable[[Route], bool], dialect: str | None) -> str:
    place = "first" if not number else f"after {number} failed"
    if not is_healthy(route):
        return f"{place}; left alone for now, but no other source is any better"
    if dialect is not None and route.provider.dialect == dialect:
        return f"{place}; speaks {dialect}, which the request needs"
    return f"{place}; by the catalog's order"


def _why_left(route: Route, is_healthy: Callable[[Route], bool], is_on: Callable[[Route], bool]) -> str:
    if not is_on(route):
        return "switched off by an operator"
    if not is_healthy(route):
        return "left alone for now: it failed again and again, or its provider refuses or throttles our key"
    return f"not among the first {MAX_ATTEMPTS}"
