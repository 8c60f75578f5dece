"""Tables for a terminal."""

from collections.abc import Sequence

import typer

COLUMNS = 120
NAME_COLUMNS = 36


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], name_columns: int = NAME_COLUMNS) -> None:
    """Columns as wide as they must be, the last with what is left; no line is longer than `COLUMNS`."""
    shown = [[_cut(cells[0], name_columns), *cells[1:]] for cells in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for cells in shown:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        typer.echo(_cut(line.rstrip(), COLUMNS))


def _cut(text: str, columns: int) -> str:
    return text if len(text) <= columns else f"{text[: columns - 1]}…"
