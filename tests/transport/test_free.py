"""Calls that cost nothing go without a hold, by a door that only discovery uses."""

import ast
from pathlib import Path

import pytest

import kyma
from kyma.core.errors import Garbled, Unreachable, UpstreamFailed, UpstreamTimeout
from kyma.transport import HttpClient
from tests.transport.peer import Link, Peer, answering, settled

SOURCE = Path(kyma.__file__).parent
DOOR = "fetch_free"
USERS = {"local/ollama.py"}


def test_nobody_but_discovery_calls_without_a_hold() -> None:
    """A second user is a decision about money: it belongs into this list only if its calls can never be charged."""
    naming = {
        str(file.relative_to(SOURCE))
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr == DOOR)
        or (isinstance(node, ast.Constant) and node.value == DOOR)
    }
    assert naming == USERS


async def test_the_body_of_a_200_is_given(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")) as peer:
        assert await client.fetch_free(peer.post(), limit_bytes=2, within_s=5) == b"{}"
        await settled(lambda: client.idle_connections == 1)


async def test_another_status_is_a_failure(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}")) as peer:
        with pytest.raises(UpstreamFailed) as caught:
            await client.fetch_free(peer.post(), limit_bytes=2, within_s=5)
        assert caught.value.upstream_status == 404


async def test_no_more_is_taken_than_the_limit(client: HttpClient) -> None:
    async with Peer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{ }")) as peer:
        with pytest.raises(Garbled):
            await client.fetch_free(peer.post(), limit_bytes=2, within_s=5)


async def test_all_of_it_has_to_be_there_in_time(client: HttpClient) -> None:
    async def drip(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{")
        await link.closed()

    async with Peer(drip) as peer:
        with pytest.raises(UpstreamTimeout):
            await client.fetch_free(peer.post(), limit_bytes=2, within_s=0.1)
        await settled(lambda: client.open_connections == 0)


async def test_nobody_there_is_unreachable(client: HttpClient) -> None:
    async with Peer(answering(b"")) as peer:
        request = peer.post()
    with pytest.raises(Unreachable):
        await client.fetch_free(request, limit_bytes=2, within_s=5)
