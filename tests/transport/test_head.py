"""The bytes of a request, and what never becomes bytes."""

import pytest

from kyma.core.upstream import Origin, Timeouts, UpstreamRequest
from kyma.transport.head import request_head


def head(target: str = "/v1", method: str = "POST", headers: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    request = UpstreamRequest(method, Origin("h", 80, False), target, headers, b"hello", Timeouts())
    return request_head(request, b"h")


def test_a_whole_head() -> None:
    assert head("/v1/chat?a=b", headers=((b"Authorization", b"Bearer x"), (b"content-type", b"application/json"))) == (
        b"POST /v1/chat?a=b HTTP/1.1\r\nhost: h\r\naccept-encoding: identity\r\ncontent-length: 5\r\n"
        b"Authorization: Bearer x\r\ncontent-type: application/json\r\n\r\n"
    )


@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\r", b"\na", b"a\nb", b"a\0", b"\r\n"])
def test_a_value_with_line_ends_or_nul_is_refused_and_not_told(value: bytes) -> None:
    with pytest.raises(ValueError) as raised:
        head(headers=((b"authorization", b"secret" + value),))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("target", ["/a b", "/a\r\nx: y", "/a\n", "/a\0", "a", "", "/ä", "http://other/"])
def test_a_bad_target_is_refused(target: str) -> None:
    with pytest.raises(ValueError):
        head(target)


@pytest.mark.parametrize("method", ["", "GET ", "G\r\nX", "get", "CONNECT", "GÉT"])
def test_a_bad_method_is_refused(method: str) -> None:
    with pytest.raises(ValueError):
        head(method=method)


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\nb", b"\xe4", b" a"])
def test_a_bad_header_name_is_refused(name: bytes) -> None:
    with pytest.raises(ValueError):
        head(headers=((name, b"x"),))


@pytest.mark.parametrize("name", [b"Host", b"content-length", b"Transfer-Encoding", b"connection", b"accept-encoding"])
def test_headers_that_are_the_transports_own_are_refused(name: bytes) -> None:
    with pytest.raises(ValueError):
        head(headers=((name, b"x"),))
