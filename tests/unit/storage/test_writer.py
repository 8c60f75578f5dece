"""The group-committing writer: order, batches, poison, outages, shutdown."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, text

from kyma.core.errors import Draining
from kyma.storage.database import Database
from kyma.storage.writer import GroupWriter
from tests.books import count
from tests.faults import FaultyDatabase

INSERT = text("insert into price_book (version, prices, published_at) values (:id, '{}', 0) on conflict do nothing")


class Diary:
    """Writes items as rows and remembers its batches; the item `poison` cannot be written."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def apply(self, connection: Connection, items: Sequence[str]) -> list[str]:
        connection.execute(INSERT, [{"id": item} for item in items])
        if "poison" in items:
            raise ValueError("poison")
        self.batches.append(list(items))
        return [item.upper() for item in items]


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def faulty(sqlite_db: Database) -> FaultyDatabase:
    return FaultyDatabase(sqlite_db)


async def no_pause(seconds: float) -> None:
    await asyncio.sleep(0)


async def test_each_item_gets_its_own_result_after_the_commit(sqlite_db: Database, diary: Diary) -> None:
    writer = GroupWriter(sqlite_db, diary.apply)
    assert list(await asyncio.gather(writer.submit("a"), writer.submit("b"))) == ["A", "B"]
    assert await count(sqlite_db, "price_book") == 2


async def test_what_is_handed_in_together_is_one_transaction(faulty: FaultyDatabase, diary: Diary) -> None:
    writer = GroupWriter(faulty, diary.apply)
    await asyncio.gather(*(writer.submit(f"i{n}") for n in range(100)))
    assert faulty.writes == 1


async def test_while_one_commits_the_next_batch_gathers_in_order(faulty: FaultyDatabase, diary: Diary) -> None:
    writer = GroupWriter(faulty, diary.apply)
    first = writer.submit("first")
    await asyncio.sleep(0)
    rest = [writer.submit(f"i{n}") for n in range(50)]
    await asyncio.gather(first, *rest)
    assert diary.batches == [["first"], [f"i{n}" for n in range(50)]]


async def test_a_batch_has_a_largest_size(sqlite_db: Database, diary: Diary) -> None:
    writer = GroupWriter(sqlite_db, diary.apply, max_batch=4)
    await asyncio.gather(*(writer.submit(f"i{n}") for n in range(10)))
    assert [len(batch) for batch in diary.batches] == [4, 4, 2]


@pytest.mark.parametrize("place", [0, 3, 6])
async def test_a_poison_item_fails_alone(sqlite_db: Database, diary: Diary, place: int) -> None:
    writer = GroupWriter(sqlite_db, diary.apply)
    items = [f"i{n}" for n in range(6)]
    items.insert(place, "poison")
    results = await asyncio.gather(*(writer.submit(item) for item in items), return_exceptions=True)
    assert isinstance(results.pop(place), ValueError)
    assert results == [f"I{n}" for n in range(6)]
    assert await count(sqlite_db, "price_book") == 6
    assert [item for batch in diary.batches for item in batch] == [f"i{n}" for n in range(6)]


async def test_an_outage_is_waited_out_and_nothing_is_lost(faulty: FaultyDatabase, diary: Diary) -> None:
    faulty.faults.extend(["away"] * 5)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    writer = GroupWriter(faulty, diary.apply, sleep=pause)
    assert list(await asyncio.gather(writer.submit("a"), writer.submit("b"))) == ["A", "B"]
    assert pauses == sorted(pauses) and len(set(pauses)) == 5
    assert not writer.is_stalled


async def test_a_lost_answer_repeats_the_batch(faulty: FaultyDatabase, diary: Diary) -> None:
    faulty.faults.append("answer lost")
    writer = GroupWriter(faulty, diary.apply, sleep=no_pause)
    assert await writer.submit("a") == "A"
    assert diary.batches == [["a"], ["a"]]
    assert await count(faulty, "price_book") == 1


async def test_an_outage_shows_and_the_items_count_as_pending(faulty: FaultyDatabase, diary: Diary) -> None:
    gate = asyncio.Event()
    faulty.faults.append("away")

    async def pause(seconds: float) -> None:
        await gate.wait()

    writer = GroupWriter(faulty, diary.apply, sleep=pause)
    future = writer.submit("a")
    await asyncio.sleep(0.01)
    writer.submit("b")
    assert writer.is_stalled
    assert writer.pending == 2
    assert writer.unsettled() == ["a", "b"]
    gate.set()
    await future
    await writer.drain()
    assert (writer.pending, writer.unsettled()) == (0, [])


async def test_a_caller_that_gave_up_does_not_stop_its_item(sqlite_db: Database, diary: Diary) -> None:
    writer = GroupWriter(sqlite_db, diary.apply)
    writer.submit("a").cancel()
    assert await writer.submit("b") == "B"
    assert await count(sqlite_db, "price_book") == 2


async def test_closing_commits_what_waits_and_takes_no_more(sqlite_db: Database, diary: Diary) -> None:
    writer = GroupWriter(sqlite_db, diary.apply)
    future = writer.submit("a")
    assert await writer.close() == []
    assert future.result() == "A"
    with pytest.raises(Draining):
        writer.submit("b")


async def test_closing_during_an_outage_answers_what_is_unsettled(faulty: FaultyDatabase, diary: Diary) -> None:
    faulty.faults.extend(["away"] * 1000)
    writer = GroupWriter(faulty, diary.apply)
    writer.submit("a")
    writer.submit("b").cancel()
    assert await writer.close(deadline_s=0.05) == ["a", "b"]


async def test_the_writer_works_again_after_it_ran_dry(sqlite_db: Database, diary: Diary) -> None:
    writer = GroupWriter(sqlite_db, diary.apply)
    for item in ("a", "b", "c"):
        assert await writer.submit(item) == item.upper()
        await writer.drain()


async def test_too_few_results_are_an_error_and_nothing_is_written(sqlite_db: Database, diary: Diary) -> None:
    writer = GroupWriter[str, str](sqlite_db, lambda connection, items: diary.apply(connection, items)[1:])
    with pytest.raises(ValueError):
        await writer.submit("a")
    assert await count(sqlite_db, "price_book") == 0
