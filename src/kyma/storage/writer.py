"""The group-committing writer: while one transaction commits, the next batch gathers.

It knows nothing of what it writes. Items reach the database in the order they were handed in, one transaction at a
time, and each gets its own answer when its transaction has committed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from kyma.core.errors import Draining
from kyma.storage.database import Database, is_transient

Item = TypeVar("Item")
Result = TypeVar("Result")

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 2.0


class GroupWriter(Generic[Item, Result]):
    """Turns single items into batches of `apply(connection, items)`, each in one transaction.

    `apply` answers one result an item, in order, and must be idempotent: a batch whose commit was not acknowledged
    runs again. A batch that fails for the data's sake is split until the item at fault stands alone and gets the
    error. While the database is away the batch is retried and everything behind it waits.
    """

    def __init__(
        self,
        db: Database,
        apply: Callable[[Connection, Sequence[Item]], Sequence[Result]],
        *,
        max_batch: int = 512,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._db = db
        self._apply = apply
        self._max_batch = max_batch
        self._sleep = sleep
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._under_way: list[tuple[Item, asyncio.Future[Result]]] = []
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        self.is_stalled = False
        """The database is away or locked: the last transaction failed and is being retried."""

    @property
    def pending(self) -> int:
        """Items handed in whose transaction has not committed."""
        return len(self._waiting) + len(self._under_way)

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """Take an item; the future is done when its transaction has committed.

        Raises: Draining once the writer is closed.
        """
        if self._is_closed:
            raise Draining("The gateway is shutting down.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = loop.create_task(self._run(), name="group-writer")
        return future

    def unsettled(self) -> list[Item]:
        """What was handed in and is not known to be committed, in order."""
        return [item for item, _ in (*self._under_way, *self._waiting)]

    async def drain(self) -> None:
        """Wait until everything handed in so far and meanwhile is committed or refused."""
        while self._task is not None:
            await asyncio.wait((self._task,))

    async def close(self, deadline_s: float | None = None) -> list[Item]:
        """Take nothing more, commit what waits, and answer what is still unsettled after `deadline_s`.

        An item answered here may yet be committed by a transaction under way: replaying it must be a no-op.
        """
        self._is_closed = True
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=deadline_s)
        left = self.unsettled()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        return left

    async def _run(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), self._max_batch)
                self._under_way = [self._waiting.popleft() for _ in range(size)]
                await self._commit(self._under_way)
        finally:
            self._task = None

    async def _commit(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        items = [item for item, _ in batch]
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                results = await self._db.write(lambda connection: self._apply_all(connection, items))
                break
            except Exception as error:  # the edge of the task: each kind of failure has its own road from here
                if not is_transient(error):
                    return await self._refuse(batch, error)
                self.is_stalled = True
            await self._sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        self.is_stalled = False
        self._under_way = self._under_way[len(batch) :]  # batches and their halves end in order
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

    def _apply_all(self, connection: Connection, items: list[Item]) -> Sequence[Result]:
        results = self._apply(connection, items)
        if len(results) != len(items):  # found before the commit, or somebody would wait for ever
            raise ValueError(f"{len(items)} items were answered with {len(results)} results")
        return results

    async def _refuse(self, batch: list[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
        self.is_stalled = False
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._commit(batch[:middle])
            await self._commit(batch[middle:])
            return
        self._under_way = self._under_way[1:]
        future = batch[0][1]
        if not future.done():
            future.set_exception(error)
