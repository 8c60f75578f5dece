"""The upstream of the bench: as little work as Python can do, so that the proxy in front is what is measured.

A chat whose model is `bench-paced-MS` gets an event every MS milliseconds until it leaves; any other chat gets one
constant reply of 1 KB. All streams share one timer, spread evenly over the interval.
"""

import asyncio
import json
import signal
import socket
from typing import cast

import httptools
import uvloop
from tests.upstream.listen import Acceptor, open_listener

REPLY_BYTES = 1024
PACED_PREFIX = "bench-paced-"
SLOT_MS = 1
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n"
)


class Pacer:
    """Writes `event` to each of its streams once an interval, a slot of streams every `SLOT_MS`."""

    def __init__(self, interval_ms: int, event: bytes) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = event
        self._slots: list[set[asyncio.Transport]] = [set() for _ in range(max(1, interval_ms // SLOT_MS))]
        self._turn = 0
        self._due = self._loop.time()
        self._loop.call_soon(self._tick)

    def add(self, transport: asyncio.Transport) -> None:
        """Put a stream into the emptiest slot."""
        min(self._slots, key=len).add(transport)

    def drop(self, transport: asyncio.Transport) -> None:
        """Forget a stream; unknown ones too."""
        for slot in self._slots:
            slot.discard(transport)

    def _tick(self) -> None:
        for transport in self._slots[self._turn]:
            transport.write(self._event)
        self._turn = (self._turn + 1) % len(self._slots)
        self._due = max(self._due + SLOT_MS / 1000, self._loop.time())
        self._loop.call_at(self._due, self._tick)


class Mock:
    """The constant answers and the running pacers."""

    def __init__(self) -> None:
        self.reply = _reply()
        self.event = _event()
        self._pacers: dict[int, Pacer] = {}

    def pacer(self, body: bytes) -> Pacer | None:
        """The pacer a request asks for, if it asks for a paced stream."""
        if PACED_PREFIX.encode() not in body:
            return None
        interval_ms = int(json.loads(body)["model"].removeprefix(PACED_PREFIX))
        if interval_ms not in self._pacers:
            self._pacers[interval_ms] = Pacer(interval_ms, self.event)
        return self._pacers[interval_ms]


class Connection(asyncio.Protocol):
    """One keep-alive connection: a constant reply for each request, or a stream to its end."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._body = b""
        self._pacer: Pacer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._pacer is not None:
            self._pacer.drop(self._transport)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._pacer = self._mock.pacer(self._body)
        self._body = b""
        if self._pacer is None:
            self._transport.write(self._mock.reply)
            return
        self._transport.write(STREAM_HEAD + self._mock.event)
        self._pacer.add(self._transport)


async def serve(listener: socket.socket) -> None:
    """Answer until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    mock = Mock()
    acceptor = Acceptor(listener, lambda: Connection(mock))
    await stop.wait()
    acceptor.close()


def _reply() -> bytes:
    message = {"role": "assistant", "content": ""}
    body = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "bench",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 150, "total_tokens": 350},
    }
    message["content"] = ("word " * REPLY_BYTES)[: REPLY_BYTES - len(json.dumps(body))]
    payload = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        len(payload),
        payload,
    )


def _event() -> bytes:
    choice = {"index": 0, "delta": {"content": " word"}, "finish_reason": None}
    chunk = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "bench",
        "choices": [choice],
    }
    event = b"data: %b\n\n" % json.dumps(chunk, separators=(",", ":")).encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


def main() -> None:
    """Bind a free port, say which, serve."""
    listener = open_listener(0)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    uvloop.run(serve(listener))


if __name__ == "__main__":
    main()
