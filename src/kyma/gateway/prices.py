"""The list prices of the files against the book that is in force in the database, and the operator's yes to a move.

Three ask this: a start, a reload, and `kyma prices lint`.
"""

import asyncio
from collections.abc import Sequence
from datetime import date

import msgspec

from kyma.catalog import Catalog, Sheets
from kyma.catalog.moves import Move, books_ahead, moves, new_and_gone
from kyma.storage.database import Database
from kyma.usage.book_store import accept_moves, fetch_accepted, fetch_released


class Compared(msgspec.Struct, frozen=True):
    """Every move since the last book, and the great ones among them that nobody has accepted."""

    moves: Sequence[Move]
    unaccepted: Sequence[Move]
    new: Sequence[str]
    gone: Sequence[str]


async def compare(
    database: Database, catalog: Catalog, sheets: Sheets, today: date, released: str | None = None
) -> Compared | None:
    """`catalog`, made of `sheets` today, and what they announce, against a book; None while there is none.

    Without `released` the book is the one that was released last. Raises: CatalogError for rows that will not do on a
    day ahead.
    """
    ahead = await asyncio.to_thread(lambda: list(books_ahead(sheets, today)))
    book = released or await database.read(fetch_released)
    if book is None:
        return None
    fresh = catalog.price_book_json()
    found = moves(book, fresh, ahead)
    large = [move for move in found if move.is_large]
    accepted = await database.read(lambda connection: fetch_accepted(connection, [move.id for move in large]))
    new, gone = new_and_gone(book, fresh)
    return Compared(found, [move for move in large if move.id not in accepted], new, gone)


async def accept(database: Database, meant: Sequence[Move], now: int) -> None:
    """Remember that these moves are meant, so that a reload and a start take them."""
    rows = [(move.id, move.sku, move.before, move.after, now) for move in meant]
    if rows:
        await database.write(lambda connection: accept_moves(connection, rows))
