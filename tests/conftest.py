"""Fixtures that every folder may use: a clock, and migrated databases on both engines.

A server is started on first use, one for each xdist worker.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from kyma.storage.database import Database
from tests.clock import ManualClock
from tests.databases import OpenDatabase, make_postgres_template, make_sqlite_template, postgres_copy, sqlite_copy
from tests.servers.postgres import PostgresServer, run_postgres


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "kyma.db"
    asyncio.run(make_sqlite_template(path))
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A Postgres server with a migrated template database."""
    with run_postgres() as server:
        asyncio.run(make_postgres_template(server))
        yield server


@pytest.fixture
def open_sqlite(sqlite_template: Path, tmp_path: Path) -> OpenDatabase:
    return partial(sqlite_copy, sqlite_template, tmp_path / "kyma.db")


@pytest.fixture
def open_postgres(postgres_server: PostgresServer) -> OpenDatabase:
    return partial(postgres_copy, postgres_server)


@pytest.fixture(params=["sqlite", "postgres"])
def open_db(request: pytest.FixtureRequest) -> OpenDatabase:
    """Opens a migrated database of the test's own, on each engine in turn."""
    opened: OpenDatabase = request.getfixturevalue(f"open_{request.param}")
    return opened


@pytest.fixture
async def sqlite_db(open_sqlite: OpenDatabase) -> AsyncIterator[Database]:
    """A migrated SQLite database."""
    async with open_sqlite() as db:
        yield db


@pytest.fixture
async def db(open_db: OpenDatabase) -> AsyncIterator[Database]:
    """A migrated database, on each engine in turn."""
    async with open_db() as database:
        yield database
