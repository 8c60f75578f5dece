"""Which sources are due for a probe, and what probes may still cost today: one answer for all gateways on a database.

A day is a UTC day. Whatever a probe may come to is taken from the day's budget before it is sent, and the difference is
given back afterwards, so that also probes that run at once cannot pass it. One that a crash cut off stays taken.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from kyma.core.ids import DAY_MS, Clock
from kyma.core.money import Nanos
from kyma.storage.database import Database
from kyma.uptime.store import Pair, claim, correct_budget, fetch_asked, note_asked, take_budget


class ProbeBudget:
    """The turns and the money of scheduled probes. `budget` is for a day, in nano-dollars."""

    def __init__(self, database: Database, clock: Clock, interval_s: float, budget: Nanos) -> None:
        self._database = database
        self._clock = clock
        self._interval_ms = round(interval_s * 1000)
        self._budget = budget

    async def due(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Those that nobody has asked for an interval."""
        asked = await self._database.read(fetch_asked)
        before = self._clock.now_ms() - self._interval_ms
        return [pair for pair in pairs if asked.get(pair, before) <= before]

    async def take(self, pair: Pair, bound: Nanos) -> int | None:
        """The day that `bound` was taken from for a probe of `pair`, which is the caller's to make.

        None if the budget does not allow it, or somebody else has asked the source meanwhile.
        """
        now = self._clock.now_ms()
        day = now // DAY_MS

        def work(connection: Connection) -> int | None:
            if not take_budget(connection, day, bound, self._budget):
                return None
            if not claim(connection, pair, now, now - self._interval_ms):
                correct_budget(connection, day, -bound)
                return None
            return day

        return await self._database.write(work)

    async def settle(self, pair: Pair, day: int, bound: Nanos, cost: Nanos) -> None:
        """A probe is over. A source that charged more than it was asked for is not probed again before tomorrow."""
        tomorrow = (day + 1) * DAY_MS

        def work(connection: Connection) -> None:
            correct_budget(connection, day, cost - bound)
            if cost > bound:
                note_asked(connection, [pair], tomorrow - self._interval_ms)

        await self._database.write(work)
