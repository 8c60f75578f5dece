"""A stream from the upstream's socket to its customer: paced by the reader, settled first, and never lost to a bug."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import cast

import msgspec
import pytest

from kyma.calls.call import Call
from kyma.calls.meter import Outcome
from kyma.calls.outlet import HeaderLines, HeaderList
from kyma.calls.stream_pump import PumpSettings, StreamPump
from kyma.calls.upstream import Upstream
from kyma.catalog import Resolved
from kyma.core.answer import Bill
from kyma.core.errors import Bug, KymaError
from kyma.core.model import Provider, Route
from kyma.core.principal import Principal
from kyma.core.upstream import Origin
from kyma.dialects import openai_chat
from kyma.limits import Admission
from kyma.routing import Ask, Health, plan
from kyma.transport import HttpClient
from tests.clock import ManualClock
from tests.transport.peer import HOLD, Link, Peer, answering, answering_once, settled
from tests.unit.calls.rows import PRICE, chat, model, provider, vault

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
SETTINGS = PumpSettings(keep_alive_s=10, slow_reader_s=20, drain_s=30)
PRINCIPAL = Principal("usr", "acc", "a@example.com", "key", "key", 1, is_session=False, is_operator=False)
USAGE = {"prompt_tokens": 5, "completion_tokens": 7}


def framed(*events: bytes) -> bytes:
    """Events as one chunk of a chunked body."""
    body = b"".join(b"data: %b\n\n" % event for event in events)
    return b"%x\r\n%b\r\n" % (len(body), body)


def said(text: str | None = None, finish: str | None = None, **outer: object) -> bytes:
    delta = {} if text is None else {"content": text}
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **outer}).encode()


LAST = framed(said(finish="stop", usage=USAGE), b"[DONE]")


class Reader:
    """A customer's end: keeps what it gets, reads at the pace it is told, and may be broken."""

    def __init__(self, log: list[str]) -> None:
        self.got = bytearray()
        self.is_broken = False
        self.room = asyncio.Event()
        self.room.set()
        self._log = log

    async def wait_writable(self) -> None:
        await self.room.wait()

    def begin(self, lines: HeaderLines) -> None:
        self._log.append("begun")

    def write(self, data: bytes) -> bool:
        if self.is_broken:
            raise ZeroDivisionError
        self.got += data
        return self.room.is_set()

    def end(self, data: bytes) -> None:
        self._log.append("ended")
        self.got += data

    def answer(self, lines: HeaderLines, body: bytes) -> None:
        raise AssertionError("a stream is no whole answer")

    async def fail(self, error: KymaError, headers: HeaderList) -> None:
        raise AssertionError("a stream tells its errors itself")

    @property
    def text(self) -> str:
        """The words of the answer so far."""
        chunks = [json.loads(line[6:]) for line in self.got.split(b"\n\n") if line.startswith(b"data: {")]
        return "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk.get("choices", ()))


class Scene:
    """One call with a reader of its own, against a peer; `log` has what happened in order."""

    def __init__(self, client: HttpClient, peer: Peer) -> None:
        self.log: list[str] = []
        self.clock = ManualClock()
        self.reader = Reader(self.log)
        source: Provider = msgspec.structs.replace(provider(), origin=Origin("127.0.0.1", peer.port, False))
        owl = model([Route("acme/owl", source, "owl-v2", PRICE, "tests")])
        request = chat(is_streaming=True, fields={"stream": True})
        ask = Ask("acc_1", 0.5)
        admission = cast(Admission, None)  # the limits' business, and no pump looks at it
        self.call = Call("req_1", PRINCIPAL, request, Resolved(owl, None), "p1", admission, HOLD, ask, 0)
        encoder = openai_chat.stream_encoder(request, self.call)
        self.pump = StreamPump(self.call, self.reader, b"", encoder, SETTINGS, self.clock)
        self._health = Health(self.clock, vault("acme"))
        self._upstream = Upstream(client, self._health, self.clock)
        self._plan = plan(owl, self._health, ask)

    async def run(self) -> None:
        await self.pump.run(self._upstream, self._plan, self._health, self._settle)

    async def _settle(self, call: Call, outcome: Outcome) -> Bill:
        self.log.append(outcome)
        await asyncio.sleep(0.01)
        return call.meter.bill(outcome, PRICE)


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.close()
    await settled(lambda: client.open_connections == 0)


async def test_a_stream_that_comes_whole_in_one_piece_is_settled_before_its_end(client: HttpClient) -> None:
    async with Peer(answering(HEAD + framed(said("Hi"), said("!")) + LAST + END)) as peer:
        scene = Scene(client, peer)
        await scene.run()
        assert scene.log == ["begun", "finished", "ended"]
        assert scene.reader.text == "Hi!"
        assert client.idle_connections == 1


async def test_an_end_in_one_piece_is_settled_before_its_last_bytes(client: HttpClient) -> None:
    async with Peer(answering(HEAD + framed(said("Hi")), framed(said(" you")), framed(said("!")) + LAST + END)) as peer:
        scene = Scene(client, peer)
        await scene.run()
        assert scene.log == ["begun", "finished", "ended"]
        assert scene.reader.text == "Hi you!"
        assert scene.reader.got.endswith(b"data: [DONE]\n\n")


async def test_an_upstream_waits_for_a_reader_who_lags_and_nothing_is_lost(client: HttpClient) -> None:
    sent = 0
    words = framed(said("word " * 13_000))

    async def script(link: Link) -> None:
        nonlocal sent
        await link.request()
        await link.say(HEAD)
        while sent < 300:
            await link.say(words)
            sent += 1
        await link.say(LAST + END)
        await link.closed()

    async with Peer(script) as peer:
        scene = Scene(client, peer)
        scene.reader.room.clear()
        running = asyncio.create_task(scene.run())
        await asyncio.sleep(0.3)
        stalled_at, got = sent, len(scene.reader.got)
        await asyncio.sleep(0.1)
        assert (sent, len(scene.reader.got)) == (stalled_at, got)
        assert stalled_at < 300
        scene.reader.room.set()
        await running
        assert scene.reader.text == "word " * 13_000 * 300


async def test_a_reader_who_never_reads_is_left_and_the_rest_drained(client: HttpClient) -> None:
    async with Peer(answering(HEAD + framed(said("Hi")), framed(said("!")), LAST + END)) as peer:
        scene = Scene(client, peer)
        scene.reader.room.clear()
        running = asyncio.create_task(scene.run())
        await settled(lambda: scene.reader.text == "Hi")
        await asyncio.sleep(0.05)
        scene.pump.tick(scene.clock.monotonic() + 19)
        assert not scene.call.has_left
        scene.pump.tick(scene.clock.monotonic() + 21)
        await running
        assert scene.log == ["begun", "drained"]


async def test_a_bug_in_the_middle_of_a_stream_is_raised_and_drops_the_upstream(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(HEAD + framed(said("Hi")), framed(said("!")))
        await link.closed()

    async with Peer(script) as peer:
        scene = Scene(client, peer)
        running = asyncio.create_task(scene.run())
        await settled(lambda: scene.reader.text == "Hi")
        scene.reader.is_broken = True
        with pytest.raises(ZeroDivisionError):
            await running
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)
        for _ in range(2):
            assert scene.pump.break_off(Bug("an error of ours")), "it is told once, in the stream that has begun"
        assert scene.log == ["begun", "ended"]
        assert scene.reader.got.count(b"an error of ours") == 1 and b"[DONE]" not in scene.reader.got


async def test_a_bug_at_the_first_words_drops_the_upstream_too(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(HEAD + framed(said("Hi")))
        await link.closed()

    async with Peer(script) as peer:
        scene = Scene(client, peer)
        scene.reader.is_broken = True
        with pytest.raises(ZeroDivisionError):
            await scene.run()
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)


async def test_what_breaks_before_a_stream_begins_is_not_told_in_it(client: HttpClient) -> None:
    async with Peer(answering(HEAD + LAST + END)) as peer:
        scene = Scene(client, peer)
        assert not scene.pump.break_off(Bug("an error of ours"))
        assert not scene.log


@pytest.mark.parametrize("last", [b"5\r\nhal", b"nonsense\r\n", framed(b"{") + LAST + END, framed(said("?")) + END])
async def test_a_stream_that_breaks_ends_in_an_error_and_is_settled_as_cut(client: HttpClient, last: bytes) -> None:
    async with Peer(answering_once(HEAD + framed(said("Hi")), framed(said("!")), last)) as peer:
        scene = Scene(client, peer)
        await scene.run()
        assert scene.log == ["begun", "cut", "ended"]
        assert scene.reader.text[:3] == "Hi!"
        assert b'"error"' in scene.reader.got and b"[DONE]" not in scene.reader.got


async def test_a_customer_who_left_gets_no_more_and_the_rest_is_drained(client: HttpClient) -> None:
    async with Peer(answering(HEAD + framed(said("Hi")), framed(said("!")), LAST + END)) as peer:
        scene = Scene(client, peer)
        running = asyncio.create_task(scene.run())
        await settled(lambda: scene.reader.text == "Hi")
        scene.call.abandon()
        await running
        assert scene.reader.text == "Hi"
        assert scene.log == ["begun", "drained"]
        assert scene.call.meter.bill(Outcome.DRAINED, PRICE).usage.output == 7


async def test_a_drain_ends_when_its_time_is_up(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(HEAD + framed(said("Hi")))
        await link.closed()

    async with Peer(script) as peer:
        scene = Scene(client, peer)
        running = asyncio.create_task(scene.run())
        await settled(lambda: scene.reader.text == "Hi")
        scene.call.abandon()
        scene.pump.tick(1000)
        scene.pump.tick(1031)
        await running
        assert scene.log == ["begun", "cancelled"]


async def test_silence_earns_a_comment_and_words_put_it_off(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(HEAD + framed(said("Hi")))
        await link.closed()

    async with Peer(script) as peer:
        scene = Scene(client, peer)
        running = asyncio.create_task(scene.run())
        await settled(lambda: scene.reader.text == "Hi")
        for now in (1011, 1020):  # the first sees that there were words since the last tick
            scene.pump.tick(now)
        assert b"keep-alive" not in scene.reader.got
        for now in (1022, 1030, 1033):
            scene.pump.tick(now)
        assert scene.reader.got.count(b": keep-alive\n\n") == 2
        scene.call.abandon()
        scene.call.cut()
        await running
