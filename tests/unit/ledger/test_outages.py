"""The ledger while its database fails: closed on money, and no money lost behind a lost answer."""

import asyncio

import pytest

from kyma.ledger import Ledger, LedgerAway
from tests.books import ACCOUNT, apply, audit, available, open_account
from tests.clock import ManualClock
from tests.faults import FaultyDatabase


@pytest.fixture
async def faulty(sqlite_db: FaultyDatabase) -> FaultyDatabase:
    await open_account(sqlite_db, 1000)
    return FaultyDatabase(sqlite_db)


@pytest.fixture
def ledger(faulty: FaultyDatabase, clock: ManualClock) -> Ledger:
    return Ledger(faulty, clock, "gw_1")


async def test_without_the_books_nothing_is_started(faulty: FaultyDatabase, ledger: Ledger) -> None:
    faulty.faults.append("away")
    with pytest.raises(LedgerAway):
        await ledger.reserve(ACCOUNT, 1, "r1")
    assert (await ledger.reserve(ACCOUNT, 1000, "r1")).amount == 1000


async def test_many_callers_share_one_failed_trip(faulty: FaultyDatabase, ledger: Ledger) -> None:
    faulty.faults.extend(["away"] * 64)
    results = await asyncio.gather(*(ledger.reserve(ACCOUNT, 1, f"r{n}") for n in range(64)), return_exceptions=True)
    assert {type(result) for result in results} == {LedgerAway}
    assert faulty.writes == 1


async def test_many_cold_callers_share_one_trip(faulty: FaultyDatabase, ledger: Ledger) -> None:
    await asyncio.gather(*(ledger.reserve(ACCOUNT, 1, f"r{n}") for n in range(64)))
    assert faulty.writes == 1


async def test_many_refused_callers_share_one_trip(faulty: FaultyDatabase, ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, 1000, "r0")
    await asyncio.gather(*(ledger.reserve(ACCOUNT, 1, f"r{n}") for n in range(1, 64)), return_exceptions=True)
    assert faulty.writes == 2


async def test_warm_calls_ask_the_books_for_nothing(faulty: FaultyDatabase, ledger: Ledger) -> None:
    ledger.release(await ledger.reserve(ACCOUNT, 1, "r0"))
    for n in range(100):
        ledger.release(await ledger.reserve(ACCOUNT, 500, f"r{n}"))
    assert faulty.writes == 1


async def test_a_lease_serves_through_an_outage_until_it_ends(
    faulty: FaultyDatabase, ledger: Ledger, clock: ManualClock
) -> None:
    ledger.release(await ledger.reserve(ACCOUNT, 10, "r0"))
    faulty.faults.extend(["away"] * 100)
    clock.advance(24)
    with pytest.raises(ConnectionRefusedError):
        await ledger.tick()
    ledger.release(await ledger.reserve(ACCOUNT, 10, "r1"))
    clock.advance(2)
    with pytest.raises(LedgerAway):
        await ledger.reserve(ACCOUNT, 10, "r2")


async def test_money_leased_behind_a_lost_answer_is_found_at_the_next_renewal(
    faulty: FaultyDatabase, ledger: Ledger
) -> None:
    faulty.faults.append("answer lost")
    with pytest.raises(LedgerAway):
        await ledger.reserve(ACCOUNT, 10, "r1")
    assert await available(faulty) == 0
    await ledger.tick()
    assert ledger.try_reserve(ACCOUNT, 1000, "r1") is not None


async def test_money_leased_behind_a_lost_answer_goes_back_when_nobody_wants_it(
    faulty: FaultyDatabase, ledger: Ledger, clock: ManualClock
) -> None:
    faulty.faults.append("answer lost")
    with pytest.raises(LedgerAway):
        await ledger.reserve(ACCOUNT, 10, "r1")
    clock.advance(11)
    await ledger.tick()
    assert await available(faulty) == 1000
    assert await audit(faulty) == []


async def test_a_return_that_failed_is_tried_again(faulty: FaultyDatabase, ledger: Ledger, clock: ManualClock) -> None:
    ledger.release(await ledger.reserve(ACCOUNT, 10, "r1"))
    faulty.faults.append("away")
    assert await ledger.return_all() == 1
    assert await ledger.return_all() == 0
    assert await available(faulty) == 1000


async def test_a_lease_returned_behind_a_lost_answer_is_not_spent_again(
    faulty: FaultyDatabase, ledger: Ledger, clock: ManualClock
) -> None:
    first = await ledger.reserve(ACCOUNT, 10, "r1")
    ledger.release(first)
    faulty.faults.append("answer lost")
    await ledger.return_all()
    second = await ledger.reserve(ACCOUNT, 1000, "r2")
    assert second.lease_id != first.lease_id
    settlement = ledger.prepare(second, 1000)
    assert await faulty.write(lambda connection: apply(connection, [settlement])) == ["posted"]
    assert await audit(faulty) == []


async def test_the_keeper_lives_through_outages(faulty: FaultyDatabase, ledger: Ledger, clock: ManualClock) -> None:
    ledger.release(await ledger.reserve(ACCOUNT, 10, "r1"))
    faulty.faults.extend(["away"] * 3)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(seconds)
        if len(pauses) == 10:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ledger.keep(pause)
    assert await available(faulty) == 1000
