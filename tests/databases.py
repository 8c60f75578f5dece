"""Migrated databases for tests: copies of a template, one for each test."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import create_async_engine

from kyma.storage import migrate
from kyma.storage.database import Database, is_transient
from kyma.storage.postgres import PostgresDatabase
from kyma.storage.sqlite import SqliteDatabase
from tests.servers.postgres import PostgresServer

OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]
TEMPLATE = "kyma_template"
START_TIMEOUT_S = 30.0


async def make_sqlite_template(path: Path) -> None:
    """A migrated SQLite file, closed."""
    db = SqliteDatabase(path, durability="normal")
    await db.write(migrate.upgrade)
    await db.close()


@asynccontextmanager
async def sqlite_copy(template: Path, path: Path) -> AsyncIterator[SqliteDatabase]:
    """A database of its own at `path`."""
    await asyncio.to_thread(shutil.copyfile, template, path)
    db = SqliteDatabase(path, durability="normal")
    try:
        yield db
    finally:
        await db.close()


async def make_postgres_template(server: PostgresServer) -> None:
    """Wait until the server takes orders, then make the migrated database that others are copied from."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            await command(server, f"create database {TEMPLATE}")
            break
        except Exception as error:
            assert is_transient(error) and time.monotonic() < deadline, f"postgres is never ready: {error}"
            await asyncio.sleep(0.02)
    db = PostgresDatabase(server.url(TEMPLATE))
    await db.write(migrate.upgrade)
    await db.close()


@asynccontextmanager
async def postgres_copy(server: PostgresServer) -> AsyncIterator[PostgresDatabase]:
    """A database of its own on the server, dropped afterwards."""
    name = server.new_name()
    await command(server, f"create database {name} template {TEMPLATE}")
    db = PostgresDatabase(server.url(name))
    try:
        yield db
    finally:
        await db.close()
        await command(server, f"drop database {name} with (force)")


async def command(server: PostgresServer, sql: str) -> None:
    """Run what Postgres allows in no transaction."""
    engine = create_async_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(sql)
    finally:
        await engine.dispose()
