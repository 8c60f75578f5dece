"""A body poured into a sink reaches it in the very call that read it; nothing is lost, and nothing floods."""

import asyncio

import pytest

from kyma.core.errors import Garbled, Unreachable, UpstreamTimeout
from kyma.core.upstream import Timeouts
from kyma.transport import HttpClient
from tests.transport.peer import HOLD, SHORT, Link, Peer, answering, answering_once, settled

FOUR = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
PIECE = b"x" * 65536
TOTAL = 1000 * len(PIECE)


class Sink:
    """Keeps what it is given, and takes no more after each of the first `stops` pieces."""

    def __init__(self, stops: int = 0) -> None:
        self.pieces: list[bytes] = []
        self.tasks: list[asyncio.Task[object] | None] = []
        self._stops = stops

    def __call__(self, data: bytes) -> bool:
        self.pieces.append(data)
        self.tasks.append(asyncio.current_task())
        self._stops -= 1
        return self._stops < 0


class Faulty:
    """Raises at the piece of that number, counting from 1."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, data: bytes) -> bool:
        self._left -= 1
        if not self._left:
            raise ZeroDivisionError
        return True


async def test_pieces_that_have_come_are_poured_first(client: HttpClient) -> None:
    async with Peer(answering(FOUR + b"ab", b"cd")) as peer:
        response, sink = await client.send(peer.post(), HOLD), Sink()
        await asyncio.sleep(0.05)
        assert await response.pour(sink) is True
        assert sink.pieces == [b"abcd"]


async def test_later_pieces_are_poured_as_they_come_and_by_no_task(client: HttpClient) -> None:
    async with Peer(answering(FOUR, b"a", b"b", b"cd")) as peer:
        response, sink = await client.send(peer.post(), HOLD), Sink()
        assert await response.pour(sink) is True
        assert sink.pieces == [b"a", b"b", b"cd"]
        assert sink.tasks == [None, None, None]
        assert client.idle_connections == 1


async def test_chunks_that_come_together_are_one_piece(client: HttpClient) -> None:
    async with Peer(answering(CHUNKED, b"1\r\na\r\n1\r\nb\r\n", b"2\r\ncd\r\n0\r\n\r\n")) as peer:
        response, sink = await client.send(peer.post(), HOLD), Sink()
        assert await response.pour(sink) is True
        assert sink.pieces == [b"ab", b"cd"]


async def test_a_sink_that_takes_no_more_gets_no_more_until_the_next_pour(client: HttpClient) -> None:
    async with Peer(answering(FOUR, b"a", b"b", b"cd")) as peer:
        response, sink = await client.send(peer.post(), HOLD), Sink(stops=1)
        assert await response.pour(sink) is False
        await asyncio.sleep(0.05)
        assert sink.pieces == [b"a"]
        assert await response.pour(sink) is True
        assert sink.pieces == [b"a", b"bcd"]


async def test_a_sink_that_stops_at_the_last_piece_learns_of_the_end_by_pouring_again(client: HttpClient) -> None:
    async with Peer(answering(FOUR, b"abcd")) as peer:
        response, sink = await client.send(peer.post(), HOLD), Sink(stops=1)
        assert await response.pour(sink) is False
        assert await response.pour(sink) is True
        assert sink.pieces == [b"abcd"]


async def test_a_sink_may_stop_at_a_piece_that_waited_for_it(client: HttpClient) -> None:
    async with Peer(answering(FOUR + b"ab", b"cd")) as peer:
        response, sink = await client.send(peer.post(), HOLD), Sink(stops=1)
        await asyncio.sleep(0.005)
        assert await response.pour(sink) is False
        assert b"".join(sink.pieces) + await response.read(10) == b"abcd"


async def test_a_sink_that_has_stopped_stalls_the_peer_and_loses_nothing(client: HttpClient) -> None:
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
        response, sink = await client.send(peer.post(timeouts=SHORT), HOLD), Sink(stops=1)
        assert await response.pour(sink) is False
        await asyncio.sleep(0.3)
        stalled_at = sent
        await asyncio.sleep(0.1)
        assert sent == stalled_at < TOTAL
        assert await response.pour(sink) is True
        assert sum(map(len, sink.pieces)) == TOTAL


async def test_what_came_before_a_cut_is_poured_before_it_is_raised(client: HttpClient) -> None:
    async with Peer(answering_once(CHUNKED, b"2\r\nab\r\n", b"2\r\ncd\r\n5\r\nef")) as peer:
        response, sink = await client.send(peer.post(), HOLD), Sink()
        with pytest.raises(Unreachable, match="cut short"):
            await response.pour(sink)
        assert b"".join(sink.pieces) == b"abcdef"


async def test_bad_framing_is_raised_after_the_good_piece_before_it(client: HttpClient) -> None:
    async with Peer(answering(CHUNKED, b"2\r\nab\r\nnonsense\r\n")) as peer:
        response, sink = await client.send(peer.post(), HOLD), Sink()
        with pytest.raises(Garbled, match="Not HTTP"):
            await response.pour(sink)
        assert sink.pieces == [b"ab"]


async def test_a_body_that_falls_silent_while_it_is_poured(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(FOUR, b"a", b"b")
        await link.closed()

    async with Peer(script) as peer:
        response, sink = await client.send(peer.post(timeouts=Timeouts(first_byte_s=5, idle_s=0.1)), HOLD), Sink()
        with pytest.raises(UpstreamTimeout, match=r"0.1 s"):
            await response.pour(sink)
        assert sink.pieces == [b"a", b"b"]


async def test_each_piece_starts_the_idle_limit_anew(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(0.05)
            await link.say(b"x")

    async with Peer(script) as peer:
        response, sink = await client.send(peer.post(timeouts=SHORT), HOLD), Sink()
        assert await response.pour(sink) is True
        assert len(sink.pieces) == 8


async def test_the_idle_limit_rests_while_the_sink_takes_nothing(client: HttpClient) -> None:
    async with Peer(answering(FOUR, b"ab", b"cd")) as peer:
        response, sink = await client.send(peer.post(timeouts=Timeouts(idle_s=0.1)), HOLD), Sink(stops=1)
        assert await response.pour(sink) is False
        await asyncio.sleep(0.3)
        assert await response.pour(sink) is True
        assert sink.pieces == [b"ab", b"cd"]


@pytest.mark.parametrize("number", [1, 2])
async def test_what_a_sink_raises_ends_the_pour_and_the_connection(client: HttpClient, number: int) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"a", b"b", b"c")
        await link.closed()

    async with Peer(script) as peer:
        response = await client.send(peer.post(), HOLD)
        with pytest.raises(ZeroDivisionError):
            await response.pour(Faulty(number))
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)


async def test_what_a_sink_raises_at_a_piece_that_waited_ends_the_connection_too(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(FOUR + b"a")
        await link.closed()

    async with Peer(script) as peer:
        response = await client.send(peer.post(), HOLD)
        await asyncio.sleep(0.05)
        with pytest.raises(ZeroDivisionError):
            await response.pour(Faulty(1))
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)


async def test_what_a_sink_raises_at_the_last_piece_is_raised_and_the_connection_serves_on(client: HttpClient) -> None:
    async with Peer(answering(FOUR, b"abcd")) as peer:
        for _ in range(2):
            response = await client.send(peer.post(), HOLD)
            with pytest.raises(ZeroDivisionError):
                await response.pour(Faulty(1))
        assert peer.connections == 1


async def test_cancelling_a_pour_closes_the_connection_and_leaves_the_sink_alone(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(FOUR, b"a")
        await link.closed()

    async with Peer(script) as peer:
        response, sink = await client.send(peer.post(), HOLD), Sink()
        pouring = asyncio.create_task(response.pour(sink))
        await settled(lambda: sink.pieces == [b"a"])
        pouring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pouring
        await settled(lambda: peer.closed_connections == 1 and client.open_connections == 0)
        assert sink.pieces == [b"a"]


async def test_what_a_sink_raises_after_its_task_was_cancelled_is_reported(client: HttpClient) -> None:
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    async with Peer(answering(FOUR)) as peer:
        response = await client.send(peer.post(), HOLD)

        async def pour() -> None:
            await response.pour(Faulty(1))

        pouring = asyncio.create_task(pour())
        await asyncio.sleep(0)
        pouring.cancel()
        response.pieces.append(b"a")
        response.advance(1)
        with pytest.raises(asyncio.CancelledError):
            await pouring
        assert [type(context["exception"]) for context in reported] == [ZeroDivisionError]


async def test_abort_ends_a_pour(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(FOUR)
        await link.closed()

    async with Peer(script) as peer:
        response = await client.send(peer.post(), HOLD)
        pouring = asyncio.create_task(response.pour(Sink()))
        await asyncio.sleep(0.01)
        response.abort()
        with pytest.raises(Unreachable, match="given up"):
            await pouring


async def test_a_sink_may_abort_the_answer_that_it_is_given(client: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(FOUR, b"a", b"b")
        await link.closed()

    async with Peer(script) as peer:
        response = await client.send(peer.post(), HOLD)
        given: list[bytes] = []

        def sink(data: bytes) -> bool:
            given.append(data)
            response.abort()
            return True

        with pytest.raises(Unreachable, match="given up"):
            await response.pour(sink)
        await settled(lambda: client.open_connections == 0)
        assert given == [b"a"]


async def test_a_second_task_cannot_take_the_pour_from_the_first(client: HttpClient) -> None:
    async with Peer(answering(FOUR, b"", b"", b"abcd")) as peer:
        response, first, second = await client.send(peer.post(), HOLD), Sink(), Sink()
        pouring = asyncio.create_task(response.pour(first))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await response.pour(second)
        assert await pouring is True
        assert (first.pieces, second.pieces) == ([b"abcd"], [])
