"""What a gateway has written into its SQLite file, read beside it."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from tests.server.waiting import wait_until


def usage_row(db_path: Path, request_id: str) -> Mapping[str, int | str | None]:
    """The usage row of one request, as soon as it is there."""
    found: list[sqlite3.Row] = []

    def is_there() -> bool:
        found[:] = _rows(db_path, "select * from usage where request_id = ?", request_id)
        return bool(found)

    wait_until(is_there)
    return dict(found[0])


def last_usage_row(db_path: Path) -> Mapping[str, int | str | None]:
    """The usage row that was written last."""
    return dict(_rows(db_path, "select * from usage order by created_at desc limit 1")[0])


def open_holds(db_path: Path) -> int:
    """Leases that nobody has given back yet, in number; the accounts' own sums must say the same."""
    (row,) = _rows(db_path, "select count(*) as holds from hold where state = 'pending'")
    (sums,) = _rows(db_path, "select coalesce(sum(debits_pending), 0) as pending from account")
    assert bool(row["holds"]) == bool(sums["pending"])
    return int(row["holds"])


def count(db_path: Path, table: str) -> int:
    (row,) = _rows(db_path, f"select count(*) as rows from {table}")
    return int(row["rows"])


def _rows(db_path: Path, sql: str, *parameters: object) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(f"file:{db_path}?mode=ro", uri=True, timeout=5)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(sql, parameters).fetchall()
