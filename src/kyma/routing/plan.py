"""Whom to ask for a request, in which order. Decides from what is known, and asks nobody.

The order of a model's sources is drawn by their shares and says nothing of breakers: so a request whose primary is
left alone says honestly that it fell back. What may be tried comes first, then further keys, then substitutes, and
last what is believed to be dead, since a guess beats a refusal.
"""

import functools
from collections.abc import Callable, Iterator, Sequence

import msgspec

from kyma.core.credential import Credential
from kyma.core.model import Alternative, Model, Route
from kyma.core.preferences import Preferences
from kyma.routing.health import Candidate, Entry, Health
from kyma.routing.wishes import wished

MAX_ATTEMPTS = 6
SUBSTITUTE_LAYER = 3

KeysOf = Callable[[str, str], Sequence[Credential]]
"""Keys for a provider and an account."""


def _any_model(_model: Model) -> bool:
    return True


class Ask(msgspec.Struct, frozen=True):
    """What of a request decides who is asked.

    `point` in [0, 1) draws the order: requests with the same one go the same way. `dialect` is the request's own if
    it holds something that no other can be told. `others` may answer in place of the model, each at its price,
    if it `suits` the request.
    """

    account_id: str
    point: float
    dialect: str | None = None
    preferences: Preferences | None = None
    others: Sequence[Alternative] = ()
    suits: Callable[[Model], bool] = _any_model


FORGOTTEN = Ask("", 0.0)


class Plan:
    """The first to try, and the rest once it has failed."""

    __slots__ = ("_ask", "_health", "first", "has_more", "is_pinned", "model")

    def __init__(
        self,
        model: Model,
        first: Candidate | None,
        has_more: bool,
        health: Health,
        ask: Ask,
        *,
        is_pinned: bool = False,
    ) -> None:
        """One that `is_pinned` has its first and nobody else, who is asked once."""
        self.model = model
        self.is_pinned = is_pinned
        self.first = first
        self.has_more = has_more
        self._health = health
        self._ask = ask

    def forget(self) -> None:
        """Somebody has answered, so nobody else will be asked: let go of what the request is remembered by."""
        self._ask = FORGOTTEN

    def rest(self) -> list[Candidate]:
        """Who is tried after the first, in order; at most as many as attempts are left."""
        return candidates(self.model, self._health, self._ask, self.first)[: MAX_ATTEMPTS - 1]


def plan(model: Model, health: Health, ask: Ask) -> Plan:
    """The plan for a request. Most need its first candidate only, so no more is worked out before."""
    table = health.table(model)
    keys = health.keys
    if table.entries and ask.preferences is None and ask.dialect is None and not keys.has_own(ask.account_id):
        entry = table.first(ask.point)
        provider = entry.route.provider
        usable = keys.usable(provider.id, ask.account_id)
        if usable or provider.is_local:
            credential = usable[0] if usable else None
            breaker = health.breaker(entry.route, credential)
            if breaker.until is None:
                first = Candidate(entry.route, 0, model, model.price, credential, entry.source, breaker, entry.tally)
                has_more = len(table.entries) > 1 or len(usable) > 1 or bool(ask.others)
                return Plan(model, first, has_more, health, ask)
    ranked = candidates(model, health, ask)
    return Plan(model, ranked[0] if ranked else None, len(ranked) > 1, health, ask)


def pin(model: Model, route: Route, health: Health, ask: Ask) -> Plan:
    """A plan to ask one source once, switched on or not, whatever is known of it."""
    entry = Entry(route, health.source(route), 0.0, health.tally(model, route))
    keyed = _keyed(entry, 0, Alternative(model, model.price), health, ask.account_id, health.keys.held)
    return Plan(model, next(keyed, None), False, health, ask, is_pinned=True)


def is_ruled_out(model: Model, health: Health, ask: Ask) -> bool:
    """Whether nobody is left because of the caller's wishes, and not for want of keys or of sources that are on."""
    if ask.preferences is None:
        return False
    models = (model, *(other.model for other in ask.others))
    return any(health.table(one).entries for one in models) and not any(ordered(one, health, ask) for one in models)


def candidates(model: Model, health: Health, ask: Ask, tried: Candidate | None = None) -> list[Candidate]:
    """Everybody who may be asked, in order, but who has been `tried`.

    Where nobody has a key that is ready, those with keys that are cooling down.
    """
    ready = _ranked(model, health, ask, health.keys.usable, tried)
    return ready or _ranked(model, health, ask, health.keys.held, tried)


def _ranked(model: Model, health: Health, ask: Ask, keys_of: KeysOf, tried: Candidate | None) -> list[Candidate]:
    keys_of = functools.cache(keys_of)  # one turn of a provider's keys for one request, however many sources share them
    now = health.now()
    ready: list[Candidate] = []
    spare: list[Candidate] = []
    dead: list[Candidate] = []
    others = [other for other in ask.others if other.model.kind == model.kind and ask.suits(other.model)]
    for offer in (Alternative(model, model.price), *others):
        firsts: list[Candidate] = []
        for place, entry in enumerate(ordered(offer.model, health, ask)):
            layer = min(place, 2) if offer.model is model else SUBSTITUTE_LAYER
            keyed = [
                one for one in _keyed(entry, layer, offer, health, ask.account_id, keys_of) if not _same(one, tried)
            ]
            allowed = [candidate for candidate in keyed if candidate.breaker.allows(now)]
            is_new = 0 if tried is not None and entry.route is tried.route else 1
            firsts += allowed[:is_new]
            spare += allowed[is_new:]
            dead += [candidate for candidate in keyed if not candidate.breaker.allows(now)]
        ready += firsts + spare
        spare.clear()
    return ready + dead


def ordered(model: Model, health: Health, ask: Ask) -> list[Entry]:
    """The sources of `model` that the request may go to, in order, before keys and breakers are looked at."""
    entries = list(health.table(model).order(ask.point))
    if ask.preferences is not None:
        entries = wished(entries, ask.preferences)
    if ask.dialect is not None:
        entries.sort(key=lambda entry: entry.route.provider.dialect != ask.dialect)
    if health.keys.has_own(ask.account_id):
        entries.sort(key=lambda entry: not health.keys.owns(entry.route.provider.id, ask.account_id))
    if ask.preferences is not None and not ask.preferences.allow_fallbacks and not ask.preferences.order:
        entries = entries[:1]
    return entries


def _keyed(
    entry: Entry, layer: int, offer: Alternative, health: Health, account_id: str, keys_of: KeysOf
) -> Iterator[Candidate]:
    """The source with each of its keys; one of our own machines may need none."""
    route, source = entry.route, entry.source
    keys: Sequence[Credential | None] = keys_of(route.provider.id, account_id)
    for credential in keys or ((None,) if route.provider.is_local else ()):
        breaker = health.breaker(route, credential)
        yield Candidate(route, layer, offer.model, offer.price, credential, source, breaker, entry.tally)


def _same(candidate: Candidate, other: Candidate | None) -> bool:
    if other is None or candidate.route is not other.route:
        return False
    return _key_id(candidate) == _key_id(other)  # a customer's own key is opened anew each time


def _key_id(candidate: Candidate) -> str:
    return "" if candidate.credential is None else candidate.credential.id
