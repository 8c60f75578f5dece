"""`kyma translate`: a request in another dialect, with what is lost on the way. Nobody is called."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from kyma.core.errors import KymaError
from kyma.providers.translate import translate as show


def translate(
    file: Annotated[Path, typer.Argument(help="a file with the request as JSON; - reads standard input")],
    source: Annotated[str, typer.Option("--from", help="the dialect it is written in, e.g. anthropic")],
    target: Annotated[str, typer.Option("--to", help="the dialect to show it in, e.g. openai_chat")],
) -> None:
    """Show what a source of another dialect would be told, and what it could not be told."""
    try:
        body = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        translated = show(source, target, body)
    except (OSError, KymaError) as error:
        typer.echo(f"kyma: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(msgspec.json.format(msgspec.json.encode(translated)).decode())
