"""What every database promises, whichever engine it is."""

import pytest
from sqlalchemy import Connection, text

from kyma.storage.database import Database


def count_owners(connection: Connection) -> int:
    return int(connection.execute(text("select count(*) from account where owner_id = 'me'")).scalar_one())


def insert_owner(connection: Connection) -> None:
    connection.execute(text("insert into account (id, owner_id, kind, created_at) values ('a', 'me', 'credit', 1)"))


async def test_write_commits_what_the_work_did(db: Database) -> None:
    await db.write(insert_owner)
    assert await db.read(count_owners) == 1


async def test_write_undoes_everything_when_the_work_fails(db: Database) -> None:
    def fail(connection: Connection) -> None:
        insert_owner(connection)
        raise KeyError("no")

    with pytest.raises(KeyError):
        await db.write(fail)
    assert await db.read(count_owners) == 0


async def test_a_failed_write_leaves_the_database_usable(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await db.write(lambda connection: 1 // 0)
    await db.write(insert_owner)
    assert await db.read(count_owners) == 1


async def test_reads_follow_each_other_without_leaving_a_transaction_open(db: Database) -> None:
    for _ in range(20):
        assert await db.read(count_owners) == 0
    await db.write(insert_owner)
    assert [await db.read(count_owners) for _ in range(5)] == [1] * 5
