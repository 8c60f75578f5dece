"""A chat customer down to its socket: reads replies event by event and leaves whenever it is told to."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable

import httptools
import msgspec

from tests.accept.dialects import CHAT, Dialect, Json, Said

LINGER_ZERO = struct.pack("ii", 1, 0)
PATIENCE_S = 15.0


class Reply:
    """What came back. `is_whole`: the message ended as HTTP says; `has_done`: the dialect's last event has come."""

    def __init__(self, dialect: Dialect = CHAT) -> None:
        self.dialect = dialect
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.is_whole = False
        self.has_done = False
        self.has_finish = False
        self.words: list[str] = []
        self.errors: list[Json] = []
        self.faults: list[str] = []
        """What no client of this dialect expects."""
        self.usage: Json | None = None
        self.events_after_end = 0
        self._line = b""
        self._name = ""
        self._number = 0

    @property
    def is_stream(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def request_id(self) -> str:
        return self.headers.get("x-request-id", "")

    @property
    def is_complete(self) -> bool:
        """A good answer, to its last byte."""
        if self.status != 200 or not self.is_whole or self.errors or self.faults:
            return False
        return self.has_done and self.has_finish if self.is_stream else self.usage is not None

    @property
    def looks_finished(self) -> bool:
        """Something in the stream says that the answer is complete."""
        return self.has_done or self.has_finish

    def feed(self, data: bytes) -> None:
        """More of the body."""
        self.body += data
        if self.is_stream:
            *lines, self._line = (self._line + data).split(b"\n")
            for line in lines:
                if line.startswith(b"event: "):
                    self._name = line[7:].decode()
                elif line.startswith(b"data: "):
                    self._read_event(line[6:])

    def end(self) -> None:
        """The message is whole."""
        self.is_whole = True
        if not self.is_stream and self.headers.get("content-type", "").startswith("application/json"):
            self._take(self.dialect.read_body(json.loads(self.body)), self.dialect.error_fields)

    def _read_event(self, payload: bytes) -> None:
        self.events_after_end += self.has_done or bool(self.errors)
        if payload.strip() == b"[DONE]" and self.dialect.ends_with_done:
            self.has_done = True
            return
        event = json.loads(payload)
        if self.dialect.names_events and event["type"] != self._name:
            self.faults.append(f"an event {event['type']} is named {self._name!r}")
        if (number := event.get("sequence_number", self._number)) != self._number:
            self.faults.append(f"event {number} follows {self._number - 1}")
        self._number += 1
        self._take(self.dialect.read_event(event), self.dialect.broken_fields)

    def _take(self, said: Said, error_fields: frozenset[str]) -> None:
        self.words += said.text.split()
        self.usage = said.usage or self.usage
        self.has_finish |= said.is_finish
        self.has_done |= said.is_last
        if said.error is not None:
            self.errors.append(said.error)
            if not error_fields <= said.error.keys() or not said.error["message"]:
                self.faults.append(f"an error of another form: {said.error}")


class Question(msgspec.Struct, frozen=True):
    """A request to be sent, and in whose words its answer is to be read; `headers` are lines."""

    dialect: Dialect
    path: str
    body: bytes
    method: str = "POST"
    headers: tuple[str, ...] = ()

    def written(self, key: str) -> bytes:
        """All of its bytes."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "host: 127.0.0.1", f"{self.dialect.key_header} {key}"]
        lines += ["content-type: application/json", f"content-length: {len(self.body)}", *self.headers]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


def question(
    model: str,
    *,
    dialect: Dialect = CHAT,
    words: int = 3,
    max_tokens: int = 64,
    is_streaming: bool = False,
    **fields: object,
) -> Question:
    """A request whose prompt has that many words; a stream asks for its usage."""
    prompt = " ".join(f"q{number}" for number in range(words))
    body = dialect.ask(prompt, model, max_tokens, is_streaming) | fields
    return Question(dialect, dialect.path(model, is_streaming), json.dumps(body).encode())


class _Wire(asyncio.Protocol):
    """One reply at a time on one connection."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.is_lost = False
        self._parser = httptools.HttpResponseParser(self)
        self._until: Callable[[Reply], bool] | None = None
        self._over: asyncio.Future[None] | None = None

    def expect(self, dialect: Dialect, until: Callable[[Reply], bool] | None) -> "asyncio.Future[None]":
        """Done when the reply is whole, the connection is lost or `until` says that it is enough."""
        self.reply, self._until = Reply(dialect), until
        self._over = asyncio.get_running_loop().create_future()
        return self._over

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self._finish()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.reply.headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self) -> None:
        self.reply.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.reply.feed(body)
        if self._until is not None and self._until(self.reply):
            self._finish()

    def on_message_complete(self) -> None:
        self.reply.end()
        self._parser = httptools.HttpResponseParser(self)
        self._finish()

    def _finish(self) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(None)


class Client:
    """A customer with a key and one connection, opened anew whenever it is gone."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._key = key
        self._wire: _Wire | None = None
        self._transport: asyncio.Transport | None = None

    async def chat(self, question: Question, until: Callable[[Reply], bool] | None = None) -> Reply:
        """Put a question; the whole reply, or what there is of it: when `until` is true, when the line is dead,
        or when patience ends. Raises: OSError when nobody listens.
        """
        over = await self.post(question, until)
        await asyncio.wait((over,), timeout=PATIENCE_S)
        assert self._wire is not None
        return self._wire.reply

    async def post(
        self, question: Question, until: Callable[[Reply], bool] | None = None, *, share: float = 1.0
    ) -> "asyncio.Future[None]":
        """Send a question, or only this share of its bytes, and return at once with what `chat` waits for."""
        if self._wire is None or self._wire.is_lost:
            loop = asyncio.get_running_loop()
            self._transport, self._wire = await loop.create_connection(_Wire, "127.0.0.1", self._port)
        assert self._transport is not None
        written = question.written(self._key)
        over = self._wire.expect(question.dialect, until)
        self._transport.write(written[: int(share * len(written))])
        return over

    @property
    def reply(self) -> Reply:
        """The reply so far."""
        assert self._wire is not None
        return self._wire.reply

    def leave(self, *, reset: bool = False) -> int:
        """Close the connection here and now, with a FIN or a RST; the epoch milliseconds of that moment."""
        if self._transport is not None:
            if reset:
                raw = self._transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            self._transport.abort()
        self._wire = self._transport = None
        return time.time_ns() // 1_000_000
