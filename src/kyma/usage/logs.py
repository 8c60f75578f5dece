"""The request log, newest first, a page at a time: from the index, and from the rows that are not indexed yet."""

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, text

from kyma.core.ids import HOUR_MS
from kyma.usage.reading import FILTERS, steps
from kyma.usage.sums import STATEMENTS, fetch_mark
from kyma.usage.tables import usage
from kyma.usage.usage import UsageRow

EXAMINED = 10_000
"""How many calls a page looks at for those that pass its filters; then it ends, and the next one goes on."""

FIRST_SPAN_MS = 24 * HOUR_MS
"""How far back calls are looked for at first; then four times as far, and so on."""

_COLUMNS = ", ".join(f"u.{column.name}" for column in usage.columns)
_ONE = text(f"select {_COLUMNS} from usage u where request_id = :request_id").columns(*usage.columns)
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
    values |= {"after": fetch_mark(connection), "rows": asked.limit + 1}
    if asked.before is not None:
        values |= {"at": asked.before.created_at, "id": asked.before.request_id}
    horizon: Place | None = None
    if asked.account_id is not None:
        found, horizon = _by_hours(connection, asked, values)
    elif asked.filters:
        horizon = _horizon(connection, asked, values)
        found = _indexed(connection, asked, values, f"limit {asked.examined}")
    else:
        found = _indexed(connection, asked, values, "limit :rows")
    found += _unindexed(connection, asked, values)
    rows = sorted((row for row in found if horizon is None or _place(row) >= horizon), key=_place, reverse=True)
    page = rows[: asked.limit]
    return LogPage(page, _place(page[-1]) if len(rows) > asked.limit else horizon)


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
    skipped = asked.examined - 1
    query = f"select created_at, request_id from usage_index where {_span(asked)} {_newest()} limit 1 offset {skipped}"
    row = connection.execute(text(query), values).first()
    return None if row is None else Place(*row)


def _by_hours(connection: Connection, asked: LogAsked, values: dict[str, Any]) -> tuple[list[UsageRow], Place | None]:
    """From the hours in which, by the sums, the account has such calls; and where the page ended."""
    hours, low = _hours(connection, asked, values), asked.end
    sure = examined = 0
    for n, (start, hits, calls) in enumerate(hours):
        if sure > asked.limit or (n and examined + calls > asked.examined):
            horizon = Place(low, "")
            break
        low, examined = start, examined + calls
        sure += hits if n else 0  # of the first hour some may have been on the page before
    else:
        horizon = None
    if not hours:
        return [], None
    chosen = {"low": low, "top": hours[0][0] + 1, "from_low": max(low, asked.start)}
    query = (
        f"select {_COLUMNS} from ({steps('low', 'top', HOUR_MS)}) as steps cross join usage_index i"
        f" cross join usage u where i.hour = steps.step and {_span(asked, 'i.')}"
        f" and i.created_at >= :from_low and u.request_id = i.request_id{_passing(asked)}"
        f"{_in_such_hours(asked)} {_newest('i.')} limit :rows"
    )
    return _rows(connection, query, values | chosen), horizon


def _hours(connection: Connection, asked: LogAsked, values: dict[str, Any]) -> list[tuple[int, int, int]]:
    """The newest hours with such calls, as many as a page can need: when each begins, such calls in it, and all."""
    end = asked.end
    if asked.before is not None:  # without an id it is where an hour begins that no page has looked at
        end = min(end, asked.before.created_at + bool(asked.before.request_id))
    such = "".join(f" and s.{FILTERS[name]} = :{name}" for name in asked.filters)
    query = (
        "select s.start, cast(sum(requests) as bigint), (select cast(sum(requests) as bigint) from usage_hour a"
        " where a.start = s.start and a.account_id = :account)"
        f" from ({steps('from_hour', 'to_hour', HOUR_MS)}) as steps cross join usage_hour s"
        f" where s.start = steps.step and s.account_id = :account{such} group by s.start order by s.start desc"
    )
    first, upper, span = asked.start // HOUR_MS * HOUR_MS, -(-end // HOUR_MS) * HOUR_MS, FIRST_SPAN_MS
    found: list[tuple[int, int, int]] = []
    while upper > first and sum(hits for _, hits, _ in found[1:]) <= asked.limit:
        lower = max(first, upper - span)
        rows = connection.execute(text(query), values | {"from_hour": lower, "to_hour": upper})
        found += [tuple(row) for row in rows]
        upper, span = lower, 4 * span
    return found


def _in_such_hours(asked: LogAsked) -> str:
    if not asked.filters:
        return ""
    such = "".join(f" and s.{FILTERS[name]} = :{name}" for name in asked.filters)
    return f" and exists (select 1 from usage_hour s where s.start = steps.step and s.account_id = :account{such})"


def _indexed(connection: Connection, asked: LogAsked, values: dict[str, Any], limit: str) -> list[UsageRow]:
    # A cross join, so that SQLite begins with the index and looks each row up in `usage`.
    query = (
        f"select {_COLUMNS} from (select request_id, created_at from usage_index where {_span(asked)} {_newest()}"
        f" {limit}) as i cross join usage u where u.request_id = i.request_id{_passing(asked)}"
        f" {_newest('i.')} limit :rows"
    )
    return _rows(connection, query, values)


def _unindexed(connection: Connection, asked: LogAsked, values: dict[str, Any]) -> list[UsageRow]:
    number = STATEMENTS[connection.dialect.name].number
    query = f"select {_COLUMNS} from usage u where u.{number} > :after and {_span(asked)}{_passing(asked)} {_newest()}"
    return _rows(connection, f"{query} limit :rows", values)


def _rows(connection: Connection, query: str, values: dict[str, Any]) -> list[UsageRow]:
    """Rows of `_COLUMNS`, in the columns' own types: SQLite itself knows no booleans."""
    return [UsageRow(*row) for row in connection.execute(text(query).columns(*usage.columns), values)]


def _newest(of: str = "") -> str:
    return f"order by {of}created_at desc, {of}request_id desc"


def _span(asked: LogAsked, of: str = "") -> str:
    account = "" if asked.account_id is None else f"{of}account_id = :account and "
    before = "" if asked.before is None else f" and ({of}created_at, {of}request_id) < (:at, :id)"
    return f"{account}{of}created_at >= :start and {of}created_at < :end{before}"


def _passing(asked: LogAsked) -> str:
    return "".join(f" and u.{FILTERS[name]} = :{name}" for name in asked.filters)


def _place(row: UsageRow) -> Place:
    return Place(row.created_at, row.request_id)
