"""Statements that turn rows of `usage` into sums and an index of them, and take rows away whose time is up.

Rows are taken in the order of their numbers, up to a front behind which no more can appear. Sums, index and mark move
in one transaction, so a crash leaves a row in all of them or in none.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from sqlalchemy import Connection, TextClause, text

from kyma.core.ids import DAY_MS, HOUR_MS
from kyma.usage.tables import BY_ACCOUNT, BY_MODEL, SUMMED

PRUNED_AT_ONCE = 500


class Front(msgspec.Struct, frozen=True):
    """The last number given to a row, and the transactions that were writing rows at that moment.

    Once these have ended every row up to `number` can be seen, or never will be.
    """

    number: int
    writers: frozenset[str] = frozenset()


class _Statements:
    """The same for each engine; `number` is the column that holds a row's number there."""

    def __init__(self, number: str, lock: str) -> None:
        self.number = number
        mark = f"select coalesce((select {number} from usage where request_id = m.request_id), 0) from usage_mark m"
        self.mark = text(mark)
        self.locked_mark = text(f"{mark} {lock}")
        self.last = text(
            f"select max(n) from (select {number} as n from usage where {number} > :after and {number} <= :front"
            f" order by {number} limit :rows) as taken"
        )
        self.move = text(
            f"update usage_mark set request_id = (select request_id from usage where {number} = :last) where id = 1"
        )
        span = f"from usage where {number} > :after and {number} <= :last"
        self.sums = (
            _adding("usage_hour", BY_ACCOUNT, HOUR_MS, span),
            _adding("usage_day", BY_ACCOUNT, DAY_MS, span),
            _adding("traffic_day", BY_MODEL, DAY_MS, span),
            text(
                "insert into app_account (app, account_id, last_day)"
                f" select app, account_id, max(created_at - created_at % {DAY_MS}) {span} group by app, account_id"
                " on conflict (app, account_id) do update set last_day = excluded.last_day"
                " where excluded.last_day > app_account.last_day"
            ),
            text(
                "insert into usage_index (hour, account_id, created_at, request_id)"
                f" select created_at - created_at % {HOUR_MS}, account_id, created_at, request_id {span}"
            ),
        )
        self.old = text(
            "select i.hour, i.account_id, i.created_at, i.request_id from usage_index i"
            " where i.created_at < (select keep_from from usage_mark)"
            " and i.request_id <> (select request_id from usage_mark)"
            " order by i.created_at limit :rows"
        )


def _adding(table: str, keys: tuple[str, ...], step_ms: int, span: str) -> TextClause:
    """Add the rows of `span` to the sums of `table`."""
    names, counts = ", ".join(keys), ("requests", *SUMMED)
    picked = ", ".join(f"created_at - created_at % {step_ms} as start" if key == "start" else key for key in keys)
    summed = ", ".join(f"sum({name})" for name in SUMMED)
    places = ", ".join(str(n) for n in range(1, len(keys) + 1))
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in counts)
    return text(
        f"insert into {table} ({names}, {', '.join(counts)}) select {picked}, count(*), {summed} {span}"
        f" group by {places} on conflict ({names}) do update set {added}"
    )


STATEMENTS: Mapping[str, _Statements] = MappingProxyType(
    {"sqlite": _Statements("rowid", ""), "postgresql": _Statements("seq", "for update of m skip locked")}
)
_SQLITE_FRONT = text("select coalesce(max(rowid), 0) from usage")
_POSTGRES_FRONT = text("select last_value from usage_seq_seq")
_WRITERS = text(
    "select virtualtransaction from pg_locks where relation = 'usage'::regclass and mode = 'RowExclusiveLock'"
    " and granted and database = (select oid from pg_database where datname = current_database())"
)
_KEEP_FROM = text("update usage_mark set keep_from = :keep_from where id = 1 and keep_from < :keep_from")
_PRUNE_ROW = text("delete from usage where request_id = :request_id")
_PRUNE_ENTRY = text(
    "delete from usage_index where hour = :hour and account_id = :account_id"
    " and created_at = :created_at and request_id = :request_id"
)


def fetch_front(connection: Connection) -> Front:
    """How far rows are numbered. SQLite has one writer, which commits in the order of numbers.

    On Postgres a number is drawn under a lock that lasts as long as its transaction: the lock's holders are looked up
    after the number, so they are all that may still bring rows up to it.
    """
    if connection.dialect.name == "sqlite":
        return Front(connection.execute(_SQLITE_FRONT).scalar_one())
    number: int = connection.execute(_POSTGRES_FRONT).scalar_one()
    return Front(number, fetch_writers(connection))


def fetch_writers(connection: Connection) -> frozenset[str]:
    """The transactions that are writing rows now; on SQLite there is none that matters."""
    if connection.dialect.name == "sqlite":
        return frozenset()
    return frozenset(connection.execute(_WRITERS).scalars())


def fetch_mark(connection: Connection) -> int:
    """The number of the last row that is summed, as this snapshot has it."""
    number: int = connection.execute(STATEMENTS[connection.dialect.name].mark).scalar_one()
    return number


def add_rows(connection: Connection, front: int, rows: int) -> int:
    """Sum and index the next rows, `rows` at most; how far that went. 0: there are none, or another is at it."""
    do = STATEMENTS[connection.dialect.name]
    after = connection.execute(do.locked_mark).scalar()
    if after is None:
        return 0
    last = connection.execute(do.last, {"after": after, "front": front, "rows": rows}).scalar()
    if last is None:
        return 0
    for statement in do.sums:
        connection.execute(statement, {"after": after, "last": last})
    connection.execute(do.move, {"last": last})
    return int(last)


def prune(connection: Connection, keep_from: int) -> int:
    """Delete rows older than `keep_from` that are summed, some at a time; how many. The sums stay."""
    connection.execute(_KEEP_FROM, {"keep_from": keep_from})
    do = STATEMENTS[connection.dialect.name]
    old = [dict(row) for row in connection.execute(do.old, {"rows": PRUNED_AT_ONCE}).mappings()]
    if old:
        connection.execute(_PRUNE_ROW, old)
        connection.execute(_PRUNE_ENTRY, old)
    return len(old)
