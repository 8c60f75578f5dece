"""Statements on `price_book`, `price_release` and `price_acceptance`. Each runs inside the caller's transaction."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, desc, select

from kyma.storage.bulk import NewRows, Row
from kyma.usage.tables import price_acceptance, price_book, price_release

_price_books = NewRows(price_book, "version")
_releases = NewRows(price_release, "number")
_acceptances = NewRows(price_acceptance, "id")

_LAST = (
    select(price_release.c.number, price_release.c.version, price_book.c.prices)
    .join(price_book, price_book.c.version == price_release.c.version)
    .order_by(desc(price_release.c.number))
    .limit(1)
)


def put_price_book(connection: Connection, version: str, prices: str, now: int) -> bool:
    """Keep a price book; False if that version is there already (it is never changed).

    `prices` is JSON by SKU, amounts in pico-dollars: of a text model `{"input", "cached_input", "cache_write",
    "cache_write_1h", "output", "search"}` a token and a search, where books of older schemas lack the hour and the
    search; of any other the fields of its rate, with `form`.
    """
    return bool(_price_books.insert(connection, [(version, prices, now)]))


def release_prices(connection: Connection, version: str, prices: str, now: int) -> None:
    """Keep a book, and that it is the one in force from now on."""
    put_price_book(connection, version, prices, now)
    is_told = False
    while not is_told:  # another gateway may take the number meanwhile
        last = connection.execute(_LAST).first()
        number = 1 if last is None else last.number + 1
        is_told = (last is not None and last.version == version) or bool(
            _releases.insert(connection, [(number, version, now)])
        )


def fetch_released(connection: Connection) -> str | None:
    """The book that was released last, as JSON; None before the first start."""
    last = connection.execute(_LAST).first()
    return None if last is None else str(last.prices)


def accept_moves(connection: Connection, rows: Sequence[Row]) -> None:
    """Keep that these moves of prices are meant: id, SKU, the price before, the one after, when. Again is harmless."""
    _acceptances.insert(connection, rows)


def fetch_accepted(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those of `ids` that were accepted."""
    wanted = select(price_acceptance.c.id).where(price_acceptance.c.id.in_(list(ids)))
    return set(connection.execute(wanted).scalars())
