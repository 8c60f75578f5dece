"""Usage rows and price books, on both engines."""

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from kyma.ledger import Settlement
from kyma.storage.database import Database
from kyma.usage import UsageRow
from kyma.usage.book_store import put_price_book
from kyma.usage.store import insert_rows
from kyma.usage.tables import usage
from tests.books import ACCOUNT, NOW, count, usage_row


def row(request_id: str) -> UsageRow:
    return usage_row(Settlement(request_id, ACCOUNT, "lease_1", 9, 5, 5, 0, NOW))


def test_fields_and_columns_agree() -> None:
    assert [field.name for field in msgspec.structs.fields(UsageRow)] == [column.name for column in usage.columns]


async def test_a_row_reads_back_as_it_was_written(db: Database) -> None:
    written = [row("r1"), msgspec.structs.replace(row("r2"), first_token_ms=7, cost=2**62, estimated=True)]
    written.append(msgspec.structs.replace(row("r3"), cache_write_1h_tokens=2**40, searches=9))
    assert await db.write(lambda c: insert_rows(c, written)) == {"r1", "r2", "r3"}
    read = await db.read(lambda c: c.execute(select(usage).order_by(usage.c.request_id)).all())
    assert [UsageRow(*values) for values in read] == written


async def test_only_new_request_ids_are_written_and_named(db: Database) -> None:
    await db.write(lambda c: insert_rows(c, [row("r1"), row("r3")]))
    assert await db.write(lambda c: insert_rows(c, [row(f"r{n}") for n in range(1, 6)])) == {"r2", "r4", "r5"}
    assert await count(db, "usage") == 5


async def test_nothing_to_write_is_nothing_written(db: Database) -> None:
    assert await db.write(lambda c: insert_rows(c, [])) == set()


async def test_a_price_book_is_kept_once_and_never_changed(db: Database) -> None:
    assert await db.write(lambda c: put_price_book(c, "v1", "{}", NOW)) is True
    assert await db.write(lambda c: put_price_book(c, "v1", '{"m": {}}', NOW)) is False
    assert await count(db, "price_book where prices = '{}'") == 1


async def test_a_row_without_a_value_is_refused(db: Database) -> None:
    broken = [row("r1"), msgspec.structs.replace(row("r2"), status=None)]
    with pytest.raises(Exception) as error:
        await db.write(lambda c: insert_rows(c, broken))
    assert isinstance(error.value, DBAPIError) or type(error.value).__module__ == "sqlite3"
    assert await count(db, "usage") == 0
