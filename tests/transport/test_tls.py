"""TLS: trust, host names, and the same framing inside it. The certificates are for tests only, valid until 2126."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kyma.core.errors import Unreachable
from kyma.core.upstream import Origin, UpstreamRequest
from kyma.transport import HttpClient, Resolver
from tests.transport.peer import HOLD, OK, PATIENT, Link, Peer, Script, answering, answering_once, settled

CERTS = Path(__file__).parent / "certs"


def server_context(seen_names: list[str] | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTS / "server.pem", CERTS / "server.key")
    if seen_names is not None:

        def remember(_socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
            seen_names.append(str(name))

        context.sni_callback = remember
    return context


def trusting_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTS / "ca.pem"))


async def loopback(host: str) -> tuple[str, ...]:
    return ("127.0.0.1",)


def tls_peer(script: Script, seen_names: list[str] | None = None) -> Peer:
    return Peer(script, tls=server_context(seen_names))


def request_to(peer: Peer, host: str = "upstream.test", body: bytes = b"hello") -> UpstreamRequest:
    return UpstreamRequest("POST", Origin(host, peer.port, True), "/", (), body, PATIENT)


@pytest.fixture
async def tls_client() -> AsyncIterator[HttpClient]:
    client = HttpClient(ssl_context_factory=trusting_context, resolver=Resolver(loopback))
    yield client
    await client.close()
    await settled(lambda: client.open_connections == 0)


async def test_a_call_over_tls_names_the_host_and_keeps_the_connection(tls_client: HttpClient) -> None:
    names: list[str] = []
    async with tls_peer(answering(OK), names) as peer:
        for _ in range(3):
            response = await tls_client.send(request_to(peer), HOLD)
            assert await response.read(10) == b"ok"
        assert names == ["upstream.test"]
        assert f"\r\nhost: upstream.test:{peer.port}\r\n".encode() in peer.requests[0]
        assert tls_client.idle_connections == 1


async def test_a_certificate_for_another_host_is_refused(tls_client: HttpClient) -> None:
    async with tls_peer(answering(OK)) as peer:
        with pytest.raises(Unreachable, match="SSLCertVerificationError"):
            await tls_client.send(request_to(peer, host="other.test"), HOLD)
        with pytest.raises(Unreachable, match="SSLCertVerificationError"):
            await tls_client.send(request_to(peer, host="127.0.0.1"), HOLD)
        assert peer.requests == []
        await settled(lambda: tls_client.open_connections == 0)


async def test_an_unknown_authority_is_refused_by_default() -> None:
    client = HttpClient(resolver=Resolver(loopback))
    async with tls_peer(answering(OK)) as peer:
        with pytest.raises(Unreachable, match="SSLCertVerificationError"):
            await client.send(request_to(peer), HOLD)
        assert peer.requests == []
    await client.close()


async def test_a_peer_without_tls_is_unreachable(tls_client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.reader.read(10)
        await link.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with Peer(script) as peer:
        with pytest.raises(Unreachable):
            await tls_client.send(request_to(peer), HOLD)


async def test_the_context_is_made_once() -> None:
    made = 0

    def factory() -> ssl.SSLContext:
        nonlocal made
        made += 1
        return trusting_context()

    client = HttpClient(ssl_context_factory=factory, resolver=Resolver(loopback))
    async with tls_peer(answering_once(OK)) as peer:
        for _ in range(2):
            response = await client.send(request_to(peer), HOLD)
            await response.read(10)
        assert peer.connections == 2
    assert made == 1
    await client.close()


async def test_a_body_until_close_over_tls(tls_client: HttpClient) -> None:
    async with tls_peer(answering_once(b"HTTP/1.1 200 OK\r\n\r\n", b"all of", b" it")) as peer:
        response = await tls_client.send(request_to(peer), HOLD)
        assert await response.read(100) == b"all of it"


async def test_a_stale_tls_connection_is_replaced(tls_client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(OK)
        await link.request()
        link.reset()

    async with tls_peer(script) as peer:
        for _ in range(2):
            response = await tls_client.send(request_to(peer), HOLD)
            assert await response.read(10) == b"ok"
        assert peer.connections == 2


async def test_big_bodies_both_ways_over_tls(tls_client: HttpClient) -> None:
    size = 3_000_000

    async def script(link: Link) -> None:
        request = await link.request()
        body = request.split(b"\r\n\r\n", 1)[1]
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + body[::-1])
        await link.closed()

    sent = bytes(range(250)) * (size // 250)
    async with tls_peer(script) as peer:
        response = await tls_client.send(request_to(peer, body=sent), HOLD)
        assert await response.read(size) == sent[::-1]


async def test_cancelling_a_tls_handshake_closes_the_connection(tls_client: HttpClient) -> None:
    async def silent(link: Link) -> None:
        await link.closed()

    async with Peer(silent) as peer:
        waiting = asyncio.create_task(tls_client.send(request_to(peer), HOLD))
        await settled(lambda: peer.connections == 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await settled(lambda: peer.closed_connections == 1 and tls_client.open_connections == 0)
