"""Short ways to fill the books in tests: an account with money, a charge with its usage row, the audit.

The one model costs a nano-dollar a token, so a cost is a number of tokens; an hour of cache costs two, a search five.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from kyma.core.model import Price
from kyma.ledger import Settlement, store
from kyma.ledger.settlement import Outcome
from kyma.ledger.verify import verify
from kyma.storage.database import Database
from kyma.usage import UsageRow
from kyma.usage.book_store import put_price_book
from kyma.usage.store import insert_rows

MODEL = "m"
BOOK = "2026-01"
PRICES = msgspec.json.encode({MODEL: Price(1000, 1000, 1000, 1000, 2000, 5000)})
ACCOUNT = "acct_1"
NOW = 1_800_000_000_000


async def open_account(db: Database, amount: int, account_id: str = ACCOUNT) -> str:
    """A customer's account with that much granted."""

    def work(connection: Connection) -> None:
        put_price_book(connection, BOOK, PRICES.decode(), NOW)
        store.insert_account(connection, account_id, "user_1", store.CUSTOMER, NOW)
        if amount:
            store.grant(connection, account_id, amount, "signup", "user", account_id, NOW)

    await db.write(work)
    return account_id


def apply(connection: Connection, settlements: Sequence[Settlement]) -> list[Outcome]:
    """Usage rows, transfers and balances in one transaction, as the gateway composes them."""
    fresh = insert_rows(connection, [usage_row(settlement) for settlement in settlements])
    new = [settlement for settlement in settlements if settlement.request_id in fresh]
    outcomes = dict(zip((s.request_id for s in new), store.apply_settlements(connection, new), strict=True))
    return [outcomes.get(settlement.request_id, "already") for settlement in settlements]


def usage_row(settlement: Settlement) -> UsageRow:
    return UsageRow(
        request_id=settlement.request_id,
        account_id=settlement.account_id,
        user_id="user_1",
        key_id="key_1",
        model=MODEL,
        requested_model="alias",
        route="provider/m",
        layer=0,
        dialect="openai_chat",
        input_tokens=0,
        cached_input_tokens=0,
        cache_write_tokens=0,
        output_tokens=settlement.cost,
        reasoning_tokens=0,
        price_version=BOOK,
        cost=settlement.cost,
        estimated=False,
        flagged=settlement.overrun > 0,
        status="finished",
        http_status=200,
        is_streaming=False,
        first_token_ms=None,
        duration_ms=12,
        attempts=1,
        created_at=settlement.settled_at,
    )


async def audit(db: Database) -> list[str]:
    """What the audit finds wrong, as it would be printed."""
    return await db.read(lambda connection: [str(violation) for violation in verify(connection)])


async def count(db: Database, table: str) -> int:
    def work(connection: Connection) -> int:
        return int(connection.exec_driver_sql(f"select count(*) from {table}").scalar_one())

    return await db.read(work)


async def posted(db: Database, account_id: str = ACCOUNT) -> int:
    return (await db.read(lambda connection: store.fetch_account(connection, account_id))).posted


async def available(db: Database, account_id: str = ACCOUNT) -> int:
    return (await db.read(lambda connection: store.fetch_account(connection, account_id))).available
