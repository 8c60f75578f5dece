"""Accounts on an SQLite file of their own, with a clock that the test moves."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kyma.accounts import Accounts
from kyma.accounts.tables import api_key, app_user, session
from kyma.storage.database import Database, metadata
from kyma.storage.sqlite import SqliteDatabase
from tests.unit.accounts.clock import FixedClock

PEPPER = b"a pepper that only tests know"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = SqliteDatabase(tmp_path / "kyma.db", durability="normal")
    await database.write(lambda conn: metadata.create_all(conn, [app_user, api_key, session]))
    yield database
    await database.close()


@pytest.fixture
def accounts(db: Database, clock: FixedClock) -> Iterator[Accounts]:
    made = Accounts(db, clock, PEPPER, tier_for=lambda nanos: 0, purchased=lambda conn, account_id: 0)
    yield made
    made.close()
