"""What would be tried for a model now, in which order, and why the rest would not."""

from collections.abc import Iterator

import msgspec

from kyma.core.model import Model, Route
from kyma.routing.health import Candidate, Health
from kyma.routing.plan import MAX_ATTEMPTS, Ask, candidates, ordered


class Explained(msgspec.Struct, frozen=True):
    """One source as a request would find it. `model` is whose source it is: the asked one's, or a substitute's.

    `share` is its part of the model's requests, from 0 to 1; `key` the name of the key it would be asked with.
    """

    route: Route
    model: Model
    layer: int
    share: float
    would_try: bool
    reason: str
    key: str | None = None


def explain(model: Model, health: Health, ask: Ask) -> tuple[Explained, ...]:
    """Every source of `model` and of who may answer in its place: those that would be tried, in order, then the others.

    The order is drawn, as a request's own would be.
    """
    everybody = candidates(model, health, ask)
    shares = {id(other): _shares(other, health) for other in (model, *(one.model for one in ask.others))}
    planned = [
        Explained(
            candidate.route,
            candidate.model,
            candidate.layer,
            shares[id(candidate.model)].get(candidate.route.id, 0.0),
            would_try=number < MAX_ATTEMPTS,
            reason=_why(number, candidate, shares[id(candidate.model)], health),
            key=None if candidate.credential is None else candidate.credential.id,
        )
        for number, candidate in enumerate(everybody)
    ]
    return (*planned, *_left(model, health, ask, {candidate.route.id for candidate in everybody}))


def _shares(model: Model, health: Health) -> dict[str, float]:
    entries = health.table(model).entries
    total = sum(entry.weight for entry in entries) or 1.0
    return {entry.route.id: entry.weight / total for entry in entries}


def _why(number: int, candidate: Candidate, shares: dict[str, float], health: Health) -> str:
    if number >= MAX_ATTEMPTS:
        return f"not among the first {MAX_ATTEMPTS}"
    place = "first" if not number else f"after {number} failed"
    if candidate.breaker.until is not None:
        seconds = max(0.0, candidate.breaker.until - health.now())
        return f"{place}: " + (f"left alone for {seconds:.0f} s more" if seconds else "being probed after failures")
    if share := shares.get(candidate.route.id):
        return f"{place}: drawn, with {share:.0%} of the requests"
    return f"{place}: stands by for when the others fail"


def _left(model: Model, health: Health, ask: Ask, planned: set[str]) -> Iterator[Explained]:
    wanted = {entry.route.id for entry in ordered(model, health, ask)}
    for place, route in enumerate(model.routes):
        if route.id in planned:
            continue
        if not health.is_on(route):
            reason = "switched off by an operator"
        elif route.id not in wanted:
            reason = "ruled out by what the request says of providers"
        else:
            reason = "no key of its provider can be used now"
        yield Explained(route, model, min(place, 2), 0.0, would_try=False, reason=reason)
