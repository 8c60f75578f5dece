"""The first lines of a request as bytes, in one join; refuses what would let a value write lines of its own."""

import re
from functools import lru_cache

from kyma.core.upstream import UpstreamRequest

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_OURS = frozenset(
    (b"host", b"content-length", b"connection", b"transfer-encoding", b"accept-encoding", b"expect", b"upgrade")
)


def request_head(request: UpstreamRequest, host: bytes) -> bytes:
    """Request line and headers up to the blank line. `host` is the origin's Host header.

    Raises: ValueError for CR, LF or NUL anywhere, for a bad target or header name, or a header that is ours to send.
    The message names a header at most, never a value.
    """
    before, after = _around_length(request.method, request.target, request.headers, host)
    return before + str(len(request.body)).encode() + after


@lru_cache(maxsize=512)
def _around_length(
    method: str, target: str, headers: tuple[tuple[bytes, bytes], ...], host: bytes
) -> tuple[bytes, bytes]:
    """What stands before and after the body's length: the same for all calls to one place, so checked once."""
    if not target.startswith("/") or " " in target or not target.isascii() or not _is_method(method):
        raise ValueError("The method or the target of the request is malformed.")
    before = f"{method} {target} HTTP/1.1\r\nhost: ".encode("ascii") + host
    before += b"\r\naccept-encoding: identity\r\ncontent-length: "
    parts: list[bytes] = []
    for name, value in headers:
        if not _is_header_name(name):
            raise ValueError(f"The header {name!r} may not be sent.")
        parts += (b"\r\n", name, b": ", value)
    after = b"".join((*parts, b"\r\n\r\n"))
    # Every legitimate line end is one of ours, so counting finds an injected one without a look at each value.
    head, line_ends = before + after, len(headers) + 5
    if head.count(b"\r") != line_ends or head.count(b"\n") != line_ends or b"\0" in head:
        raise ValueError("The target or a header value contains CR, LF or NUL.")
    return before, after


def _is_header_name(name: bytes) -> bool:
    return _TOKEN.fullmatch(name) is not None and name.lower() not in _OURS


def _is_method(method: str) -> bool:
    return method.isascii() and method.isalpha() and method.isupper() and method != "CONNECT"
