"""A chat customer down to its socket: reads replies event by event and leaves whenever it is told to."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import httptools

LINGER_ZERO = struct.pack("ii", 1, 0)
PATIENCE_S = 15.0


class Reply:
    """What came back. `is_whole`: the message ended as HTTP says; `has_done`: `[DONE]` was the last event."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.is_whole = False
        self.has_done = False
        self.words: list[str] = []
        self.errors: list[Any] = []
        self.usage: dict[str, Any] | None = None
        self.events_after_end = 0
        self._line = b""

    @property
    def is_stream(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def request_id(self) -> str:
        return self.headers.get("x-request-id", "")

    @property
    def is_complete(self) -> bool:
        """A good answer, to its last byte."""
        if self.status != 200 or not self.is_whole:
            return False
        return self.has_done and not self.errors if self.is_stream else self.usage is not None

    def feed(self, data: bytes) -> None:
        """More of the body."""
        self.body += data
        if self.is_stream:
            *lines, self._line = (self._line + data).split(b"\n")
            for line in lines:
                if line.startswith(b"data: "):
                    self._read_event(line[6:])

    def end(self) -> None:
        """The message is whole."""
        self.is_whole = True
        if not self.is_stream and self.headers.get("content-type", "").startswith("application/json"):
            answer = json.loads(self.body)
            self.usage = answer.get("usage")
            self.errors += [answer["error"]] if "error" in answer else []
            for choice in answer.get("choices", ()):
                self.words += (choice["message"]["content"] or "").split()

    def _read_event(self, payload: bytes) -> None:
        if self.has_done or self.errors:
            self.events_after_end += 1
        elif payload.strip() == b"[DONE]":
            self.has_done = True
        else:
            chunk = json.loads(payload)
            self.errors += [chunk["error"]] if "error" in chunk else []
            self.usage = chunk.get("usage") or self.usage
            for choice in chunk.get("choices", ()):
                self.words += (choice["delta"].get("content") or "").split()


class _Wire(asyncio.Protocol):
    """One reply at a time on one connection."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.is_lost = False
        self._parser = httptools.HttpResponseParser(self)
        self._until: Callable[[Reply], bool] | None = None
        self._over: asyncio.Future[None] | None = None

    def expect(self, until: Callable[[Reply], bool] | None) -> "asyncio.Future[None]":
        """Done when the reply is whole, the connection is lost or `until` says that it is enough."""
        self.reply, self._until = Reply(), until
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

    async def chat(self, fields: dict[str, object], until: Callable[[Reply], bool] | None = None) -> Reply:
        """Post a chat; the whole reply, or what there is of it: when `until` is true, when the line is dead,
        or when patience ends. Raises: OSError when nobody listens.
        """
        over = await self.post(fields, until)
        await asyncio.wait((over,), timeout=PATIENCE_S)
        assert self._wire is not None
        return self._wire.reply

    async def post(
        self, fields: dict[str, object], until: Callable[[Reply], bool] | None = None
    ) -> "asyncio.Future[None]":
        """Send a chat and return at once with what `chat` waits for."""
        if self._wire is None or self._wire.is_lost:
            loop = asyncio.get_running_loop()
            self._transport, self._wire = await loop.create_connection(_Wire, "127.0.0.1", self._port)
        assert self._transport is not None
        body = json.dumps(fields).encode()
        over = self._wire.expect(until)
        self._transport.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer %b\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (self._key.encode(), len(body), body)
        )
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


def question(model: str, *, words: int = 3, max_tokens: int = 64, is_streaming: bool = False) -> dict[str, object]:
    """A chat request whose prompt has that many words; a stream asks for its usage."""
    prompt = " ".join(f"q{number}" for number in range(words))
    fields: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    fields["max_tokens"] = max_tokens
    if is_streaming:
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
    return fields
