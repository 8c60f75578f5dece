"""How an answer is delimited, and what is no answer."""

import asyncio

import pytest

from kyma.core.errors import Garbled, Unreachable
from kyma.transport import HttpClient
from tests.transport.peer import HOLD, OK, Link, Peer, answering, answering_once, settled

LIMIT = 1_000_000


async def exchange(client: HttpClient, peer: Peer, method: str = "POST") -> tuple[int, bytes]:
    response = await client.send(peer.post(method=method), HOLD)
    return response.status, await response.read(LIMIT)


async def test_content_length_body(client: HttpClient) -> None:
    async with Peer(answering(OK)) as peer:
        assert await exchange(client, peer) == (200, b"ok")


async def test_header_names_are_lower_case_and_the_last_of_a_name_wins(client: HttpClient) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-One: a\r\nx-oNE: b\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
    async with Peer(answering(head)) as peer:
        response = await client.send(peer.post(), HOLD)
        assert response.headers == {b"x-one": b"b", b"content-type": b"text/plain", b"content-length": b"0"}


async def test_chunked_body_with_extension_and_trailer(client: HttpClient) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = (b"5;a=b\r\nhello\r\n", b"1\r\n \r\n5\r\nwo", b"rld\r\n0\r\nx-checksum: 1\r\n\r\n")
    async with Peer(answering(head, *body)) as peer:
        response = await client.send(peer.post(), HOLD)
        assert await response.read(LIMIT) == b"hello world"
        assert b"x-checksum" not in response.headers
        assert client.idle_connections == 1


async def test_body_until_close(client: HttpClient) -> None:
    async with Peer(answering_once(b"HTTP/1.1 200 OK\r\n\r\n", b"all of", b" it")) as peer:
        assert await exchange(client, peer) == (200, b"all of it")
        assert client.idle_connections == 0


async def test_a_reset_does_not_end_a_body_until_close(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        await asyncio.sleep(0.05)
        link.reset()

    async with Peer(script) as peer:
        response = await client.send(peer.post(), HOLD)
        with pytest.raises(Unreachable):
            await response.read(LIMIT)


async def test_http_1_0_closes_by_default(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok")) as peer:
        assert await exchange(client, peer) == (200, b"ok")
        assert client.idle_connections == 0


async def test_http_1_0_may_keep_alive(client: HttpClient) -> None:
    answer = b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok"
    async with Peer(answering(answer)) as peer:
        assert await exchange(client, peer) == (200, b"ok")
        assert client.idle_connections == 1


@pytest.mark.parametrize("status", [204, 304])
async def test_answers_without_a_body_whatever_their_length_says(client: HttpClient, status: int) -> None:
    async with Peer(answering(b"HTTP/1.1 %d x\r\ncontent-length: 5\r\n\r\n" % status)) as peer:
        assert await exchange(client, peer) == (status, b"")
        assert await exchange(client, peer) == (status, b"")
        assert peer.connections == 1


async def test_head_has_no_body(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")) as peer:
        assert await exchange(client, peer, method="HEAD") == (200, b"")


async def test_interim_answers_are_skipped(client: HttpClient) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nx: y\r\n\r\n"
    async with Peer(answering(*interim, OK)) as peer:
        response = await client.send(peer.post(), HOLD)
        assert (response.status, response.headers) == (200, {b"content-length": b"2"})
        assert await response.read(LIMIT) == b"ok"
        assert await exchange(client, peer) == (200, b"ok")
        assert peer.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\ncontent-length: 4\r\n\r\nHTTP",
        b"HTTP/1.1 099 Low\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 600 High\r\ncontent-length: 0\r\n\r\n",
        b"<html><body>hello</body></html>",
        b"\x16\x03\x01\x02\x00",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\nok",
    ],
)
async def test_garbled_heads(client: HttpClient, answer: bytes) -> None:
    async with Peer(answering(answer)) as peer:
        with pytest.raises(Garbled):
            await client.send(peer.post(), HOLD)
        await settled(lambda: client.open_connections == 0)


async def test_identity_as_content_encoding_is_fine(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\ncontent-length: 2\r\n\r\nok")) as peer:
        assert await exchange(client, peer) == (200, b"ok")


async def test_a_broken_chunk_is_garbled_after_the_good_ones(client: HttpClient) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    async with Peer(answering(head, b"2\r\nok\r\n", b"zz\r\n")) as peer:
        response = await client.send(peer.post(), HOLD)
        assert await response.next_chunk() == b"ok"
        with pytest.raises(Garbled):
            await response.next_chunk()


async def test_one_header_larger_than_the_limit_is_garbled() -> None:
    client = HttpClient(max_header_bytes=1000)
    answer = b"HTTP/1.1 200 OK\r\nx: " + b"a" * 1000 + b"\r\ncontent-length: 2\r\n\r\nok"
    async with Peer(answering(answer)) as peer:
        with pytest.raises(Garbled, match="headers"):
            await client.send(peer.post(), HOLD)
    await client.close()


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nx: ",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n1;",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx: ",
    ],
)
async def test_what_never_ends_is_garbled_at_the_header_limit(client: HttpClient, start: bytes) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(start)
        while True:
            await link.say(b"a" * 8192)

    async with Peer(script) as peer:
        with pytest.raises(Garbled, match="headers"):
            response = await client.send(peer.post(), HOLD)
            await response.read(LIMIT)


async def test_endless_interim_answers_are_garbled(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        while True:
            await link.say(b"HTTP/1.1 102 Processing\r\nx: y\r\n\r\n" * 100)

    async with Peer(script) as peer:
        with pytest.raises(Garbled, match="headers"):
            await client.send(peer.post(), HOLD)


async def test_a_body_at_the_limit_is_read(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789")) as peer:
        response = await client.send(peer.post(), HOLD)
        assert await response.read(10) == b"0123456789"


async def test_a_body_over_the_limit_is_garbled_and_closes(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n" + b"x" * 11)
        await link.closed()

    async with Peer(script) as peer:
        response = await client.send(peer.post(), HOLD)
        with pytest.raises(Garbled, match="10 bytes"):
            await response.read(10)
        await settled(lambda: client.open_connections == 0)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
async def test_a_cut_body_hands_out_what_came_and_is_unreachable(client: HttpClient, start: bytes) -> None:
    async with Peer(answering_once(start)) as peer:
        response = await client.send(peer.post(), HOLD)
        assert await response.next_chunk() == b"half"
        with pytest.raises(Unreachable) as raised:
            await response.next_chunk()
        assert raised.value.upstream_status == 200


async def test_a_cut_head_is_unreachable(client: HttpClient) -> None:
    async with Peer(answering_once(b"HTTP/1.1 200 O")) as peer:
        with pytest.raises(Unreachable):
            await client.send(peer.post(), HOLD)
        assert peer.connections == 1


async def test_chunks_that_arrived_together_are_handed_out_together(client: HttpClient) -> None:
    gate = asyncio.Event()

    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n", b"1\r\nb\r\n1\r\nc\r\n")
        await gate.wait()
        await link.say(b"0\r\n\r\n")

    async with Peer(script) as peer:
        response = await client.send(peer.post(), HOLD)
        await asyncio.sleep(0.1)
        assert await response.next_chunk() == b"abc"
        gate.set()
        assert await response.next_chunk() == b""
        assert await response.next_chunk() == b""
