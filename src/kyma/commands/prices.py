"""`kyma prices`: what is sold at which price, how that differs from what was, and from what others say it costs us.

What reads public price lists is loaded when it is asked for: a gateway's process knows every command.
"""

import importlib
from pathlib import Path
from typing import Annotated

import typer

from kyma.catalog.moves import LARGE_PERCENT
from kyma.commands.price_view import print_price
from kyma.commands.session import open_session, run
from kyma.config import load_config
from kyma.core.ids import SystemClock
from kyma.gateway import assemble_catalog, sheets_of, today_of
from kyma.gateway.prices import Compared, accept, compare

app = typer.Typer(help="What is sold at which price, and what changes of it.", no_args_is_help=True)

GENAI_PRICES = "genai-prices"

Source = Annotated[str, typer.Option(help=f"{GENAI_PRICES} (its data, as installed) or models.dev (needs --file)")]
SnapshotFile = Annotated[Path | None, typer.Option("--file", help="A copy of models.dev's api.json")]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON")]


@app.callback()
def prices() -> None:
    """What is sold at which price, and what changes of it."""


@app.command("lint")
def lint(
    accept_moves: Annotated[
        bool, typer.Option("--accept", help=f"Moves of more than {LARGE_PERCENT} % are meant: remember it")
    ] = False,
) -> None:
    """Check the catalog as its files say it now, and show every price that differs from those in force.

    Fails on a wrong row, and on a list price that moves by more than 20 %, at once or on an announced day, unless that
    is accepted, now or before. What is only a note: a route that is dropped because it costs too much or has ended, a
    model that is new or gone, a smaller move.
    """

    async def work() -> Compared | None:
        async with open_session() as (config, database):
            clock = SystemClock()
            catalog, sheets = assemble_catalog(config, clock), sheets_of(config)
            for warning in catalog.warnings:
                typer.echo(f"note  {warning}")
            compared = await compare(database, catalog, sheets, today_of(clock))
            if compared and accept_moves:
                await accept(database, compared.unaccepted, clock.now_ms())
            return compared

    compared = run(work())
    if compared is None:
        typer.echo("no prices were published yet: there is nothing to compare with")
        return
    is_refused = bool(compared.unaccepted) and not accept_moves
    _print_moves(compared, "FAIL" if is_refused else "ok")
    raise typer.Exit(1 if is_refused else 0)


@app.command("diff")
def diff(
    source: Source = GENAI_PRICES,
    file: SnapshotFile = None,
    accept_drift: Annotated[bool, typer.Option("--accept", help="It has been looked at: exit 0 all the same")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare what routes cost us with a public price list; exit 1 if one differs.

    Theirs are a model's prices at the dearest hour, for prompts as long as are sold here. `!` marks more than 20 %.
    What a row leaves to a rule, e.g. input read from a cache billed as fresh, differs only if the list says more.
    """
    command = importlib.import_module("kyma.commands.quotes.command")
    differs = command.diff(source, file, as_json=as_json)
    raise typer.Exit(1 if differs and not accept_drift else 0)


@app.command("show")
def show(model: Annotated[str, typer.Argument(help="A model's id or an alias")]) -> None:
    """Explain a price: since when, from where, what is announced, what each route costs and leaves."""
    config, clock = load_config(), SystemClock()
    print_price(model, sheets_of(config), today_of(clock))


def _print_moves(compared: Compared, word: str) -> None:
    for move in compared.moves:
        typer.echo(f"{word if move in compared.unaccepted else 'note':<4}  {move}")
    for skus, what in ((compared.new, "new"), (compared.gone, "gone")):
        if skus:
            typer.echo(f"note  {what}: {', '.join(skus)}")
    large = sum(move.is_large for move in compared.moves)
    typer.echo(f"{len(compared.moves)} prices move, {large} of them by more than {LARGE_PERCENT} %")
    if word == "FAIL":
        typer.echo("if that is meant: kyma prices lint --accept")
