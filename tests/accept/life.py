"""One life of a process that keeps the books, and its death.

What it hands in and what it is told goes to a log, line by line, with nothing buffered; the log is what the customer
knows, and what the audit holds the books against.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from sqlalchemy import event

from kyma.calls.settle import Settled, apply_settled
from kyma.core.errors import KymaError
from kyma.core.ids import new_id
from kyma.ledger import Ledger, LedgerSettings, lease, store
from kyma.ledger.spool import Spool
from kyma.storage.database import Database, is_transient
from kyma.storage.postgres import PostgresDatabase
from kyma.storage.sqlite import SqliteDatabase
from kyma.storage.writer import GroupWriter
from tests.accept.promises import CRASHED, lines_of
from tests.books import open_account, usage_row
from tests.clock import ManualClock

ACCOUNTS = tuple(f"acct_{number}" for number in range(3))
FIRST_GRANT = 12_000
LIFE_MS = 3_600_000
START_MS = 1_800_000_000_000
WORKERS = 12
HURRIES = 0.4
RUSHES = 0.5
LEFT_BEHIND = 0.05


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
        return lines_of(self.log_path).count("begin")

    @staticmethod
    def faults(folder: Path) -> list[str]:
        """What the last audit found."""
        return lines_of(folder / "faults")

    @staticmethod
    def totals(folder: Path) -> tuple[int, int]:
        """Charges in the books and late ones among them, by the last audit."""
        charges, late = lines_of(folder / "totals")
        return int(charges), int(late)


class Said:
    """The log of a life."""

    def __init__(self, life: Life) -> None:
        self._file = os.open(life.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __call__(self, *words: object) -> None:
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


async def live(db: Database, life: Life) -> None:
    """Start as a gateway does, do random things at once, and stop as it does, unless death comes first."""
    fuse = _Fuse(db, life.countdown)
    if life.number == 0:
        for account_id in ACCOUNTS:
            await open_account(db, FIRST_GRANT, account_id)
    fuse.is_lit = True
    said, dice = Said(life), random.Random(life.seed)
    clock = ManualClock(START_MS + life.number * LIFE_MS)
    keepers = [_Keeper(db, clock, life, said, dice, number) for number in range(1 if life.is_alone else 3)]
    for keeper in keepers:
        await keeper.start()
    turns = iter(range(life.operations))
    while life.operations and dice.random() < RUSHES:
        await _rush(db, keepers, dice.choice(ACCOUNTS), dice)
    await asyncio.gather(*(keepers[number % len(keepers)].work(turns) for number in range(WORKERS)))
    for keeper in keepers:
        await keeper.stop(in_a_hurry=life.operations > 0 and dice.random() < HURRIES)
    await db.close()


async def _rush(db: Database, keepers: Sequence["_Keeper"], account_id: str, dice: random.Random) -> None:
    """Everybody wants half of what is there, or most of it, or more, at once or nearly so."""
    row = await db.read(lambda connection: store.fetch_account(connection, account_id))
    if row.available > 0:
        half, more = row.available // 2 + 1, row.available * 13 // 10
        amounts = [half if dice.random() < 0.5 else dice.randrange(1, more + 1) for _ in range(2 * WORKERS)]
        wants = enumerate(amounts)
        await asyncio.gather(*(keepers[number % len(keepers)].spend(account_id, amount) for number, amount in wants))


class _Fuse:
    """Ends the process, with no clean-up of any kind, before the statement that brings the count to zero."""

    def __init__(self, db: Database, countdown: int) -> None:
        self.is_lit = False
        self._left = countdown
        if isinstance(db, SqliteDatabase):

            @event.listens_for(db.engine, "connect")
            def trace(connection: sqlite3.Connection, _: object) -> None:
                connection.set_trace_callback(self._burn)

        elif isinstance(db, PostgresDatabase):
            for name in ("before_cursor_execute", "commit", "begin"):
                event.listen(db.engine.sync_engine, name, self._burn)

    def _burn(self, *_: object) -> None:
        if self.is_lit:
            self._left -= 1
            if self._left <= 0:
                os._exit(CRASHED)


class _Keeper:
    """Ledger, writer and spool of one process, put together as the gateway puts them together."""

    def __init__(
        self, db: Database, clock: ManualClock, life: Life, said: Said, dice: random.Random, number: int
    ) -> None:
        self._db, self._clock, self._said, self._dice, self._life = db, clock, said, dice, life
        settings = LedgerSettings(lease_share="all" if life.is_alone else "clamp", live_replicas=3)
        self._ledger = Ledger(db, clock, new_id("gw"), settings)
        self._writer: GroupWriter[Settled, bool] = GroupWriter(db, apply_settled)
        self._spool = Spool(life.folder / f"spool-{number}.json", Settled)

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

    async def work(self, turns: Iterator[int]) -> None:
        """Random operations while there are turns left."""
        doings = (self._call, self._grant, self._tick, self._usurp, self._pause)
        for _ in turns:
            self._said("begin")
            (do,) = self._dice.choices(doings, (76, 8, 7, 4, 5))
            try:
                await do(self._dice.choice(ACCOUNTS))
            except KymaError:
                continue  # too little credit, or too many at once: nothing was done
            except Exception as error:
                if not is_transient(error):
                    raise

    async def _call(self, account_id: str) -> None:
        """Reserve, then settle for nothing, less, all or more than was held, or release."""
        dice, amount = self._dice, self._dice.randrange(1, 3000)
        less = [dice.randrange(amount + 1) for _ in range(4)]
        await self._spend(account_id, amount, dice.choice((None, 0, amount, amount + dice.randrange(500), *less)))

    async def spend(self, account_id: str, amount: int) -> None:
        """One call that uses all it holds, begun at any turn of the loop; nothing if the account cannot pay."""
        self._said("begin")
        for _ in range(self._dice.choice((0, self._dice.randrange(25)))):
            await asyncio.sleep(0)
        with suppress(KymaError):
            await self._spend(account_id, amount, amount)

    async def _spend(self, account_id: str, amount: int, cost: int | None) -> None:
        """Hold, and settle or release; one in ten settles twice, some do not wait for the answer."""
        dice, request_id = self._dice, new_id("req")
        hold = await self._ledger.reserve(account_id, amount, request_id)
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)
        if cost is None:
            return self._ledger.release(hold)
        settlement = self._ledger.prepare(hold, cost)
        item = Settled(usage_row(settlement), settlement)
        self._said("asked", request_id, cost)
        written = [self._writer.submit(item) for _ in range(1 if dice.random() < 0.9 else 2)]
        if dice.random() < LEFT_BEHIND:
            return  # nobody waits for the answer: it may end up in the spool
        try:
            await asyncio.gather(*written)
        except Exception as error:
            return self._said("fault", request_id, "was refused:", repr(error)[:200])
        self._said("done", request_id, cost)

    async def _grant(self, account_id: str) -> None:
        ref_id, amount, now = new_id("top"), self._dice.randrange(1, 9000), self._clock.now_ms()
        await self._db.write(lambda c: store.grant(c, account_id, amount, "topup", "test", ref_id, now))
        self._said("granted", ref_id, amount)

    async def _tick(self, _: str) -> None:
        await self._ledger.tick()

    async def _usurp(self, _: str) -> None:
        """Another process believes itself alone; charges under way come late."""
        await self._db.write(lambda connection: lease.take_over(connection, "usurper"))

    async def _pause(self, _: str) -> None:
        self._clock.advance(self._dice.choice((1.0, 6.0, 12.0, 40.0)))
