"""Counts of several gateways on one database, on both engines."""

import asyncio

import pytest

from kyma.core.tally import Tallies, Tally
from kyma.storage.database import Database
from kyma.uptime import Uptime
from kyma.uptime.store import add, fetch_asked, fetch_days
from tests.books import count
from tests.clock import ManualClock

DAY = 1_800_000_000_000 // 86_400_000
DAY_S = 86_400.0


class Replica:
    """A gateway's counts; `uptime` keeps them."""

    def __init__(self, db: Database, clock: ManualClock) -> None:
        self.tallies = Tallies()
        self.uptime = Uptime(db, clock, self.tallies, 400)

    async def serve(self, served: int, lost: int = 0, model: str = "owl", route: str = "acme/owl") -> None:
        tally = self.tallies.of(model, route)
        tally.served += served
        tally.answered += served
        tally.first_token[8] += served
        self.tallies.of(model).lost += lost
        await self.uptime.flush()

    async def seen(self, days: int = 7, model: str = "owl") -> tuple[int, int]:
        """Served and lost, as it tells them."""
        await self.uptime.refresh()
        tally = self.uptime.window(days).get(model) or Tally()
        return tally.served, tally.lost


async def test_two_replicas_add_up(db: Database, clock: ManualClock) -> None:
    one, other = Replica(db, clock), Replica(db, clock)
    await asyncio.gather(one.serve(3, 1), other.serve(4))
    await one.serve(2)
    assert await one.seen() == await other.seen() == (9, 1)
    assert await count(db, "uptime") == 2


async def test_replicas_that_flush_the_same_rows_again_and_again_lose_nothing(db: Database, clock: ManualClock) -> None:
    replicas = [Replica(db, clock) for _ in range(3)]
    for _ in range(10):
        await asyncio.gather(*(replica.serve(1, 1, f"m{n}") for replica in replicas for n in range(3)))
    assert [await replicas[0].seen(model=f"m{n}") for n in range(3)] == [(30, 30)] * 3


async def test_a_restart_loses_nothing_that_was_flushed(db: Database, clock: ManualClock) -> None:
    await Replica(db, clock).serve(3, 1)
    again = Replica(db, clock)
    assert again.uptime.window(7) == {}
    assert await again.seen() == (3, 1)
    await again.serve(1)
    assert await again.seen() == (4, 1)


async def test_what_cannot_be_stored_is_stored_the_next_time(db: Database, clock: ManualClock) -> None:
    replica = Replica(db, clock)
    await db.write(lambda connection: connection.exec_driver_sql("alter table uptime rename to elsewhere"))
    with pytest.raises(Exception, match="uptime"):
        await replica.serve(3, 1)
    await db.write(lambda connection: connection.exec_driver_sql("alter table elsewhere rename to uptime"))
    await replica.serve(1)
    assert await replica.seen() == (4, 1)
    assert replica.uptime.recent() == {"owl": (4, 1)}


async def test_a_window_is_today_and_the_days_before(db: Database, clock: ManualClock) -> None:
    replica = Replica(db, clock)
    for served in (1, 10, 100):
        await replica.serve(served)
        clock.advance(DAY_S)
    clock.advance(-DAY_S)
    assert [await replica.seen(days) for days in (1, 2, 3, 30)] == [(100, 0), (110, 0), (111, 0), (111, 0)]
    assert [replica.uptime.day(DAY + n, "owl").served for n in range(3)] == [1, 10, 100]
    assert replica.uptime.sources(2)["acme/owl"].answered == 110


async def test_days_that_were_read_stay_known_and_leave_the_window_in_time(db: Database, clock: ManualClock) -> None:
    replica = Replica(db, clock)
    await replica.serve(5)
    for passed in range(31):
        assert await replica.seen(30) == ((5, 0) if passed < 30 else (0, 0))
        clock.advance(DAY_S)


async def test_counts_are_forgotten_after_their_time(db: Database, clock: ManualClock) -> None:
    replica = Replica(db, clock)
    await replica.serve(5)
    clock.advance(400 * DAY_S)
    await replica.seen()
    assert await count(db, "uptime") == 1
    clock.advance(DAY_S)
    await replica.seen()
    assert await count(db, "uptime") == 0


async def test_percentiles_of_days_are_merged(db: Database, clock: ManualClock) -> None:
    replica = Replica(db, clock)
    await replica.serve(10)
    replica.tallies.of("owl", "other/owl").first_token[15] += 90
    await replica.uptime.flush()
    await replica.uptime.refresh()
    tally = replica.uptime.window(1)["owl"]
    assert (tally.latency_ms(5), tally.latency_ms(50)) == (215, 2435)


async def test_it_is_known_when_a_source_was_last_asked(db: Database, clock: ManualClock) -> None:
    one, other = Replica(db, clock), Replica(db, clock)
    await one.serve(1, 1)
    clock.advance(60)
    await other.serve(1)
    assert await db.read(fetch_asked) == {("owl", "acme/owl"): clock.now_ms()}


async def test_counts_are_whole_numbers_in_the_order_of_a_tally(db: Database) -> None:
    values = list(range(1, 62))
    for _ in range(2):
        await db.write(lambda connection: add(connection, DAY * 24 + 5, {("owl", ""): Tally(values)}))
    read = await db.read(lambda connection: fetch_days(connection, DAY))
    assert read == [(DAY, ("owl", ""), [2 * value for value in values])]
    assert {type(value) for value in read[0][2]} == {int}


async def test_the_last_minutes_are_forgotten_in_time(sqlite_db: Database, clock: ManualClock) -> None:
    replica = Replica(sqlite_db, clock)
    await replica.serve(2, 1)
    clock.advance(300)
    await replica.serve(1)
    assert replica.uptime.recent() == {"owl": (3, 1)}
    clock.advance(301)
    await replica.uptime.flush()
    assert replica.uptime.recent() == {"owl": (1, 0)}
