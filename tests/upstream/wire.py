"""HTTP/1.1 for one connection: requests in, one answer at a time out. Knows nothing of chats or scripts."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable
from typing import Protocol, cast

import httptools
import msgspec

REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
LINGER_ZERO = struct.pack("ii", 1, 0)


class Request(msgspec.Struct):
    """A complete request; header names in lower case, `query` without its question mark."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    keeps_alive: bool


class App(Protocol):
    """What answers requests."""

    def answer_at_once(self, request: Request) -> bytes | None:
        """A whole response for what needs no waiting; None sends the request to `answer`."""
        ...

    def answer(self, request: Request, exchange: "Exchange") -> Awaitable[None]:
        """Write the answer to `exchange`; cancelled when the client leaves."""
        ...


def render(status: int, body: bytes, content_type: str, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """A whole response with its length."""
    return _head(status, content_type, (("content-length", str(len(body))), *headers)) + body


class Exchange:
    """One answer being written. Chunked after `begin`; `send` waits while the client reads slowly."""

    def __init__(self, connection: "Connection", transport: asyncio.Transport) -> None:
        self._connection = connection
        self._transport = transport
        self.is_cut = False
        self.is_bytewise = False
        """Every byte is written alone, and of a chunked answer it is a chunk of its own."""

    async def send_raw(self, data: bytes) -> None:
        """Bytes as they are: a whole response from `render`, or a broken part of one."""
        for piece in _bytes_of(data) if self.is_bytewise else (data,):
            self._transport.write(piece)
            await self._connection.writable.wait()
            if self.is_bytewise:
                await asyncio.sleep(0)

    async def begin(self, status: int, content_type: str) -> None:
        """Head of a chunked answer."""
        await self.send_raw(
            _head(status, content_type, (("transfer-encoding", "chunked"), ("cache-control", "no-cache")))
        )

    async def send(self, data: bytes) -> None:
        """One chunk."""
        for piece in _bytes_of(data) if self.is_bytewise else (data,):
            await self.send_raw(b"%x\r\n%b\r\n" % (len(piece), piece))

    async def end(self) -> None:
        """The last, empty chunk."""
        await self.send_raw(b"0\r\n\r\n")

    async def cut(self, reset: bool) -> None:
        """Close the connection here and now: with a FIN after what was written, or with a RST."""
        self.is_cut = True
        if not reset:
            self._transport.close()
            return
        await asyncio.sleep(0.02)  # a RST may overtake bytes that the client has not read yet
        raw: socket.socket = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self._transport.abort()


class Connection(asyncio.Protocol):
    """One client. Requests that arrive early wait; a client that leaves cancels the answer it was given."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.writable.set()
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(render(400, b"not HTTP/1.1", "text/plain"))
            self._transport.close()

    def on_message_begin(self) -> None:
        self._url, self._headers, self._body = b"", {}, []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        path, _, query = self._url.decode("latin-1").partition("?")
        method = self._parser.get_method().decode()
        keeps_alive = self._parser.should_keep_alive()
        request = Request(method, path, query, self._headers, b"".join(self._body), keeps_alive)
        if self._task is not None:
            self._waiting.append(request)
        else:
            self._answer(request)

    def _answer(self, request: Request) -> None:
        response = self._app.answer_at_once(request)
        if response is not None:
            self._transport.write(response)
            self._end(request)
            return
        self._task = asyncio.get_running_loop().create_task(self._run(request))

    async def _run(self, request: Request) -> None:
        exchange = Exchange(self, self._transport)
        try:
            await self._app.answer(request, exchange)
        finally:
            self._task = None
        self._end(request)
        while self._waiting and self._task is None:
            self._answer(self._waiting.popleft())

    def _end(self, request: Request) -> None:
        if not request.keeps_alive:
            self._transport.close()


def _bytes_of(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def _head(status: int, content_type: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", f"content-type: {content_type}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
