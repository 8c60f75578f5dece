"""Reservations in memory: each is closed once, and nothing is spent twice or lost."""

import pytest

from kyma.ledger import HoldClosed, Ledger
from kyma.storage.database import Database
from tests.books import ACCOUNT, open_account
from tests.clock import ManualClock


@pytest.fixture
async def ledger(sqlite_db: Database, clock: ManualClock) -> Ledger:
    await open_account(sqlite_db, 1000)
    return Ledger(sqlite_db, clock, "gw_1")


async def left(ledger: Ledger) -> int:
    """The largest reservation that still fits."""
    for amount in range(1000, -1, -1):
        if hold := ledger.try_reserve(ACCOUNT, amount, "probe"):
            ledger.release(hold)
            return amount
    return -1


async def test_nothing_can_be_reserved_in_memory_before_there_is_a_lease(ledger: Ledger) -> None:
    assert ledger.try_reserve(ACCOUNT, 1, "r1") is None


async def test_a_hold_is_settled_once(ledger: Ledger) -> None:
    hold = await ledger.reserve(ACCOUNT, 100, "r1")
    ledger.prepare(hold, 50)
    with pytest.raises(HoldClosed):
        ledger.prepare(hold, 50)
    assert await left(ledger) == 950


async def test_a_released_hold_cannot_be_settled(ledger: Ledger) -> None:
    hold = await ledger.reserve(ACCOUNT, 100, "r1")
    ledger.release(hold)
    with pytest.raises(HoldClosed):
        ledger.prepare(hold, 50)
    assert await left(ledger) == 1000


async def test_releasing_twice_or_after_settling_gives_nothing_back(ledger: Ledger) -> None:
    first, second = await ledger.reserve(ACCOUNT, 100, "r1"), await ledger.reserve(ACCOUNT, 100, "r2")
    ledger.prepare(first, 100)
    ledger.release(first)
    ledger.release(second)
    ledger.release(second)
    assert await left(ledger) == 900


async def test_a_request_has_one_hold_at_a_time(ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, 100, "r1")
    with pytest.raises(ValueError):
        ledger.try_reserve(ACCOUNT, 100, "r1")


async def test_a_negative_hold_or_cost_is_refused_and_changes_nothing(ledger: Ledger) -> None:
    hold = await ledger.reserve(ACCOUNT, 100, "r1")
    with pytest.raises(ValueError):
        ledger.prepare(hold, -1)
    with pytest.raises(ValueError):
        ledger.try_reserve(ACCOUNT, -1, "r2")
    assert ledger.prepare(hold, 100).covered == 100


async def test_what_was_not_used_can_be_spent_at_once(ledger: Ledger) -> None:
    ledger.prepare(await ledger.reserve(ACCOUNT, 1000, "r1"), 1)
    assert await left(ledger) == 999


async def test_an_over_run_takes_from_the_rest_of_the_lease_first(ledger: Ledger) -> None:
    settlement = ledger.prepare(await ledger.reserve(ACCOUNT, 100, "r1"), 300)
    assert (settlement.covered, settlement.overrun) == (300, 0)
    assert await left(ledger) == 700


async def test_an_over_run_never_takes_from_another_hold(ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, 850, "other")
    settlement = ledger.prepare(await ledger.reserve(ACCOUNT, 100, "r1"), 300)
    assert (settlement.reserved, settlement.covered, settlement.overrun) == (100, 150, 150)
    assert await left(ledger) == 0


async def test_a_settlement_carries_the_time_it_was_made(ledger: Ledger, clock: ManualClock) -> None:
    hold = await ledger.reserve(ACCOUNT, 100, "r1")
    clock.advance(5)
    assert ledger.prepare(hold, 1).settled_at == clock.now_ms()
