"""A Postgres that hangs up: who notices, and who does not."""

import asyncio

import pytest
from sqlalchemy import Connection, text

from kyma.storage.database import Database, is_transient
from kyma.storage.postgres import TRUSTED_S, PostgresDatabase
from tests.databases import OpenDatabase

HANG_UP = text(
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


def count(connection: Connection) -> int:
    return int(connection.exec_driver_sql("select count(*) from account").scalar_one())


async def use_and_cut(db: Database) -> None:
    """Leave `db` with an idle connection that its server has ended."""
    assert isinstance(db, PostgresDatabase)
    await db.write(count)
    other = PostgresDatabase(db.engine.url.render_as_string())
    assert await other.write(lambda connection: connection.execute(HANG_UP).scalar_one()) == 1
    await other.close()


async def test_a_connection_cut_while_it_lay_idle_is_replaced_unseen(open_postgres: OpenDatabase) -> None:
    async with open_postgres() as db:
        await use_and_cut(db)
        await asyncio.sleep(TRUSTED_S + 0.05)
        assert await db.write(count) > 0


async def test_a_connection_cut_just_after_use_is_a_passing_failure(open_postgres: OpenDatabase) -> None:
    async with open_postgres() as db:
        await use_and_cut(db)
        with pytest.raises(Exception) as error:
            await db.write(count)
        assert is_transient(error.value)
        assert await db.write(count) > 0
