"""A head that was sent before is read without the parser, and only that head."""

import pytest

from kyma.server.exchange import Scope
from kyma.server.head import KnownHead, scope_of

LIMIT = 1000


def request(body: bytes, *, length: bytes | None = None, more: bytes = b"", key: bytes = b"ky-a") -> bytes:
    size = b"%d" % len(body) if length is None else length
    return b"POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: %b\r\nAuthorization: %b\r\n%b\r\n%b" % (
        size,
        key,
        more,
        body,
    )


def scope(*more: tuple[bytes, bytes], length: bytes = b"2") -> Scope:
    headers = [(b"host", b"h"), (b"content-length", length), (b"authorization", b"ky-a"), *more]
    return scope_of("POST", b"/v1/x", "1.1", headers, None, None)


def known() -> KnownHead:
    head = KnownHead.learn(request(b"{}"), scope(), b"{}")
    assert head is not None
    return head


def test_the_same_head_with_a_longer_body_is_read() -> None:
    read = known().read(request(b'{"a": 1234}'), LIMIT)
    assert read == (scope(length=b"11"), b'{"a": 1234}')


def test_scopes_of_two_requests_share_no_headers() -> None:
    head = known()
    first, second = head.read(request(b"{}"), LIMIT), head.read(request(b"{}"), LIMIT)
    assert first is not None and second is not None
    assert first[0] is not second[0] and first[0]["headers"] is not second[0]["headers"]


@pytest.mark.parametrize(
    "data",
    [
        request(b"{}", key=b"ky-b"),
        request(b"{}", more=b"Transfer-Encoding: chunked\r\n"),
        request(b"{}", length=b"3"),
        request(b"{}", length=b"+2"),
        request(b"{}", length=b""),
        request(b"{}")[:-1],
        request(b"{}") + b"POST",
        request(b" " * (LIMIT + 1)),
    ],
    ids=["other key", "other framing", "too short", "signed", "no length", "cut", "pipelined", "too large"],
)
def test_anything_else_is_left_to_the_parser(data: bytes) -> None:
    assert known().read(data, LIMIT) is None


@pytest.mark.parametrize("name", [b"transfer-encoding", b"expect", b"upgrade", b"connection", b"content-length"])
def test_a_head_with_framing_of_its_own_is_not_learned(name: bytes) -> None:
    data = request(b"{}", more=b"%b: 2\r\n" % name)
    assert KnownHead.learn(data, scope((name, b"2")), b"{}") is None


def test_two_requests_at_once_are_not_learned() -> None:
    assert KnownHead.learn(request(b"{}") * 2, scope(), b"{}") is None
