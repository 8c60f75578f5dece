"""What is announced with a date: a first row holds until the first of the later ones begins, and so on (UTC days)."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol, TypeVar

import msgspec

from kyma.catalog.sheets import CatalogError


class Later(Protocol):
    """A row that holds from a day on."""

    @property
    def starts_on(self) -> date: ...


FirstT = TypeVar("FirstT")
LaterT = TypeVar("LaterT", bound=Later)
RowT = TypeVar("RowT", bound=msgspec.Struct)


def in_force(first: FirstT, later: Sequence[LaterT], today: date) -> FirstT | LaterT:
    """The last that has begun."""
    return next((row for row in reversed(later) if row.starts_on <= today), first)


def brought_to(row: RowT, now: msgspec.Struct, form: type[msgspec.Struct]) -> RowT:
    """A first row with the figures of the one in force: the fields of `form`."""
    return msgspec.structs.replace(row, **{field: getattr(now, field) for field in form.__struct_fields__})


def steps(where: str, first: FirstT, later: Sequence[LaterT]) -> Iterator[tuple[str, FirstT | LaterT]]:
    """All of them with the place of each, so that what is announced is checked when it is read and not on its day.

    Raises: CatalogError unless each begins after the one before it.
    """
    yield where, first
    before: LaterT | None = None
    for index, row in enumerate(later):
        place = f"{where}.later[{index}]"
        if before is not None and row.starts_on <= before.starts_on:
            raise CatalogError(f"{place}.from: {row.starts_on} is not after {before.starts_on}, the one before it")
        yield place, row
        before = row
