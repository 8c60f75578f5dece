"""The audit finds every way to cook the books that it claims to find."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, text

from kyma.ledger import Ledger, store
from kyma.storage.database import Database
from tests.books import ACCOUNT, NOW, apply, audit, open_account
from tests.clock import ManualClock
from tests.databases import OpenDatabase

FRAUDS = {
    "money from nowhere": ("update account set credits_posted = credits_posted + 1 where id = 'acct_1'", "I1"),
    "a balance without its transfer": (
        "update account set credits_posted = credits_posted + 1 where id = 'acct_1'",
        "I2",
    ),
    "a charge without its balance": ("update account set debits_posted = debits_posted - 1 where id = 'acct_1'", "I2"),
    "a hidden hold": ("update account set debits_pending = debits_pending - 1 where id = 'acct_1'", "I2"),
    "a pending credit": ("update account set credits_pending = 1 where id = 'acct_1'", "I2"),
    "a transfer to nobody": ("update transfer set debit = 'acct_x' where kind = 'usage'", "I2"),
    "a hold of nobody": ("update hold set account_id = 'acct_x'", "I2"),
    "an overdraft": (
        "update hold set amount = amount + 5000 where state = 'pending';"
        "update account set debits_pending = debits_pending + 5000 where id = 'acct_1'",
        "I3",
    ),
    "a hold that ended with a rest": ("update hold set released = released - 1 where state = 'posted'", "I4"),
    "an unknown state": ("update hold set state = 'odd' where state = 'posted'", "I4"),
    "a hold voided after it paid": ("update hold set state = 'voided' where state = 'posted'", "I4"),
    "a release while pending": ("update hold set released = 1 where state = 'pending'", "I4"),
    "a hold that paid less than its transfers": (
        "update hold set resolved = resolved - 1, released = released + 1 where state = 'posted'",
        "I4",
    ),
    "a charge on another's hold": ("update hold set account_id = 'acct_2' where state = 'posted'", "I4"),
    "a charge on no hold": ("update transfer set hold_id = 'lease_x' where kind = 'usage'", "I4"),
    "a balance that holds do not explain": (
        "update account set debits_pending = debits_pending - 1 where id = 'acct_1'",
        "I7",
    ),
    "a tier that was not paid for": ("update account set purchased = 1 where id = 'acct_1'", "I8"),
    "a cheaper charge than its usage": ("update transfer set amount = amount - 1 where kind = 'usage'", "I9"),
    "a charge without usage": ("delete from usage", "I9"),
    "usage without a charge": ("delete from transfer where kind = 'usage'", "I9"),
    "usage of another account": ("update usage set account_id = 'acct_2'", "I9"),
    "usage of another day": ("update usage set created_at = created_at - 86400000", "I9"),
    "a cost that the prices do not make": ("update usage set output_tokens = output_tokens + 1", "price"),
    "an hour of cache that nobody paid": ("update usage set cache_write_1h_tokens = 1", "price"),
    "a search that nobody paid": ("update usage set searches = 1", "price"),
    "fewer searches than none": ("update usage set searches = -1, output_tokens = output_tokens + 2", "units"),
    "a price book that is gone": ("delete from price_book", "price"),
    "a model without a price": ("update usage set model = 'x'", "price"),
    "negative units": ("update usage set input_tokens = -1, output_tokens = output_tokens + 1", "units"),
    "more reasoning than output": ("update usage set reasoning_tokens = output_tokens + 1", "units"),
}


@pytest.fixture
async def books(open_sqlite: OpenDatabase, clock: ManualClock) -> AsyncIterator[Database]:
    """Books that have seen everything once and whose guards are gone."""
    async with open_sqlite() as db:
        await open_account(db, 1000)
        await open_account(db, 1000, "acct_2")
        await db.write(lambda c: store.grant(c, ACCOUNT, 500, "topup", "test", "t1", NOW))
        ledger = Ledger(db, clock, "gw_1")
        paid = ledger.prepare(await ledger.reserve(ACCOUNT, 100, "r1"), 60)
        await db.write(lambda c: apply(c, [paid]))
        await ledger.return_all()
        await ledger.reserve(ACCOUNT, 100, "r2")
        await db.write(drop_guards)
        yield db


def drop_guards(connection: Connection) -> None:
    triggers = text("select name from sqlite_master where type = 'trigger'")
    for name in list(connection.execute(triggers).scalars()):
        connection.execute(text(f"drop trigger {name}"))


async def test_honest_books_pass(books: Database) -> None:
    assert await audit(books) == []


@pytest.mark.parametrize("fraud", FRAUDS)
async def test_a_fraud_is_found(books: Database, fraud: str) -> None:
    statements, rule = FRAUDS[fraud]

    def cook(connection: Connection) -> None:
        connection.execute(text("pragma ignore_check_constraints = on"))
        for statement in statements.split(";"):
            assert connection.execute(text(statement)).rowcount > 0

    await books.write(cook)
    assert rule in {line.split()[0] for line in await audit(books)}


async def test_an_hour_of_cache_and_searches_are_computed_again(books: Database) -> None:
    """60 nano-dollars were charged: 10 an hour of cache at 2, 4 searches at 5, and the rest at 1."""

    def cook(connection: Connection) -> None:
        new = "cache_write_1h_tokens = 10, searches = 4, output_tokens = 20"
        assert connection.execute(text(f"update usage set {new} where request_id = 'r1'")).rowcount == 1

    await books.write(cook)
    assert await audit(books) == []


async def test_a_book_without_the_new_prices_explains_rows_without_the_new_buckets(books: Database) -> None:
    old = '{"m":{"input":1000,"cached_input":1000,"cache_write":1000,"output":1000}}'
    await books.write(lambda c: c.execute(text("update price_book set prices = :old"), {"old": old}))
    assert await audit(books) == []


async def test_a_book_that_sells_media_too_explains_what_was_charged_by_tokens(books: Database) -> None:
    text_model = '"m":{"input":1000,"cached_input":1000,"cache_write":1000,"output":1000,"cache_write_1h":1,"search":1}'
    media = (
        '"film":{"form":"unit","mode":"per-second","each":5},"pic":{"form":"quality","each":{"low":1},"default":"low"}'
    )
    book = f"{{{media},{text_model}}}"
    await books.write(lambda c: c.execute(text("update price_book set prices = :book"), {"book": book}))
    assert await audit(books) == []


async def test_a_violation_names_the_row_and_the_figures(books: Database) -> None:
    await books.write(lambda c: c.execute(text("update account set purchased = 7 where id = 'acct_1'")))
    assert await audit(books) == ["I8 acct_1: purchased is 7, its top-ups sum to 500"]


async def test_two_charges_for_one_request_would_be_found(books: Database) -> None:
    def cook(connection: Connection) -> None:
        for statement in (
            "create table loose as select * from transfer",
            "drop table transfer",
            "alter table loose rename to transfer",
            "insert into transfer select * from transfer where kind = 'usage'",
        ):
            connection.execute(text(statement))

    await books.write(cook)
    assert "I5 r1: 2 transfers of kind usage for one request" in await audit(books)
