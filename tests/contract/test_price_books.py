"""Which book of prices is in force, and which moves were accepted, on both engines."""

from functools import partial

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from kyma.storage import migrate
from kyma.storage.database import Database
from kyma.usage.book_store import accept_moves, fetch_accepted, fetch_released, put_price_book, release_prices
from tests.books import NOW, count

ROW = ("move1", "owl", '{"input":1}', '{"input":2}', NOW)


async def release(db: Database, *versions: str) -> None:
    for version in versions:
        await db.write(partial(release_prices, version=version, prices=f'"{version}"', now=NOW))


async def test_before_the_first_start_no_prices_are_in_force(db: Database) -> None:
    assert await db.read(fetch_released) is None


async def test_the_book_that_was_released_last_is_in_force(db: Database) -> None:
    await release(db, "v1", "v2")
    assert await db.read(fetch_released) == '"v2"'


async def test_prices_that_come_back_are_in_force_again(db: Database) -> None:
    await release(db, "v1", "v2", "v1")
    assert await db.read(fetch_released) == '"v1"'
    assert await count(db, "price_book") == 2


async def test_a_start_with_the_same_prices_is_no_release(db: Database) -> None:
    await release(db, "v1", "v1")
    assert await count(db, "price_release") == 1


async def test_accepted_moves_are_known_again(db: Database) -> None:
    for _ in range(2):
        await db.write(lambda connection: accept_moves(connection, [ROW]))
    assert await db.read(lambda connection: fetch_accepted(connection, ["move1", "move2"])) == {"move1"}
    assert await db.read(lambda connection: fetch_accepted(connection, [])) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "update price_release set version = 'x'",
        "delete from price_release",
        "update price_acceptance set sku = 'x'",
        "delete from price_acceptance",
    ],
)
async def test_neither_is_changed_afterwards(db: Database, statement: str) -> None:
    await release(db, "v1")
    await db.write(lambda connection: accept_moves(connection, [ROW]))
    with pytest.raises(DBAPIError, match="append-only"):
        await db.write(lambda connection: connection.execute(text(statement)))


async def test_the_newest_book_of_an_older_schema_is_in_force(db: Database) -> None:
    def older(connection: Connection) -> None:
        migrate.downgrade(connection, "0007")
        for version, at in (("old", NOW), ("new", NOW + 1), ("oldest", NOW - 1)):
            put_price_book(connection, version, f'"{version}"', at)

    await db.write(older)
    await db.write(migrate.upgrade)
    assert await db.read(fetch_released) == '"new"'
