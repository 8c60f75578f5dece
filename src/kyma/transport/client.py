"""Sends paid calls upstream: finds or makes a connection, and resends once if an idle one turns out to be stale.

What costs nothing has a door of its own, `fetch_free`.
"""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from kyma.core.errors import Unreachable, UpstreamFailed, UpstreamTimeout
from kyma.core.money import Hold
from kyma.core.upstream import Origin, UpstreamRequest
from kyma.transport.connection import Connection, Dropped
from kyma.transport.head import request_head
from kyma.transport.pool import Pool
from kyma.transport.resolver import Resolver
from kyma.transport.response import Response


def default_ssl_context() -> ssl.SSLContext:
    """The system's trust store, host names checked, HTTP/1.1 only."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class HttpClient:
    """An HTTP/1.1 client with a keep-alive pool per origin. It belongs to one event loop.

    `ssl_context_factory` is called once, at the first TLS origin.
    """

    def __init__(
        self,
        *,
        max_idle_per_origin: int = 256,
        idle_keep_s: float = 55.0,
        ssl_context_factory: Callable[[], ssl.SSLContext] | None = None,
        max_header_bytes: int = 65536,
        resolver: Resolver | None = None,
    ) -> None:
        self._max_idle_per_origin = max_idle_per_origin
        self._idle_keep_s = idle_keep_s
        self._max_header_bytes = max_header_bytes
        self._ssl_context_factory = ssl_context_factory or default_ssl_context
        self._ssl_context: ssl.SSLContext | None = None
        self._resolver = resolver or Resolver()
        self._pools: dict[Origin, Pool] = {}
        self._is_closed = False

    @property
    def open_connections(self) -> int:
        """Connections that exist, those being made included."""
        return sum(len(pool.open) for pool in self._pools.values())

    @property
    def idle_connections(self) -> int:
        """Connections that wait in a pool."""
        return sum(len(pool.idle) for pool in self._pools.values())

    def send(
        self, request: UpstreamRequest, hold: Hold, on_begun: Callable[[Response], None] | None = None
    ) -> Coroutine[Any, Any, Response]:
        """Send a call that `hold` pays for; returns once status and headers are in, whatever the status.

        A connection that was idle and dies without a byte of an answer is replaced once: the peer closed it while the
        request was under way, so almost surely never acted on it. `on_begun` gets each response as soon as its request
        is written, so that others may abort it before its head is in.
        Raises: UpstreamTimeout, Unreachable, Garbled; TypeError without a hold; ValueError for a request that cannot be
        written as HTTP. Cancelling closes the connection.
        """
        if not isinstance(hold, Hold):
            raise TypeError("No hold, no call.")
        return self._send(request, on_begun)

    async def fetch_free(self, request: UpstreamRequest, *, limit_bytes: int, within_s: float) -> bytes:
        """The body of a 200 to a call that nobody charges for, e.g. for a list of models; so it takes no hold.

        For discovery alone. Raises: UpstreamFailed for another status, Garbled for a larger body, UpstreamTimeout when
        all of it takes longer, and what `send` raises.
        """
        try:
            async with asyncio.timeout(within_s):
                response = await self._send(request, None)
                if response.status == 200:
                    return await response.read(limit_bytes)
        except TimeoutError as error:
            raise UpstreamTimeout(f"No whole answer within {within_s:g} s.") from error
        response.abort()
        raise UpstreamFailed(f"HTTP {response.status}", upstream_status=response.status)

    async def close(self) -> None:
        """Close every connection and wait until they are gone; calls under way fail as Unreachable."""
        self._is_closed = True
        going = [connection.lost for pool in self._pools.values() for connection in pool.close()]
        if going:
            await asyncio.wait(going)

    async def _send(self, request: UpstreamRequest, on_begun: Callable[[Response], None] | None) -> Response:
        pool = self._pools.get(request.origin) or self._open_pool(request.origin)
        head = request_head(request, pool.host_header)
        connection = pool.take()
        if connection is not None:
            try:
                response = connection.begin(head, request)
                if on_begun is not None:
                    on_begun(response)
                await response.start(request.timeouts.first_byte_s)
                return response
            except Dropped:
                pass
        connection = await self._connect(pool, request.timeouts.connect_s)
        response = connection.begin(head, request)
        if on_begun is not None:
            on_begun(response)
        await response.start(request.timeouts.first_byte_s)
        return response

    def _open_pool(self, origin: Origin) -> Pool:
        loop = asyncio.get_running_loop()
        pool = Pool(origin, loop, self._max_idle_per_origin, self._idle_keep_s, self._max_header_bytes)
        self._pools[origin] = pool
        return pool

    async def _connect(self, pool: Pool, connect_s: float) -> Connection:
        """Try the origin's addresses in turn, each for its share of what is left of `connect_s`."""
        origin = pool.origin
        place = f"{origin.host}:{origin.port}"
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + connect_s
        failure: Exception | None = None
        try:
            async with asyncio.timeout_at(ends_at):
                addresses = await self._resolver.addresses(origin.host)
        except TimeoutError as error:
            raise UpstreamTimeout(f"{origin.host} was not resolved within {connect_s:g} s.") from error
        except (OSError, ValueError) as error:
            raise Unreachable(f"{origin.host} cannot be resolved.") from error
        for tried, address in enumerate(addresses):
            try:
                async with asyncio.timeout((ends_at - loop.time()) / (len(addresses) - tried)):
                    connection = await self._connect_to(pool, address)
            except (OSError, ValueError) as error:
                failure = error
            else:
                self._resolver.prefer(origin.host, address)
                return connection
        if isinstance(failure, TimeoutError):
            raise UpstreamTimeout(f"No connection to {place} within {connect_s:g} s.") from failure
        raise Unreachable(f"No connection to {place}: {type(failure).__name__}.") from failure

    async def _connect_to(self, pool: Pool, address: str) -> Connection:
        if self._is_closed:
            raise Unreachable("The transport is closed.")
        origin = pool.origin
        connection = pool.new()
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: connection,
                address,
                origin.port,
                ssl=self._tls_context() if origin.is_tls else None,
                server_hostname=origin.host if origin.is_tls else None,
            )
        except BaseException:
            connection.discard()
            raise
        return connection

    def _tls_context(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = self._ssl_context_factory()
        return self._ssl_context
