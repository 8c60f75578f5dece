"""Which connection serves a call, and which one never serves again."""

import asyncio

import pytest

from kyma.core.errors import Unreachable
from kyma.transport import HttpClient
from tests.transport.peer import HOLD, OK, Link, Peer, answering, answering_once, settled


async def call(client: HttpClient, peer: Peer) -> bytes:
    response = await client.send(peer.post(), HOLD)
    return await response.read(1000)


async def test_a_connection_is_reused(client: HttpClient) -> None:
    async with Peer(answering(OK)) as peer:
        for _ in range(3):
            assert await call(client, peer) == b"ok"
        assert (peer.connections, client.open_connections, client.idle_connections) == (1, 1, 1)


async def test_a_connection_is_free_as_soon_as_the_answer_has_arrived(client: HttpClient) -> None:
    async with Peer(answering(OK)) as peer:
        first = await client.send(peer.post(), HOLD)
        second = await client.send(peer.post(), HOLD)
        first.abort()
        assert await second.read(1000) == b"ok"
        assert await first.read(1000) == b"ok"
        assert (peer.connections, client.idle_connections) == (1, 1)


async def test_calls_at_once_have_their_own_connections(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", b"ok")) as peer:
        assert await asyncio.gather(*(call(client, peer) for _ in range(5))) == [b"ok"] * 5
        assert (peer.connections, client.idle_connections) == (5, 5)


async def test_the_connection_used_last_is_used_next(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        while True:
            request = await link.request()
            if request.endswith(b"slow"):
                await asyncio.sleep(0.05)
            await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % link.number)

    async with Peer(script) as peer:

        async def ask(body: bytes) -> bytes:
            response = await client.send(peer.post(body), HOLD)
            return await response.read(10)

        slow = asyncio.create_task(ask(b"slow"))
        await settled(lambda: peer.connections == 1 and len(peer.requests) == 1)
        assert await ask(b"fast") == b"2"
        assert await slow == b"1"
        assert await ask(b"fast") == b"1"


async def test_origins_do_not_share_connections(client: HttpClient) -> None:
    async with Peer(answering(OK)) as one, Peer(answering(OK)) as other:
        await call(client, one)
        await call(client, other)
        assert (one.connections, other.connections) == (1, 1)


async def test_connection_close_is_honoured(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: close\r\n\r\nok")) as peer:
        await call(client, peer)
        await call(client, peer)
        assert (peer.connections, client.idle_connections) == (2, 0)


async def test_no_more_than_the_allowed_idle_connections_are_kept() -> None:
    client = HttpClient(max_idle_per_origin=2)
    async with Peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", b"ok")) as peer:
        await asyncio.gather(*(call(client, peer) for _ in range(5)))
        await settled(lambda: client.open_connections == 2)
        assert client.idle_connections == 2
    await client.close()


async def test_idle_connections_expire() -> None:
    client = HttpClient(idle_keep_s=0.1)
    async with Peer(answering(OK)) as peer:
        await call(client, peer)
        await asyncio.sleep(0.06)
        await call(client, peer)
        await asyncio.sleep(0.06)
        assert client.idle_connections == 1
        await settled(lambda: client.open_connections == 0)
        await settled(lambda: peer.closed_connections == 1)
    await client.close()


async def test_an_idle_connection_that_the_peer_closes_is_dropped(client: HttpClient) -> None:
    async with Peer(answering_once(OK)) as peer:
        await call(client, peer)
        await settled(lambda: client.open_connections == 0)
        assert client.idle_connections == 0
        assert await call(client, peer) == b"ok"


async def test_unsolicited_bytes_drop_an_idle_connection(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(OK)
        if link.number == 1:
            await asyncio.sleep(0.02)
            await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        await link.closed()

    async with Peer(script) as peer:
        await call(client, peer)
        await settled(lambda: client.open_connections == 0)
        assert await call(client, peer) == b"ok"


@pytest.mark.parametrize("surplus", [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", b"H", b"\0"])
async def test_bytes_after_the_answer_spoil_the_connection_and_not_the_answer(
    client: HttpClient, surplus: bytes
) -> None:
    async with Peer(answering(OK + surplus)) as peer:
        assert await call(client, peer) == b"ok"
        assert client.idle_connections == 0
        assert await call(client, peer) == b"ok"
        assert peer.connections == 2


async def stale_after_first(link: Link) -> None:
    """Answers a first request, then closes on seeing a second; later connections behave."""
    await link.request()
    await link.say(OK)
    await link.request()
    if link.number > 1:
        await link.say(OK)
        await link.closed()


async def test_a_stale_connection_is_replaced_and_the_whole_request_resent(client: HttpClient) -> None:
    async with Peer(stale_after_first) as peer:
        await call(client, peer)
        assert await call(client, peer) == b"ok"
        assert peer.connections == 2
        assert peer.requests[1] == peer.requests[2]


async def test_a_stale_connection_that_resets_is_replaced(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(OK)
        await link.request()
        link.reset()

    async with Peer(script) as peer:
        await call(client, peer)
        assert await call(client, peer) == b"ok"
        assert peer.connections == 2


async def test_a_stale_call_is_resent_only_once(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        if link.number == 1:
            await link.say(OK)
            await link.request()

    async with Peer(script) as peer:
        await call(client, peer)
        with pytest.raises(Unreachable):
            await call(client, peer)
        assert (peer.connections, len(peer.requests)) == (2, 3)


async def test_a_fresh_connection_that_dies_is_not_replaced(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()

    async with Peer(script) as peer:
        with pytest.raises(Unreachable):
            await call(client, peer)
        assert (peer.connections, len(peer.requests)) == (1, 1)


@pytest.mark.parametrize("start", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_reused_connection_that_dies_after_a_byte_is_not_replaced(client: HttpClient, start: bytes) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(OK)
        await link.request()
        await link.say(start)

    async with Peer(script) as peer:
        await call(client, peer)
        with pytest.raises(Unreachable):
            await call(client, peer)
        assert (peer.connections, len(peer.requests)) == (1, 2)


async def test_nothing_listens(client: HttpClient) -> None:
    async with Peer(answering(OK)) as peer:
        request = peer.post()
    with pytest.raises(Unreachable, match="ConnectionRefused"):
        await client.send(request, HOLD)
    assert client.open_connections == 0


async def test_without_a_hold_nothing_is_sent(client: HttpClient) -> None:
    async with Peer(answering(OK)) as peer:
        with pytest.raises(TypeError):
            await client.send(peer.post(), None)  # type: ignore[arg-type]
        assert peer.connections == 0


async def test_close_ends_calls_under_way_and_refuses_new_ones(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.closed()

    async with Peer(script) as peer:
        waiting = asyncio.create_task(call(client, peer))
        await settled(lambda: len(peer.requests) == 1)
        await client.close()
        assert client.open_connections == 0
        with pytest.raises(Unreachable):
            await waiting
        with pytest.raises(Unreachable):
            await call(client, peer)


async def test_close_ends_calls_that_still_connect(client: HttpClient) -> None:
    async with Peer(answering(OK)) as peer:
        waiting = asyncio.create_task(call(client, peer))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(Unreachable):
            await waiting
        assert client.open_connections == 0


async def test_error_messages_tell_no_user_data(client: HttpClient) -> None:
    async with Peer(answering(b"secret answer\r\n\r\n")) as peer:
        with pytest.raises(Exception) as raised:
            await client.send(peer.post(b"secret prompt"), HOLD)
        assert "secret" not in f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__context__!r}"
