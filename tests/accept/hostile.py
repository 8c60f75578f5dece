"""An upstream that reports whatever usage its caller asks for, and the usages a hostile or broken vendor may report."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import msgspec

WORDS = ("w0", " w1", " w2", " w3")
WINDOW_TOKENS = 131_072

Make = Callable[[Random], bytes]


class Case(msgspec.Struct, frozen=True):
    """A kind of report. `kind` says what has to become of it."""

    name: str
    kind: str
    """`invalid`: own count, flagged; `absent`: own count; `valid`: billed; `overrun`: billed, flagged."""
    make: Make


def _object(**fields: object) -> bytes:
    return msgspec.json.encode({key: value for key, value in fields.items() if value is not None})


def _negative(dice: Random) -> int:
    return -dice.choice((1, 7, 10**6, 2**31, 2**53, 2**63 - 1))


def _beyond(dice: Random) -> int:
    """More than twice what the model can read or write."""
    return dice.choice((2 * WINDOW_TOKENS + 1, 10**6, 10**9, 2**40, 10**12, 2**62, 2**63, 10**30))


def _word(dice: Random) -> object:
    return dice.choice(("12", "", "many", True, False, [], [4], {}, {"n": 4}))


def _cached(count: object) -> dict[str, object]:
    return {"cached_tokens": count}


CASES = (
    Case("negative prompt", "invalid", lambda d: _object(prompt_tokens=_negative(d), completion_tokens=4)),
    Case("negative completion", "invalid", lambda d: _object(prompt_tokens=3, completion_tokens=_negative(d))),
    Case("negative both", "invalid", lambda d: _object(prompt_tokens=_negative(d), completion_tokens=_negative(d))),
    Case(
        "negative cache",
        "invalid",
        lambda d: _object(prompt_tokens=3, completion_tokens=4, prompt_tokens_details=_cached(_negative(d))),
    ),
    Case(
        "more cached than read",
        "invalid",
        lambda d: _object(prompt_tokens=3, completion_tokens=4, prompt_tokens_details=_cached(d.randrange(4, 10**6))),
    ),
    Case(
        "negative reasoning",
        "invalid",
        lambda d: _object(
            prompt_tokens=3, completion_tokens=4, completion_tokens_details={"reasoning_tokens": _negative(d)}
        ),
    ),
    Case("huge prompt", "invalid", lambda d: _object(prompt_tokens=_beyond(d), completion_tokens=4)),
    Case("huge completion", "invalid", lambda d: _object(prompt_tokens=3, completion_tokens=_beyond(d))),
    Case("fraction", "invalid", lambda d: _object(prompt_tokens=3.5, completion_tokens=d.random() + 1)),
    Case(
        "huge float",
        "invalid",
        lambda d: b'{"prompt_tokens":1e308,"completion_tokens":%de%d}' % (4, d.choice((9, 400))),
    ),
    Case("no number", "invalid", lambda d: _object(prompt_tokens=_word(d), completion_tokens=4)),
    Case("no numbers", "invalid", lambda d: _object(prompt_tokens=3, completion_tokens=_word(d))),
    Case("no object", "invalid", lambda d: d.choice((b'"a lot"', b"17", b"[]", b"[3,4]", b"true"))),
    Case("no prompt", "invalid", lambda d: _object(completion_tokens=4)),
    Case("null", "absent", lambda d: b"null"),
    Case("missing", "absent", lambda d: b""),
    Case("honest", "valid", lambda d: _object(prompt_tokens=3, completion_tokens=4)),
    Case(
        "honest with cache",
        "valid",
        lambda d: _object(prompt_tokens=3, completion_tokens=4, prompt_tokens_details=_cached(d.randrange(4))),
    ),
    Case(
        "more than was held", "overrun", lambda d: _object(prompt_tokens=3, completion_tokens=d.randrange(10**3, 10**4))
    ),
)


@contextmanager
def hostile_upstream() -> Iterator[int]:
    """Serves on a free port of loopback from a thread; a request says in `metadata.report` what to report, in order."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(_serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            wanted = msgspec.json.decode(await reader.readexactly(length))
            reports = [report.encode() for report in wanted["metadata"]["report"].split("\n")]
            kind, body = _stream(reports) if wanted.get("stream") else _whole(reports)
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n" % (kind, len(body)) + body
            )
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        writer.close()


def _stream(reports: list[bytes]) -> tuple[bytes, bytes]:
    deltas = [
        _chunk(b'"choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":null}]' % w.encode()) for w in WORDS
    ]
    finish = _chunk(b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]')
    counts = [_chunk(b'"choices":[],"usage":' + report) for report in reports if report]
    return b"text/event-stream", b"".join((*deltas, finish, *counts)) + b"data: [DONE]\n\n"


def _whole(reports: list[bytes]) -> tuple[bytes, bytes]:
    text = "".join(WORDS).encode()
    usages = b"".join(b',"usage":' + report for report in reports if report)
    choice = b'{"index":0,"message":{"role":"assistant","content":"%b"},"finish_reason":"stop"}' % text
    return b"application/json", b'{"id":"x","object":"chat.completion","created":1,"choices":[%b]%b}' % (choice, usages)


def _chunk(members: bytes) -> bytes:
    return b'data: {"id":"x","object":"chat.completion.chunk","created":1,%b}\n\n' % members
