"""Keeps the counts of this process by the hour, added to those of the others, and holds the last month's in memory.

What was counted since the last flush is lost with the process if it is killed: no money hangs on it. Counts whose
transaction was not acknowledged may be there twice, for the same reason. A count belongs to the hour of its flush,
which is a few seconds late.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from kyma.core.ids import HOUR_MS, Clock
from kyma.core.tally import ZEROS, Counts, Taken, Tallies, Tally, summed
from kyma.storage.database import Database
from kyma.uptime.store import HOURS_A_DAY, Pair, add, fetch_days, forget, note_asked

log = logging.getLogger("kyma.uptime")

MOST_DAYS = 30
RECENT_S = 600.0
FLUSHES_A_REFRESH = 12


class Uptime:
    """Counts by model and source: of the last thirty days (UTC, today among them), and of the last minutes."""

    def __init__(self, database: Database, clock: Clock, tallies: Tallies, retention_days: int) -> None:
        self._database = database
        self._clock = clock
        self._tallies = tallies
        self._retention_days = retention_days
        self._by_source: dict[int, dict[str, Counts]] = {}
        self._by_model: dict[int, dict[str, Counts]] = {}
        self._windows: dict[tuple[bool, int], Mapping[str, Tally]] = {}
        self._recent: deque[tuple[float, Taken]] = deque()
        self._forgot_on = -1

    @property
    def today(self) -> int:
        """In days since the epoch."""
        return self._clock.now_ms() // HOUR_MS // HOURS_A_DAY

    def window(self, days: int) -> Mapping[str, Tally]:
        """What was counted for each model today and on the `days` - 1 days before, up to about a minute ago."""
        return self._window(self._by_model, days)

    def sources(self, days: int) -> Mapping[str, Tally]:
        """The same for each source, whichever model it was asked for."""
        return self._window(self._by_source, days)

    def day(self, day: int, model_id: str) -> Tally:
        """What was counted for a model on one of the last thirty days."""
        return Tally(summed(counts for counts in (self._by_model.get(day, {}).get(model_id),) if counts))

    def recent(self) -> Mapping[str, tuple[int, int]]:
        """Requests of this process in the last ten minutes by model: served, and lost."""
        found: dict[str, tuple[int, int]] = {}
        for _, taken in self._recent:
            for (model, _), tally in taken.items():
                served, lost = found.get(model, (0, 0))
                found[model] = (served + tally.served, lost + tally.lost)
        return found

    async def keep(self, flush_s: float) -> None:
        """Flush again and again, and now and then read what all gateways have flushed, until cancelled."""
        flushes = 0
        while True:
            try:
                if flushes % FLUSHES_A_REFRESH == 0:
                    await self.refresh()
                flushes += 1
                await asyncio.sleep(flush_s)
                await self.flush()
            except Exception as error:
                log.warning("uptime not kept, tried again soon: %r", error)
                await asyncio.sleep(flush_s)

    async def flush(self) -> None:
        """Store what was counted since the last time. What cannot be stored is counted on, and stored the next time."""
        taken = self._tallies.take()
        now = self._clock.now_ms()
        asked = [pair for pair, tally in taken.items() if tally.attempts]

        def work(connection: Connection) -> None:
            add(connection, now // HOUR_MS, taken)
            note_asked(connection, asked, now)

        if taken:
            try:
                await self._database.write(work)
            except Exception:
                self._tallies.give_back(taken)
                raise
        self._remember(taken)

    async def refresh(self) -> None:
        """Read the days that may have changed: all of them the first time, then the last two."""
        today = self.today
        if self._forgot_on != today:
            oldest = (today - self._retention_days) * HOURS_A_DAY
            await self._database.write(lambda connection: forget(connection, oldest))
        first = today - 1 if today - 1 in self._by_source else today - MOST_DAYS + 1
        self._take(await self._database.read(lambda connection: fetch_days(connection, first)), range(first, today + 1))
        self._forgot_on = today

    def _take(self, rows: Iterable[tuple[int, Pair, Counts]], days: range) -> None:
        """These are all the counts of these days; they end today."""
        known = range(days[-1] - MOST_DAYS + 1, days[0])
        fresh: list[dict[int, dict[str, Counts]]] = [
            {day: counts for day, counts in held.items() if day in known} | {day: {} for day in days}
            for held in (self._by_model, self._by_source)
        ]
        for day, pair, counts in rows:
            for held, name in zip(fresh, pair, strict=True):
                if day in days:
                    held[day][name] = summed([held[day].get(name, ZEROS), counts])
        self._by_model, self._by_source = fresh
        self._windows.clear()

    def _window(self, held: Mapping[int, Mapping[str, Counts]], days: int) -> Mapping[str, Tally]:
        which = held is self._by_model, days
        found = self._windows.get(which)
        if found is None:
            first = self.today - days + 1
            each = [counts for day, counts in held.items() if day >= first]
            names = {name for counts in each for name in counts}
            found = self._windows[which] = {
                name: Tally(summed(counts[name] for counts in each if name in counts)) for name in names
            }
        return found

    def _remember(self, taken: Taken) -> None:
        now = self._clock.monotonic()
        if taken:
            self._recent.append((now, taken))
        while self._recent and now - self._recent[0][0] > RECENT_S:
            self._recent.popleft()
