"""One connection and the HTTP/1.1 framing on it: a request out, an answer in, and whether it may serve once more.

Knows nothing of pools or names. Whatever the peer sends ends in an answer or in an UpstreamError on the Response.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from kyma.core.errors import Garbled, Unreachable, UpstreamError, UpstreamTimeout
from kyma.core.upstream import Timeouts, UpstreamRequest
from kyma.transport.deadline import Deadline
from kyma.transport.response import Response

SLICE_BYTES = 256 * 1024
"""Bodies above this go out in slices of this size, each only once the transport takes more."""


class Dropped(Unreachable):
    """The peer went away without a single byte of an answer, so a reused connection may just have been stale."""


class _Refused(Exception):
    """Stops the parser; the reason is in `Connection._fault`."""


class Connection(asyncio.Protocol):
    """A connected peer, one call at a time.

    `on_idle` is called when an answer is complete and the connection can serve again, `on_lost` when it is gone.
    The callbacks of asyncio.Protocol come first, then those of httptools, then the ways in which an answer ends.
    """

    __slots__ = (
        "_barren_bytes",
        "_deadline",
        "_fault",
        "_has_progress",
        "_has_surplus",
        "_headers",
        "_is_choked",
        "_is_complete",
        "_is_head_only",
        "_is_interim",
        "_is_reusable",
        "_is_silent",
        "_is_until_close",
        "_loop",
        "_max_header_bytes",
        "_on_idle",
        "_on_lost",
        "_parser",
        "_response",
        "_timeouts",
        "_transport",
        "_unsent",
        "idle_since",
        "lost",
        "on_header",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        max_header_bytes: int,
        on_idle: Callable[["Connection"], None],
        on_lost: Callable[["Connection"], None],
    ) -> None:
        self.lost: asyncio.Future[None] = loop.create_future()
        self.idle_since = 0.0
        self._loop = loop
        self._max_header_bytes = max_header_bytes
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._deadline = Deadline(loop, self._time_out)
        self._headers: dict[bytes, bytes] = {}
        self.on_header = self._headers.__setitem__  # the parser's callback: a method of ours would cost five times that
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._response: Response | None = None
        self._timeouts = Timeouts()
        self._unsent: memoryview | None = None
        self._is_choked = False

    @property
    def is_usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def begin(self, head: bytes, request: UpstreamRequest) -> Response:
        """Send a request and return its answer-to-be. Raises: Dropped if the connection is gone."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise Dropped("The connection was closed before the request.")
        self._timeouts = timeouts = request.timeouts
        self._response = response = Response(self._loop, transport, self._deadline, self.abort, timeouts.idle_s)
        self._headers.clear()
        self._barren_bytes = 0
        self._fault: Garbled | None = None
        self._is_head_only = request.method == "HEAD"
        self._is_silent = True
        self._is_interim = False
        self._is_until_close = False
        self._is_complete = False
        self._is_reusable = False
        self._has_surplus = False
        self._has_progress = False
        if len(request.body) <= SLICE_BYTES:
            transport.write(head + request.body)
        else:
            transport.write(head)
            self._unsent = memoryview(request.body)
            self._write_more(transport)
        return response

    def abort(self) -> None:
        """Close at once. An answer under way is left to whoever calls this."""
        self._response = None
        self._unsent = None
        if self._transport is not None:
            self._transport.abort()
        elif not self.lost.done():  # never connected: there will be no `connection_lost`
            self.connection_lost(None)

    def discard(self) -> None:
        """Close a connection whose making failed, and count it as lost now: uvloop does not always tell its end."""
        self.abort()
        self.connection_lost(None)

    def break_off(self) -> None:
        """Close at once and tell whoever waits for an answer."""
        self._fail(Unreachable("The transport was closed."))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.lost.done():
            self.abort()

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None:  # nobody asked: whatever it is, the next call must not get it as its answer
            self.abort()
            return
        self._is_silent = False
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self._is_complete:
                self._fail(self._fault or Garbled(f"Not HTTP/1.1: {error}.", upstream_status=response.status or None))
                return
            self._has_surplus = True  # and the parser has stopped for good
        if self._is_complete:
            self._finish(response)
        elif self._has_progress:
            self._has_progress = False
            self._barren_bytes = 0
            response.advance(len(data))
        else:
            self._barren_bytes += len(data)
            if self._barren_bytes > self._max_header_bytes:
                self._fail(Garbled(f"More than {self._max_header_bytes} bytes of headers."))

    def eof_received(self) -> bool:
        self._end(is_clean=True)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._end(is_clean=error is None)
        self._deadline.close()
        self._on_lost(self)
        self._transport = None
        if not self.lost.done():
            self.lost.set_result(None)
            del self._parser  # it holds methods of ours: together only the collector would free us

    def pause_writing(self) -> None:
        self._is_choked = True

    def resume_writing(self) -> None:
        self._is_choked = False
        response, transport = self._response, self._transport
        if response is None or transport is None:
            return
        if not response.status:  # the peer took bytes just now, and has `first_byte_s` from its last sign of life
            self._deadline.start(self._timeouts.first_byte_s)
        self._write_more(transport)

    def on_message_begin(self) -> None:
        if self._is_complete:
            self._has_surplus = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if sum(map(len, self._headers)) + sum(map(len, self._headers.values())) > self._max_header_bytes:
            raise self._refused(f"More than {self._max_header_bytes} bytes of headers.")
        headers = {name.lower(): value.rstrip() for name, value in self._headers.items()}
        self._headers.clear()  # trailers land here, and are dropped
        if status < 200:
            if status < 100 or status == 101 or b"content-length" in headers or b"transfer-encoding" in headers:
                raise self._refused(f"An interim answer of status {status} was not expected.")
            self._is_interim = True
            return
        if status > 599:
            raise self._refused(f"There is no status {status}.")
        if headers.get(b"content-encoding", b"identity").lower() not in (b"identity", b""):
            raise self._refused("The body is compressed though identity was asked for.")
        coding = headers.get(b"transfer-encoding")
        if coding is not None and coding.lower() != b"chunked":
            raise self._refused("The transfer coding is not chunked.")
        response = self._response
        if response is None or self._is_complete:
            return
        response.status = status
        response.headers = headers
        self._has_progress = True
        if self._is_head_only:
            self._is_complete = True
        else:
            self._is_until_close = coding is None and b"content-length" not in headers

    def on_body(self, data: bytes) -> None:
        if self._response is not None and not self._is_complete:
            self._has_progress = True
            self._response.pieces.append(data)

    def on_message_complete(self) -> None:
        if self._is_interim:
            self._is_interim = False
        elif not self._is_complete:
            self._is_complete = True
            self._is_reusable = self._parser.should_keep_alive()

    def _finish(self, response: Response) -> None:
        transport = self._transport
        self._response = None
        response.finish()
        if (
            self._is_reusable
            and not self._has_surplus
            and self._unsent is None
            and transport is not None
            and not transport.is_closing()
            and not transport.get_write_buffer_size()
        ):
            self._on_idle(self)
        else:
            self.abort()

    def _fail(self, error: UpstreamError) -> None:
        response = self._response
        self.abort()
        if response is not None:
            response.fail(error)

    def _end(self, *, is_clean: bool) -> None:
        response = self._response
        if response is None:
            return
        if response.status and self._is_until_close and is_clean:
            self._finish(response)
        elif self._is_silent:
            self._fail(Dropped("The connection was lost before any answer."))
        else:
            self._fail(Unreachable("The answer was cut short.", upstream_status=response.status or None))

    def _time_out(self) -> None:
        response = self._response
        if response is not None and response.status:
            self._fail(UpstreamTimeout(f"No byte of the body for {self._timeouts.idle_s:g} s."))
        else:
            self._fail(UpstreamTimeout(f"No answer within {self._timeouts.first_byte_s:g} s."))

    def _refused(self, message: str) -> _Refused:
        self._fault = Garbled(message)
        return _Refused()

    def _write_more(self, transport: asyncio.Transport) -> None:
        while self._unsent is not None and not self._is_choked and not transport.is_closing():
            piece, rest = self._unsent[:SLICE_BYTES], self._unsent[SLICE_BYTES:]
            self._unsent = rest or None
            transport.write(piece)
