"""Bytes that are hardly HTTP: each gets an answer or a closed connection, soon, and the gateway lives on."""

import json
import select
import socket
import time
from collections.abc import Iterable, Iterator

import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import HELLO, Api

HEAD_LIMIT = 32 * 1024
PATIENCE_S = 1.0
"""What the gateway of these tests grants a slow client."""

SOON_S = 4.0


@pytest.fixture(autouse=True)
def it_lives_on(operator: Api) -> Iterator[None]:
    yield
    assert operator.get("/healthz").status == 200


def say(gateway: GatewayProcess, *pieces: bytes, pause_s: float = 0.02) -> bytes:
    """Send the pieces one after the other until there is an answer, then read until the connection ends."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=SOON_S) as client:
        try:
            for number, piece in enumerate(pieces):
                if number and select.select([client], [], [], pause_s)[0]:
                    break
                client.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read(client)


def read(client: socket.socket) -> bytes:
    """Everything until the end. A failure if it does not come soon."""
    said = b""
    try:
        while data := client.recv(65536):
            said += data
    except ConnectionResetError:
        pass
    return said


def status_and_code(said: bytes) -> tuple[int, str]:
    """Of the one JSON error that was said."""
    head, _, body = said.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert b"content-type: application/json" in lines and b"connection: close" in lines, said
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "code", "param"}
    return int(head.split()[1]), error["code"]


def request(gateway: GatewayProcess, *headers: str, body: bytes = b"", line: str = "") -> bytes:
    lines = [line or "POST /v1/chat/completions HTTP/1.1", "host: x", f"authorization: Bearer {gateway.key}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def chat(gateway: GatewayProcess, model: str = "good", *headers: str) -> bytes:
    body = json.dumps({"model": model, "messages": HELLO}).encode()
    return request(gateway, f"content-length: {len(body)}", *headers, body=body)


@pytest.mark.parametrize(
    "said",
    [
        b"\r\n\r\n\r\nhello there\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nbad\x00name: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_400(gateway: GatewayProcess, said: bytes) -> None:
    assert status_and_code(say(gateway, said)) == (400, "invalid_http")


@pytest.mark.parametrize(
    "pieces",
    [
        [f"x: {'y' * 40_000}"],
        [f"x-{number}: {'y' * 80}" for number in range(500)],
    ],
    ids=["one long header", "many headers"],
)
def test_an_oversize_head_is_a_431(gateway: GatewayProcess, pieces: list[str]) -> None:
    assert status_and_code(say(gateway, request(gateway, *pieces))) == (431, "headers_too_large")


def test_an_oversize_head_in_two_pieces_is_a_431(gateway: GatewayProcess) -> None:
    head = request(gateway, f"x: {'y' * 40_000}")
    assert status_and_code(say(gateway, head[:30_000], head[30_000:])) == (431, "headers_too_large")


def test_an_endless_head_is_a_431(gateway: GatewayProcess) -> None:
    pieces = [b"GET / HTTP/1.1\r\nx: ", *[b"y" * 5_000] * 10]
    assert status_and_code(say(gateway, *pieces)) == (431, "headers_too_large")


def test_the_second_head_of_a_connection_is_bounded_too(gateway: GatewayProcess) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=SOON_S) as client:
        client.sendall(chat(gateway))
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        client.sendall(request(gateway, f"x: {'y' * 40_000}"))
        assert status_and_code(read(client)) == (431, "headers_too_large")


@pytest.mark.parametrize("cut", [-1, -2, -3])
def test_a_head_may_be_cut_anywhere_before_a_large_body(gateway: GatewayProcess, cut: int) -> None:
    body = json.dumps({"model": "good", "messages": [{"role": "user", "content": "x" * 60_000}]}).encode()
    head = request(gateway, f"content-length: {len(body)}", "connection: close")
    assert say(gateway, head[:cut], head[cut:] + body).startswith(b"HTTP/1.1 200 ")


def test_a_head_just_below_the_limit_is_taken(gateway: GatewayProcess) -> None:
    head = request(gateway, f"x: {'y' * (HEAD_LIMIT - 500)}", "connection: close", line="GET /healthz HTTP/1.1")
    assert say(gateway, head).startswith(b"HTTP/1.1 200 ")


def test_a_head_that_dribbles_is_cut_off(gateway: GatewayProcess) -> None:
    started_at = time.monotonic()
    say(gateway, *(bytes([byte]) for byte in b"GET /healthz HTTP/1.1\r\nhost: " + b"y" * 100), pause_s=0.05)
    assert PATIENCE_S <= time.monotonic() - started_at < PATIENCE_S + SOON_S


def test_a_body_that_dribbles_is_a_400(gateway: GatewayProcess) -> None:
    pieces = [request(gateway, "content-length: 1000"), *[b"{"] * 100]
    started_at = time.monotonic()
    assert status_and_code(say(gateway, *pieces, pause_s=0.05)) == (400, "body_timeout")
    assert time.monotonic() - started_at < PATIENCE_S + SOON_S


def test_a_chunked_body_is_read(gateway: GatewayProcess) -> None:
    body = json.dumps({"model": "good", "messages": HELLO}).encode()
    head = request(gateway, "transfer-encoding: chunked", "connection: close")
    said = say(gateway, head, b"%x\r\n%b\r\n" % (10, body[:10]), b"%x\r\n%b\r\n0\r\n\r\n" % (len(body) - 10, body[10:]))
    assert said.startswith(b"HTTP/1.1 200 ") and b"w0 w1" in said


def test_a_chunked_body_beyond_the_limit_is_a_413(gateway: GatewayProcess) -> None:
    megabyte = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    pieces = [request(gateway, "transfer-encoding: chunked"), *[megabyte] * 11]
    assert status_and_code(say(gateway, *pieces, pause_s=0)) == (413, "request_too_large")


def test_a_length_beyond_the_limit_is_a_413_without_the_body(gateway: GatewayProcess) -> None:
    assert status_and_code(say(gateway, request(gateway, "content-length: 10485761"))) == (413, "request_too_large")


def test_a_client_may_wait_for_100_continue(gateway: GatewayProcess) -> None:
    body = json.dumps({"model": "good", "messages": HELLO}).encode()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=SOON_S) as client:
        client.sendall(request(gateway, f"content-length: {len(body)}", "expect: 100-continue"))
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_requests_sent_together_are_answered_in_order(gateway: GatewayProcess) -> None:
    said = say(gateway, chat(gateway, "slow") + chat(gateway, "other", "connection: close"))
    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert said.index(b'"w0 w1 w2 w3 w4"') < said.index(b'"w0 w1 w2 w3"')


def test_an_answer_is_given_before_nonsense_behind_its_request_ends_the_connection(gateway: GatewayProcess) -> None:
    assert b'"w0 w1 w2 w3 w4"' in say(gateway, chat(gateway, "slow"), b"\x00nonsense\r\n\r\n")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET http://example.com/healthz HTTP/1.1", 200),
        ("GET /healthz HTTP/1.0", 200),
        ("HEAD /healthz HTTP/1.1", 200),
        ("GET /healthz?x#y HTTP/1.1", 200),
        ("OPTIONS * HTTP/1.1", 204),
        ("CONNECT example.com:443 HTTP/1.1", 400),
        ("TRACE /healthz HTTP/1.1", 405),
    ],
)
def test_rare_request_lines(gateway: GatewayProcess, line: str, status: int) -> None:
    said = say(gateway, request(gateway, "connection: close", line=line))
    assert said.startswith(b"HTTP/1.1 %d " % status)


def test_an_upgrade_is_answered_as_if_it_was_not_asked_for(gateway: GatewayProcess) -> None:
    head = request(gateway, "connection: upgrade", "upgrade: websocket", line="GET /healthz HTTP/1.1")
    assert say(gateway, head).endswith(b'{"status":"ok"}')


def test_a_client_that_sends_half_a_request_and_leaves_does_no_harm(gateway: GatewayProcess, operator: Api) -> None:
    before = operator.get("/v1/credits/balance").json()
    pieces: Iterable[bytes] = (chat(gateway)[:40], chat(gateway)[:-5], request(gateway, "transfer-encoding: chunked"))
    for piece in pieces:
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=SOON_S) as client:
            client.sendall(piece)
    assert operator.get("/v1/credits/balance").json() == before


def test_a_client_that_closes_its_side_has_left(gateway: GatewayProcess) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=SOON_S) as client:
        client.sendall(chat(gateway, "slow"))
        client.shutdown(socket.SHUT_WR)
        assert read(client) == b""
