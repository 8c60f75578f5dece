"""A process's lease on an account, on both engines: what it may spend, and that it always comes back."""

import asyncio

import pytest

from kyma.core.errors import NotFound
from kyma.core.money import NANOS_PER_CENT, Hold
from kyma.ledger import CreditShort, Ledger, LedgerSettings
from kyma.ledger.store import grant
from kyma.storage.database import Database
from tests.books import ACCOUNT, NOW, apply, audit, available, count, open_account, posted
from tests.clock import ManualClock


@pytest.fixture
async def ledger(db: Database, clock: ManualClock) -> Ledger:
    await open_account(db, 1000)
    return Ledger(db, clock, "gw_1")


async def settle(db: Database, ledger: Ledger, hold: Hold, cost: int) -> None:
    settlement = ledger.prepare(hold, cost)
    await db.write(lambda c: apply(c, [settlement]))


async def test_one_process_leases_everything_once(db: Database, ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, 10, "r1")
    assert ledger.try_reserve(ACCOUNT, 990, "r2") is not None
    assert await count(db, "hold") == 1
    assert await available(db) == 0


async def test_too_little_left_is_refused_with_the_figures(ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, 400, "r1")
    with pytest.raises(CreditShort) as refusal:
        await ledger.reserve(ACCOUNT, 601, "r2")
    assert (refusal.value.needed, refusal.value.available, refusal.value.posted) == (601, 600, 1000)


async def test_what_is_left_can_be_taken_to_the_last_nano(ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, 1000, "r1")
    with pytest.raises(CreditShort):
        await ledger.reserve(ACCOUNT, 1, "r2")


async def test_an_unknown_account_is_not_found(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        await ledger.reserve("acct_none", 1, "r1")


async def test_a_hold_of_nothing_is_granted_on_an_empty_account(db: Database, ledger: Ledger) -> None:
    await open_account(db, 0, "acct_empty")
    assert (await ledger.reserve("acct_empty", 0, "r1")).amount == 0


async def test_a_released_hold_can_be_spent_again(ledger: Ledger) -> None:
    ledger.release(await ledger.reserve(ACCOUNT, 1000, "r1"))
    assert ledger.try_reserve(ACCOUNT, 1000, "r2") is not None


async def test_money_granted_meanwhile_extends_the_lease(db: Database, ledger: Ledger) -> None:
    first = await ledger.reserve(ACCOUNT, 1000, "r1")
    await db.write(lambda c: grant(c, ACCOUNT, 500, "grant", "test", "more", NOW))
    second = await ledger.reserve(ACCOUNT, 500, "r2")
    assert second.lease_id == first.lease_id
    assert await audit(db) == []


@pytest.mark.parametrize("lease_share", ["all", "clamp"])
async def test_64_tasks_on_one_cent_never_overspend(db: Database, clock: ManualClock, lease_share: str) -> None:
    await open_account(db, NANOS_PER_CENT)
    settings = LedgerSettings(lease_share="all" if lease_share == "all" else "clamp", live_replicas=2)
    replicas = [Ledger(db, clock, f"gw_{n}", settings) for n in range(1 if lease_share == "all" else 2)]
    each = NANOS_PER_CENT // 10

    async def call(n: int) -> bool:
        ledger = replicas[n % len(replicas)]
        try:
            hold = await ledger.reserve(ACCOUNT, each, f"r{n}")
        except CreditShort:
            return False
        await settle(db, ledger, hold, each)
        return True

    assert sum(await asyncio.gather(*(call(n) for n in range(64)))) == 10
    assert await posted(db) == 0
    assert await audit(db) == []


async def test_an_idle_lease_goes_back_after_ten_seconds(db: Database, ledger: Ledger, clock: ManualClock) -> None:
    await settle(db, ledger, await ledger.reserve(ACCOUNT, 600, "r1"), 250)
    clock.advance(9.9)
    await ledger.tick()
    assert await available(db) == 0
    clock.advance(0.2)
    await ledger.tick()
    assert await available(db) == 750
    assert await count(db, "hold where state = 'posted' and resolved = 250 and released = 750") == 1
    assert await audit(db) == []


async def test_an_unused_lease_ends_voided(db: Database, ledger: Ledger) -> None:
    ledger.release(await ledger.reserve(ACCOUNT, 600, "r1"))
    assert await ledger.return_all() == 0
    assert await count(db, "hold where state = 'voided' and released = 1000") == 1


async def test_a_lease_with_an_open_hold_stays(db: Database, ledger: Ledger, clock: ManualClock) -> None:
    hold = await ledger.reserve(ACCOUNT, 600, "r1")
    clock.advance(20)
    await ledger.tick()
    assert await available(db) == 0
    await settle(db, ledger, hold, 600)
    assert await count(db, "transfer where is_late") == 0


async def test_a_lease_waits_for_charges_on_their_way_to_the_books(
    db: Database, ledger: Ledger, clock: ManualClock
) -> None:
    settlement = ledger.prepare(await ledger.reserve(ACCOUNT, 600, "r1"), 250)
    clock.advance(15)
    await ledger.tick()
    assert await available(db) == 0
    assert await db.write(lambda c: apply(c, [settlement])) == ["posted"]
    await ledger.tick()
    assert await available(db) == 750


async def test_a_charge_that_never_arrives_does_not_lock_the_lease_for_ever(
    db: Database, ledger: Ledger, clock: ManualClock
) -> None:
    ledger.prepare(await ledger.reserve(ACCOUNT, 600, "r1"), 250)
    for _ in range(7):
        clock.advance(5)
        await ledger.tick()
    assert await available(db) == 1000
    assert await audit(db) == []


async def test_a_lease_in_use_is_renewed_past_its_first_life(db: Database, ledger: Ledger, clock: ManualClock) -> None:
    hold = await ledger.reserve(ACCOUNT, 600, "r1")
    for _ in range(20):
        clock.advance(5)
        await ledger.tick()
    assert ledger.try_reserve(ACCOUNT, 400, "r2") is not None
    await settle(db, ledger, hold, 600)
    assert await count(db, "transfer where is_late") == 0


async def test_the_lease_of_a_dead_process_is_swept_by_another(
    db: Database, ledger: Ledger, clock: ManualClock
) -> None:
    await ledger.reserve(ACCOUNT, 600, "r1")
    survivor = Ledger(db, clock, "gw_2")
    clock.advance(29)
    await survivor.tick()
    assert await available(db) == 0
    clock.advance(2)
    await survivor.tick()
    assert await available(db) == 1000
    assert await audit(db) == []


async def test_a_process_that_slept_past_its_lease_does_not_spend_it(
    db: Database, ledger: Ledger, clock: ManualClock
) -> None:
    ledger.release(await ledger.reserve(ACCOUNT, 600, "r1"))
    clock.advance(31)
    other = Ledger(db, clock, "gw_2")
    await other.tick()
    await other.reserve(ACCOUNT, 1000, "r2")
    assert ledger.try_reserve(ACCOUNT, 1, "r3") is None
    with pytest.raises(CreditShort):
        await ledger.reserve(ACCOUNT, 1, "r3")


async def test_a_process_that_slept_takes_a_new_lease_when_the_old_is_gone(
    db: Database, ledger: Ledger, clock: ManualClock
) -> None:
    first = await ledger.reserve(ACCOUNT, 600, "r1")
    clock.advance(31)
    await Ledger(db, clock, "gw_2").tick()
    second = await ledger.reserve(ACCOUNT, 900, "r2")
    assert second.lease_id != first.lease_id
    await settle(db, ledger, first, 100)
    await settle(db, ledger, second, 900)
    assert await posted(db) == 0
    assert await audit(db) == []


async def test_a_lease_that_was_only_late_to_renew_goes_on(db: Database, ledger: Ledger, clock: ManualClock) -> None:
    first = await ledger.reserve(ACCOUNT, 600, "r1")
    clock.advance(40)
    assert ledger.try_reserve(ACCOUNT, 100, "r2") is None
    assert (await ledger.reserve(ACCOUNT, 100, "r2")).lease_id == first.lease_id


async def test_a_renewal_notices_that_the_lease_is_gone(db: Database, ledger: Ledger, clock: ManualClock) -> None:
    ledger.release(await ledger.reserve(ACCOUNT, 600, "r1"))
    other = Ledger(db, clock, "gw_2")
    assert await other.take_over() == 1
    await ledger.tick()
    await other.reserve(ACCOUNT, 1000, "r2")
    assert ledger.try_reserve(ACCOUNT, 1, "r3") is None


async def test_taking_over_spares_the_leases_of_the_one_who_takes(db: Database, ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, 600, "r1")
    assert await ledger.take_over() == 0
    assert await available(db) == 0


async def test_many_idle_leases_go_back_together(db: Database, clock: ManualClock) -> None:
    ledger = Ledger(db, clock, "gw_1")
    accounts = [await open_account(db, 10, f"acct_{n}") for n in range(12)]
    for id in accounts:
        ledger.release(await ledger.reserve(id, 1, id))
    assert await count(db, "hold where state = 'pending'") == 12
    assert await ledger.return_all() == 0
    assert await count(db, "hold where state = 'pending'") == 0
    assert await audit(db) == []


async def test_a_reservation_during_a_return_waits_for_it_and_gets_a_new_lease(db: Database, ledger: Ledger) -> None:
    first = await ledger.reserve(ACCOUNT, 1, "r1")
    ledger.release(first)
    returning = asyncio.ensure_future(ledger.return_all())
    await asyncio.sleep(0)
    second = await ledger.reserve(ACCOUNT, 1000, "r2")
    await returning
    assert second.lease_id != first.lease_id
    assert await audit(db) == []


async def test_a_caller_who_leaves_does_not_stop_the_trip_to_the_books(db: Database, ledger: Ledger) -> None:
    first = asyncio.ensure_future(ledger.reserve(ACCOUNT, 10, "r1"))
    second = asyncio.ensure_future(ledger.reserve(ACCOUNT, 10, "r2"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).amount == 10
    assert await count(db, "hold") == 1
    assert ledger.try_reserve(ACCOUNT, 990, "r3") is not None
