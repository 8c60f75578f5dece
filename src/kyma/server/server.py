"""Listening, accepting many connections a turn, tending them once a second, stopping without cutting anybody off."""

import asyncio
import contextlib
import logging
import resource
import signal
import socket
from collections.abc import Callable
from email.utils import formatdate

import msgspec

from kyma.core.errors import KymaError
from kyma.server.connection import Connection
from kyma.server.exchange import Application, Exchange

log = logging.getLogger("kyma.server")

ACCEPTS_PER_TURN = 64
BACKLOG = 4096
LOOK_AWAY_S = 0.2
TICK_S = 1.0
DISCARD_S = 2.0

RenderError = Callable[[str, KymaError], bytes]


class ServerLimits(msgspec.Struct, frozen=True):
    """What a stranger may send, and for how long the server waits for it."""

    head_bytes: int = 32 * 1024
    body_bytes: int = 10 * 1024 * 1024
    head_s: float = 10.0
    body_s: float = 60.0
    idle_s: float = 75.0


class Server:
    """One ASGI application on some listeners. `render(path, error)` words what is refused before it is a request."""

    def __init__(self, app: Application, render: RenderError, limits: ServerLimits) -> None:
        self._app = app
        self._limits = limits
        self._connections: set[Connection] = set()
        self._running: dict[Exchange, asyncio.Task[None]] = {}
        self._connecting: set[asyncio.Task[object]] = set()
        self._stop = asyncio.Event()
        self.render = render
        self.head_limit_bytes = limits.head_bytes
        self.body_limit_bytes = limits.body_bytes
        self.is_stopping = False
        self.date = _date()

    async def serve(
        self, listeners: list[socket.socket], shutdown_s: float, on_stop: Callable[[], None] = lambda: None
    ) -> None:
        """Serve until SIGTERM or SIGINT, call `on_stop`, then let open requests end for up to `shutdown_s` seconds."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        for listener in listeners:
            loop.add_reader(listener, self._accept, listener)
        ticking = loop.create_task(self._tick())
        await self._stop.wait()
        on_stop()
        for listener in listeners:
            loop.remove_reader(listener)
            listener.close()
        await self._drain(shutdown_s)
        ticking.cancel()

    def opened(self, connection: Connection) -> None:
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def start(self, exchange: Exchange) -> None:
        self._running[exchange] = asyncio.get_running_loop().create_task(self._run(exchange))

    async def _run(self, exchange: Exchange) -> None:
        scope = exchange.scope
        scope["exchange"] = exchange
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception:
            log.exception("the application failed on %s %s", scope["method"], scope["path"])
        finally:
            del self._running[exchange]
        if not exchange.is_done:
            log.error("no complete response to %s %s", scope["method"], scope["path"])
            exchange.abort()
        scope.clear()  # it leads back to the exchange, so only the collector would free what a request has made

    async def _drain(self, shutdown_s: float) -> None:
        self.is_stopping = True
        for connection in tuple(self._connections):
            if connection.state != "busy":
                connection.close()
        if self._running:
            await asyncio.wait(tuple(self._running.values()), timeout=shutdown_s)
        cut = tuple(self._running.values())
        for task in cut:
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)
        for connection in tuple(self._connections):
            connection.close()

    async def _tick(self) -> None:
        """Once a second: the date, and patience with clients who keep us waiting."""
        loop, limits = asyncio.get_running_loop(), self._limits
        patience = {"idle": limits.idle_s, "head": limits.head_s, "body": limits.body_s}
        while True:
            await asyncio.sleep(TICK_S)
            self.date = _date()
            now = loop.time()
            for connection in tuple(self._connections):
                if connection.is_discarding:
                    if now - connection.waits_since > DISCARD_S:
                        connection.close()
                elif now - connection.waits_since > patience.get(connection.state, float("inf")):
                    connection.time_out()

    def _accept(self, listener: socket.socket) -> None:
        """Take up to 64 connections: uvloop's own listener takes one a turn, and newcomers starve beside streams."""
        loop = asyncio.get_running_loop()
        for _ in range(ACCEPTS_PER_TURN):
            try:
                client, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError:  # out of file descriptors: the listener stays readable, so look away for a moment
                loop.remove_reader(listener)
                loop.call_later(LOOK_AWAY_S, self._look_again, listener)
                return
            client.setblocking(False)
            with contextlib.suppress(OSError):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(loop.connect_accepted_socket(lambda: Connection(self, loop), client))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    def _look_again(self, listener: socket.socket) -> None:
        if not self._stop.is_set():
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; a name is resolved to its first address. Raises: OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def raise_file_limit() -> None:
    """As many open files as the machine allows: each stream needs two."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _date() -> bytes:
    return b"date: %b\r\n" % formatdate(usegmt=True).encode()
