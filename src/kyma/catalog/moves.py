"""How list prices move from one price book to the next: what changed, by how much, and which of it needs a yes.

Books are compared as they are stored, so that those of older schemas and of any kind of rate can be. A SKU that is new
or gone has not moved; nor has a part that one of the books does not know.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

import msgspec

from kyma.catalog.load import assemble
from kyma.catalog.media_rows import MediaRow
from kyma.catalog.rows import ModelRow
from kyma.catalog.sheets import CatalogError, Sheets
from kyma.core.money import Picos, per_million_text, per_thousand_text

LARGE_PERCENT = 20
"""A price that moves further than that is more often a slip of the pen than meant."""

BY_MILLION = frozenset(("token", ""))
"""Forms of rate that are shown by the million; text models have none."""


class Part(msgspec.Struct, frozen=True):
    """One figure of a price, e.g. `input`; None: not sold. As texts, of what an operator would type."""

    name: str
    before: str | None
    after: str | None
    percent: float | None
    """None where there was nothing to compare with."""
    is_large: bool


class Move(msgspec.Struct, frozen=True):
    """A SKU whose list price differs; `starts_on` is the day on which it does, None: at once."""

    sku: str
    starts_on: date | None
    parts: tuple[Part, ...]
    before: str
    after: str
    """Both as they stand in the books."""

    @property
    def is_large(self) -> bool:
        return any(part.is_large for part in self.parts)

    @property
    def id(self) -> str:
        """Of this very move, from these prices to those, on whatever day."""
        return hashlib.sha256("\0".join((self.sku, self.before, self.after)).encode()).hexdigest()[:32]

    def __str__(self) -> str:
        day = f" from {self.starts_on}" if self.starts_on else ""
        return f"{self.sku}{day}: {', '.join(map(_part_text, self.parts))}"


class PricesMoved(CatalogError):
    """List prices moved further than goes without saying; `moves` are those."""

    def __init__(self, moves: Iterable[Move]) -> None:
        super().__init__(
            f"list prices move by more than {LARGE_PERCENT} %, see `kyma prices lint`: {'; '.join(map(str, moves))}. "
            "If that is meant, `kyma reload --accept` (accept_prices=true) or `kyma prices lint --accept` says so"
        )


def books_ahead(sheets: Sheets, today: date) -> Iterator[tuple[date, str]]:
    """The price book of each day after today on which prices were announced to change, in order.

    Raises: CatalogError if the rows would not do on such a day.
    """
    for day in sorted(day for day in set(_days(sheets)) if day > today):
        yield day, assemble(sheets, environment={}, engines={}, today=day).price_book_json()


def moves(released: str, fresh: str, ahead: Iterable[tuple[date, str]] = ()) -> list[Move]:
    """What differs between the book that is in force and the fresh one, then on each day ahead, by SKU."""
    found: list[Move] = []
    before = _book(released)
    for day, text in ((None, fresh), *ahead):
        after = _book(text)
        found.extend(_moves(before, after, day))
        before = after
    return found


def new_and_gone(released: str, fresh: str) -> tuple[list[str], list[str]]:
    """SKUs that only one of the books has."""
    before, after = _book(released).keys(), _book(fresh).keys()
    return sorted(after - before), sorted(before - after)


def _days(sheets: Sheets) -> Iterator[date]:
    """Days on which a price may change: by what was announced, or by the end of the route that makes it."""
    rows: Iterator[ModelRow | MediaRow] = chain(sheets.models.values(), sheets.media.values())
    for row in rows:
        dated = (*row.routes, *((row.list_price,) if row.list_price else ()))
        yield from (later.starts_on for priced in dated for later in priced.later)
        if row.list_price is None:
            yield from (route.retires_on + timedelta(days=1) for route in row.routes if route.retires_on)


def _book(text: str) -> Mapping[str, msgspec.Raw]:
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])


def _moves(before: Mapping[str, msgspec.Raw], after: Mapping[str, msgspec.Raw], day: date | None) -> Iterator[Move]:
    for sku in sorted(before.keys() & after.keys()):
        old, new = bytes(before[sku]), bytes(after[sku])
        if old != new and (parts := tuple(_parts(_flat(old), _flat(new)))):
            yield Move(sku, day, parts, old.decode(), new.decode())


def _flat(price: bytes) -> dict[str, Picos | str | None]:
    """Figures and words of a price by name; what is within another has its name before it."""
    flat: dict[str, Picos | str | None] = {}
    for name, value in msgspec.json.decode(price, type=dict[str, int | str | dict[str, int] | None]).items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": figure for inner, figure in value.items()}
        else:
            flat[name] = value
    return flat


def _parts(before: Mapping[str, Picos | str | None], after: Mapping[str, Picos | str | None]) -> Iterator[Part]:
    """What both know and say differently; of a SKU that is sold by another unit than before, everything."""
    form = after.get("form") or ""
    is_same_form = before.get("form") == after.get("form")
    for name in sorted(before.keys() & after.keys() if is_same_form else before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield _part(name, old, new, str(form))


def _part(name: str, old: Picos | str | None, new: Picos | str | None, form: str) -> Part:
    if isinstance(old, int) and isinstance(new, int):
        percent = (new - old) * 100 / old if old else None
        is_large = abs(new - old) * 100 > old * LARGE_PERCENT
        return Part(name, _amount(name, old, form), _amount(name, new, form), percent, is_large)
    return Part(name, _amount(name, old, form), _amount(name, new, form), None, isinstance(old, str))


def _amount(name: str, value: Picos | str | None, form: str) -> str | None:
    if not isinstance(value, int):
        return value
    if name == "search":
        return per_thousand_text(value)
    if form in BY_MILLION:
        return per_million_text(value)
    return f"{Decimal(value).scaleb(-12).normalize():f}"


def _part_text(part: Part) -> str:
    moved = "" if part.percent is None else f" ({part.percent:+.1f} %)"
    return f"{part.name} {part.before or 'none'} -> {part.after or 'none'}{moved}"
