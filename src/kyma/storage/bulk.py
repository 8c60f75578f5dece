"""Many rows in one statement on the writer's hottest tables, with an answer to "which of them took effect?".

Statements are text built once at import and run on tuples: half the price of Core's own compiled lists. SQLite runs
them inside the driver, past the engine, whose own share would be larger than the driver's; so an error there is the
driver's. It takes many new rows at a time: between two statements its thread and the event loop's trade places. A flag
is 0 or 1: that driver spends eight times as long on a bool. Postgres runs them once a batch, on rows in one JSON array:
its driver looks long at every element of an array of its own.
"""

from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

from msgspec import json
from sqlalchemy import BigInteger, Boolean, Connection, Integer, Table, Text

SQLITE_ROWS = (32, 8, 1)
"""How many rows a statement takes, the largest number that fits first."""

Value = str | int | None
Row = tuple[Value, ...]

_POSTGRES_TYPES = {Text: "text", BigInteger: "bigint", Integer: "integer", Boolean: "boolean"}


class NewRows:
    """Inserts whole rows of an append-only table and leaves out those that break a unique rule.

    Rows are tuples in column order; `key` names the column that tells them apart.
    """

    def __init__(self, table: Table, key: str) -> None:
        columns = list(table.columns)
        names = ", ".join(column.name for column in columns)
        values = ", ".join(f"(r ->> {n})::{_POSTGRES_TYPES[type(column.type)]}" for n, column in enumerate(columns))
        self._key = [column.name for column in columns].index(key)
        row = f"({', '.join('?' * len(columns))})"
        self._sqlite = tuple(
            (size, f"insert into {table.name} ({names}) values {', '.join([row] * size)} on conflict do nothing")
            for size in SQLITE_ROWS
        )
        # Append-only: a new row's rowid is the greatest so far, so the last n rows are those just inserted.
        self._sqlite_newest = f"select {key} from {table.name} order by rowid desc limit ?"
        self._postgres = (
            f"insert into {table.name} ({names}) select {values} from jsonb_array_elements($1::jsonb) as v(r)"
            f" on conflict do nothing returning {key}"
        )

    def insert(self, connection: Connection, rows: Sequence[Row]) -> set[Value]:
        """The keys of the rows that were new."""
        if connection.dialect.name != "sqlite":
            return set(connection.exec_driver_sql(self._postgres, (_json(rows),)).scalars())
        count = self._insert_sqlite(connection, rows)
        if count == len(rows):
            key = self._key
            return {row[key] for row in rows}
        return set(connection.exec_driver_sql(self._sqlite_newest, (count,)).scalars())

    def _insert_sqlite(self, connection: Connection, rows: Sequence[Row]) -> int:
        cursor = connection.connection.cursor()
        done = count = 0
        for size, sql in self._sqlite:
            while len(rows) - done >= size:
                cursor.execute(sql, tuple(chain.from_iterable(rows[done : done + size])))
                count += cursor.rowcount
                done += size
        return count


class Chain:
    """Guarded updates one after the other, each for many rows; the next runs only if every row passed.

    `sqlite` is a statement for each step that takes a row's values by `?N`; `postgres` is one statement for all, so
    one trip, that takes the rows of step N as a JSON array by `$N` and changes one row if everything passed.
    """

    def __init__(self, *, sqlite: Sequence[str], postgres: str) -> None:
        self._sqlite = sqlite
        self._postgres = postgres

    def run(self, connection: Connection, *steps: Sequence[Row]) -> bool:
        """Whether every row of every step passed; if not, the caller must roll back."""
        if connection.dialect.name == "sqlite":
            pairs = zip(self._sqlite, steps, strict=True)
            return all(_execute_many(connection, sql, rows) == len(rows) for sql, rows in pairs if rows)
        return connection.exec_driver_sql(self._postgres, tuple(_json(rows) for rows in steps)).rowcount == 1


class Lookup:
    """One query by a set of text keys: `sqlite` takes them as a JSON array by `?1`, `postgres` as an array by `$1`."""

    def __init__(self, *, sqlite: str, postgres: str) -> None:
        self._sqlite = sqlite
        self._postgres = postgres

    def rows(self, connection: Connection, keys: Collection[str]) -> list[tuple[Any, ...]]:
        """What was found, in no order."""
        if connection.dialect.name != "sqlite":
            return [tuple(row) for row in connection.exec_driver_sql(self._postgres, (list(keys),))]
        cursor = connection.connection.cursor()
        cursor.execute(self._sqlite, (_json(keys),))
        return list(cursor.fetchall())


def _execute_many(connection: Connection, sql: str, rows: Sequence[Row]) -> int:
    cursor = connection.connection.cursor()
    cursor.executemany(sql, rows)
    return cursor.rowcount


def _json(rows: Collection[object]) -> str:
    return json.encode(rows).decode()
