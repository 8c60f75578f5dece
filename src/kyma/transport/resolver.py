"""Names to addresses, remembered for a short while. Knows nothing of connections."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

Lookup = Callable[[str], Awaitable[tuple[str, ...]]]


async def system_lookup(host: str) -> tuple[str, ...]:
    """The addresses of `host` in the order the system prefers. Raises: OSError, ValueError for an impossible name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class Resolver:
    """Answers from memory for `ttl_s`; callers that ask at once share one look-up.

    When a renewal fails, the old answer is good for another `ttl_s`: a hiccup of DNS then fails no call.
    """

    def __init__(self, lookup: Lookup = system_lookup, ttl_s: float = 30.0) -> None:
        self._lookup = lookup
        self._ttl_s = ttl_s
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._running: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, host: str) -> tuple[str, ...]:
        """At least one IP address. Raises: OSError or ValueError if there is none."""
        if _is_literal(host):
            return (host,)
        expires_at, known = self._known.get(host, (0.0, ()))
        if known and asyncio.get_running_loop().time() < expires_at:
            return known
        task = self._running.get(host)
        if task is None:
            task = self._running[host] = asyncio.create_task(self._renew(host, known))
            task.add_done_callback(lambda done: self._end(host, done))
        return await asyncio.shield(task)

    def prefer(self, host: str, address: str) -> None:
        """Put the address that answered first, so that a dead one before it costs only one call its time."""
        expires_at, known = self._known.get(host, (0.0, ()))
        if known and known[0] != address:
            self._known[host] = (expires_at, (address, *(other for other in known if other != address)))

    async def _renew(self, host: str, known: tuple[str, ...]) -> tuple[str, ...]:
        try:
            addresses = await self._lookup(host)
            if not addresses:
                raise OSError(f"{host} has no address")
        except (OSError, ValueError):
            if not known:
                raise
            addresses = known
        self._known[host] = (asyncio.get_running_loop().time() + self._ttl_s, addresses)
        return addresses

    def _end(self, host: str, task: asyncio.Task[tuple[str, ...]]) -> None:
        del self._running[host]
        if not task.cancelled():
            task.exception()  # seen here, because every caller may have left by now


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
