"""A price explained to an operator: what makes it, what will change it, what each route leaves of it."""

from datetime import date

import typer

from kyma.catalog import CatalogError, Sheets
from kyma.catalog.dates import has_ended
from kyma.catalog.pricing import costs, fits, offer
from kyma.catalog.rows import ModelRow, UnitPrices
from kyma.commands.table import print_table
from kyma.core.model import Price
from kyma.core.money import per_million_text, per_thousand_text

ROUTE_COLUMNS = 48


def print_price(name: str, sheets: Sheets, today: date) -> None:
    """Raises: CatalogError if nothing has that name."""
    model_id = _model_id(name, sheets)
    row = sheets.models[model_id]
    made = offer(model_id, row, sheets.providers, today)
    typer.echo(f"{model_id}, USD per 1M tokens, in force on {today}")
    for part, text in _parts(made.price):
        typer.echo(f"  {part:<15} {text}")
    typer.echo(f"  {'source':<15} {made.price_source}")
    for later in row.list_price.later if row.list_price else ():
        if later.starts_on > today:
            typer.echo(f"from {later.starts_on}: {_typed(later)} ({later.source})")
    _print_routes(row, sheets, made.price, today)


def _model_id(name: str, sheets: Sheets) -> str:
    wanted = name.lower()
    alias = sheets.aliases.get(wanted)
    found = alias.targets[0] if alias else wanted.rpartition("/")[2]
    if found not in sheets.models:
        raise CatalogError(f"there is no model {name!r}")
    return found


def _parts(price: Price) -> list[tuple[str, str]]:
    parts = ("input", "cached_input", "cache_write", "cache_write_1h", "output")
    said = [(part, per_million_text(getattr(price, part))) for part in parts]
    return said if price.search is None else [*said, ("1,000 searches", per_thousand_text(price.search))]


def _typed(prices: UnitPrices) -> str:
    return f"{prices.input} in, {prices.output} out"


def _print_routes(row: ModelRow, sheets: Sheets, price: Price, today: date) -> None:
    cells = []
    for route, cost in costs(row, sheets.providers, today):
        if has_ended(route.retires_on, today):
            state = f"ended on {route.retires_on}"
        elif fits(row.kind, cost, price):
            state = "serves"
        else:
            state = "dropped: with 27/20 above the price"
        ahead = "".join(f"; from {later.starts_on} {_typed(later)}" for later in route.later if later.starts_on > today)
        margins = (_margin(cost.input, price.input), _margin(cost.output, price.output))
        texts = (per_million_text(cost.input), per_million_text(cost.output))
        cells.append((route.id, *texts, *margins, state + ahead, route.source))
    if cells:
        print_table(("ROUTE", "INPUT", "OUTPUT", "MARGIN", "OUT", "STATE", "SOURCE"), cells, ROUTE_COLUMNS)


def _margin(cost: int, price: int) -> str:
    """What is left of the price, of each dollar that is charged."""
    return f"{(price - cost) * 100 / price:.0f} %" if price else "-"
