"""The upstream of the bench: as little work as Python can do, so that the proxy in front is what is measured.

A request whose model ends in `bench-paced-MS` gets an event every MS milliseconds until it leaves; any other gets one
constant reply of 1 KB. The path says in which dialect: Anthropic's own for `/v1/messages`, OpenAI chat for all others.
All streams of a dialect and pace share one timer, spread evenly over the interval.
"""

import asyncio
import json
import signal
import socket
from typing import cast

import httptools
import uvloop
from tests.upstream.listen import Acceptor, open_listener

from bench import speech
from bench.cases import PACED
from bench.speech import Speech

MESSAGES_PATH = b"/v1/messages"
SLOT_MS = 1


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
        self._chat = speech.chat()
        self._messages = speech.messages()
        self._pacers: dict[tuple[int, bytes], Pacer] = {}

    def speech(self, path: bytes) -> Speech:
        """The words for requests to `path`."""
        return self._messages if path == MESSAGES_PATH else self._chat

    def pacer(self, body: bytes, said: Speech) -> Pacer | None:
        """The pacer a request asks for, if it asks for a paced stream."""
        if PACED.encode() not in body:
            return None
        interval_ms = int(json.loads(body)["model"].rpartition(PACED)[2])
        pacer = self._pacers.get((interval_ms, said.event))
        if pacer is None:
            pacer = self._pacers[interval_ms, said.event] = Pacer(interval_ms, said.event)
        return pacer


class Connection(asyncio.Protocol):
    """One keep-alive connection: a constant reply for each request, or a stream to its end."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._path = self._body = b""
        self._pacer: Pacer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._pacer is not None:
            self._pacer.drop(self._transport)

    def on_url(self, path: bytes) -> None:
        self._path += path

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        said = self._mock.speech(self._path)
        self._pacer = self._mock.pacer(self._body, said)
        self._path = self._body = b""
        if self._pacer is None:
            self._transport.write(said.reply)
            return
        self._transport.write(said.opening)
        self._pacer.add(self._transport)


async def serve(listener: socket.socket) -> None:
    """Answer until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    mock = Mock()
    acceptor = Acceptor(listener, lambda: Connection(mock))
    await stop.wait()
    acceptor.close()


def main() -> None:
    """Bind a free port, say which, serve."""
    listener = open_listener(0)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    uvloop.run(serve(listener))


if __name__ == "__main__":
    main()
