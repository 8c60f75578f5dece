"""privacy: marked prompts, images, arguments and answers go through everything; then nothing that is kept holds a mark.

Searched are database, log of the database, spool, what the gateway wrote and printed, temporary files and core files:
after a run of everything, a kill -9 and a crash in mid-stream, restarts, and a stop without a database.
"""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path

import msgspec

from kyma.core.money import NANOS_PER_USD
from tests.accept import dialects
from tests.accept.client import Client, Reply
from tests.accept.errands import BODY_LIMIT_BYTES, Errand, chat, errands, models, providers, whole
from tests.accept.keeping import (
    Kept,
    allow_core_files,
    crash,
    look_elsewhere,
    look_everywhere,
    note_unvisited,
    plant_control,
    read_as_other,
    within,
)
from tests.accept.marks import Marks, search_folder
from tests.accept.plants import missed
from tests.accept.privacy_postgres import books, look_into_postgres
from tests.accept.stage import gateway_on
from tests.accept.suite import Figure, Run, Suite, at_least, told, zero
from tests.accept.wholes import askings
from tests.gateway_catalog import SUFFIXES
from tests.gateway_process import GatewayProcess
from tests.upstream.process import UpstreamProcess

WORKERS = 12
AWAY_S = 0.3
SPOOLED_WITHIN_S = 20.0
ENV = {
    "KYMA_LOG_LEVEL": "debug",
    "KYMA_BODY_LIMIT_BYTES": str(BODY_LIMIT_BYTES),
    "KYMA_ABANDONED_DRAIN_S": "1",
    "KYMA_KEEP_ALIVE_S": "0.2",
    "KYMA_SHUTDOWN_S": "1",
}


def run(run: Run) -> list[Figure]:
    """One gateway through all its lives, another one that stops without a database."""
    marks, control, found = Marks.draw(run.dice("marks")), Marks.draw(run.dice("control")), Kept()
    allow_core_files()
    (run.folder / "plants").mkdir()
    found.missed += missed(marks, run.folder / "plants")
    every = errands(marks)
    run.dice("order").shuffle(every)
    asked = [every[number % len(every)] for number in range(run.size)]
    folder = run.folder / control.stem
    with (
        UpstreamProcess() as upstream,
        _stage(folder / "live", upstream, marks, control, found) as live,
        _stage(folder / "spool", upstream, marks, control, found) as spooling,
        ThreadPoolExecutor(1) as aside,
    ):
        spooled = aside.submit(_spool, spooling)
        _live(live, asked)
        spooled.result()
        if run.is_full:
            _on_postgres(folder / "postgres", upstream, asked, live)
    return [
        zero("plants that the search misses", found.missed),
        zero("marks kept", found.hits),
        zero("marks shown to another customer", found.shown),
        zero("files open for writing elsewhere", found.elsewhere),
        zero("core files, or room for them", found.cores),
        zero("operations that no mark went through", found.unvisited if run.size >= len(every) else 0),
        zero("requests without a whole answer", found.unanswered),
        zero("answers that are a bug of ours", found.bugs),
        at_least("requests", found.requests, run.size),
        zero("answers without what they must hold", found.unmarked),
        at_least("answers that must hold something", found.answered, 1),
        at_least("settlements through the spool", found.spooled, 1),
        told("searched, in megabytes", f"{found.searched_bytes / 1e6:.0f}"),
    ]


class _Stage(msgspec.Struct, frozen=True):
    """A gateway with all its files in `folder`, and the keys of two customers: one who asks, one who is curious."""

    gateway: GatewayProcess
    folder: Path
    key: str
    other: str
    marks: Marks
    control: Marks
    found: Kept

    def open(self) -> None:
        """Start for the first time."""
        self.gateway.start()
        plant_control(self.control, self.gateway, self.other)

    def look(self, moment: str) -> None:
        look_everywhere(self.marks, self.control, self.folder, moment, self.found)

    def interrupt(self, end: Callable[[], object], fate: str = "held") -> None:
        """Streams and whole answers of every dialect on every family, and of other kinds, are under way at `end`."""
        asyncio.run(_interrupt(self, end, fate))


@contextmanager
def _stage(
    folder: Path, upstream: UpstreamProcess, marks: Marks, control: Marks, found: Kept, more: Mapping[str, str] = {}
) -> Iterator[_Stage]:
    """Not started yet. `more` is environment."""
    env = {**ENV, **more, **within(folder)}
    rows, balances = providers(upstream.base_url), [1000 * NANOS_PER_USD] * 2
    with gateway_on(folder, rows, models(), balances=balances, env=env, cwd=folder) as (gateway, (person, other)):
        yield _Stage(gateway, folder, person.api_key, other.api_key, marks, control, found)


def _live(stage: _Stage, asked: list[Errand]) -> None:
    """Everything is asked; the gateway is killed, then crashes, then stops, each time with streams under way."""
    gateway, found = stage.gateway, stage.found
    stage.open()
    asyncio.run(_ask_all(gateway.port, stage.key, asked, found))
    paths = {(one.question.method, one.question.path.partition("?")[0]) for one in asked}
    read_as_other(stage.marks, gateway, stage.other, found)
    note_unvisited(gateway, stage.other, paths, found)
    look_elsewhere(gateway, stage.folder, found)
    stage.interrupt(gateway.kill)
    stage.look("killed")
    gateway.start()
    stage.interrupt(lambda: crash(gateway))
    found.cores += [path.name for path in stage.folder.rglob("core*")]
    stage.look("crashed")
    gateway.start()
    stage.interrupt(gateway.terminate)
    stage.look("stopped")


def _spool(stage: _Stage) -> None:
    """The database is locked while answers are to be settled; the gateway stops, and starts again with a free one."""
    gateway = stage.gateway
    stage.open()
    first = chat(stage.marks, dialects.CHAT, "answered", "", False)
    asyncio.run(Client(gateway.port, stage.key).chat(first.question))
    spool = gateway.data_dir / "unsettled.json"
    with closing(sqlite3.connect(gateway.db_path, check_same_thread=False)) as lock:
        lock.execute("begin immediate")
        stage.interrupt(lambda: _stop_unsettled(gateway, spool, lock), fate="answered")
    stage.found.spooled += len(msgspec.json.decode(spool.read_bytes())) if spool.exists() else 0
    stage.look("spooled")
    gateway.restart()
    gateway.terminate()
    stage.look("replayed")


async def _ask_all(port: int, key: str, asked: list[Errand], found: Kept) -> None:
    waiting = iter(asked)

    async def work() -> None:
        for one in waiting:
            client = Client(port, key)
            reply = await client.chat(one.question, (lambda reply: bool(reply.words)) if one.leaves else None)
            client.leave()
            _note(one, reply, found)

    await asyncio.gather(*(work() for _ in range(WORKERS)))


def _note(one: Errand, reply: Reply, found: Kept) -> None:
    found.requests += 1
    what = f"{one.kind} {one.question.method} {one.question.path}: {reply.status} {bytes(reply.body[:200])!r}"
    if not reply.is_whole and not one.leaves:
        found.unanswered.append(what)
    if reply.status == 500:
        found.bugs.append(what)
    if one.holds:
        found.answered += 1
        if one.holds not in reply.body.decode():
            found.unmarked.append(what)


async def _interrupt(stage: _Stage, end: Callable[[], object], fate: str) -> None:
    places = product(dialects.ALL, SUFFIXES.values(), (True, False))
    asked = [chat(stage.marks, dialect, fate, suffix, is_streaming) for dialect, suffix, is_streaming in places]
    asked += [whole(stage.marks, one, fate) for one in askings(stage.marks)]
    clients = [Client(stage.gateway.port, stage.key) for _ in asked]
    overs = [
        await client.post(one.question, lambda reply: bool(reply.words))
        for client, one in zip(clients, asked, strict=True)
    ]
    await asyncio.wait(overs, timeout=AWAY_S)
    await asyncio.to_thread(end)
    for client in clients:
        client.leave()


def _on_postgres(folder: Path, upstream: UpstreamProcess, asked: list[Errand], like: _Stage) -> None:
    """Everything once more, killed in mid-stream, with the books in Postgres."""
    marks, control, found = like.marks, like.control, like.found
    with books() as url:
        more = {"KYMA_DATABASE_URL": url, "KYMA_PEPPER": control("pepper")}
        with _stage(folder, upstream, marks, control, found, more) as stage:
            stage.open()
            asyncio.run(_ask_all(stage.gateway.port, stage.key, asked, found))
            stage.interrupt(stage.gateway.kill)
            found.hits += [f"on Postgres: {hit}" for hit in search_folder(marks, folder)]
            look_into_postgres(marks, control, url, found)


def _stop_unsettled(gateway: GatewayProcess, spool: Path, lock: sqlite3.Connection) -> None:
    """Stop it, and free the database once it has given up on it."""
    os.kill(gateway.pid, signal.SIGTERM)
    deadline = time.monotonic() + SPOOLED_WITHIN_S
    while not spool.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    lock.rollback()
    gateway.terminate()


SUITE = Suite("privacy", "requests", quick=900, full=9_000, for_mutants=450, run=run)
