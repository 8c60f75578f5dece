"""What the bench prints: one table of figures against their budgets."""

import datetime
import os

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One figure as text; `is_met` is None where there is no budget."""

    figure: str
    value: str
    budget: str = ""
    is_met: bool | None = None


def at_most(figure: str, measured: float, text: str, limit: float, unit: str) -> Row:
    """A row that is met by staying at or under `limit`."""
    return Row(figure, text, f"≤ {limit:g} {unit}", measured <= limit)


def render(rows: list[Row], *, is_quick: bool, is_pinned: bool, noise_of_nginx: bool) -> str:
    """The table with its date and machine."""
    cells = [
        ("figure", "value", "budget", "met?"),
        *((row.figure, row.value, row.budget, _verdict(row)) for row in rows),
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    size = "quick sizes" if is_quick else "full sizes"
    title = f"Kyma bench, {date}, {os.cpu_count()} CPUs, {size}; value = median (least–most) of paired rounds"
    title += "\nThe target has one core to itself; " if is_pinned else "\nNothing is pinned: "
    title += "mock and load run on the others." if is_pinned else "target, mock and load share all cores."
    if noise_of_nginx:
        title += "\nBoth sides are nginx: what differs from 1.0 is the noise of this machine."
    return "\n".join([title, "", *lines])


def _verdict(row: Row) -> str:
    return {True: "yes", False: "NO", None: ""}[row.is_met]
