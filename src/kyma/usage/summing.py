"""Keeps the sums of the request log up to date, and the log as short as it shall be, beside the traffic."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from kyma.core.ids import DAY_MS, Clock
from kyma.storage.database import Database
from kyma.usage.sums import add_rows, fetch_front, fetch_mark, fetch_writers, prune

log = logging.getLogger("kyma.usage")

TICK_S = 2.0
ROWS_AT_ONCE = 500
"""A few milliseconds of the one writer that settlements share."""
REST = 1.0
"""How long the worker leaves the database alone after a piece of work, against what that took."""
PRUNE_EVERY_S = 600.0
PATIENCE_S = 5.0
POLL_S = 0.01


class Summing:
    """The worker. Several may run on one Postgres: one works at a time, and none counts what another has counted.

    `keep_days` is how long rows are kept, in whole UTC days besides today; 0 is for ever.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keep_days: int = 0,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keep_days = keep_days
        self._sleep = sleep

    async def keep(self) -> None:
        """Work for as long as the gateway runs, through outages."""
        prune_at = self._clock.monotonic()
        while True:
            await self._sleep(TICK_S)
            try:
                await self.catch_up()
                if self._keep_days and self._clock.monotonic() >= prune_at:
                    await self.prune()
                    prune_at = self._clock.monotonic() + PRUNE_EVERY_S
            except Exception as error:  # the edge of the task: what is not summed now is summed later
                log.warning("usage not summed up, tried again soon: %r", error)

    async def catch_up(self) -> None:
        """Sum and index every row that was written before this began."""
        front = await self._front()
        if front <= await self._database.read(fetch_mark):
            return
        while (await self._paced(lambda: self._add(front))) not in (0, front):
            pass

    async def prune(self) -> int:
        """Delete what is older than is to be kept and summed; how many rows."""
        today = self._clock.now_ms() // DAY_MS * DAY_MS
        keep_from, gone = today - self._keep_days * DAY_MS, 0
        while some := await self._paced(lambda: self._database.write(lambda connection: prune(connection, keep_from))):
            gone += some
        if gone:
            log.info("%d rows of usage older than %d days are pruned; their sums stay", gone, self._keep_days)
        return gone

    async def _add(self, front: int) -> int:
        return await self._database.write(lambda connection: add_rows(connection, front, ROWS_AT_ONCE))

    async def _front(self) -> int:
        """A number that every row up to has committed to, or given up. Raises: TimeoutError behind a stuck writer."""
        front = await self._database.read(fetch_front)
        writers = front.writers
        give_up = self._clock.monotonic() + PATIENCE_S
        while writers:
            if self._clock.monotonic() > give_up:
                raise TimeoutError(f"transactions {sorted(writers)} write usage and do not end")
            await self._sleep(POLL_S)
            writers &= await self._database.read(fetch_writers)
        return front.number

    async def _paced(self, work: Callable[[], Awaitable[int]]) -> int:
        """Do a piece of work and leave the database to others for as long as it took."""
        started = self._clock.monotonic()
        done = await work()
        if done:
            await self._sleep((self._clock.monotonic() - started) * REST)
        return done
