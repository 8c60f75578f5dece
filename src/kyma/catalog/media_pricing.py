"""What a media SKU is sold for and which vendors may make it at that price: the rules of `pricing`, in every mode."""

from collections.abc import Callable, Collection, Iterator
from datetime import date

import msgspec

from kyma.catalog.dated import brought_to, in_force, steps
from kyma.catalog.media_rows import LARGER, PRICES, MediaPriceRow, MediaPrices, MediaRouteRow, MediaRow
from kyma.catalog.pricing import DEAREST, exactly, in_place, still_there
from kyma.catalog.sheets import CatalogError
from kyma.core.money import Picos, each_to_picos, per_million_to_picos, per_thousand_to_picos, with_markup
from kyma.core.rates import MegapixelRate, QualityRate, Rate, TokenRate, UnitRate

Costed = tuple[MediaRouteRow, Rate]


class MediaOffer(msgspec.Struct, frozen=True):
    """A SKU's price and every route that may make it; `warnings` say which may not."""

    rate: Rate
    price_source: str
    routes: tuple[Costed, ...]
    warnings: tuple[str, ...]


def media_offer(model_id: str, row: MediaRow, vendors: Collection[str], today: date) -> MediaOffer:
    """The rules of this module for one row. Raises: CatalogError for a bad price, an unknown vendor, a free SKU."""
    costed = tuple(_costed(row, vendors, today))
    active, ended = still_there(model_id, row.retires_on, costed, today)
    if row.list_price is None:
        rate, price_source = _dearest(row, [cost for _, cost in active or costed]), DEAREST
    else:
        listed, rate = _today(f"{row.where}: list_price", row, row.list_price, today)
        price_source = listed.source
    loss = tuple(
        f"{model_id}: {route.id} dropped: {_text(route)} with the mark-up exceeds the list price"
        for route, cost in active
        if not _fits(cost, rate)
    )
    fitting = tuple((route, cost) for route, cost in active if _fits(cost, rate))
    return MediaOffer(rate=rate, price_source=price_source, routes=fitting, warnings=ended + loss)


def _costed(row: MediaRow, vendors: Collection[str], today: date) -> Iterator[Costed]:
    for where, route in in_place(row, row.routes, "vendor", vendors):
        now, cost = _today(where, row, route, today)
        yield brought_to(route, now, MediaPrices), cost


def _today(where: str, row: MediaRow, typed: MediaPriceRow | MediaRouteRow, today: date) -> tuple[MediaPrices, Rate]:
    """The prices in force and what they make; those that were announced are read too."""
    for place, prices in steps(where, typed, typed.later):
        _rate(place, row, prices)
    now = in_force(typed, typed.later, today)
    return now, _rate(where, row, now)


def _fits(cost: Rate, price: Rate) -> bool:
    theirs = price.prices()
    return all(with_markup(ours) <= theirs[name] for name, ours in cost.prices().items())


def _dearest(row: MediaRow, costs: list[Rate]) -> Rate:
    if not costs:
        raise CatalogError(f"{row.where}: list_price is needed where there is no route")
    every = [cost.prices() for cost in costs]
    return costs[0].at({name: with_markup(max(prices[name] for prices in every)) for name in every[0]})


def _rate(where: str, row: MediaRow, priced: MediaPrices) -> Rate:
    """The price fields of a row's mode as picos. Raises: CatalogError for another mode's, a missing one, a zero."""
    wanted = (*PRICES[row.mode], *([LARGER] if row.larger_than_pixels else []))
    for field in MediaPrices.__struct_fields__:
        if field.startswith("usd_") and (getattr(priced, field) is not None) != (field in wanted):
            verb = "is needed" if field in wanted else "has no place"
            raise CatalogError(f"{where}.{field} {verb}: the mode is {row.mode}")
    match row.mode:
        case "per-quality":
            return QualityRate(
                each=_by_quality(where, row, wanted[0], priced),
                default=row.limits.default_quality or "",
                larger=_by_quality(where, row, LARGER, priced) if row.larger_than_pixels else {},
                larger_than_pixels=row.larger_than_pixels,
            )
        case "per-mp":
            first, further = (_picos(where, field, getattr(priced, field), each_to_picos) for field in wanted)
            return MegapixelRate(first, further)
        case "per-token":
            tokens = [_picos(where, field, getattr(priced, field), per_million_to_picos) for field in wanted]
            return TokenRate(tokens[0], tokens[1], tokens[2], tokens[3])
        case "per-char":
            return UnitRate(row.mode, _picos(where, wanted[0], getattr(priced, wanted[0]), per_thousand_to_picos))
        case _:
            return UnitRate(row.mode, _picos(where, wanted[0], getattr(priced, wanted[0]), each_to_picos))


def _by_quality(where: str, row: MediaRow, field: str, priced: MediaPrices) -> dict[str, Picos]:
    texts: dict[str, str] = getattr(priced, field)
    if texts.keys() != set(row.limits.qualities):
        raise CatalogError(f"{where}.{field}: one price for each of limits.qualities is needed")
    return {quality: _picos(where, f"{field}.{quality}", text, each_to_picos) for quality, text in texts.items()}


def _picos(where: str, field: str, text: str, reading: Callable[[str], Picos]) -> Picos:
    picos = exactly(where, field, text, reading)
    if not picos:
        raise CatalogError(f"{where}.{field}: it must cost more than nothing")
    return picos


def _text(route: MediaRouteRow) -> str:
    """What a route charges in its row's own words."""
    said = ((field, getattr(route, field)) for field in MediaPrices.__struct_fields__ if field.startswith("usd_"))
    return ", ".join(f"{field} {value}" for field, value in said if value is not None)
