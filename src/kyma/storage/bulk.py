"""Many rows in one statement on the writer's hottest tables, with an answer to "which of them took effect?".

Statements are text built once at import and run on tuples: half the price of Core's own compiled lists. SQLite runs
them once a row inside the driver, past the engine, whose own share would be larger than the driver's; so an error
there is the driver's. Postgres runs them once a batch, on arrays.
"""

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import json
from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, Table, Text

Value = str | int | bool | None
Row = tuple[Value, ...]

_POSTGRES_TYPES = {Text: "text", BigInteger: "bigint", Integer: "integer", Boolean: "boolean"}


class NewRows:
    """Inserts whole rows of an append-only table and leaves out those that break a unique rule.

    Rows are tuples in column order; `key` names the text column that tells them apart.
    """

    def __init__(self, table: Table, key: str) -> None:
        columns = list(table.columns)
        names = ", ".join(column.name for column in columns)
        self._key = [column.name for column in columns].index(key)
        self._sqlite = (
            f"insert into {table.name} ({names}) values ({', '.join('?' * len(columns))}) on conflict do nothing"
        )
        # Append-only: a new row's rowid is the greatest so far, so the last n rows are those just inserted.
        self._sqlite_newest = f"select {key} from {table.name} order by rowid desc limit ?"
        self._postgres = (
            f"insert into {table.name} ({names}) select * from unnest({_arrays(columns)})"
            f" on conflict do nothing returning {key}"
        )

    def insert(self, connection: Connection, rows: Sequence[Row]) -> set[Value]:
        """The keys of the rows that were new."""
        if connection.dialect.name != "sqlite":
            result = connection.exec_driver_sql(self._postgres, tuple(map(list, zip(*rows, strict=True))))
            return set(result.scalars())
        count = _execute_many(connection, self._sqlite, rows)
        if count == len(rows):
            key = self._key
            return {row[key] for row in rows}
        return set(connection.exec_driver_sql(self._sqlite_newest, (count,)).scalars())


class Changes:
    """One guarded update, run for many rows; `sqlite` takes a row's values by `?N`, `postgres` arrays by `$N`."""

    def __init__(self, *, sqlite: str, postgres: str) -> None:
        self._sqlite = sqlite
        self._postgres = postgres

    def run(self, connection: Connection, rows: Sequence[Row]) -> int:
        """How many rows passed the guard."""
        if connection.dialect.name == "sqlite":
            return _execute_many(connection, self._sqlite, rows)
        return connection.exec_driver_sql(self._postgres, tuple(map(list, zip(*rows, strict=True)))).rowcount


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
        cursor.execute(self._sqlite, (json.encode(keys).decode(),))
        return list(cursor.fetchall())


def _execute_many(connection: Connection, sql: str, rows: Sequence[Row]) -> int:
    cursor = connection.connection.cursor()
    cursor.executemany(sql, rows)
    return cursor.rowcount


def _arrays(columns: Sequence[Column[object]]) -> str:
    return ", ".join(f"${n}::{_POSTGRES_TYPES[type(column.type)]}[]" for n, column in enumerate(columns, 1))
