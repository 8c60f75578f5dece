"""What a model is sold for and which routes may serve it at that price.

A list price stands as typed; without one the dearest active route with the mark-up makes it. Of prices and costs that
were announced those in force today count. A route that costs more than the price allows, or has ended, is left out with
a warning. Whether a provider is on never moves a price.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Literal, Protocol, TypeVar

import msgspec

from kyma.catalog.dated import brought_to, in_force, steps
from kyma.catalog.dates import has_ended
from kyma.catalog.rows import ModelRow, PriceRow, ProviderRow, RouteRow, Row, UnitPrices
from kyma.catalog.sheets import CatalogError, quirks_of
from kyma.core.model import Kind, Price
from kyma.core.money import (
    Picos,
    per_million_text,
    per_million_to_picos,
    per_thousand_text,
    per_thousand_to_picos,
    with_markup,
)
from kyma.dialects.whole import WHOLE

Costed = tuple[RouteRow, Price]

DEAREST = "dearest active source with the mark-up of 27/20"
"""The source of a price that no row lists."""


class Ending(Protocol):
    """A route's row, of whatever is sold."""

    @property
    def id(self) -> str: ...
    @property
    def retires_on(self) -> date | None: ...


EndingT = TypeVar("EndingT", bound=Ending)
CostT = TypeVar("CostT")


class Offer(msgspec.Struct, frozen=True):
    """A model's price and every route that may serve it, its provider on or off; `warnings` say which may not."""

    price: Price
    price_source: str
    routes: tuple[Costed, ...]
    warnings: tuple[str, ...]


def offer(model_id: str, row: ModelRow, providers: Mapping[str, ProviderRow], today: date) -> Offer:
    """The rules of this module for one row. Raises: CatalogError for a bad price, an unknown provider, a free model."""
    costed = tuple(costs(row, providers, today))
    active, ended = still_there(model_id, row.retires_on, costed, today)
    if row.list_price is None:
        price, price_source = _dearest(row, active or costed), DEAREST
    else:
        price, price_source = _listed(row, row.list_price, today)
    _check_sellable(f"{row.where}: list_price", row, price)
    loss = tuple(
        f"{model_id}: {route.id} dropped: {_text(cost)} with the mark-up exceeds the list price {_text(price)}"
        for route, cost in active
        if not fits(row.kind, cost, price)
    )
    fitting = tuple((route, cost) for route, cost in active if fits(row.kind, cost, price))
    return Offer(price=price, price_source=price_source, routes=fitting, warnings=ended + loss)


def costs(row: ModelRow, providers: Mapping[str, ProviderRow], today: date) -> Iterator[Costed]:
    """Every route as it reads today, ended or not, and what it costs. Raises: CatalogError."""
    for where, route in in_place(row, row.routes, "provider", providers):
        quirks_of(where, row.quirks, route.quirks)
        if row.kind != "chat" and row.kind not in WHOLE.get(providers[route.provider].dialect, {}):
            raise CatalogError(f"{where}.provider: it serves chats and no {row.kind} models")
        for place, typed in steps(where, route, route.later):
            if not (_is_paid(row, _cost(place, typed)) or row.is_free or providers[route.provider].is_local):
                raise CatalogError(f"{place}.input: only a local provider may cost nothing")
        now = in_force(route, route.later, today)
        yield brought_to(route, now, UnitPrices), _cost(where, now)


def fits(kind: Kind, cost: Price, price: Price) -> bool:
    """What a customer can ask for at this price is covered; reading from a cache has the contract's price.

    A chat is sold without searches where they have no price; a rerank always is one.
    """
    paired = [
        (cost.input, price.input),
        (cost.output, price.output),
        (cost.cache_write, price.cache_write),
        (cost.cache_write_1h, price.cache_write_1h),
    ]
    if cost.search is not None and (price.search is not None or kind == "rerank"):
        paired.append((cost.search, price.search or 0))
    return all(with_markup(ours) <= theirs for ours, theirs in paired)


def still_there(
    model_id: str, retires_on: date | None, routes: tuple[tuple[EndingT, CostT], ...], today: date
) -> tuple[tuple[tuple[EndingT, CostT], ...], tuple[str, ...]]:
    """The routes that have not ended, none if the model has; warnings say what has."""
    if has_ended(retires_on, today):
        return (), (f"{model_id}: not offered: it retired on {retires_on}",)
    ended = tuple(
        f"{model_id}: {route.id} dropped: it ended on {route.retires_on}"
        for route, _ in routes
        if has_ended(route.retires_on, today)
    )
    return tuple((route, cost) for route, cost in routes if not has_ended(route.retires_on, today)), ended


def in_place(
    row: Row, routes: tuple[EndingT, ...], field: Literal["provider", "vendor"], known: Collection[str]
) -> Iterator[tuple[str, EndingT]]:
    """Each route with its place for messages. Raises: CatalogError for a stranger's, or one that is listed twice."""
    seen: set[str] = set()
    for index, route in enumerate(routes):
        where, name = f"{row.where}: routes[{index}]", getattr(route, field)
        if name not in known:
            raise CatalogError(f"{where}.{field}: there is no {field} {name!r}")
        if route.id in seen:
            raise CatalogError(f"{where}: {route.id} is listed twice")
        seen.add(route.id)
        yield where, route


def exactly(where: str, field: str, text: str, reading: Callable[[str], Picos]) -> Picos:
    """A price as `reading` reads it. Raises: CatalogError naming the field."""
    try:
        return reading(text)
    except ValueError as error:
        raise CatalogError(f"{where}.{field}: {error}") from error


def _cost(where: str, typed: UnitPrices) -> Price:
    fresh = _picos(where, "input", typed.input)
    cached = fresh if typed.cached_input is None else _picos(where, "cached_input", typed.cached_input)
    return _price(where, typed, cached)


def _is_paid(row: ModelRow, price: Price) -> bool:
    """Whether all that a model does costs something. Rerankers may cost by the search, and nothing by the token."""
    if row.kind == "rerank" and price.search:
        return True
    return bool(price.input and (price.output or row.kind != "chat"))


def _dearest(row: ModelRow, routes: tuple[Costed, ...]) -> Price:
    if not routes:
        raise CatalogError(f"{row.where}: list_price is needed where there is no route")
    costs = [cost for _, cost in routes]
    searches = [cost.search for cost in costs if cost.search is not None]
    return Price(
        input=with_markup(max(cost.input for cost in costs)),
        cached_input=with_markup(max(cost.cached_input for cost in costs)),
        cache_write=with_markup(max(cost.cache_write for cost in costs)),
        output=with_markup(max(cost.output for cost in costs)),
        cache_write_1h=with_markup(max(cost.cache_write_1h for cost in costs)),
        search=with_markup(max(searches)) if searches else None,
    )


def _listed(row: ModelRow, listed: PriceRow, today: date) -> tuple[Price, str]:
    """The price in force and its source."""
    where = f"{row.where}: list_price"
    for place, typed in steps(where, listed, listed.later):
        _check_sellable(place, row, _list_price(place, typed))
    now = in_force(listed, listed.later, today)
    return _list_price(where, now), now.source


def _check_sellable(where: str, row: ModelRow, price: Price) -> None:
    if not row.is_free and not _is_paid(row, price):
        raise CatalogError(f"{where}: a model must cost more than nothing, unless it says is_free")
    if row.is_free and (price.input or price.output):
        raise CatalogError(f"{where}: a free model costs nothing")


def _list_price(where: str, typed: UnitPrices) -> Price:
    cached, rest = divmod(_picos(where, "input", typed.input), 10)
    if typed.cached_input is not None:
        cached = _picos(where, "cached_input", typed.cached_input)
    elif rest:
        raise CatalogError(f"{where}.cached_input is needed: a tenth of input is no whole pico-dollar a token")
    return _price(where, typed, cached)


def _price(where: str, typed: UnitPrices, cached: Picos) -> Price:
    return Price(
        input=_picos(where, "input", typed.input),
        cached_input=cached,
        cache_write=_picos(where, "cache_write", typed.cache_write or typed.input),
        output=_picos(where, "output", typed.output),
        cache_write_1h=_picos(where, "cache_write_1h", typed.cache_write_1h or typed.cache_write or typed.input),
        search=_search(where, typed.search),
    )


def _picos(where: str, field: str, text: str) -> Picos:
    return exactly(where, field, text, per_million_to_picos)


def _search(where: str, text: str | None) -> Picos | None:
    return None if text is None else exactly(where, "search", text, per_thousand_to_picos)


def _text(price: Price) -> str:
    said = f"{per_million_text(price.input)} / {per_million_text(price.output)}"
    if price.cache_write_1h > price.input:
        said += f", {per_million_text(price.cache_write)} to {per_million_text(price.cache_write_1h)} into the cache"
    return said if price.search is None else f"{said} and {per_thousand_text(price.search)} for 1,000 searches"
