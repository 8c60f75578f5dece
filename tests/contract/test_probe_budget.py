"""What scheduled probes may cost, on both engines: never more than the day's budget, however many gateways ask."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, text

from kyma.storage.database import Database
from kyma.uptime import ProbeBudget
from kyma.uptime.store import correct_budget, take_budget
from kyma.uptime.tables import probe_budget
from tests.clock import ManualClock

A, B = ("owl", "acme/owl"), ("owl", "other/owl")
INTERVAL_S = 900.0
CENT = 10_000_000


def budget_of(db: Database, clock: ManualClock, budget: int = CENT) -> ProbeBudget:
    return ProbeBudget(db, clock, INTERVAL_S, budget)


async def taken(db: Database) -> list[int]:
    query = text("select taken from probe_budget order by day")
    return await db.read(lambda connection: list(connection.execute(query).scalars()))


async def test_a_source_is_due_when_nobody_has_asked_it_for_an_interval(db: Database, clock: ManualClock) -> None:
    one, other = budget_of(db, clock), budget_of(db, clock)
    assert await one.due([A, B]) == [A, B]
    assert await one.take(A, 1) is not None
    assert await other.due([A, B]) == [B]
    clock.advance(INTERVAL_S)
    assert await other.due([A, B]) == [A, B]


async def test_of_several_gateways_one_asks(db: Database, clock: ManualClock) -> None:
    gateways = [budget_of(db, clock) for _ in range(4)]
    days = await asyncio.gather(*(gateway.take(A, 5) for gateway in gateways))
    assert sorted(day is None for day in days) == [False, True, True, True]
    assert await taken(db) == [5]


async def test_what_may_be_spent_is_taken_before_and_corrected_after(db: Database, clock: ManualClock) -> None:
    budget = budget_of(db, clock, 10)
    day = await budget.take(A, 7)
    assert day is not None and await taken(db) == [7]
    assert await budget.take(B, 4) is None
    await budget.settle(A, day, 7, 5)
    assert await taken(db) == [5]
    assert await budget.take(B, 5) == day


async def test_a_budget_outlasts_a_restart_and_begins_anew_each_day(db: Database, clock: ManualClock) -> None:
    assert await budget_of(db, clock, 10).take(A, 10) is not None
    clock.advance(INTERVAL_S)
    assert await budget_of(db, clock, 10).take(A, 1) is None
    clock.advance(86_400)
    assert await budget_of(db, clock, 10).take(A, 10) is not None
    assert await taken(db) == [10, 10]


async def test_what_costs_nothing_is_always_within_the_budget(db: Database, clock: ManualClock) -> None:
    assert await budget_of(db, clock, 0).take(A, 0) is not None
    assert await budget_of(db, clock, 0).take(B, 1) is None


async def test_a_source_that_charges_more_than_asked_is_left_until_tomorrow(db: Database, clock: ManualClock) -> None:
    clock.advance(86_400 - clock.now_ms() / 1000 % 86_400)
    budget = budget_of(db, clock, 1000)
    day = await budget.take(A, 7)
    assert day is not None
    await budget.settle(A, day, 7, 9)
    assert await taken(db) == [9]
    clock.advance(86_399)
    assert await budget.due([A, B]) == [B]
    clock.advance(1)
    assert await budget.due([A, B]) == [A, B]


async def test_gateways_that_ask_at_once_never_pass_the_budget(db: Database, clock: ManualClock) -> None:
    dice = random.Random(7)
    spent = 0

    async def gateway(number: int) -> None:
        nonlocal spent
        budget = budget_of(db, clock, 1000)
        for turn in range(12):
            pair, bound = (f"m{number}", f"r{turn}"), dice.randint(1, 120)
            day = await budget.take(pair, bound)
            if day is not None:
                cost = dice.randint(0, bound)
                spent += cost
                await budget.settle(pair, day, bound, cost)

    await asyncio.gather(*(gateway(number) for number in range(4)))
    assert spent > 500, "most of it is there to be spent"
    assert spent <= 1000 and await taken(db) == [spent]


PROBES = st.lists(
    st.tuples(st.integers(0, 60), st.floats(0, 1), st.sampled_from(["settle", "crash", "later"])), max_size=60
)


@given(PROBES, st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_costs_of_any_size_in_any_order_never_pass_the_budget(
    probes: list[tuple[int, float, str]], budget: int
) -> None:
    """Probes that end at once, later, or never, in any order; each costs at most what was taken for it."""
    with create_engine("sqlite://").begin() as connection:
        probe_budget.create(connection)
        spent, waiting = 0, []
        for bound, share, fate in probes:
            if not take_budget(connection, 1, bound, budget):
                assert committed(connection) + bound > budget
                continue
            cost = round(bound * share)
            spent += cost
            if fate == "settle":
                correct_budget(connection, 1, cost - bound)
            elif fate == "later":
                waiting.append(cost - bound)
            elif waiting:
                correct_budget(connection, 1, waiting.pop(0))
            assert spent <= committed(connection) <= budget


def committed(connection: Connection) -> int:
    return int(connection.execute(text("select coalesce(sum(taken), 0) from probe_budget")).scalar_one())


@pytest.mark.parametrize("amount", [11, 12])
async def test_more_than_the_whole_budget_is_never_taken(db: Database, clock: ManualClock, amount: int) -> None:
    assert await budget_of(db, clock, 10).take(A, amount) is None
    assert await taken(db) == []
