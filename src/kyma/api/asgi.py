"""The ASGI of hot routes: who calls, and how answers and errors are written."""

from collections.abc import Callable

from kyma.accounts import Accounts
from kyma.calls.outlet import HeaderList
from kyma.core.errors import KymaError, UnsupportedMedia
from kyma.core.principal import Principal
from kyma.server.exchange import Exchange, HeaderLines, Scope, Send

JSON_TYPE = (b"content-type", b"application/json")
CORS_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"X-Kyma-Model, X-Kyma-Alias, X-Kyma-Auto-Reason, X-Kyma-Fallback, X-Kyma-Fallback-Layer, X-Kyma-Dropped,"
        b" X-Kyma-Emulated, X-Request-Id, Retry-After",
    ),
]

CORS_LINES = b"".join(b"%b: %b\r\n" % header for header in CORS_HEADERS)
ANSWER_LINES = b"content-type: application/json\r\n" + CORS_LINES
UNBUFFERED_LINES = b"cache-control: no-cache\r\nx-accel-buffering: no\r\n" + CORS_LINES
STREAM_LINES = b"content-type: text/event-stream; charset=utf-8\r\n" + UNBUFFERED_LINES
ARRAY_LINES = b"content-type: application/json; charset=utf-8\r\n" + UNBUFFERED_LINES


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of that lower-case name."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def credential(scope: Scope) -> str:
    """The key or session token: `Authorization: Bearer`, else `x-api-key` or Google's; empty when there is none."""
    key = b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.partition(b" ")
            if scheme.lower() == b"bearer" and token.strip():
                return str(token.strip(), "latin-1")
        elif name == b"x-api-key" or name == b"x-goog-api-key":
            key = value.strip()
    return key.decode("latin-1")


def refuse_encoded(scope: Scope) -> None:
    """Raises: UnsupportedMedia for a compressed body; it could be a bomb."""
    if (encoding := header(scope, b"content-encoding")) not in (None, b"identity"):
        raise UnsupportedMedia(f"content-encoding {encoding!r} is not accepted; send the body as it is")


async def identify(accounts: Accounts, scope: Scope) -> Principal:
    """Who calls, and that the body may be read. Raises: Unauthenticated, UnsupportedMedia."""
    memo = scope["memo"]
    digest = memo.get("caller")
    if digest is None:
        refuse_encoded(scope)
        digest = memo["caller"] = accounts.digest(credential(scope))
    return accounts.known(digest) or await accounts.authenticate(credential(scope))


async def send_body(send: Send, status: int, headers: HeaderList, body: bytes) -> None:
    """A whole answer at once."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length, *CORS_HEADERS]})
    await send({"type": "http.response.body", "body": body})


async def send_error(
    send: Send, error: KymaError, render: Callable[[KymaError], bytes], headers: HeaderList | None = None
) -> None:
    """An error in the caller's dialect, with `Retry-After` where waiting helps."""
    extra = [JSON_TYPE, *(headers or ()), *error.headers]
    if error.retry_after_s is not None and not any(name == b"retry-after" for name, _ in extra):
        extra.append((b"retry-after", b"%d" % error.retry_after_s))
    await send_body(send, error.status, extra, render(error))


class ExchangeOutlet:
    """See `kyma.calls.Outlet`: an exchange, with the headers that every answer of the API has, and `more` of them."""

    def __init__(
        self,
        exchange: Exchange,
        render_error: Callable[[KymaError], bytes],
        more: HeaderLines = b"",
        stream_lines: HeaderLines = STREAM_LINES,
    ) -> None:
        self._exchange = exchange
        self._render_error = render_error
        self._more = more
        self._stream_lines = stream_lines
        self.write = exchange.write
        self.end = exchange.end
        self.wait_writable = exchange.wait_writable

    def begin(self, lines: HeaderLines) -> None:
        self._exchange.begin(self._stream_lines + lines + self._more)

    def answer(self, lines: HeaderLines, body: bytes) -> None:
        self._exchange.answer(ANSWER_LINES + lines + self._more, body)

    async def fail(self, error: KymaError, headers: HeaderList) -> None:
        more = [(name, value) for name, _, value in (line.partition(b": ") for line in self._more.splitlines())]
        await send_error(self._exchange.send, error, self._render_error, [*headers, *more])
