"""What stands between an agent and the gateway: a relay that notes each answer, and a trap for who calls elsewhere.

Bytes pass unchanged. What is noted is the address, the status and the headers about translation; no body is kept but an
error's.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import httptools
import msgspec

NOTED = ("x-kyma-dropped", "x-kyma-emulated", "x-kyma-model")
KEPT_ERROR_BYTES = 500
CHUNK_BYTES = 65_536


class Heard(msgspec.Struct):
    """One request and its answer, as far as it has come; status 0: none."""

    method: str
    path: str
    status: int = 0
    headers: dict[str, str] = {}
    error: bytes = b""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status} {self.error.decode(errors='replace')}".strip()


class _OnLoopback:
    """A server on a port of its own, for as long as it is entered."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See one connection to its end."""
        raise NotImplementedError


class Tap(_OnLoopback):
    """A relay to one port on loopback; `heard` is what passed it, in order."""

    def __init__(self, target_port: int) -> None:
        super().__init__()
        self.heard: list[Heard] = []
        self._target_port = target_port

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        waiting: deque[Heard] = deque()
        requests, answers = _Requests(self.heard, waiting), _Answers(waiting)
        async with asyncio.TaskGroup() as both:
            both.create_task(_pour(reader, far_writer, requests.feed))
            both.create_task(_pour(far_reader, writer, answers.feed))


class Trap(_OnLoopback):
    """A proxy that refuses everybody and remembers whom they wanted to reach."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted: list[str] = []

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opening = (await reader.readline()).decode("latin-1").strip()
        self.wanted.append(opening)
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()


class _Requests:
    """One direction of one connection: every request is noted when its head is there."""

    def __init__(self, heard: list[Heard], waiting: deque[Heard]) -> None:
        self._heard, self._waiting = heard, waiting
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_headers_complete(self) -> None:
        heard = Heard(self._parser.get_method().decode(), self._url.decode("latin-1"))
        self._url = b""
        self._heard.append(heard)
        self._waiting.append(heard)


class _Answers:
    """The other direction: each answer belongs to the oldest request without one."""

    def __init__(self, waiting: deque[Heard]) -> None:
        self._waiting = waiting
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if (known := name.decode("latin-1").lower()) in NOTED:
            self._waiting[0].headers[known] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._waiting[0].status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        if not self._waiting[0].is_good:
            self._waiting[0].error = (self._waiting[0].error + body)[:KEPT_ERROR_BYTES]

    def on_message_complete(self) -> None:
        self._waiting.popleft()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[bytes], None]) -> None:
    """Everything from here to there; who hangs up on one side is hung up on at the other."""
    with suppress(ConnectionError):
        while data := await reader.read(CHUNK_BYTES):
            note(data)
            writer.write(data)
            await writer.drain()
    writer.close()
