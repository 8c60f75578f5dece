"""Every schema revision, up and down on both engines, and the append-only guards after each."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.exc import DBAPIError

import kyma.accounts.tables
import kyma.credentials.tables
import kyma.routing.tables  # noqa: F401
from kyma.ledger import Ledger
from kyma.ledger.tables import transfer
from kyma.storage import migrate, schema
from kyma.storage.database import Database, metadata
from kyma.storage.migrations.guards import rebuild
from kyma.usage.tables import price_book, usage
from tests.books import ACCOUNT, apply, audit, open_account
from tests.clock import ManualClock

GUARDED = [transfer, usage, price_book]
REVISIONS = [script.revision for script in reversed(list(ScriptDirectory(str(migrate.MIGRATIONS)).walk_revisions()))]


async def fill(db: Database, clock: ManualClock) -> None:
    ledger = Ledger(db, clock, "gw_1")
    await open_account(db, 1000)
    settlement = ledger.prepare(await ledger.reserve(ACCOUNT, 100, "r1"), 50)
    await db.write(lambda connection: apply(connection, [settlement]))


async def refuses(db: Database, statement: str) -> bool:
    try:
        await db.write(lambda connection: connection.execute(text(statement)))
    except DBAPIError as error:
        return "append-only" in str(error)
    return False


def rows(connection: Connection, table: Table) -> int:
    """How many, at whatever revision."""
    return int(connection.execute(text(f"select count(*) from {table.name}")).scalar_one())


def test_the_head_this_code_speaks_is_the_last_revision() -> None:
    assert schema.head_revision() == REVISIONS[-1]


async def test_a_migrated_database_is_at_the_head(db: Database) -> None:
    assert await schema.current(db) == schema.head_revision()


async def test_the_migrated_schema_is_the_one_the_tables_describe(db: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        def is_ours(_thing: object, name: str | None, *_: object) -> bool:
            return name not in ("seq", "ix_usage_seq")  # Postgres numbers rows of usage; SQLite does so by itself

        opts = {"compare_type": True, "compare_server_default": True, "include_object": is_ours}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, metadata))

    assert await db.read(differences) == []


async def test_down_to_nothing_and_up_again(db: Database, clock: ManualClock) -> None:
    await fill(db, clock)
    await db.write(migrate.downgrade)
    assert await schema.current(db) is None
    assert await db.read(lambda connection: inspect(connection).get_table_names()) == ["alembic_version"]
    await db.write(migrate.upgrade)
    await fill(db, clock)
    assert await audit(db) == []


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("table", GUARDED, ids=str)
async def test_guards_stand_after_every_revision(db: Database, clock: ManualClock, revision: str, table: Table) -> None:
    await fill(db, clock)
    await db.write(lambda connection: migrate.downgrade(connection, revision))
    await refuse_all_changes(db, table)
    await db.write(migrate.upgrade)
    await refuse_all_changes(db, table)


async def test_usage_from_before_the_new_buckets_has_none_of_them(db: Database, clock: ManualClock) -> None:
    await fill(db, clock)
    await db.write(lambda connection: migrate.downgrade(connection, "0001"))
    await db.write(migrate.upgrade)
    new = text("select cache_write_1h_tokens, searches from usage")
    assert await db.read(lambda connection: connection.execute(new).all()) == [(0, 0)]
    assert await audit(db) == []


async def refuse_all_changes(db: Database, table: Table) -> None:
    before = await db.read(lambda connection: rows(connection, table))
    assert before > 0
    first = next(iter(table.columns)).name
    assert await refuses(db, f"update {table.name} set {first} = 'x'")
    assert await refuses(db, f"delete from {table.name}")
    is_sqlite = await db.read(lambda connection: connection.dialect.name == "sqlite")
    replace = f"insert or replace into {table.name} select * from {table.name}"
    assert await refuses(db, replace if is_sqlite else f"truncate {table.name}")
    assert await db.read(lambda connection: rows(connection, table)) == before


async def test_a_rebuilt_table_keeps_its_rows_and_its_guard(db: Database, clock: ManualClock) -> None:
    await fill(db, clock)
    before = await db.read(lambda connection: rows(connection, transfer))
    await db.write(rebuild_transfer)
    assert await db.read(lambda connection: rows(connection, transfer)) == before
    await refuse_all_changes(db, transfer)


def rebuild_transfer(connection: Connection) -> None:
    """What a later revision does: alter a column of a guarded table."""
    with Operations.context(MigrationContext.configure(connection)), rebuild("transfer") as batch:
        batch.alter_column("is_late", nullable=True)


async def test_the_operator_has_accounts_from_the_start(db: Database) -> None:
    ids = text("select id from account order by id")
    assert await db.read(lambda connection: list(connection.execute(ids).scalars())) == [
        "op_cash",
        "op_dispute",
        "op_promo_expense",
        "op_refund_due",
        "op_revenue",
        "op_write_off",
    ]
