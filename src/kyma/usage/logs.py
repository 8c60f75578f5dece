"""The request log, newest first, a page at a time: from the index, and from the rows that are not indexed yet."""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, text

from kyma.usage.reading import FILTERS
from kyma.usage.sums import STATEMENTS, fetch_mark
from kyma.usage.tables import usage
from kyma.usage.usage import UsageRow

EXAMINED = 10_000
"""How many calls a page looks at for those that pass its filters; then it ends, and the next one goes on."""

_COLUMNS = ", ".join(f"u.{column.name}" for column in usage.columns)
_ONE = text(f"select {_COLUMNS} from usage u where request_id = :request_id")
_BOOK = text("select prices from price_book where version = :version")


class Place(NamedTuple):
    """Where a page ended: the next has what is older than this."""

    created_at: int
    request_id: str


class LogAsked(msgspec.Struct, frozen=True):
    """Which calls: of one account or, with None, of all, in [start, end) of time, before `before` if that is given.

    `filters` are values by names of `FILTERS`.
    """

    account_id: str | None
    start: int
    end: int
    limit: int
    before: Place | None = None
    filters: dict[str, str] = {}
    examined: int = EXAMINED


class LogPage(msgspec.Struct, frozen=True):
    """`next` is None where the log ends. A page with filters may be short, even empty, and not be the last."""

    rows: list[UsageRow]
    next: Place | None


def read_logs(connection: Connection, asked: LogAsked) -> LogPage:
    """The next page."""
    values: dict[str, Any] = {"account": asked.account_id, "start": asked.start, "end": asked.end, **asked.filters}
    values |= {
        "after": fetch_mark(connection),
        "rows": asked.limit + 1,
        "examined": asked.examined,
        "skipped": asked.examined - 1,
    }
    if asked.before is not None:
        values |= {"at": asked.before.created_at, "id": asked.before.request_id}
    horizon = _horizon(connection, asked, values) if asked.filters else None
    found = _indexed(connection, asked, values) + _unindexed(connection, asked, values)
    rows = sorted((row for row in found if horizon is None or _place(row) >= horizon), key=_place, reverse=True)
    page = rows[: asked.limit]
    if len(rows) > asked.limit:
        return LogPage(page, _place(page[-1]))
    return LogPage(page, horizon)


def fetch_call(connection: Connection, request_id: str) -> UsageRow | None:
    """A call by its id, whoever made it."""
    row = connection.execute(_ONE, {"request_id": request_id}).first()
    return None if row is None else UsageRow(*row)


def fetch_price_book(connection: Connection, version: str) -> str | None:
    """A price book that was published, as JSON."""
    prices: str | None = connection.execute(_BOOK, {"version": version}).scalar()
    return prices


def _horizon(connection: Connection, asked: LogAsked, values: dict[str, Any]) -> Place | None:
    """The last call that the page looks at; None if it can look at all there are."""
    query = f"select created_at, request_id from usage_index where {_span(asked)} {_NEWEST} limit 1 offset :skipped"
    row = connection.execute(text(query), values).first()
    return None if row is None else Place(*row)


def _indexed(connection: Connection, asked: LogAsked, values: dict[str, Any]) -> list[UsageRow]:
    # A cross join, so that SQLite begins with the index and looks each row up in `usage`.
    looked_at = ":examined" if asked.filters else ":rows"
    query = (
        f"select {_COLUMNS} from (select request_id, created_at from usage_index where {_span(asked)} {_NEWEST}"
        f" limit {looked_at}) as i cross join usage u where u.request_id = i.request_id{_passing(asked)}"
        " order by i.created_at desc, i.request_id desc limit :rows"
    )
    return [UsageRow(*row) for row in connection.execute(text(query), values)]


def _unindexed(connection: Connection, asked: LogAsked, values: dict[str, Any]) -> list[UsageRow]:
    number = STATEMENTS[connection.dialect.name].number
    query = f"select {_COLUMNS} from usage u where u.{number} > :after and {_span(asked)}{_passing(asked)} {_NEWEST}"
    return [UsageRow(*row) for row in connection.execute(text(f"{query} limit :rows"), values)]


_NEWEST = "order by created_at desc, request_id desc"


def _span(asked: LogAsked) -> str:
    account = "" if asked.account_id is None else "account_id = :account and "
    before = "" if asked.before is None else " and (created_at, request_id) < (:at, :id)"
    return f"{account}created_at >= :start and created_at < :end{before}"


def _passing(asked: LogAsked) -> str:
    return "".join(f" and u.{FILTERS[name]} = :{name}" for name in asked.filters)


def _place(row: UsageRow) -> Place:
    return Place(row.created_at, row.request_id)
