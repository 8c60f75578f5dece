"""A scripted TCP peer on loopback, and the requests that tests send to it."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from kyma.core.money import Hold
from kyma.core.upstream import Origin, Timeouts, UpstreamRequest

HOLD = Hold(request_id="req_1", account_id="acc_1", lease_id="hold_1", amount=1_000)
SHORT = Timeouts(connect_s=0.2, first_byte_s=0.2, idle_s=0.2)
PATIENT = Timeouts(connect_s=5, first_byte_s=5, idle_s=5)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Link:
    """One accepted connection, `number` counting from 1."""

    def __init__(self, peer: "Peer", number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer = peer
        self.number = number
        self.reader = reader
        self.writer = writer

    async def head(self) -> bytes:
        """The next request up to its blank line."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def request(self) -> bytes:
        """The next whole request, which `peer.requests` remembers."""
        head = await self.head()
        size = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        request = head + await self.reader.readexactly(size)
        self.peer.requests.append(request)
        return request

    async def say(self, *pieces: bytes) -> None:
        """Send the pieces so that they arrive apart."""
        for position, piece in enumerate(pieces):
            if position:
                await asyncio.sleep(0.01)
            if self.writer.transport.is_closing():
                raise ConnectionResetError("the other side has left")
            self.writer.write(piece)
            await self.writer.drain()

    async def closed(self) -> None:
        """Return when the other side has closed."""
        while await self.reader.read(65536):
            pass

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[[Link], Awaitable[None]]


class Peer:
    """A server that runs `script` on every connection and closes it when the script ends."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed_connections = 0
        self._script = script
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[Exception] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failures and error is None:
            raise self._failures[0]

    @property
    def origin(self) -> Origin:
        return Origin(host="127.0.0.1", port=self.port, is_tls=self._tls is not None)

    def post(self, body: bytes = b"hello", timeouts: Timeouts = PATIENT, method: str = "POST") -> UpstreamRequest:
        return UpstreamRequest(
            method=method, origin=self.origin, target="/v1/chat", headers=(), body=body, timeouts=timeouts
        )

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._run(Link(self, self.connections, reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, link: Link) -> None:
        try:
            await self._script(link)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except Exception as failure:
            self._failures.append(failure)
        finally:
            self.closed_connections += 1
            link.writer.close()


def answering(*pieces: bytes) -> Script:
    """A peer that answers every request of a connection with these bytes."""

    async def script(link: Link) -> None:
        while True:
            await link.request()
            await link.say(*pieces)

    return script


def answering_once(*pieces: bytes) -> Script:
    """A peer that answers one request and closes."""

    async def script(link: Link) -> None:
        await link.request()
        await link.say(*pieces)

    return script


async def settled(fact: Callable[[], bool], within_s: float = 5.0) -> None:
    """Return once `fact` holds. Raises: AssertionError if it does not in time."""
    ends_at = asyncio.get_running_loop().time() + within_s
    while not fact():
        assert asyncio.get_running_loop().time() < ends_at, "it did not come true in time"
        await asyncio.sleep(0.005)
