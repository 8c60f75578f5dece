"""Names: remembered, shared, survived."""

import asyncio
import socket

import pytest

from kyma.core.errors import Unreachable
from kyma.core.upstream import Origin, UpstreamRequest
from kyma.transport import HttpClient, Resolver
from tests.transport.peer import HOLD, OK, PATIENT, Peer, answering


class Names:
    """A look-up that counts, and answers or fails as told."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.count = 0
        self.is_down = False

    async def __call__(self, host: str) -> tuple[str, ...]:
        self.count += 1
        await asyncio.sleep(0.01)
        if self.is_down:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return self.addresses


def request_to(host: str, port: int) -> UpstreamRequest:
    return UpstreamRequest("POST", Origin(host, port, False), "/", (), b"", PATIENT)


async def test_an_answer_is_remembered_for_its_time() -> None:
    names = Names("10.0.0.1")
    resolver = Resolver(names, ttl_s=0.1)
    assert await resolver.addresses("a.test") == ("10.0.0.1",)
    assert await resolver.addresses("a.test") == ("10.0.0.1",)
    assert names.count == 1
    await asyncio.sleep(0.15)
    await resolver.addresses("a.test")
    assert names.count == 2


async def test_callers_at_once_share_a_look_up_and_one_may_leave() -> None:
    names = Names("10.0.0.1")
    resolver = Resolver(names)
    calls = [asyncio.create_task(resolver.addresses("a.test")) for _ in range(5)]
    await asyncio.sleep(0)
    calls[0].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert answers[1:] == [("10.0.0.1",)] * 4
    assert names.count == 1


async def test_a_failed_renewal_keeps_the_old_answer() -> None:
    names = Names("10.0.0.1")
    resolver = Resolver(names, ttl_s=0.0)
    await resolver.addresses("a.test")
    names.is_down = True
    assert await resolver.addresses("a.test") == ("10.0.0.1",)
    assert names.count == 2


async def test_a_failure_is_not_remembered() -> None:
    names = Names("10.0.0.1")
    names.is_down = True
    resolver = Resolver(names)
    with pytest.raises(OSError):
        await resolver.addresses("a.test")
    names.is_down = False
    assert await resolver.addresses("a.test") == ("10.0.0.1",)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_literal_address_is_not_looked_up(address: str) -> None:
    names = Names("10.0.0.1")
    assert await Resolver(names).addresses(address) == (address,)
    assert names.count == 0


async def test_the_system_knows_localhost(client: HttpClient) -> None:
    async with Peer(answering(OK)) as peer:
        response = await client.send(request_to("localhost", peer.port), HOLD)
        assert await response.read(10) == b"ok"


async def test_addresses_are_tried_in_turn_and_the_good_one_is_preferred() -> None:
    names = Names("127.0.0.2", "127.0.0.3", "127.0.0.1")
    resolver = Resolver(names)
    client = HttpClient(resolver=resolver)
    async with Peer(answering(OK)) as peer:  # listens on 127.0.0.1 alone
        response = await client.send(request_to("a.test", peer.port), HOLD)
        assert await response.read(10) == b"ok"
        assert await resolver.addresses("a.test") == ("127.0.0.1", "127.0.0.2", "127.0.0.3")
    await client.close()


@pytest.mark.parametrize("host", ["a.test", "x" * 70 + ".test", ".."])
async def test_a_name_that_cannot_be_resolved_is_unreachable(host: str) -> None:
    names = Names()
    client = HttpClient(resolver=Resolver(names) if host == "a.test" else None)
    with pytest.raises(Unreachable, match="resolved"):
        await client.send(request_to(host, 80), HOLD)
    await client.close()
