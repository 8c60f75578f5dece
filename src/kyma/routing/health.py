"""What this process believes about every source, and the tables of shares that follow from it.

Keys are the vault's: it is told of what concerns a key, and asked which may be used.
"""

import logging
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Protocol

import msgspec

from kyma.core.credential import Credential
from kyma.core.errors import RefusedUs, UpstreamError, UpstreamTimeout, Verdict
from kyma.core.ids import Clock
from kyma.core.model import Model, Price, Route
from kyma.core.tally import BOUNDS_MS, Tallies, Tally
from kyma.routing.breaker import Breaker, BreakerSettings
from kyma.routing.guard import Guard
from kyma.routing.source import Source
from kyma.routing.state import RouteState
from kyma.routing.weights import Seen, drawn, shares

log = logging.getLogger("kyma.routing")

TABLE_S = 1.0
"""How old a table of shares may grow."""

MAX_TABLES = 1024
FIRST_TOKEN_FACTOR, LEAST_FIRST_TOKEN_S, MOST_FIRST_TOKEN_S = 3, 2.0, 20.0
LEAST_WHOLE_S = 20.0
DEADLINE_S = 120.0


class Keys(Protocol):
    """The vault, as far as routing needs it."""

    def usable(self, provider_id: str, account_id: str) -> Sequence[Credential]:
        """Keys to try now, in order; the account's own first."""
        ...

    def held(self, provider_id: str, account_id: str) -> Sequence[Credential]:
        """The same, those that are cooling down included."""
        ...

    def has_own(self, account_id: str) -> bool: ...

    def owns(self, provider_id: str, account_id: str) -> bool: ...

    def failed(self, credential: Credential, error: UpstreamError) -> None: ...


class Candidate(msgspec.Struct, frozen=True, eq=False):
    """A route to be tried with a key, for a model at a price. Layer 0 is the primary, 1 the first other source, 2 a
    further one, 3 another model."""

    route: Route
    layer: int
    model: Model
    price: Price
    credential: Credential | None
    source: Source
    breaker: Breaker
    tally: Tally


class Entry(msgspec.Struct, frozen=True, eq=False):
    """A route that is on, with its share."""

    route: Route
    source: Source
    weight: float
    tally: Tally


class Table:
    """The sources of a model that are on, as they stood a moment ago."""

    __slots__ = ("_bounds", "built_at", "entries", "model")

    def __init__(self, model: Model, entries: Sequence[Entry], now: float) -> None:
        self.model = model
        self.entries = tuple(entries)
        self.built_at = now
        self._bounds = list(accumulate(entry.weight for entry in entries if entry.weight > 0))

    def first(self, point: float) -> Entry:
        """The first that `order` would give, found at once."""
        if not self._bounds:
            return self.entries[0]
        at = min(bisect_right(self._bounds, point * self._bounds[-1]), len(self._bounds) - 1)
        return self.entries[at]

    def order(self, point: float) -> Iterator[Entry]:
        """Every entry once, the heavier the sooner."""
        return drawn(self.entries, [entry.weight for entry in self.entries], point)


class Health:
    """Every source by route id. A reload of the catalog keeps what is known of the routes that stay."""

    def __init__(
        self,
        clock: Clock,
        keys: Keys,
        settings: BreakerSettings | None = None,
        deadline_s: float = DEADLINE_S,
        tallies: Tallies | None = None,
    ) -> None:
        """No further attempt at a request begins after `deadline_s`. What becomes of each is counted in `tallies`."""
        self._clock = clock
        self.keys = keys
        self.now = clock.monotonic
        self.deadline_s = deadline_s
        self.guard = Guard(clock.monotonic)
        self._settings = settings or BreakerSettings()
        self._tallies = tallies or Tallies()
        self._sources: dict[str, Source] = {}
        self._tables: dict[int, Table] = {}
        self._off: frozenset[str] = frozenset()

    def switch_off(self, names: frozenset[str]) -> None:
        """Leave these routes and providers alone, by id, and no others."""
        self._off = names
        self._tables.clear()

    def is_on(self, route: Route) -> bool:
        return route.id not in self._off and route.provider.id not in self._off

    def source(self, route: Route) -> Source:
        """What is known of `route`."""
        found = self._sources.get(route.id)
        if found is None:
            found = self._sources[route.id] = Source()
        return found

    def tally(self, model: Model, route: Route) -> Tally:
        """Where attempts at `route` for `model` are counted."""
        return self._tallies.of(model.id, route.id)

    def breaker(self, route: Route, credential: Credential | None) -> Breaker:
        return self.source(route).breaker(credential, self._settings)

    def table(self, model: Model) -> Table:
        """The sources of `model` and their shares, at most a second old."""
        now = self.now()
        found = self._tables.get(id(model))
        if found is not None and found.model is model and now - found.built_at < TABLE_S:
            return found
        if len(self._tables) >= MAX_TABLES:  # of catalogs that a reload has replaced
            self._tables.clear()
        table = self._tables[id(model)] = self._build(model, now)
        return table

    def patience_s(self, candidate: Candidate, is_streaming: bool) -> float | None:
        """How long an answer may take to begin while another source is left; None: as long as its provider may."""
        route, source = candidate.route, candidate.source
        if not is_streaming:
            whole_ms = source.whole_p95_ms
            return None if whole_ms is None else max(LEAST_WHOLE_S, FIRST_TOKEN_FACTOR * whole_ms / 1000)
        if (stated := route.first_token_s or route.provider.first_token_s) is not None:
            return stated
        if source.p95_ms is None:
            return MOST_FIRST_TOKEN_S
        return min(MOST_FIRST_TOKEN_S, max(LEAST_FIRST_TOKEN_S, FIRST_TOKEN_FACTOR * source.p95_ms / 1000))

    def is_left_alone(self, route: Route) -> bool:
        """Whether nothing is asked of `route` now for its faults: with no key that it was asked with before."""
        breakers, now = self.source(route).breakers.values(), self.now()
        return bool(breakers) and not any(breaker.allows(now) for breaker in breakers)

    def state(self, route: Route, models: tuple[str, ...], weight: float) -> RouteState:
        """What operators see of a source; of several keys the breaker that is furthest from closed."""
        source, now = self.source(route), self.now()
        source.measure()
        worst = max(source.breakers.values(), key=lambda breaker: breaker.until or 0.0, default=None)
        calls, faults = source.recent
        return RouteState(
            route=route.id,
            provider=route.provider.id,
            models=models,
            is_on=self.is_on(route),
            weight=weight,
            breaker="closed" if worst is None else worst.state(now),
            opens_until_s=None if worst is None or worst.until is None else max(0.0, worst.until - now),
            recent_calls=calls,
            recent_failures=faults,
            p50_ms=source.p50_ms,
            p95_ms=source.p95_ms,
            tokens_per_s=source.tokens_per_s,
            in_flight=source.in_flight,
            last_error=source.last_error,
            last_error_at=source.last_error_at,
        )

    def begin(self, candidate: Candidate) -> None:
        """An attempt begins; `let_go`, `failed` or `answered` and then `ended` or `broke` must follow."""
        candidate.source.in_flight += 1
        if candidate.breaker.until is not None:
            candidate.breaker.begin(self.now())

    def let_go(self, candidate: Candidate) -> None:
        """The attempt ended without telling anything about the source."""
        candidate.source.in_flight -= 1
        candidate.breaker.let_go()

    def failed(self, candidate: Candidate, error: UpstreamError) -> None:
        """The attempt failed: a fault counts against the source, trouble with a key against that key."""
        candidate.source.in_flight -= 1
        if self._blame(candidate, error):
            candidate.tally.blame(error)

    def answered(self, candidate: Candidate, seconds: float, is_streaming: bool) -> None:
        """The answer has begun, or is there whole, `seconds` after the attempt began."""
        candidate.breaker.succeeded()
        source, tally, ms = candidate.source, candidate.tally, int(seconds * 1000)
        tally.answered += 1
        if is_streaming:
            source.first_token_ms.append(ms)
            tally.first_token[bisect_right(BOUNDS_MS, ms)] += 1
        else:
            source.whole_ms.append(ms)
            tally.whole[bisect_right(BOUNDS_MS, ms)] += 1

    def ended(self, candidate: Candidate, tokens: int = 0, seconds: float = 0.0) -> None:
        """An answer that had begun is over, `tokens` long, `seconds` after its first one."""
        candidate.source.in_flight -= 1
        if candidate.source.speak(tokens, seconds):
            tally = candidate.tally
            tally.tokens += tokens
            tally.speaking_ms += int(seconds * 1000)

    def broke(self, candidate: Candidate, error: UpstreamError) -> None:
        """An answer that had begun broke off: as `failed`, since who is overloaded may say so late."""
        candidate.source.in_flight -= 1
        if self._blame(candidate, error):
            candidate.tally.broke_off += 1

    def _blame(self, candidate: Candidate, error: UpstreamError) -> bool:
        """Whether it is to be counted: not what the request is at fault for, nor trouble with a customer's own key."""
        if error.verdict in (Verdict.STOP, Verdict.PASS):
            candidate.breaker.let_go()
            return False
        candidate.source.note(error, self._clock.now_ms())
        if error.verdict is Verdict.COOL_DOWN:
            candidate.breaker.let_go()
            if candidate.credential is not None:
                self.keys.failed(candidate.credential, error)
                return not candidate.credential.is_own
            if isinstance(error, RefusedUs):  # nobody's key: the source itself turns us away
                self._count_fault(candidate, error)
            return True
        self._count_fault(candidate, error)
        return True

    def _count_fault(self, candidate: Candidate, error: UpstreamError) -> None:
        breaker, now = candidate.breaker, self.now()
        before = breaker.until
        breaker.failed(now)
        if breaker.until is not None and breaker.until != before:
            key = "" if candidate.credential is None else f" with key {candidate.credential.id}"
            seconds = breaker.until - now
            log.warning("source %s%s is left alone for %.0f s: %s", candidate.route.id, key, seconds, error.message)

    def _build(self, model: Model, now: float) -> Table:
        routes = [route for route in model.routes if self.is_on(route)]
        sources = [self.source(route) for route in routes]
        for source in sources:
            source.measure()
        weights = shares(
            [Seen(route.weight, route.cost, source) for route, source in zip(routes, sources, strict=True)]
        )
        tallies = [self.tally(model, route) for route in routes]
        entries = [Entry(*one) for one in zip(routes, sources, weights, tallies, strict=True)]
        return Table(model, sorted(entries, key=lambda entry: entry.weight <= 0), now)


def is_worth_repeating(error: UpstreamError) -> bool:
    """Whether the same source may do better at once: a fault that came quickly."""
    return error.verdict is Verdict.NEXT and not isinstance(error, UpstreamTimeout)
