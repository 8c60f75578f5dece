"""What a call has made is gone with it, without waiting for the collector: a busy gateway collects rarely."""

import gc
from collections.abc import Iterator

import pytest

from kyma.core.errors import Unreachable
from kyma.transport import HttpClient, Response
from kyma.transport.connection import Connection
from tests.transport.peer import HOLD, Link, Peer, answering, settled

CUT = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"


@pytest.fixture(autouse=True)
def _without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> list[object]:
    return [found for found in gc.get_objects() if type(found) in (Connection, Response)]


async def cut(link: Link) -> None:
    await link.request()
    await link.say(CUT)
    link.writer.close()


async def test_an_answer_cut_short_leaves_nothing(client: HttpClient) -> None:
    async with Peer(cut) as peer:
        assert await fails(client, peer, give_up=False)
        await gone(client)


async def test_an_answer_given_up_leaves_nothing(client: HttpClient) -> None:
    async with Peer(answering(CUT)) as peer:
        assert await fails(client, peer, give_up=True)
        await gone(client)


async def fails(client: HttpClient, peer: Peer, *, give_up: bool) -> bool:
    response = await client.send(peer.post(), HOLD)
    if give_up:
        response.abort()
    try:  # `pytest.raises` would keep the frames that are looked for
        await response.read(100)
    except Unreachable:
        return True
    return False


async def gone(client: HttpClient) -> None:
    await settled(lambda: client.open_connections == 0)
    await settled(lambda: not alive())
