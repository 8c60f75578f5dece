"""Request heads: as ASGI has them, and known again when a client sends the same one, but for the body's length."""

from typing import Any
from urllib.parse import unquote

import httptools

from kyma.server.exchange import Scope

ASGI = {"version": "3.0", "spec_version": "2.5"}
BLANK_LINE = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
MAX_DIGITS = 9
LEFT_TO_THE_PARSER = (b"transfer-encoding", b"expect", b"upgrade", b"connection")


Address = tuple[str, int] | None


def scope_of(
    method: str, url: bytes, version: str, headers: list[tuple[bytes, bytes]], client: Address, server: Address
) -> Scope:
    """A parsed head as an ASGI scope. What a handler works out from the head alone it may keep in `memo`, which stays
    with the head: the next request that starts with the same bytes on the same connection finds it there."""
    parsed = httptools.parse_url(url)
    raw_path = parsed.path or b"/"
    path = raw_path.decode("latin-1")
    return {
        "type": "http",
        "asgi": ASGI,
        "http_version": version,
        "method": method,
        "scheme": "http",
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": parsed.query or b"",
        "root_path": "",
        "headers": headers,
        "client": client,
        "server": server,
        "memo": {},
    }


class KnownHead:
    """A head that the parser has accepted. Sent again to the byte, it need not be parsed again."""

    __slots__ = ("_after", "_before", "_headers", "_length_at", "_scope")

    def __init__(self, before: bytes, after: bytes, scope: dict[str, Any], length_at: int) -> None:
        self._before = before
        self._after = after
        self._scope = scope
        self._headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        self._length_at = length_at

    @classmethod
    def learn(cls, data: bytes, scope: Scope, body: bytes) -> "KnownHead | None":
        """From `data`, read as `scope` and `body`; None if it is not just that, or framed out of the ordinary."""
        names = [name for name, _ in scope["headers"]]
        if names.count(b"content-length") != 1 or any(name in LEFT_TO_THE_PARSER for name in names):
            return None
        head = data[: len(data) - len(body)]
        if data.find(BLANK_LINE) + len(BLANK_LINE) != len(head):
            return None
        start = head.lower().find(LENGTH) + len(LENGTH)
        if start < len(LENGTH):
            return None
        start += len(head[start:]) - len(head[start:].lstrip(b" "))
        end = head.find(b"\r\n", start)
        length_at = names.index(b"content-length")
        if head[start:end] != scope["headers"][length_at][1] or scope["http_version"] != "1.1":
            return None
        return cls(head[:start], head[end:], dict(scope), length_at)

    def read(self, data: bytes, body_limit: int) -> tuple[Scope, bytes] | None:
        """Scope and body, if `data` is this head and one whole body; None leaves it to the parser."""
        before, after = self._before, self._after
        if not data.startswith(before):
            return None
        start = len(before)
        end = data.find(b"\r\n", start, start + MAX_DIGITS + 2)
        if end < 0 or not data.startswith(after, end):
            return None
        length, body = data[start:end], data[end + len(after) :]
        if not length.isdigit() or int(length) != len(body) or len(body) > body_limit:
            return None
        scope = self._scope.copy()
        scope["headers"] = headers = self._headers.copy()
        headers[self._length_at] = (b"content-length", length)
        return scope, body
