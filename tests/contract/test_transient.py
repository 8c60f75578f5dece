"""Which errors of a database are worth another try."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from kyma.storage.database import Database, is_transient
from kyma.storage.postgres import PostgresDatabase
from kyma.storage.sqlite import SqliteDatabase
from tests.databases import command
from tests.servers.postgres import PostgresServer, free_port


async def error_of(db: Database, statement: str, values: dict[str, object] | None = None) -> Exception:
    try:
        await db.write(lambda connection: connection.execute(text(statement), values or {}))
    except Exception as error:
        return error
    raise AssertionError("it went through")


@pytest.mark.parametrize(
    "statement",
    [
        "select * from nowhere",
        "selec",
        "insert into account (id, owner_id, kind, created_at) values ('op_cash', 'x', 'x', 0)",
        "insert into account (id) values ('a')",
        "update account set debits_pending = -1",
        "insert into transfer (id) values (null)",
    ],
)
async def test_the_fault_of_a_statement_is_final(db: Database, statement: str) -> None:
    assert not is_transient(await error_of(db, statement))


async def test_a_value_the_driver_cannot_send_is_final(db: Database) -> None:
    statement = "update account set debits_posted = :amount"
    assert not is_transient(await error_of(db, statement, {"amount": 2**70}))


async def test_a_locked_sqlite_file_is_worth_another_try(tmp_path: Path) -> None:
    first, second = SqliteDatabase(tmp_path / "x.db"), SqliteDatabase(tmp_path / "x.db")
    await second.write(lambda connection: connection.exec_driver_sql("pragma busy_timeout=10"))
    is_held, may_end = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(connection: Connection) -> None:
        loop.call_soon_threadsafe(is_held.set)
        asyncio.run_coroutine_threadsafe(may_end.wait(), loop).result()

    holder = asyncio.ensure_future(first.write(hold))
    await is_held.wait()
    assert is_transient(await error_of(second, "create table t (a int)"))
    may_end.set()
    await holder
    await second.write(lambda connection: connection.exec_driver_sql("create table t (a int)"))
    await first.close()
    await second.close()


async def test_a_postgres_that_is_not_there_is_worth_another_try() -> None:
    db = PostgresDatabase(f"postgresql+asyncpg://kyma@127.0.0.1:{free_port()}/x")
    assert is_transient(await error_of(db, "select 1"))
    await db.close()


async def test_a_broken_postgres_connection_is_worth_another_try(postgres_server: PostgresServer) -> None:
    db = PostgresDatabase(postgres_server.url("postgres"))
    assert is_transient(await error_of(db, "select pg_terminate_backend(pg_backend_pid())"))
    await db.write(lambda connection: connection.exec_driver_sql("select 1"))
    await db.close()


async def test_a_postgres_deadlock_is_worth_another_try(postgres_server: PostgresServer) -> None:
    name = postgres_server.new_name()
    await command(postgres_server, f"create database {name}")
    db = PostgresDatabase(postgres_server.url(name))
    await db.write(lambda connection: connection.exec_driver_sql("create table t as select generate_series(1, 2) as a"))

    def lock_both(first: int) -> Awaitable[None]:
        def work(connection: Connection) -> None:
            connection.exec_driver_sql("set local deadlock_timeout = '50ms'")
            connection.exec_driver_sql(f"update t set a = a where a = {first}")
            connection.exec_driver_sql("select pg_sleep(0.2)")
            connection.exec_driver_sql(f"update t set a = a where a = {3 - first}")

        return db.write(work)

    results = await asyncio.gather(lock_both(1), lock_both(2), return_exceptions=True)
    errors = [error for error in results if isinstance(error, Exception)]
    assert len(errors) == 1 and is_transient(errors[0])
    await db.close()
    await command(postgres_server, f"drop database {name} with (force)")
