"""One client's connection: bytes to requests, one after the other, and back."""

import asyncio
from typing import cast

import httptools

from kyma.core.errors import HeadersTooLarge, InvalidRequest, KymaError, TooLarge
from kyma.server.exchange import STATUS_LINES, Exchange
from kyma.server.head import KnownHead, scope_of
from kyma.server.host import Host

MAX_PIPELINED = 8
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSAL_HEADERS = b"content-type: application/json\r\naccess-control-allow-origin: *\r\nconnection: close\r\n"


class Connection(asyncio.Protocol):
    """Parses requests whole, bounds their size, and hands them on one at a time.

    `waits_since` is when the client was last owed patience: an idle connection, a head or a body under way.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_client",
        "_current",
        "_ends",
        "_head_bytes",
        "_headers",
        "_host",
        "_is_discarding",
        "_known",
        "_loop",
        "_parser",
        "_queue",
        "_requests",
        "_server",
        "_transport",
        "_url",
        "_whole",
        "_writable",
        "is_paused",
        "state",
        "waits_since",
    )

    def __init__(self, host: Host, loop: asyncio.AbstractEventLoop) -> None:
        self._host = host
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._client: tuple[str, int] | None = None
        self._server: tuple[str, int] | None = None
        self._known: KnownHead | None = None
        self._requests = 0
        self._whole = b""  # what came last, if it came while nothing was under way
        self._queue: list[Exchange] = []
        self._current: Exchange | None = None
        self._writable: asyncio.Event | None = None
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._is_discarding = False
        self._ends = False  # nothing more is taken: what is under way is answered, then the connection closes
        self.state = "idle"  # idle, head, body or busy
        self.waits_since = loop.time()
        self.is_paused = False

    @property
    def date(self) -> bytes:
        return self._host.date

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._client = _address(transport.get_extra_info("peername"))
        self._server = _address(transport.get_extra_info("sockname"))
        self._host.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.closed(self)
        self.resume_writing()
        for exchange in (self._current, *self._queue):
            if exchange is not None:
                exchange.leave()
        self._queue.clear()
        self._current = self._transport = None
        del self._parser  # it holds methods of ours: together only the collector would free us

    def eof_received(self) -> bool:
        """A client that closes its side has left: hardly any closes half, and its answer may be costing money."""
        return False

    def data_received(self, data: bytes) -> None:
        if self._is_discarding or self._ends:
            return
        if self.state == "idle":
            known = self._known
            if known is not None and (read := known.read(data, self._host.body_limit_bytes)) is not None:
                self.state = "busy"
                return self._take(Exchange(self, *read, keeps=True, is_http_10=False))
            self._whole = data
        if self.state in ("idle", "head"):
            room = self._host.head_limit_bytes - self._head_bytes
            self._head_bytes += len(data)
            if len(data) > room:
                self._feed(data[:room])
                if self._is_discarding:
                    return
                if self._head_bytes:  # no head was complete within its limit
                    return self._refuse(HeadersTooLarge("the request head is too large"))
                data = data[room:]
        self._feed(data)
        self._whole = b""

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError:
            if not self._is_discarding:
                self._refuse(InvalidRequest("this is not a valid HTTP request", code="invalid_http"))

    def pause_writing(self) -> None:
        self.is_paused = True
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        self.is_paused = False
        if self._writable is not None:
            self._writable.set()

    async def wait_writable(self) -> None:
        """Until the client has read some of what waits for it, or has left."""
        if self._writable is not None:
            await self._writable.wait()

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def ended(self, exchange: Exchange, keeps_connection: bool) -> None:
        """The current response is complete: take the next request, or close."""
        self._current = None
        if not keeps_connection or self._host.is_stopping:
            return self.close()
        if self._queue:
            if len(self._queue) == MAX_PIPELINED and self._transport is not None:
                self._transport.resume_reading()
            return self._take(self._queue.pop(0))
        if self._ends:
            return self.close()
        if self.state == "busy":
            self.state = "idle"
        self.waits_since = self._loop.time()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close once what was written is out."""
        if self._transport is not None:
            self._transport.close()

    # Called by the parser.

    def on_message_begin(self) -> None:
        self.state = "head"
        self.waits_since = self._loop.time()
        self._url = b""
        self._headers = []
        self._body = []
        self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.state = "body"
        self._head_bytes = 0
        for name, value in self._headers:
            if name == b"content-length" and int(value) > self._host.body_limit_bytes:
                return self._refuse(self._too_large())
            if name == b"expect" and value.lower() == b"100-continue":
                self.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        if self._is_discarding or self._ends:
            return
        self._body_bytes += len(body)
        if self._body_bytes > self._host.body_limit_bytes:
            return self._refuse(self._too_large())
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._is_discarding or self._ends:
            return
        parser = self._parser
        version = parser.get_http_version()
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []
        method = parser.get_method().decode("latin-1")
        scope = scope_of(method, self._url, version, self._headers, self._client, self._server)
        keeps = parser.should_keep_alive() and not parser.should_upgrade()
        exchange = Exchange(self, scope, body, keeps=keeps, is_http_10=version == "1.0")
        self._requests += 1
        if keeps and body and self._whole and self._requests > 1:  # a client that comes once has nothing to repeat
            self._known = KnownHead.learn(self._whole, scope, body)
        self._whole = b""
        self._headers = []
        self.state = "busy"
        if self._current is None:
            return self._take(exchange)
        self._queue.append(exchange)
        if len(self._queue) == MAX_PIPELINED and self._transport is not None:
            self._transport.pause_reading()

    def _take(self, exchange: Exchange) -> None:
        self._current = exchange
        self._host.start(exchange)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the request body is larger than {self._host.body_limit_bytes} bytes")

    def time_out(self) -> None:
        """The client has kept us waiting for the rest of its request: say so and close; an idle one is just closed."""
        if self._current is not None:
            self._end_after_answers()
        elif self.state == "body":
            self._refuse(InvalidRequest("the request body did not arrive in time", code="body_timeout"))
        else:
            self.close()

    def _refuse(self, error: KymaError) -> None:
        """Answer what never became a request, then read no more; a client still sending gets to see the answer."""
        if self._current is not None:
            return self._end_after_answers()
        self._is_discarding = True
        self.waits_since = self._loop.time()
        self.state = "idle"
        body = self._host.render(self._url.partition(b"?")[0].decode("latin-1"), error)
        head = STATUS_LINES[error.status] + self.date + REFUSAL_HEADERS + b"content-length: %d\r\n\r\n" % len(body)
        self.write(head + body)
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()

    def _end_after_answers(self) -> None:
        self._ends = True
        self.state = "busy"

    @property
    def is_discarding(self) -> bool:
        """A refusal is out and what still comes is thrown away."""
        return self._is_discarding


def _address(name: object) -> tuple[str, int] | None:
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else None
