"""One life of a process that keeps the books, and the audit after its death.

What it hands in and what it is told goes to a log, line by line, with nothing buffered; the log is what the customer
knows. The audit holds the books against it.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection, event

from kyma.calls.settle import Settled, apply_settled
from kyma.core.ids import new_id
from kyma.ledger import CreditShort, Ledger, LedgerSettings, lease, store
from kyma.ledger.spool import Spool
from kyma.ledger.verify import verify
from kyma.storage.database import Database
from kyma.storage.postgres import PostgresDatabase
from kyma.storage.sqlite import SqliteDatabase
from kyma.storage.writer import GroupWriter
from tests.books import open_account, usage_row
from tests.clock import ManualClock

ENDED, CRASHED = 0, 77
ACCOUNTS = tuple(f"acct_{number}" for number in range(3))
FIRST_GRANT = 12_000
LIFE_MS = 60_000
START_MS = 1_800_000_000_000
WORKERS = 6


class Life(msgspec.Struct, frozen=True):
    """`countdown` statements from now the process dies; `is_alone`: no other process keeps these books."""

    folder: Path
    number: int
    seed: int
    operations: int
    countdown: int
    is_alone: bool

    @property
    def log_path(self) -> Path:
        return self.folder / f"life-{self.number}.log"

    def begun(self) -> int:
        """Operations that were begun, by the log."""
        return _lines(self.log_path).count("begin")

    @staticmethod
    def faults(folder: Path) -> list[str]:
        """What the last audit found."""
        return _lines(folder / "faults")

    @staticmethod
    def totals(folder: Path) -> tuple[int, int]:
        """Charges in the books and late ones among them, by the last audit."""
        charges, late = _lines(folder / "totals")
        return int(charges), int(late)


class Said:
    """The log of a life."""

    def __init__(self, life: Life) -> None:
        self._file = os.open(life.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __call__(self, *words: object) -> None:
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


async def live(db: Database, life: Life) -> None:
    """Start as a gateway does, do random things at once, and stop as it does, unless death comes first."""
    said, dice = Said(life), random.Random(life.seed)
    clock = ManualClock(START_MS + life.number * LIFE_MS)
    if life.number == 0:
        for account_id in ACCOUNTS:
            await open_account(db, FIRST_GRANT, account_id)
    _die_after(db, life.countdown)
    keepers = [_Keeper(db, clock, life, said, dice) for _ in range(1 if life.is_alone else 3)]
    for keeper in keepers:
        await keeper.start()
    work = iter(range(life.operations))
    await asyncio.gather(*(keepers[n % len(keepers)].work(work, ACCOUNTS) for n in range(WORKERS)))
    for keeper in keepers:
        await keeper.stop(in_a_hurry=dice.random() < 0.3)
    await db.close()


def _die_after(db: Database, countdown: int) -> None:
    """End the process, with no clean-up of any kind, before the statement that brings the count to zero."""
    left = countdown

    def tick(*_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os._exit(CRASHED)

    if isinstance(db, SqliteDatabase):

        @event.listens_for(db.engine, "connect")
        def trace(connection: sqlite3.Connection, _: object) -> None:
            connection.set_trace_callback(tick)

    elif isinstance(db, PostgresDatabase):
        for name in ("before_cursor_execute", "commit", "begin"):
            event.listen(db.engine.sync_engine, name, tick)


class _Keeper:
    """Ledger, writer and spool of one process, put together as the gateway puts them together."""

    def __init__(self, db: Database, clock: ManualClock, life: Life, said: Said, dice: random.Random) -> None:
        self._db, self._clock, self._said, self._dice, self._life = db, clock, said, dice, life
        settings = LedgerSettings(lease_share="all" if life.is_alone else "clamp", live_replicas=3)
        self._ledger = Ledger(db, clock, new_id("gw"), settings)
        self._writer: GroupWriter[Settled, bool] = GroupWriter(db, apply_settled)
        self._spool = Spool(life.folder / "spool.json", Settled)

    async def start(self) -> None:
        for item in self._spool.read():
            await self._writer.submit(item)
            self._said("done", item.row.request_id, item.row.cost)
        self._spool.clear()
        if self._life.is_alone:
            await self._ledger.take_over()
        else:
            await self._ledger.tick()

    async def stop(self, *, in_a_hurry: bool) -> None:
        unsettled = await self._writer.close(0 if in_a_hurry else None)
        if unsettled:
            self._spool.write(unsettled)
            for item in unsettled:
                self._said("spooled", item.row.request_id, item.row.cost)
        else:
            await self._ledger.return_all()

    async def work(self, numbers: "Sequence[int] | object", accounts: Sequence[str]) -> None:
        doings: list[tuple[Callable[[str], "asyncio.Future[None] | object"], int]] = []
        raise NotImplementedError(numbers, accounts, doings)
