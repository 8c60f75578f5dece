"""The connections to one origin: which are idle, and for how long they may stay so."""

import asyncio

from kyma.core.upstream import Origin
from kyma.transport.connection import Connection


class Pool:
    """Hands out the connection that became idle last and closes those idle for `idle_keep_s`."""

    def __init__(
        self, origin: Origin, loop: asyncio.AbstractEventLoop, max_idle: int, idle_keep_s: float, max_header_bytes: int
    ) -> None:
        self.origin = origin
        self.host_header = origin.host_header.encode("ascii")
        self.open: set[Connection] = set()
        self.idle: list[Connection] = []
        self._loop = loop
        self._max_idle = max_idle
        self._idle_keep_s = idle_keep_s
        self._max_header_bytes = max_header_bytes
        self._sweep_timer: asyncio.TimerHandle | None = None

    def new(self) -> Connection:
        """A connection to be connected; it comes back by itself after each answer that allows it."""
        connection = Connection(self._loop, self._max_header_bytes, self._put, self._forget)
        self.open.add(connection)
        return connection

    def take(self) -> Connection | None:
        """An idle connection, if any."""
        while self.idle:
            connection = self.idle.pop()
            if connection.is_usable:
                return connection
        return None

    def close(self) -> list[Connection]:
        """Close every connection, so that answers under way fail; returns those whose end is still to come."""
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        self.idle.clear()
        for connection in list(self.open):
            connection.break_off()
        return list(self.open)

    def _put(self, connection: Connection) -> None:
        if len(self.idle) >= self._max_idle:
            connection.abort()
            return
        connection.idle_since = self._loop.time()
        self.idle.append(connection)
        if self._sweep_timer is None:
            self._sweep_timer = self._loop.call_later(self._idle_keep_s, self._sweep)

    def _forget(self, connection: Connection) -> None:
        self.open.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)

    def _sweep(self) -> None:
        """Close what has been idle too long; the list is in order of time, so those are its first ones."""
        now = self._loop.time()
        expired = 0
        while expired < len(self.idle) and self.idle[expired].idle_since + self._idle_keep_s <= now:
            self.idle[expired].abort()
            expired += 1
        del self.idle[:expired]
        self._sweep_timer = None
        if self.idle:
            self._sweep_timer = self._loop.call_at(self.idle[0].idle_since + self._idle_keep_s, self._sweep)
