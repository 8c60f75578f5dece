"""A client that holds many streams open and counts their events; a process of its own, driven by `bench.load`.

It prints one line when the streams are open and one with what it saw in the window after that.
"""

import argparse
import asyncio
import functools
import json
import time
from typing import cast

import msgspec
import uvloop

from bench.cases import BY_NAME
from bench.cpu import cpu_s, resident_mb

SETTLE_S = 1.0
SILENT_S = 5.0
EVENT = b"data: "


class Streamed(msgspec.Struct):
    """What happened to the streams; `events` and `cpu_s` count inside the window only."""

    asked: int
    opened: int
    """Streams whose first event came in time."""
    last_opened_s: float
    """When the last of those came, counted from the first connect."""
    dropped: int
    """Opened streams that were closed, or silent for the last `SILENT_S` of the window."""
    events: int
    window_s: float
    cpu_s: float
    resident_mb: float
    refusal: str = ""


class Tally:
    """What all streams count together."""

    def __init__(self) -> None:
        self.started_at = time.monotonic()
        self.streams: list[Stream] = []
        self.opened = 0
        self.last_opened_s = 0.0
        self.events = 0
        self.refusal = ""


class Stream(asyncio.Protocol):
    """One stream: sends its request, then only counts."""

    def __init__(self, tally: Tally, request: bytes) -> None:
        self._tally = tally
        self._request = request
        self._has_head = False
        self.is_closed = False
        self.events = 0
        tally.streams.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True

    def data_received(self, data: bytes) -> None:
        if not self._has_head:
            self._has_head = True
            if not data.startswith(b"HTTP/1.1 200"):
                self._tally.refusal = self._tally.refusal or data[:400].decode("latin-1")
        events = data.count(EVENT)
        if events and not self.events:
            self._tally.opened += 1
            self._tally.last_opened_s = time.monotonic() - self._tally.started_at
        self.events += events
        self._tally.events += events


async def hold(port: int, pid: int, request: bytes, streams: int, patience_s: float, window_s: float) -> Streamed:
    """Open the streams, wait `patience_s` for them at most, then watch for `window_s`."""
    tally, loop = Tally(), asyncio.get_running_loop()
    make = functools.partial(Stream, tally, request)
    dialling = [loop.create_connection(make, "127.0.0.1", port) for _ in range(streams)]
    connecting = asyncio.gather(*dialling, return_exceptions=True)
    while tally.opened < streams and not tally.refusal and time.monotonic() - tally.started_at < patience_s:
        await asyncio.sleep(0.01)
    opened, last_opened_s = [stream for stream in tally.streams if stream.events], tally.last_opened_s
    print(json.dumps({"opened": len(opened)}), flush=True)
    connecting.cancel()
    if window_s:
        await asyncio.sleep(SETTLE_S)
    started_at, cpu_before, events_before = time.monotonic(), cpu_s(pid), tally.events
    tail_s = min(window_s, SILENT_S)
    await asyncio.sleep(window_s - tail_s)
    earlier = [stream.events for stream in opened]
    await asyncio.sleep(tail_s)
    return Streamed(
        asked=streams,
        opened=len(opened),
        last_opened_s=last_opened_s,
        dropped=sum(
            stream.is_closed or (window_s > 0 and stream.events == count)
            for stream, count in zip(opened, earlier, strict=True)
        ),
        events=tally.events - events_before,
        window_s=time.monotonic() - started_at,
        cpu_s=cpu_s(pid) - cpu_before,
        resident_mb=resident_mb(pid),
        refusal=tally.refusal,
    )


def main() -> None:
    """Read the options, hold the streams, print what was seen, then wait to be ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description=__doc__)
    for name, kind in (("port", int), ("pid", int), ("key", str), ("interval-ms", int), ("streams", int)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--case", choices=BY_NAME, required=True)
    for name in ("patience-s", "window-s"):
        parser.add_argument(f"--{name}", type=float, required=True)
    asked = parser.parse_args()
    case = BY_NAME[asked.case]
    body = case.stream_body(asked.interval_ms).encode()
    request = (
        f"POST {case.path} HTTP/1.1\r\nhost: 127.0.0.1:{asked.port}\r\nauthorization: Bearer {asked.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body
    streamed = uvloop.run(hold(asked.port, asked.pid, request, asked.streams, asked.patience_s, asked.window_s))
    print(msgspec.json.encode(streamed).decode(), flush=True)


if __name__ == "__main__":
    main()
