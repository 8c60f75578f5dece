"""Which sources operators have taken out of service by hand: kept in the database, asked in memory."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from kyma.core.ids import Clock
from kyma.core.model import Route
from kyma.routing.store import SwitchRow, fetch_off, put_switch
from kyma.storage.database import Database

log = logging.getLogger("kyma.routing")

POLL_S = 2.0
"""How soon the other gateways on the same database follow."""


class Switches:
    """Switched-off routes and providers. A source is on while neither it nor its provider is switched off."""

    def __init__(
        self, database: Database, clock: Clock, on_change: Callable[[frozenset[str]], None] = lambda off: None
    ) -> None:
        """`on_change` is told of everything that is off, whenever that has been read."""
        self._database = database
        self._clock = clock
        self._on_change = on_change
        self._off: Mapping[str, SwitchRow] = {}
        self._turn = asyncio.Lock()

    def is_on(self, route: Route) -> bool:
        """Whether `route` may have traffic."""
        return not self._off or not (route.id in self._off or route.provider.id in self._off)

    def find(self, target: str) -> SwitchRow | None:
        """Who switched this route or provider off, and when; None while its own switch is on."""
        return self._off.get(target)

    async def switch(self, target: str, is_on: bool, switched_by: str) -> None:
        """Keep the word of `switched_by`, a user's id, on a route's or a provider's id; here it counts at once."""
        row = SwitchRow(target, is_on, switched_by, self._clock.now_ms())
        async with self._turn:
            await self._database.write(lambda connection: put_switch(connection, row))
            await self._renew()
        log.warning("%s is switched %s by %s", target, "on" if is_on else "off", switched_by)

    async def load(self) -> None:
        """Take over what stands in the database. One at a time: an older reading must not undo a newer switch."""
        async with self._turn:
            await self._renew()

    async def follow(self) -> None:
        """Keep up with the other gateways, until cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.load()
            except Exception as error:
                log.warning("switches of sources not read, tried again soon: %r", error)

    async def _renew(self) -> None:
        self._off = {row.target: row for row in await self._database.read(fetch_off)}
        self._on_change(frozenset(self._off))
