"""Each phase of a call has its own limit, and limits cost no timer per wait."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import TypeVarTuple

import pytest

from kyma.core.errors import UpstreamTimeout
from kyma.core.upstream import Origin, Timeouts, UpstreamRequest
from kyma.transport import HttpClient, Resolver
from kyma.transport.deadline import Deadline
from tests.transport.peer import HOLD, OK, PATIENT, SHORT, Link, Peer, answering, settled

Ts = TypeVarTuple("Ts")


async def silent(link: Link) -> None:
    await link.closed()


async def test_no_connection_in_time(client: HttpClient) -> None:
    async with Peer(silent) as peer:  # accepts TCP, never answers the TLS greeting
        origin = Origin(host="127.0.0.1", port=peer.port, is_tls=True)
        request = UpstreamRequest("POST", origin, "/", (), b"", SHORT)
        with pytest.raises(UpstreamTimeout, match=r"No connection .* within 0.2 s"):
            await client.send(request, HOLD)
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)


async def test_no_address_in_time() -> None:
    async def never(host: str) -> tuple[str, ...]:
        await asyncio.sleep(3600)
        return ()

    client = HttpClient(resolver=Resolver(never))
    request = UpstreamRequest("POST", Origin("upstream.test", 80, False), "/", (), b"", SHORT)
    with pytest.raises(UpstreamTimeout, match="not resolved"):
        await client.send(request, HOLD)
    await client.close()


async def test_no_first_byte_in_time(client: HttpClient) -> None:
    async with Peer(silent) as peer:
        with pytest.raises(UpstreamTimeout, match=r"No answer within 0.2 s"):
            await client.send(peer.post(timeouts=SHORT), HOLD)
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)


async def test_a_dripping_head_does_not_extend_the_first_byte_limit(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\nx: ")
        while True:
            await link.say(b"y")
            await asyncio.sleep(0.05)

    async with Peer(script) as peer:
        with pytest.raises(UpstreamTimeout):
            await client.send(peer.post(timeouts=SHORT), HOLD)


async def test_an_interim_answer_does_not_extend_the_first_byte_limit(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        while True:
            await link.say(b"HTTP/1.1 102 Processing\r\n\r\n")
            await asyncio.sleep(0.05)

    async with Peer(script) as peer:
        with pytest.raises(UpstreamTimeout):
            await client.send(peer.post(timeouts=SHORT), HOLD)


async def test_a_slow_first_byte_within_the_limit_is_fine(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await asyncio.sleep(0.15)
        await link.say(OK)

    async with Peer(script) as peer:
        response = await client.send(peer.post(timeouts=Timeouts(first_byte_s=2, idle_s=0.05)), HOLD)
        assert await response.read(10) == b"ok"


async def test_a_reused_connection_times_out_too_and_is_not_resent(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(OK)
        await link.request()
        await link.closed()

    async with Peer(script) as peer:
        first = await client.send(peer.post(timeouts=PATIENT), HOLD)
        await first.read(10)
        with pytest.raises(UpstreamTimeout):
            await client.send(peer.post(timeouts=SHORT), HOLD)
        assert (peer.connections, len(peer.requests)) == (1, 2)


async def test_a_body_that_falls_silent(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        await link.closed()

    async with Peer(script) as peer:
        response = await client.send(peer.post(timeouts=Timeouts(first_byte_s=5, idle_s=0.1)), HOLD)
        assert await response.next_chunk() == b"half"
        with pytest.raises(UpstreamTimeout, match=r"0.1 s"):
            await response.next_chunk()
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)


async def test_a_body_that_keeps_moving_may_take_longer_than_the_idle_limit(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(0.05)
            await link.say(b"x")

    async with Peer(script) as peer:
        response = await client.send(peer.post(timeouts=SHORT), HOLD)
        assert await response.read(10) == b"xxxxxxxx"


async def test_framing_bytes_without_a_body_do_not_extend_the_idle_limit(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n1;")
        while True:
            await link.say(b"y")
            await asyncio.sleep(0.05)

    async with Peer(script) as peer:
        response = await client.send(peer.post(timeouts=SHORT), HOLD)
        with pytest.raises(UpstreamTimeout):
            await response.read(10)


async def test_a_consumer_may_take_longer_than_the_idle_limit(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", b"ab", b"cd")) as peer:
        response = await client.send(peer.post(timeouts=Timeouts(idle_s=0.1)), HOLD)
        await asyncio.sleep(0.3)
        assert await response.read(10) == b"abcd"


async def test_an_idle_connection_has_no_deadline(client: HttpClient) -> None:
    async with Peer(answering(OK)) as peer:
        for _ in range(2):
            response = await client.send(peer.post(timeouts=SHORT), HOLD)
            await response.read(10)
            await asyncio.sleep(0.3)
        assert peer.connections == 1


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts the timers that are armed."""

    timers = 0

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self.timers += 1
        return super().call_at(when, callback, *args, context=context)


def test_waits_that_end_in_time_share_one_timer() -> None:
    loop = CountingLoop()
    deadline = Deadline(loop, lambda: None)
    for _ in range(1000):
        deadline.start(60)
        deadline.stop()
        deadline.start(300)
        deadline.stop()
    assert loop.timers == 1
    deadline.close()
    loop.close()


def test_a_deadline_passes_once_and_not_before_its_time() -> None:
    loop = CountingLoop()
    passed: list[float] = []
    deadline = Deadline(loop, lambda: passed.append(loop.time()))

    async def scenario() -> float:
        deadline.start(0.02)
        deadline.stop()
        begun = loop.time()
        deadline.start(0.1)
        await asyncio.sleep(0.25)
        return begun

    begun = loop.run_until_complete(scenario())
    assert len(passed) == 1 and 0.1 <= passed[0] - begun < 0.2
    loop.close()
