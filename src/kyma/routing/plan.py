"""The order in which the sources of a model are tried. Pure."""

from collections.abc import Callable

import msgspec

from kyma.core.model import Model, Route

MAX_ATTEMPTS = 6


class Candidate(msgspec.Struct, frozen=True):
    """A route and the fallback layer it means: 0 primary, 1 first other source, 2 a further one."""

    route: Route
    layer: int


class Plan(msgspec.Struct, frozen=True):
    """Candidates in order; at most `MAX_ATTEMPTS`."""

    candidates: tuple[Candidate, ...]


def plan(model: Model, is_healthy: Callable[[Route], bool], dialect: str | None = None) -> Plan:
    """Healthy routes in catalog order; all of them when none is healthy, since a guess beats a refusal.

    Routes that speak `dialect` come first: the request has something that only they can be told.

    The layer counts from the catalog's primary, so a request that skips a sick primary says that it fell back.
    """
    if len(model.routes) == 1:
        return Plan((Candidate(model.routes[0], 0),))
    routes = model.routes
    if dialect is not None:
        routes = tuple(sorted(routes, key=lambda route: route.provider.dialect != dialect))
    ranked = tuple([Candidate(route, min(position, 2)) for position, route in enumerate(routes)])
    ranked = tuple([candidate for candidate in ranked if is_healthy(candidate.route)]) or ranked
    return Plan(ranked[:MAX_ATTEMPTS])
