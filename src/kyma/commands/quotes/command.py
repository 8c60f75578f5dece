"""What `kyma prices diff` and `kyma models import` do."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from kyma.catalog import CatalogError
from kyma.commands.quotes import drift
from kyma.commands.quotes.proposal import find, proposal
from kyma.commands.quotes.sources import MODELS_DEV, open_source
from kyma.commands.table import print_table
from kyma.config import load_config
from kyma.core.ids import SystemClock
from kyma.core.money import per_million_text
from kyma.gateway import sheets_of, today_of

ROUTE_COLUMNS = 42


def diff(source: str, file: Path | None, *, as_json: bool) -> bool:
    """Print where a list and our rows differ; whether they do. Raises: CatalogError."""
    today = today_of(SystemClock())
    opened = open_source(source, file, today)
    compared = drift.compare(sheets_of(load_config()), opened.prices, opened.names, today)
    if as_json:
        typer.echo(json.dumps([_as_json(row) for row in compared], indent=2))
    else:
        _print_drifts(opened.prices.label, compared)
    return any(row.drifts for row in compared)


def propose(names: Sequence[str], source: str, file: Path | None, out: Path | None) -> None:
    """Print rows for these models, or write them to `out`, where no file is yet. Raises: CatalogError."""
    today = today_of(SystemClock())
    prices = open_source(source, file, today).prices
    abilities = open_source(MODELS_DEV, file, today).prices if file and source != MODELS_DEV else None
    wanted = [find(name, prices, abilities) for name in names]
    if missing := [one.name for one in wanted if not one.sold]:
        raise CatalogError(f"{prices.label} has no price of {', '.join(missing)} at any of our providers")
    text = proposal(wanted, prices.label, today)
    if out is None:
        typer.echo(text, nl=False)
        return
    with out.open("x") as target:
        target.write(text)
    typer.echo(f"{out}: fill every TODO, then put it into the models folder")


def _print_drifts(label: str, compared: Sequence[drift.Compared]) -> None:
    differing = [row for row in compared if row.drifts]
    cells = [
        (
            row.route,
            row.model,
            one.part,
            per_million_text(one.ours),
            per_million_text(one.theirs),
            f"{'-' if one.percent is None else f'{one.percent:+.1f}'}{' !' if one.is_large else ''}",
            row.source,
        )
        for row in differing
        for one in row.drifts
    ]
    if cells:
        print_table(("ROUTE", "MODEL", "PRICE", "OURS", "THEIRS", "%", "OUR SOURCE"), cells, ROUTE_COLUMNS)
    for row in compared:
        if row.theirs is None:
            typer.echo(f"not known to {label}: {row.route} ({row.model})")
    known = sum(row.theirs is not None for row in compared)
    typer.echo(f"{label}: {known} routes known, {len(differing)} of them differ, {len(compared) - known} not known")


def _as_json(row: drift.Compared) -> dict[str, object]:
    return {
        "route": row.route,
        "model": row.model,
        "listed_as": row.theirs,
        "source": row.source,
        "drifts": [
            {
                "price": one.part,
                "ours": per_million_text(one.ours),
                "theirs": per_million_text(one.theirs),
                "percent": one.percent,
                "is_large": one.is_large,
            }
            for one in row.drifts
        ],
    }
