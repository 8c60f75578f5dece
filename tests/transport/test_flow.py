"""Neither side is flooded, and a caller may leave at any moment."""

import asyncio
import hashlib
import random

import pytest

from kyma.core.errors import Unreachable
from kyma.transport import HttpClient
from kyma.transport.response import HIGH_WATER_BYTES
from tests.transport.peer import HOLD, OK, PATIENT, SHORT, Link, Peer, answering, settled

PIECE = b"x" * 65536
TOTAL = 1000 * len(PIECE)


async def test_a_lagging_consumer_stalls_the_peer_and_loses_nothing(client: HttpClient) -> None:
    sent = 0

    async def script(link: Link) -> None:
        nonlocal sent
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % TOTAL)
        while sent < TOTAL:
            await link.say(PIECE)
            sent += len(PIECE)
        await link.closed()

    async with Peer(script) as peer:
        response = await client.send(peer.post(timeouts=SHORT), HOLD)
        await asyncio.sleep(0.3)
        stalled_at = sent
        await asyncio.sleep(0.1)
        assert sent == stalled_at < TOTAL
        first = await response.next_chunk()
        assert len(first) < 3 * HIGH_WATER_BYTES
        assert len(first) + len(await response.read(TOTAL)) == TOTAL
        assert client.idle_connections == 1


async def test_an_answer_given_up_while_stalled_closes(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % TOTAL)
        while True:
            await link.say(PIECE)

    async with Peer(script) as peer:
        response = await client.send(peer.post(), HOLD)
        await asyncio.sleep(0.1)
        response.abort()
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)
        with pytest.raises(Unreachable):
            await response.next_chunk()


async def test_a_big_request_body_arrives_whole(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        while True:
            request = await link.request()
            digest = hashlib.sha256(request.split(b"\r\n\r\n", 1)[1]).hexdigest()
            await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n" + digest.encode())

    body = random.Random(1).randbytes(5_000_001)
    async with Peer(script) as peer:
        for _ in range(2):
            response = await client.send(peer.post(body), HOLD)
            assert (await response.read(64)).decode() == hashlib.sha256(body).hexdigest()
        assert peer.connections == 1


async def test_an_early_answer_is_returned_and_its_connection_not_reused(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.head()
        link.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await link.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await asyncio.sleep(10)

    async with Peer(script) as peer:
        response = await client.send(peer.post(b"x" * 50_000_000), HOLD)
        assert (response.status, await response.read(10)) == (413, b"big")
        await settled(lambda: client.open_connections == 0)


async def test_an_early_answer_that_ends_with_a_half_close_is_complete(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.head()
        link.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await link.say(b"HTTP/1.1 413 Too Large\r\n\r\nbig")
        link.writer.write_eof()
        await asyncio.sleep(10)

    async with Peer(script) as peer:
        response = await client.send(peer.post(b"x" * 50_000_000), HOLD)
        assert (response.status, await response.read(10)) == (413, b"big")
        await settled(lambda: client.open_connections == 0)


async def test_a_peer_that_takes_the_body_slowly_is_no_timeout(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        head = await link.head()
        assert b"content-length: 20000000\r\n" in head
        taken = 0
        while taken < 20_000_000:
            taken += len(await link.reader.read(2_000_000))
            await asyncio.sleep(0.005)
        await link.say(OK)

    async with Peer(script) as peer:
        response = await client.send(peer.post(b"x" * 20_000_000, SHORT), HOLD)
        assert await response.read(10) == b"ok"


async def test_cancelling_the_wait_for_an_answer_closes_the_connection(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.closed()

    async with Peer(script) as peer:
        waiting = asyncio.create_task(client.send(peer.post(), HOLD))
        await settled(lambda: len(peer.requests) == 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)


async def test_cancelling_a_read_closes_the_connection(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
        await link.closed()

    async with Peer(script) as peer:
        response = await client.send(peer.post(), HOLD)
        waiting = asyncio.create_task(response.read(10))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)


async def test_abort_wakes_the_task_that_reads(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
        await link.closed()

    async with Peer(script) as peer:
        response = await client.send(peer.post(), HOLD)
        waiting = asyncio.create_task(response.next_chunk())
        await asyncio.sleep(0.01)
        response.abort()
        with pytest.raises(Unreachable):
            await waiting
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)


async def test_two_tasks_cannot_wait_for_one_answer(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", b"", b"", b"ok")) as peer:
        response = await client.send(peer.post(), HOLD)
        waiting = asyncio.create_task(response.next_chunk())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await response.next_chunk()
        assert await waiting == b"ok"


async def test_cancelling_after_any_number_of_steps_leaks_nothing(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", b"ab", b"cd")) as peer:

        async def call() -> bytes:
            response = await client.send(peer.post(), HOLD)
            return await response.read(10)

        for steps in range(40):
            task = asyncio.create_task(call())
            for _ in range(steps):
                await asyncio.sleep(0.001 if steps > 20 else 0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert client.open_connections - client.idle_connections <= 1
        await settled(lambda: client.open_connections == client.idle_connections)
        assert await call() == b"abcd"


async def test_under_random_cancels_every_answer_belongs_to_its_question(client: HttpClient) -> None:
    rng = random.Random(7)

    async def script(link: Link) -> None:
        while True:
            request = await link.request()
            body = request.split(b"\r\n\r\n", 1)[1]
            await asyncio.sleep(rng.random() / 200)
            await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
            await asyncio.sleep(rng.random() / 200)
            await link.say(body)

    async with Peer(script) as peer:
        answered = 0

        async def worker(name: int) -> None:
            nonlocal answered
            for turn in range(20):
                question = f"{name}-{turn}".encode()
                task = asyncio.create_task(ask(question))
                if rng.random() < 0.4:
                    await asyncio.sleep(rng.random() / 100)
                    task.cancel()
                answer = (await asyncio.gather(task, return_exceptions=True))[0]
                if not isinstance(answer, asyncio.CancelledError):
                    assert answer == question
                    answered += 1

        async def ask(question: bytes) -> bytes:
            response = await client.send(peer.post(question, PATIENT), HOLD)
            return await response.read(1000)

        await asyncio.gather(*(worker(name) for name in range(10)))
        assert answered > 100
        await settled(lambda: client.open_connections == client.idle_connections)
