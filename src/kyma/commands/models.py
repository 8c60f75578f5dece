"""`kyma models`: rows for models that are not sold here yet, proposed for review."""

import importlib
from pathlib import Path
from typing import Annotated

import typer

from kyma.commands.prices import GENAI_PRICES, SnapshotFile, Source

app = typer.Typer(help="Rows for new models.", no_args_is_help=True)


@app.callback()
def models() -> None:
    """Rows for new models."""


@app.command("import")
def import_models(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Models by their names at those who sell them")],
    source: Source = GENAI_PRICES,
    file: SnapshotFile = None,
    out: Annotated[Path | None, typer.Option(help="Write it there, where no file is yet; else it is printed")] = None,
) -> None:
    """Propose rows from a public price list, with a route for each of our providers that sells the model.

    Nothing is sold by it: a proposal has gaps, marked TODO, that somebody fills before it goes into models/; with gaps
    it does not load. What models can do is in models.dev alone: give its api.json as --file.
    """
    importlib.import_module("kyma.commands.quotes.command").propose(names, source, file, out)
