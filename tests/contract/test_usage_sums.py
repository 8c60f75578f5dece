"""Sums of usage: a row counts once, whatever the order of commits, the number of workers, the moment of a crash."""

import asyncio
import random
from collections.abc import Sequence
from functools import partial

import msgspec
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from kyma.core.ids import DAY_MS, HOUR_MS
from kyma.ledger import Ledger, Settlement
from kyma.storage.database import Database
from kyma.storage.postgres import PostgresDatabase
from kyma.usage import UsageRow
from kyma.usage.store import insert_rows
from kyma.usage.summing import Summing
from kyma.usage.sums import add_rows, fetch_front
from tests.books import ACCOUNT, NOW, apply, audit, count, open_account, usage_row
from tests.clock import ManualClock
from tests.databases import OpenDatabase


def row(n: int, at: int = NOW, **fields: object) -> UsageRow:
    base = usage_row(Settlement(f"r{n}", ACCOUNT, "lease_1", 9, 5, 5, 0, at))
    return msgspec.structs.replace(base, app="watch-cli", **fields)


async def put(db: Database, *rows: UsageRow) -> None:
    await db.write(lambda connection: insert_rows(connection, rows))


async def sums(db: Database, table: str = "usage_hour") -> list[tuple[int, int, int]]:
    """Start, requests and cost."""
    query = text(f"select start, requests, cost from {table} order by start")
    return await db.read(lambda connection: [tuple(found) for found in connection.execute(query)])


def no_sleep(seconds: float) -> "asyncio.Future[None]":
    return asyncio.ensure_future(asyncio.sleep(0))


def worker(db: Database, clock: ManualClock, keep_days: int = 0) -> Summing:
    return Summing(db, clock, keep_days, sleep=no_sleep)


async def test_rows_are_summed_by_the_hour_and_by_the_day(db: Database, clock: ManualClock) -> None:
    day = NOW // DAY_MS * DAY_MS
    await put(db, row(1, day), row(2, day + HOUR_MS - 1), row(3, day + HOUR_MS), row(4, day - 1))
    await worker(db, clock).catch_up()
    assert await sums(db) == [(day - HOUR_MS, 1, 5), (day, 2, 10), (day + HOUR_MS, 1, 5)]
    assert await sums(db, "usage_day") == [(day - DAY_MS, 1, 5), (day, 3, 15)]
    assert await sums(db, "traffic_day") == [(day - DAY_MS, 1, 5), (day, 3, 15)]
    assert await count(db, "usage_index") == 4
    assert await count(db, f"app_account where app = 'watch-cli' and last_day = {day}") == 1


async def test_a_row_counts_once_however_often_the_worker_comes(db: Database, clock: ManualClock) -> None:
    summing = worker(db, clock)
    await summing.catch_up()
    for n in range(5):
        await put(db, row(2 * n), row(2 * n + 1))
        await summing.catch_up()
        await worker(db, clock).catch_up()
    assert [(requests, cost) for _, requests, cost in await sums(db)] == [(10, 50)]


async def test_a_late_row_of_a_closed_hour_is_counted(db: Database, clock: ManualClock) -> None:
    await put(db, row(1))
    await worker(db, clock).catch_up()
    await put(db, row(2, NOW - 40 * DAY_MS))
    await worker(db, clock).catch_up()
    assert sorted(requests for _, requests, _ in await sums(db)) == [1, 1]


async def test_a_crash_between_batches_loses_and_doubles_nothing(db: Database) -> None:
    await put(db, *(row(n) for n in range(10)))
    front = (await db.read(fetch_front)).number

    def crash(connection: Connection) -> None:
        add_rows(connection, front, 3)
        raise KeyboardInterrupt

    while await db.read(lambda c: c.execute(text("select count(*) from usage_index")).scalar_one()) < 10:
        with pytest.raises(KeyboardInterrupt):
            await db.write(crash)
        assert await db.write(lambda connection: add_rows(connection, front, 3)) > 0
    assert await db.write(lambda connection: add_rows(connection, front, 3)) == 0
    assert [(requests, cost) for _, requests, cost in await sums(db)] == [(10, 50)]


async def test_two_workers_count_a_row_once(db: Database, clock: ManualClock) -> None:
    await put(db, *(row(n) for n in range(300)))
    front = (await db.read(fetch_front)).number

    async def work() -> None:
        for _ in range(100):
            await db.write(lambda connection: add_rows(connection, front, 7))

    await asyncio.gather(work(), work())
    assert [(requests, cost) for _, requests, cost in await sums(db)] == [(300, 1500)]


async def test_a_transaction_that_commits_late_is_waited_for(open_postgres: OpenDatabase, clock: ManualClock) -> None:
    async with open_postgres() as db:
        assert isinstance(db, PostgresDatabase)
        async with db.engine.connect() as slow:
            await slow.begin()
            await slow.run_sync(lambda connection: insert_rows(connection, [row(1)]))
            await put(db, row(2))
            waiting = asyncio.Event()

            def note(_seconds: float) -> "asyncio.Future[None]":
                waiting.set()
                return asyncio.ensure_future(asyncio.sleep(0.01))

            summing = asyncio.ensure_future(Summing(db, clock, sleep=note).catch_up())
            await waiting.wait()
            assert await count(db, "usage_index") == 0
            await slow.commit()
            await summing
        assert await count(db, "usage_index") == 2


async def test_a_transaction_that_begins_later_is_not_waited_for(open_postgres: OpenDatabase) -> None:
    async with open_postgres() as db:
        assert isinstance(db, PostgresDatabase)
        await put(db, row(1))
        front = await db.read(fetch_front)
        async with db.engine.connect() as later:
            await later.begin()
            await later.run_sync(lambda connection: insert_rows(connection, [row(2)]))
            assert front.writers == frozenset()
            await db.write(lambda connection: add_rows(connection, front.number, 100))
            assert await count(db, "usage_index") == 1
            await later.commit()


async def test_writers_and_workers_at_once_lose_and_double_nothing(
    open_postgres: OpenDatabase, clock: ManualClock
) -> None:
    async with open_postgres() as db:
        chance = random.Random(7)
        is_writing = True

        def write(connection: Connection, rows: Sequence[UsageRow]) -> None:
            insert_rows(connection, rows)
            connection.execute(text("select pg_sleep(:s)"), {"s": chance.random() / 100})
            if chance.random() < 0.2:
                raise KeyError

        async def writer(first: int) -> int:
            kept = 0
            for n in range(first, first + 300, 10):
                rows = [row(n + offset) for offset in range(10)]
                try:
                    await db.write(partial(write, rows=rows))
                    kept += 10
                except KeyError:
                    pass
            return kept

        async def keep() -> None:
            summing = Summing(db, clock, sleep=lambda _seconds: asyncio.sleep(0.001))
            while is_writing:
                await summing.catch_up()

        workers = [asyncio.ensure_future(keep()) for _ in range(2)]
        kept = sum(await asyncio.gather(*(writer(first) for first in (0, 1000, 2000))))
        is_writing = False
        await asyncio.gather(*workers)
        await Summing(db, clock, sleep=no_sleep).catch_up()
        assert 0 < kept < 900
        assert await sums(db) == [(NOW // HOUR_MS * HOUR_MS, kept, 5 * kept)]
        assert await count(db, "usage_index") == kept == await count(db, "usage")


async def test_rows_that_sqlite_has_numbered_anew_are_not_counted_again(
    open_sqlite: OpenDatabase, clock: ManualClock
) -> None:
    async with open_sqlite() as db:
        old = NOW - 9 * DAY_MS
        await put(db, *(row(n, old) for n in range(5)))
        await worker(db, clock).catch_up()
        assert await worker(db, clock, 3).prune() == 4
        await put(db, row(6), row(7))
        engine = db.engine  # type: ignore[attr-defined]
        with engine.connect() as connection:
            connection.connection.cursor().execute("vacuum")
        await worker(db, clock).catch_up()
        assert [requests for _, requests, _ in await sums(db)] == [5, 2]


async def settled(db: Database, clock: ManualClock, days: Sequence[int]) -> None:
    """A charge of 50 on each of these days before now, with its usage row."""
    ledger = Ledger(db, clock, "gw_1")
    await open_account(db, 1000)
    for number, ago in enumerate(days):
        settlement = ledger.prepare(await ledger.reserve(ACCOUNT, 100, f"r{number}"), 50)
        aged = msgspec.structs.replace(settlement, settled_at=clock.now_ms() - ago * DAY_MS)
        await db.write(partial(apply, settlements=[aged]))
    await ledger.return_all()


async def test_old_rows_go_and_the_books_still_prove_the_money(db: Database, clock: ManualClock) -> None:
    await settled(db, clock, [9, 9, 4, 3, 0])
    summing = worker(db, clock, keep_days=3)
    await summing.catch_up()
    assert await summing.prune() == 3
    assert await count(db, "usage") == await count(db, "usage_index") == 2
    assert await audit(db) == []
    assert [(requests, cost) for _, requests, cost in await sums(db, "usage_day")] == [
        (2, 100),
        (1, 50),
        (1, 50),
        (1, 50),
    ]


async def test_a_row_that_is_not_summed_is_not_pruned(db: Database, clock: ManualClock) -> None:
    await settled(db, clock, [9, 9])
    assert await worker(db, clock, keep_days=3).prune() == 0
    assert await count(db, "usage") == 2


async def refused(db: Database, statement: str) -> bool:
    try:
        await db.write(lambda connection: connection.execute(text(statement)))
    except DBAPIError as error:
        return "append-only" in str(error)
    return False


@pytest.mark.parametrize(
    "statement",
    [
        "delete from usage where request_id = 'r1'",  # young
        "delete from usage where request_id = 'r2'",  # the mark
        "delete from usage where request_id = 'r3'",  # old, and not summed
        "update usage set cost = 0 where request_id = 'r0'",  # old and summed, but a change
        "delete from usage",
    ],
)
async def test_the_guard_lets_go_of_old_summed_rows_only(db: Database, clock: ManualClock, statement: str) -> None:
    await settled(db, clock, [9, 0, 9])
    await worker(db, clock).catch_up()
    await put(db, row(3, NOW - 9 * DAY_MS))
    await db.write(lambda c: c.execute(text(f"update usage_mark set keep_from = {clock.now_ms() - DAY_MS}")))
    assert await refused(db, statement)
    assert not await refused(db, "delete from usage where request_id = 'r0'")
    assert await count(db, "usage") == 3


async def test_truncate_is_refused_as_ever(open_postgres: OpenDatabase, clock: ManualClock) -> None:
    async with open_postgres() as db:
        await settled(db, clock, [9])
        await worker(db, clock).catch_up()
        await db.write(lambda c: c.execute(text(f"update usage_mark set keep_from = {clock.now_ms()}")))
        assert await refused(db, "truncate usage")


@pytest.mark.parametrize(
    "fraud",
    [
        "update usage_day set cost = cost - 1 where cost = 100",
        "update usage_day set account_id = 'acct_2' where cost = 100",
        "delete from usage_day where cost = 100",
        "update usage_hour set cost = cost + 1 where cost = 100",
    ],
)
async def test_sums_that_do_not_prove_the_charges_are_found(db: Database, clock: ManualClock, fraud: str) -> None:
    await settled(db, clock, [9, 9, 4])
    summing = worker(db, clock, keep_days=3)
    await summing.catch_up()
    await summing.prune()
    assert await audit(db) == []
    await db.write(lambda connection: connection.execute(text(fraud)))
    assert {line.split()[0] for line in await audit(db)} == {"I9"}
