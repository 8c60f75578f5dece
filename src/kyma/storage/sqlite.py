"""SQLite: one writer thread with one connection (`BEGIN IMMEDIATE`, WAL), a few reader threads beside it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

T = TypeVar("T")

Durability = Literal["full", "normal"]


class SqliteDatabase:
    """An SQLite file in WAL mode. `durability="full"` syncs at every commit, so a power cut loses nothing committed.

    `writer` and `reader` may be handed in by a simulator; `writer` must run one call at a time.
    """

    def __init__(
        self,
        path: Path,
        durability: Durability = "full",
        writer: Executor | None = None,
        reader: Executor | None = None,
    ) -> None:
        self.engine = sqlite_engine(path, durability)
        self._writer = writer or ThreadPoolExecutor(1, "sqlite-writer")
        self._reader = reader or ThreadPoolExecutor(2, "sqlite-reader")
        self._connection: Connection | None = None

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._write, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, work)

    async def close(self) -> None:
        await asyncio.to_thread(self._writer.shutdown)
        await asyncio.to_thread(self._reader.shutdown)
        if self._connection is not None:
            self._connection.close()
        self.engine.dispose()

    def _write(self, work: Callable[[Connection], T]) -> T:
        # Checking a connection out of the pool costs as much as a small transaction, so the writer keeps its own.
        connection = self._connection or self.engine.connect()
        self._connection = None  # kept again only after a commit: the pool cleans up behind whatever failed
        try:
            with connection.begin():
                result = work(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return result

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self.engine.connect().execution_options(kyma_read=True) as connection:
            return work(connection)


def sqlite_engine(path: Path, durability: Durability = "full") -> Engine:
    """A synchronous engine whose writing transactions begin IMMEDIATE, so they never fail on an upgrade."""
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"isolation_level": None, "check_same_thread": False},
        poolclass=QueuePool,
        pool_size=4,
    )

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in (
            "busy_timeout=10000",
            "journal_mode=WAL",
            f"synchronous={durability.upper()}",
            "foreign_keys=ON",
            "recursive_triggers=ON",  # or INSERT OR REPLACE would slip past the append-only guards
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_read = connection.get_execution_options().get("kyma_read", False)
        connection.connection.cursor().execute("BEGIN" if is_read else "BEGIN IMMEDIATE")  # past the engine's own share

    return engine
