"""Where a public price list says something else of a route's cost than our row."""

from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from kyma.catalog import Sheets
from kyma.catalog.dates import has_ended
from kyma.catalog.moves import LARGE_PERCENT
from kyma.catalog.pricing import costs
from kyma.catalog.rows import RouteRow
from kyma.commands.quotes.listing import Cost, PriceList
from kyma.core.model import Price
from kyma.core.money import Picos

PARTS = ("input", "output", "cached_input", "cache_write", "cache_write_1h")
LEFT_OUT = ("cached_input", "cache_write", "cache_write_1h")
"""Parts that a row may leave to a rule."""
WRITTEN = ("cache_write", "cache_write_1h")
MARKING = ("anthropic_messages", "bedrock_converse")
"""Dialects whose requests say what is to be written to a cache; in others nothing is charged for it."""


class Drift(msgspec.Struct, frozen=True):
    """One figure of a route that differs."""

    part: str
    ours: Picos
    theirs: Picos

    @property
    def percent(self) -> float | None:
        """Theirs against ours; None where ours is nothing."""
        return (self.theirs - self.ours) * 100 / self.ours if self.ours else None

    @property
    def is_large(self) -> bool:
        return abs(self.theirs - self.ours) * 100 > self.ours * LARGE_PERCENT


class Compared(msgspec.Struct, frozen=True):
    """A route of a model and what the list says of it; `theirs` is the id it stands under, None: not known there."""

    model: str
    route: str
    theirs: str | None
    drifts: tuple[Drift, ...]
    source: str


def compare(sheets: Sheets, prices: PriceList, names: Mapping[str, str], today: date) -> list[Compared]:
    """Every route that has not ended, at providers that the list has, by model. Raises: CatalogError."""
    return [
        _compared(model_id, row.context_window, route, cost, prices, sheets.providers[route.provider].dialect)
        for model_id, row in sheets.models.items()
        if not has_ended(row.retires_on, today)
        for route, cost in costs(row, sheets.providers, today)
        if route.provider in names and not has_ended(route.retires_on, today)
    ]


def _compared(model_id: str, longest: int, route: RouteRow, cost: Price, prices: PriceList, dialect: str) -> Compared:
    listing = prices.find(route.provider, route.model, longest)
    said = listing.cost if listing else None
    return Compared(
        model=model_id,
        route=route.id,
        theirs=listing.model if listing and said else None,
        drifts=tuple(_drifts(route, cost, said, dialect)) if said else (),
        source=route.source,
    )


def _drifts(route: RouteRow, ours: Price, theirs: Cost, dialect: str) -> Iterator[Drift]:
    """What our row leaves to a rule drifts only if they say that it costs more, and only where it is charged."""
    for part in PARTS:
        mine, said = getattr(ours, part), getattr(theirs, part)
        if said is None or said == mine:
            continue
        if part in LEFT_OUT and getattr(route, part) is None:
            if said < mine or (part in WRITTEN and dialect not in MARKING):
                continue
        yield Drift(part, mine, said)
