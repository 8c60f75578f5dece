"""What is read of usage is exact on both engines, before, between and after the sums are made."""

from functools import partial

import msgspec
import pytest

from kyma.core.ids import DAY_MS, HOUR_MS
from kyma.ledger import Settlement
from kyma.storage.database import Database
from kyma.usage import UsageRow
from kyma.usage.logs import LogAsked, LogPage, read_logs
from kyma.usage.reading import Asked, Used, read_usage
from kyma.usage.store import insert_rows
from kyma.usage.sums import add_rows, fetch_front
from tests.books import usage_row

DAY = 1_800_000_000_000 // DAY_MS * DAY_MS


def row(request_id: str, at: int, account_id: str = "acct_1", **fields: object) -> UsageRow:
    base = usage_row(Settlement(request_id, account_id, "lease_1", 9, 5, 5, 0, at))
    return msgspec.structs.replace(base, **fields)


ROWS = [
    row("r1", DAY - 5 * DAY_MS + 23 * HOUR_MS, app="codex"),
    row("r2", DAY - 4 * DAY_MS, app="codex", input_tokens=7, cached_input_tokens=2),
    row("r3", DAY - 4 * DAY_MS + HOUR_MS, model="n", cost=3),
    row("r4", DAY + 2 * HOUR_MS, key_id="key_2", status="failed"),
    row("r5", DAY + 2 * HOUR_MS + 1, app="aider", cache_write_tokens=4, cache_write_1h_tokens=5, searches=1),
    row("x1", DAY, account_id="acct_2", app="codex", cost=2**40),
]


@pytest.fixture(params=["nothing is summed", "some is summed", "all is summed"])
async def books(request: pytest.FixtureRequest, db: Database) -> Database:
    """The rows, summed as far as the name says."""
    await db.write(lambda connection: insert_rows(connection, ROWS))
    front = (await db.read(fetch_front)).number
    summed = {"nothing is summed": 0, "some is summed": 3, "all is summed": 9}[request.param]
    if summed:
        await db.write(lambda connection: add_rows(connection, front, summed))
    return db


async def used(db: Database, *group_by: str, **filters: str) -> dict[tuple[str | int, ...], tuple[int, int]]:
    """Requests and cost of acct_1 by group."""
    asked = Asked("acct_1", DAY - 10 * DAY_MS, DAY + DAY_MS, group_by, filters)
    return {one.group: (one.requests, one.cost) for one in await db.read(lambda c: read_usage(c, asked))}


async def test_totals_are_exact(books: Database) -> None:
    asked = Asked("acct_1", DAY - 10 * DAY_MS, DAY + DAY_MS)
    assert await books.read(lambda c: read_usage(c, asked)) == [Used((), 5, 7, 2, 4, 5, 25, 0, 1, 23)]


async def test_nothing_used_is_zeros(books: Database) -> None:
    asked = Asked("acct_3", DAY - 10 * DAY_MS, DAY + DAY_MS)
    assert await books.read(lambda c: read_usage(c, asked)) == [Used((), 0, 0, 0, 0, 0, 0, 0, 0, 0)]


async def test_groups_are_told_apart(books: Database) -> None:
    assert await used(books, "day") == {
        (DAY - 5 * DAY_MS,): (1, 5),
        (DAY - 4 * DAY_MS,): (2, 8),
        (DAY,): (2, 10),
    }
    assert await used(books, "hour", "key") == {
        (DAY - 5 * DAY_MS + 23 * HOUR_MS, "key_1"): (1, 5),
        (DAY - 4 * DAY_MS, "key_1"): (1, 5),
        (DAY - 4 * DAY_MS + HOUR_MS, "key_1"): (1, 3),
        (DAY + 2 * HOUR_MS, "key_1"): (1, 5),
        (DAY + 2 * HOUR_MS, "key_2"): (1, 5),
    }
    assert await used(books, "model", "app") == {
        ("m", ""): (1, 5),
        ("m", "aider"): (1, 5),
        ("m", "codex"): (2, 10),
        ("n", ""): (1, 3),
    }


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"model": "n"}, (1, 3)),
        ({"key": "key_2"}, (1, 5)),
        ({"app": "codex"}, (2, 10)),
        ({"status": "failed"}, (1, 5)),
        ({"app": "codex", "status": "failed"}, (0, 0)),
    ],
)
async def test_filters_leave_out(books: Database, filters: dict[str, str], found: tuple[int, int]) -> None:
    assert await used(books, **filters) == {(): found}


@pytest.mark.parametrize(
    ("start", "end", "requests"),
    [
        (DAY - 5 * DAY_MS + 23 * HOUR_MS, DAY - 4 * DAY_MS, 1),
        (DAY - 5 * DAY_MS + 23 * HOUR_MS, DAY - 4 * DAY_MS + HOUR_MS, 2),
        (DAY - 4 * DAY_MS + HOUR_MS, DAY + 2 * HOUR_MS, 1),
        (DAY - 4 * DAY_MS + HOUR_MS, DAY + 3 * HOUR_MS, 3),
        (DAY + 2 * HOUR_MS, DAY + 3 * HOUR_MS, 2),
        (DAY - 9 * DAY_MS, DAY - 8 * DAY_MS, 0),
    ],
)
async def test_a_span_of_hours_and_days_is_cut_where_it_ends(
    books: Database, start: int, end: int, requests: int
) -> None:
    (one,) = await books.read(lambda c: read_usage(c, Asked("acct_1", start, end)))
    assert one.requests == requests


async def test_all_accounts_are_summed_together(books: Database) -> None:
    asked = Asked(None, DAY - 10 * DAY_MS, DAY + DAY_MS, ("app",))
    found = await books.read(lambda c: read_usage(c, asked))
    assert [(one.group, one.requests) for one in found] == [(("",), 2), (("aider",), 1), (("codex",), 3)]


def asked(limit: int = 10, account_id: str | None = "acct_1", **fields: object) -> LogAsked:
    plain = LogAsked(account_id, DAY - 10 * DAY_MS, DAY + DAY_MS, limit)
    return msgspec.structs.replace(plain, **fields)


async def pages(db: Database, question: LogAsked) -> list[list[str]]:
    """Request ids, page by page."""
    found: list[list[str]] = []
    for _ in range(20):
        page: LogPage = await db.read(partial(read_logs, asked=question))
        found.append([one.request_id for one in page.rows])
        if page.next is None:
            return found
        question = msgspec.structs.replace(question, before=page.next)
    raise AssertionError(found)


async def test_calls_are_listed_newest_first_and_no_others(books: Database) -> None:
    assert await pages(books, asked()) == [["r5", "r4", "r3", "r2", "r1"]]
    assert await pages(books, asked(2)) == [["r5", "r4"], ["r3", "r2"], ["r1"]]
    assert await pages(books, asked(5)) == [["r5", "r4", "r3", "r2", "r1"]]
    assert await pages(books, asked(account_id=None)) == [["r5", "r4", "x1", "r3", "r2", "r1"]]


async def test_a_listed_call_is_the_row_itself(books: Database) -> None:
    page = await books.read(lambda c: read_logs(c, asked(1)))
    assert page.rows == [ROWS[4]]


async def test_a_log_begins_and_ends_where_asked(books: Database) -> None:
    question = asked(start=DAY - 4 * DAY_MS, end=DAY + 2 * HOUR_MS + 1)
    assert await pages(books, question) == [["r4", "r3", "r2"]]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"model": "n"}, ["r3"]),
        ({"key": "key_2"}, ["r4"]),
        ({"app": "codex"}, ["r2", "r1"]),
        ({"status": "failed", "app": "codex"}, []),
    ],
)
async def test_a_log_is_filtered(books: Database, filters: dict[str, str], found: list[str]) -> None:
    assert await pages(books, asked(filters=filters)) == [found]


async def test_a_page_that_looks_at_too_many_calls_ends_and_the_next_goes_on(books: Database) -> None:
    found = await pages(books, asked(filters={"app": "codex"}, examined=2))
    assert [one for page in found for one in page] == ["r2", "r1"]


async def test_calls_of_one_moment_are_each_listed_once(db: Database) -> None:
    same = [row(f"r{n}", DAY) for n in range(7)]
    await db.write(lambda connection: insert_rows(connection, same))
    await db.write(lambda connection: add_rows(connection, 4, 4))
    assert [one for page in await pages(db, asked(2)) for one in page] == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]


async def test_a_filtered_page_goes_from_one_hour_with_such_calls_to_the_next(db: Database) -> None:
    hours = [DAY - n * HOUR_MS for n in range(40)]
    rows = [row(f"r{n:02}", at, app="rare" if n % 10 == 0 else "common") for n, at in enumerate(hours)]
    await db.write(lambda connection: insert_rows(connection, rows))
    front = (await db.read(fetch_front)).number
    await db.write(lambda connection: add_rows(connection, front, 39))
    rare = {"app": "rare"}
    assert await pages(db, asked(2, filters=rare)) == [["r00", "r10"], ["r20", "r30"]]
    assert await pages(db, asked(filters=rare, examined=1)) == [["r00"], ["r10"], ["r20"], ["r30"]]
    assert await pages(db, asked(filters=rare, start=DAY - 20 * HOUR_MS, end=DAY)) == [["r10", "r20"]]
    assert await pages(db, asked(filters={"app": "none"}, examined=1)) == [[]]
