"""Hostile bytes: whatever a peer sends ends, and ends in a right answer or in an UpstreamError."""

import asyncio
import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kyma.core.errors import Garbled, Unreachable, UpstreamError
from kyma.core.upstream import Origin, UpstreamRequest
from kyma.transport import HttpClient
from kyma.transport.connection import SLICE_BYTES, Connection
from kyma.transport.response import HIGH_WATER_BYTES
from tests.transport.peer import HOLD, PATIENT, SHORT, Link, Peer

Answer = tuple[int, dict[bytes, bytes], bytes]
Outcome = Answer | type[UpstreamError]

REQUEST = UpstreamRequest("POST", Origin("h", 80, False), "/", (), b"hello", PATIENT)
MAX_HEADER_BYTES = 4096

VALID: list[tuple[bytes, Outcome]] = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, {b"content-length": b"2"}, b"ok")),
    (b"HTTP/1.1 500\r\ncontent-length: 0\r\n\r\n", (500, {b"content-length": b"0"}, b"")),
    (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nt: r\r\n\r\n",
        (200, {b"transfer-encoding": b"Chunked"}, b"abc0123456789"),
    ),
    (b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nuntil the end", (200, {b"x": b"1"}, b"until the end")),
    (b"HTTP/1.0 404 Not Found\r\n\r\n", (404, {}, b"")),
    (b"HTTP/1.1 204 No Content\r\n\r\n", (204, {}, b"")),
    (b"HTTP/1.1 304 x\r\ncontent-length: 9\r\n\r\n", (304, {b"content-length": b"9"}, b"")),
    (
        b"HTTP/1.1 103 x\r\nlink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 x\r\ncontent-length: 1\r\n\r\n!",
        (201, {b"content-length": b"1"}, b"!"),
    ),
    (
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\na:\r\nb: \t c \r\n\r\nok",
        (200, {b"connection": b"close", b"content-length": b"2", b"a": b"", b"b": b"c"}, b"ok"),
    ),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok surplus", (200, {b"content-length": b"2"}, b"ok")),
]


class MemoryTransport(asyncio.Transport):
    """The kernel's part, played by a test."""

    def __init__(self, connection: Connection, capacity: int = 1 << 30) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_paused = False
        self.pauses = 0
        self._connection = connection
        self._capacity = capacity
        self._is_closing = False
        connection.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        if len(self.written) > self._capacity:
            self._connection.pause_writing()

    def get_write_buffer_size(self) -> int:
        return max(0, len(self.written) - self._capacity)

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None:
        self.is_paused = True
        self.pauses += 1

    def resume_reading(self) -> None:
        self.is_paused = False

    def abort(self) -> None:
        if not self._is_closing:
            self.end(None)

    def end(self, error: Exception | None) -> None:
        self._is_closing = True
        asyncio.get_running_loop().call_soon(self._connection.connection_lost, error)


class Idle:
    """What a pool would have heard."""

    def __init__(self) -> None:
        self.idle: list[Connection] = []
        self.lost: list[Connection] = []
        self.connection = Connection(asyncio.get_running_loop(), MAX_HEADER_BYTES, self.idle.append, self.lost.append)


async def outcome(pieces: list[bytes], *, is_reset: bool = False) -> tuple[Outcome, bool]:
    """What a call gets when the peer sends these pieces and closes; and whether the connection may serve again."""
    pool = Idle()
    transport = MemoryTransport(pool.connection)
    response = pool.connection.begin(b"", REQUEST)

    async def consume() -> Outcome:
        try:
            await response.start(5)
            return response.status, response.headers, await response.read(1_000_000)
        except UpstreamError as error:
            return type(error)

    consuming = asyncio.create_task(consume())
    for piece in pieces:
        await asyncio.sleep(0)
        while transport.is_paused:
            await asyncio.sleep(0)
        if transport.is_closing() or pool.idle:
            break
        pool.connection.data_received(piece)
    is_reusable = bool(pool.idle)
    if not transport.is_closing():
        if not is_reset:
            pool.connection.eof_received()
        transport.end(ConnectionResetError() if is_reset else None)
    result = await asyncio.wait_for(consuming, 5)
    await pool.connection.lost
    assert pool.lost
    return result, is_reusable


def run(pieces: list[bytes], *, is_reset: bool = False) -> tuple[Outcome, bool]:
    return asyncio.run(outcome(pieces, is_reset=is_reset))


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]


@pytest.mark.parametrize(("data", "expected"), VALID)
async def test_valid_answers_parse_equally_however_they_are_split(data: bytes, expected: Outcome) -> None:
    _, is_reusable = await outcome([data])
    for pieces in [[data], [data[i : i + 1] for i in range(len(data))], *halves(data)]:
        result, is_reusable_now = await outcome(pieces)
        assert result == expected
        if b"surplus" not in data:
            assert is_reusable_now == is_reusable


def halves(data: bytes) -> Iterator[list[bytes]]:
    for cut in range(1, len(data)):
        yield [data[:cut], data[cut:]]


@pytest.mark.parametrize(("data", "expected"), VALID)
async def test_every_cut_is_an_error_or_the_same_answer_as_far_as_it_came(data: bytes, expected: Outcome) -> None:
    assert isinstance(expected, tuple)
    for cut in range(len(data)):
        result, _ = await outcome([data[:cut]])
        if isinstance(result, tuple):
            assert result[:2] == expected[:2] and expected[2].startswith(result[2])
            assert result[2] == expected[2] or b"X: 1" in data  # only a body until close can end early unnoticed
        else:
            assert issubclass(result, Unreachable)


MUTATION = st.tuples(st.sampled_from(["flip", "drop", "insert", "repeat"]), st.integers(0, 200), st.binary(max_size=6))


def mutate(data: bytes, mutations: list[tuple[str, int, bytes]]) -> bytes:
    for kind, place, extra in mutations:
        at = place % (len(data) + 1)
        match kind:
            case "flip":
                data = data[:at] + extra + data[at + len(extra) :]
            case "drop":
                data = data[:at] + data[at + len(extra) + 1 :]
            case "insert":
                data = data[:at] + extra + data[at:]
            case _:
                data = data[: at + len(extra)] + data[at:]
    return data


@settings(max_examples=300, deadline=None)
@given(
    base=st.sampled_from([data for data, _ in VALID]),
    mutations=st.lists(MUTATION, min_size=1, max_size=4),
    cuts=st.lists(st.integers(0, 300), max_size=6),
    is_reset=st.booleans(),
)
def test_mutated_answers_end_the_same_however_they_are_split(
    base: bytes, mutations: list[tuple[str, int, bytes]], cuts: list[int], is_reset: bool
) -> None:
    data = mutate(base, mutations)
    whole, _ = run([data], is_reset=is_reset)
    in_pieces, _ = run(split(data, cuts), is_reset=is_reset)
    assert in_pieces == whole


@settings(max_examples=200, deadline=None)
@given(
    start=st.sampled_from([b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n"]), data=st.binary(max_size=300), cut=st.integers()
)
@example(start=b"", data=b"", cut=0)
@example(start=b"HTTP/1.1 200 OK\r\n", data=b"content-length: 99999999999999999999999\r\n\r\n", cut=3)
@example(start=b"HTTP/1.1 200 OK\r\n", data=b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n", cut=3)
def test_random_bytes_end(start: bytes, data: bytes, cut: int) -> None:
    result, _ = run(split(start + data, [cut]))
    if isinstance(result, tuple):
        assert start and 200 <= result[0] <= 599
    else:
        assert issubclass(result, Garbled | Unreachable)


@settings(max_examples=150, deadline=None)
@given(
    status=st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    names=st.dictionaries(
        st.from_regex(rb"x-[a-z0-9]{1,8}", fullmatch=True), st.from_regex(rb"[!-~]{0,20}", fullmatch=True)
    ),
    chunks=st.lists(st.binary(min_size=1, max_size=400), max_size=6),
    framing=st.sampled_from(["length", "chunked", "close"]),
    cuts=st.lists(st.integers(0, 3000), max_size=8),
)
def test_what_a_right_peer_writes_is_what_is_read(
    status: int, names: dict[bytes, bytes], chunks: list[bytes], framing: str, cuts: list[int]
) -> None:
    body = b"".join(chunks)
    headers = dict(names)
    wire = body
    if framing == "length":
        headers[b"content-length"] = b"%d" % len(body)
    elif framing == "chunked":
        headers[b"transfer-encoding"] = b"chunked"
        wire = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    lines = b"".join(b"%s: %s\r\n" % header for header in headers.items())
    data = b"HTTP/1.1 %d x\r\n%s\r\n%s" % (status, lines, wire)
    result, is_reusable = run(split(data, cuts))
    assert result == (status, headers, body)
    assert is_reusable == (framing != "close")


async def test_random_bytes_from_a_real_peer_end(client: HttpClient) -> None:
    rng = random.Random(11)

    async def script(link: Link) -> None:
        await link.request()
        data = bytearray(rng.choice(VALID)[0])
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        link.writer.write(bytes(data[: rng.randrange(2 * len(data))]))
        if rng.random() < 0.2:
            link.reset()

    async with Peer(script) as peer:

        async def call() -> None:
            try:
                response = await client.send(peer.post(timeouts=SHORT), HOLD)
                await response.read(100_000)
            except UpstreamError:
                pass

        for _ in range(10):
            async with asyncio.timeout(10):
                await asyncio.gather(*(call() for _ in range(20)))


async def test_a_body_is_handed_to_the_transport_only_as_fast_as_it_leaves() -> None:
    pool = Idle()
    transport = MemoryTransport(pool.connection, capacity=SLICE_BYTES // 2)
    body = random.Random(3).randbytes(5 * SLICE_BYTES + 1)
    request = UpstreamRequest("POST", REQUEST.origin, "/", (), body, PATIENT)
    pool.connection.begin(b"head", request)
    assert len(transport.written) == len(b"head") + SLICE_BYTES
    sent = b""
    while transport.written:
        assert len(transport.written) <= SLICE_BYTES + len(b"head")
        sent += transport.written
        transport.written.clear()
        pool.connection.resume_writing()
    assert sent == b"head" + body
    pool.connection.abort()


async def test_a_consumer_that_keeps_up_never_pauses_the_peer() -> None:
    pool = Idle()
    transport = MemoryTransport(pool.connection)
    response = pool.connection.begin(b"", REQUEST)
    pool.connection.data_received(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(3 * HIGH_WATER_BYTES // 65536):
        pool.connection.data_received(b"x" * 65536)
        assert len(await response.next_chunk()) == 65536
    assert transport.pauses == 0
    response.abort()


async def test_a_connection_that_completes_while_paused_reads_again() -> None:
    pool = Idle()
    transport = MemoryTransport(pool.connection)
    response = pool.connection.begin(b"", REQUEST)
    pool.connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (HIGH_WATER_BYTES + 2))
    pool.connection.data_received(b"x" * (HIGH_WATER_BYTES + 1))
    assert transport.is_paused
    pool.connection.data_received(b"x")  # TLS may still hold bytes that it read before the pause
    assert pool.idle and not transport.is_paused
    assert len(await response.read(1 << 20)) == HIGH_WATER_BYTES + 2
    pool.connection.abort()


async def test_framing_bytes_between_bodies_do_not_add_up_to_the_header_limit() -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    result, _ = await outcome([head, *[b"1\r\n", b"x", b"\r\n"] * MAX_HEADER_BYTES, b"0\r\n\r\n"])
    assert isinstance(result, tuple) and result[2] == b"x" * MAX_HEADER_BYTES
