"""Grants and charges in the books, on both engines."""

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from kyma.core.errors import NotFound
from kyma.core.money import MAX_NANOS
from kyma.ledger import Ledger, Settlement, store
from kyma.storage.database import Database
from tests.books import ACCOUNT, NOW, apply, audit, available, count, open_account, posted
from tests.clock import ManualClock


@pytest.fixture
async def ledger(db: Database, clock: ManualClock) -> Ledger:
    await open_account(db, 1000)
    return Ledger(db, clock, "gw_1")


async def charge(ledger: Ledger, request_id: str, reserved: int, cost: int) -> Settlement:
    return ledger.prepare(await ledger.reserve(ACCOUNT, reserved, request_id), cost)


async def grant(db: Database, amount: int, ref_id: str, kind: store.GrantKind = "grant") -> bool:
    return await db.write(lambda c: store.grant(c, ACCOUNT, amount, kind, "test", ref_id, NOW))


async def test_a_grant_is_spendable_and_the_books_balance(db: Database, ledger: Ledger) -> None:
    assert await posted(db) == 1000
    assert await audit(db) == []


async def test_a_grant_counts_once_for_its_reference(db: Database, ledger: Ledger) -> None:
    assert await grant(db, 5, "once") is True
    assert await grant(db, 5, "once") is False
    assert await posted(db) == 1005
    assert await audit(db) == []


async def test_only_a_top_up_counts_as_purchased(db: Database, ledger: Ledger) -> None:
    await grant(db, 7, "bought", "topup")
    await grant(db, 9, "given")
    balance = await ledger.balance(ACCOUNT)
    assert (balance.posted, balance.lifetime_purchased, balance.lifetime_spent) == (1016, 7, 0)
    assert await audit(db) == []


async def test_a_grant_to_nobody_leaves_no_trace(db: Database) -> None:
    with pytest.raises(NotFound):
        await grant(db, 5, "nobody")
    assert await count(db, "transfer") == 0


@pytest.mark.parametrize("amount", [0, -1, MAX_NANOS + 1])
async def test_a_grant_out_of_range_is_refused(db: Database, ledger: Ledger, amount: int) -> None:
    with pytest.raises(ValueError):
        await grant(db, amount, "odd")


async def test_a_grant_that_overflows_the_account_is_refused_whole(db: Database, ledger: Ledger) -> None:
    with pytest.raises(ValueError):
        await grant(db, MAX_NANOS, "much")
    assert await posted(db) == 1000
    assert await audit(db) == []


async def test_a_charge_moves_what_it_cost_and_frees_the_rest(db: Database, ledger: Ledger) -> None:
    settlement = await charge(ledger, "r1", 600, 250)
    assert await db.write(lambda c: apply(c, [settlement])) == ["posted"]
    assert await posted(db) == 750
    assert ledger.try_reserve(ACCOUNT, 750, "r2") is not None
    assert await audit(db) == []


async def test_a_replayed_charge_changes_nothing(db: Database, ledger: Ledger) -> None:
    settlement = await charge(ledger, "r1", 600, 250)
    await db.write(lambda c: apply(c, [settlement]))
    assert await db.write(lambda c: store.apply_settlements(c, [settlement])) == ["already"]
    assert await db.write(lambda c: apply(c, [settlement])) == ["already"]
    assert await posted(db) == 750
    assert (await count(db, "usage"), await count(db, "transfer")) == (1, 2)
    assert await audit(db) == []


async def test_one_request_id_twice_in_a_batch_is_one_charge(db: Database, ledger: Ledger) -> None:
    settlement = await charge(ledger, "r1", 600, 250)
    await db.write(lambda c: apply(c, [settlement, settlement]))
    assert await posted(db) == 750
    assert await audit(db) == []


async def test_old_and_new_charges_in_one_batch_are_told_apart(db: Database, ledger: Ledger) -> None:
    old = [await charge(ledger, f"old{n}", 20, 10) for n in range(5)]
    new = [await charge(ledger, f"new{n}", 20, 10) for n in range(5)]
    await db.write(lambda c: apply(c, old))
    mixed = [settlement for pair in zip(old, new, strict=True) for settlement in pair]
    outcomes = await db.write(lambda c: store.apply_settlements(c, mixed))
    assert outcomes == ["already", "posted"] * 5
    assert await posted(db) == 900


async def test_a_replay_with_another_cost_changes_nothing(db: Database, ledger: Ledger) -> None:
    free, dear = await charge(ledger, "r1", 10, 0), await charge(ledger, "r1", 10, 10)
    await db.write(lambda c: apply(c, [free]))
    await db.write(lambda c: apply(c, [dear]))
    assert await posted(db) == 1000
    assert await audit(db) == []


async def test_a_free_call_leaves_a_usage_row_and_no_transfer(db: Database, ledger: Ledger) -> None:
    settlement = await charge(ledger, "r1", 600, 0)
    assert await db.write(lambda c: apply(c, [settlement])) == ["free"]
    assert (await count(db, "usage"), await count(db, "transfer")) == (1, 1)
    assert await audit(db) == []


async def test_an_over_run_is_a_transfer_of_its_own(db: Database, ledger: Ledger) -> None:
    settlement = await charge(ledger, "r1", 1000, 1300)
    assert (settlement.covered, settlement.overrun) == (1000, 300)
    assert await db.write(lambda c: apply(c, [settlement])) == ["posted"]
    assert await posted(db) == -300
    assert await count(db, "transfer where kind = 'overrun' and amount = 300") == 1
    assert await audit(db) == []


async def test_a_charge_on_a_lease_that_ended_goes_straight_to_the_account_marked_late(
    db: Database, ledger: Ledger, clock: ManualClock
) -> None:
    settlement = await charge(ledger, "r1", 600, 250)
    await Ledger(db, clock, "gw_2").take_over()
    assert await db.write(lambda c: apply(c, [settlement])) == ["late"]
    assert await posted(db) == 750
    assert await count(db, "transfer where is_late and hold_id is null") == 1
    assert await count(db, "hold where state = 'expired' and resolved = 0") == 1
    assert await audit(db) == []


@pytest.mark.parametrize("id", ["'another'", "'usage:request:r2'", "ref_id", "kind || ':' || ref_id"])
async def test_a_second_charge_for_a_request_fits_under_no_id(db: Database, ledger: Ledger, id: str) -> None:
    settlement = await charge(ledger, "r1", 600, 250)
    await db.write(lambda c: apply(c, [settlement]))
    columns = "kind, debit, credit, amount, hold_id, ref_kind, ref_id, is_late, created_at"
    again = f"insert into transfer (id, {columns}) select {id}, {columns} from transfer where kind = 'usage'"
    with pytest.raises(DBAPIError, match="ck_transfer_id"):
        await db.write(lambda c: c.exec_driver_sql(again))
    with pytest.raises(DBAPIError, match=r"(?i)unique"):
        await db.write(lambda c: c.exec_driver_sql(again.replace(f"select {id}", "select id")))


async def test_one_request_id_twice_among_old_and_new_ones_is_one_charge(db: Database, ledger: Ledger) -> None:
    old, new = await charge(ledger, "r1", 100, 10), await charge(ledger, "r2", 100, 30)
    await db.write(lambda c: apply(c, [old]))
    assert await db.write(lambda c: apply(c, [new, old, new])) == ["posted", "already", "posted"]
    assert await posted(db) == 960
    assert await audit(db) == []


async def test_a_late_charge_is_not_repeated_either(db: Database, ledger: Ledger, clock: ManualClock) -> None:
    settlement = await charge(ledger, "r1", 600, 250)
    await db.write(lambda c: apply(c, [settlement]))
    await Ledger(db, clock, "gw_2").take_over()
    assert await db.write(lambda c: store.apply_settlements(c, [settlement])) == ["already"]
    assert await posted(db) == 750


async def test_a_charge_for_an_unknown_account_is_refused(db: Database, ledger: Ledger) -> None:
    stray = Settlement("r1", "acct_none", "lease_none", 5, 5, 5, 0, NOW)
    with pytest.raises(ValueError):
        await db.write(lambda c: apply(c, [stray]))
    assert await count(db, "usage") == 0


async def test_charges_of_many_accounts_share_a_batch(db: Database, clock: ManualClock) -> None:
    ledger = Ledger(db, clock, "gw_1")
    accounts = [await open_account(db, 100, f"acct_{n}") for n in range(7)]
    settlements = [
        ledger.prepare(await ledger.reserve(id, 10, f"{id}/{n}"), n + 1) for id in accounts for n in range(4)
    ]
    assert await db.write(lambda c: apply(c, settlements)) == ["posted"] * 28
    assert [await posted(db, id) for id in accounts] == [90] * 7
    assert await posted(db, "acct_0") == 90
    assert await audit(db) == []


async def test_an_account_id_is_used_once(db: Database, ledger: Ledger) -> None:
    def again(connection: Connection) -> None:
        store.insert_account(connection, ACCOUNT, "somebody", store.CUSTOMER, NOW)

    with pytest.raises(DBAPIError):
        await db.write(again)


async def test_nothing_is_available_while_a_lease_has_everything(db: Database, ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, 1, "r1")
    assert await available(db) == 0
    balance = await ledger.balance(ACCOUNT)
    assert (balance.posted, balance.pending, balance.reserved, balance.spendable) == (1000, 1000, 1, 999)
