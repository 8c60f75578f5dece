"""Becoming a user: all of it or nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from kyma.accounts import Accounts
from kyma.core.errors import Conflict, InvalidRequest, RateLimited
from kyma.identity import Registration
from kyma.ledger.store import fetch_account
from kyma.storage.database import Database
from kyma.storage.migrate import upgrade
from kyma.storage.sqlite import SqliteDatabase
from tests.unit.accounts.clock import FixedClock

PASSWORD = "correct horse battery"
TABLES = ("app_user", "api_key", "session", "account", "transfer")


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = SqliteDatabase(tmp_path / "kyma.db", durability="normal")
    await database.write(upgrade)
    yield database
    await database.close()


@pytest.fixture
def accounts(db: Database) -> Iterator[Accounts]:
    made = Accounts(
        db,
        FixedClock(),
        b"pepper",
        tier_for=lambda nanos: 0,
        purchased=lambda conn, account_id: fetch_account(conn, account_id).purchased,
    )
    yield made
    made.close()


@pytest.fixture
def registration(db: Database, accounts: Accounts) -> Registration:
    return Registration(db, FixedClock(), accounts)


async def balance(db: Database, account_id: str) -> int:
    return (await db.read(lambda conn: fetch_account(conn, account_id))).available


async def row_counts(db: Database) -> list[int]:
    def work(conn: Connection) -> list[int]:
        return [conn.exec_driver_sql(f"select count(*) from {table}").scalar_one() for table in TABLES]

    return await db.read(work)


async def test_a_new_user_has_fifty_cents_a_key_and_a_session(
    registration: Registration, accounts: Accounts, db: Database
) -> None:
    made = await registration.register("Ada@Example.com", PASSWORD)
    by_key = await accounts.authenticate(made.api_key)
    by_session = await accounts.authenticate(made.session_token)
    assert (by_key.email, by_key.tier, by_key.is_operator, by_key.is_session) == ("ada@example.com", 0, False, False)
    assert (by_session.user_id, by_session.is_session) == (made.user_id, True)
    assert by_key.account_id == by_session.account_id == made.account_id
    assert await balance(db, made.account_id) == 500_000_000


async def test_the_signup_credit_counts_as_no_purchase(registration: Registration, db: Database) -> None:
    made = await registration.register("ada@example.com", None)
    assert (await db.read(lambda conn: fetch_account(conn, made.account_id))).purchased == 0


async def test_a_new_user_can_sign_in(registration: Registration, accounts: Accounts) -> None:
    made = await registration.register("ada@example.com", PASSWORD)
    assert (await accounts.login("ada@example.com", PASSWORD, "192.0.2.1")).user_id == made.user_id


async def test_an_address_alone_is_enough(registration: Registration, accounts: Accounts) -> None:
    made = await registration.register("ada@example.com")
    assert (await accounts.authenticate(made.api_key)).user_id == made.user_id


async def test_a_taken_address_is_a_conflict_and_leaves_nothing(registration: Registration, db: Database) -> None:
    await registration.register("ada@example.com", PASSWORD)
    before = await row_counts(db)
    with pytest.raises(Conflict) as refused:
        await registration.register("ADA@example.com ", "another password")
    assert (refused.value.code, refused.value.status) == ("email_taken", 409)
    assert await row_counts(db) == before


async def test_of_many_sign_ups_at_once_one_wins(registration: Registration, db: Database) -> None:
    before = await row_counts(db)
    answers = await asyncio.gather(
        *(registration.register("ada@example.com") for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(answer, Conflict) for answer in answers) == 7
    assert [after - was for after, was in zip(await row_counts(db), before, strict=True)] == [1, 1, 1, 1, 1]


async def test_a_sign_up_that_fails_half_way_leaves_nothing(db: Database, accounts: Accounts) -> None:
    registration = Registration(db, FixedClock(), accounts, signup_nanos=2**63)
    before = await row_counts(db)
    with pytest.raises(ValueError):
        await registration.register("ada@example.com")
    assert await row_counts(db) == before


@pytest.mark.parametrize(("email", "password"), [("ada", PASSWORD), ("a@b.com", "12345"), ("a@b.com", "password")])
async def test_a_bad_address_or_password_leaves_nothing(
    registration: Registration, db: Database, email: str, password: str
) -> None:
    before = await row_counts(db)
    with pytest.raises(InvalidRequest):
        await registration.register(email, password)
    assert await row_counts(db) == before


async def test_sign_ups_from_one_network_are_limited(registration: Registration) -> None:
    for number in range(20):
        await registration.register(f"user{number}@example.com", ip="192.0.2.1")
    with pytest.raises(RateLimited):
        await registration.register("more@example.com", ip="192.0.2.1")
    await registration.register("more@example.com", ip="192.0.2.2")


async def test_without_a_signup_credit_an_account_starts_empty(db: Database, accounts: Accounts) -> None:
    made = await Registration(db, FixedClock(), accounts, signup_nanos=0).register("ada@example.com")
    assert await balance(db, made.account_id) == 0


async def test_the_first_operator_has_tier_4_and_the_grant(
    registration: Registration, accounts: Accounts, db: Database
) -> None:
    token = await registration.ensure_operator("operator@localhost", 100_000_000_000)
    assert token is not None
    principal = await accounts.authenticate(token)
    assert (principal.tier, principal.is_operator) == (4, True)
    assert await balance(db, principal.account_id) == 100_000_000_000
    kinds = await db.read(lambda conn: conn.exec_driver_sql("select kind from transfer").scalars().all())
    assert kinds == ["grant"]


async def test_there_is_one_first_operator(registration: Registration, db: Database) -> None:
    await registration.ensure_operator("operator@localhost", 1)
    before = await row_counts(db)
    assert await registration.ensure_operator("operator@localhost", 1) is None
    assert await registration.ensure_operator("other@localhost", 1) is None
    assert await row_counts(db) == before


async def test_an_ordinary_user_is_not_made_operator(registration: Registration, accounts: Accounts) -> None:
    made = await registration.register("ada@example.com")
    with pytest.raises(Conflict):
        await registration.ensure_operator("ada@example.com", 1)
    assert not (await accounts.authenticate(made.api_key)).is_operator
