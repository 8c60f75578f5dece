"""One request and its response, as ASGI sees them."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
HeaderLines = bytes
"""Whole header lines, each with its line end; who hands them over vouches that no value holds a line break."""
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode("latin-1") for status in HTTPStatus}
BODILESS = (204, 304)
OK = STATUS_LINES[200]
CHUNKED, CLOSE = b"transfer-encoding: chunked\r\n", b"connection: close\r\n"
DISCONNECT: Message = {"type": "http.disconnect"}


class Wire(Protocol):
    """The connection as an exchange uses it."""

    is_paused: bool

    @property
    def date(self) -> bytes:
        """The `date` header, ready to send."""
        ...

    def write(self, data: bytes) -> None: ...

    def abort(self) -> None: ...

    async def wait_writable(self) -> None: ...

    def ended(self, exchange: "Exchange", keeps_connection: bool) -> None:
        """The response is complete."""
        ...


class Exchange:
    """Reads `body`, writes a response, by ASGI messages or, for hot routes, by `answer` or `begin`, `write` and `end`.

    After the client has left, writing does nothing.
    """

    __slots__ = (
        "_has_given",
        "_has_head",
        "_has_left",
        "_is_chunked",
        "_is_done",
        "_is_http_10",
        "_keeps",
        "_on_leave",
        "_status",
        "_waiter",
        "_wire",
        "body",
        "head_only",
        "pending_head",
        "scope",
    )

    def __init__(self, wire: Wire, scope: Scope, body: bytes, *, keeps: bool, is_http_10: bool) -> None:
        self._wire = wire
        self.body = body
        self._has_given = False
        self._keeps = keeps
        self._is_http_10 = is_http_10
        self._status = 0
        self._has_head = False
        self._is_chunked = False
        self._is_done = False
        self._has_left = False
        self._on_leave: Callable[[], None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.scope = scope
        self.head_only = scope["method"] == "HEAD"
        self.pending_head = b""

    @property
    def is_done(self) -> bool:
        """The response is out, or nobody waits for it."""
        return self._is_done or self._has_left

    @property
    def has_begun(self) -> bool:
        """Bytes of the response are on their way."""
        return self._has_head

    def watch(self, on_leave: Callable[[], None]) -> None:
        """Call `on_leave` once if the client leaves before the response is complete."""
        if self._has_left:
            on_leave()
        else:
            self._on_leave = on_leave

    def leave(self) -> None:
        """The connection is gone."""
        if self.is_done:
            return
        self._has_left = True
        on_leave, self._on_leave = self._on_leave, None
        if on_leave is not None:
            on_leave()
        self._wake()

    def abort(self) -> None:
        """The application gave up in the middle: the client sees a broken response, never a short one."""
        self._is_done = True
        self._wire.abort()

    async def receive(self) -> Message:
        """The whole body, then a disconnect once the response is complete or the client has left."""
        if not self._has_given:
            self._has_given = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        if not self.is_done:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return DISCONNECT

    async def wait_writable(self) -> None:
        """Until the client has read some of what waits for it, or has left."""
        await self._wire.wait_writable()

    def take_body(self) -> bytes:
        """The whole body, once: it may be large and the answer long in coming."""
        body, self.body = self.body, b""
        return body

    def answer(self, lines: HeaderLines, body: bytes) -> None:
        """A whole 200 at once."""
        if self._has_left:
            return
        if self._status:
            raise RuntimeError("the response was started twice")
        self._status, self._has_head = 200, True
        length, close = str(len(body)).encode(), b"" if self._keeps else CLOSE
        head = (OK, self._wire.date, lines, close, b"content-length: ", length, b"\r\n\r\n")
        self._finish(b"".join((*head, b"" if self.head_only else body)))

    def begin(self, lines: HeaderLines) -> None:
        """The head of a streamed 200; it goes out with the first of the body."""
        if self._status:
            raise RuntimeError("the response was started twice")
        self._status = 200
        self.pending_head = self._whole_head(200, [lines], has_length=False)

    def write(self, data: bytes) -> bool:
        """More of the stream. False if the client does not read what waits for it: `wait_writable` before more."""
        if self._has_left:
            return True
        wire = self._wire
        if self._is_chunked and data and not self.pending_head and not self.head_only:  # nearly every time
            wire.write(b"%x\r\n%b\r\n" % (len(data), data))
        else:
            wire.write(self._frame(data, False))
        return not wire.is_paused

    def end(self, data: bytes) -> None:
        """The last of the stream."""
        if not self._has_left:
            self._finish(self._frame(data, True))

    async def send(self, message: Message) -> None:
        """Start, continue or complete the response. Waits while the client's buffers are full."""
        if self._has_left:
            return
        if message["type"] == "http.response.start":
            if self._status:
                raise RuntimeError("the response was started twice")
            self._status = message["status"]
            self.pending_head = self._head(message["status"], message.get("headers", ()))
            return
        if not self._status or self._is_done:
            raise RuntimeError("a body outside of a response")
        body = message.get("body", b"")
        is_last = not message.get("more_body", False)
        if is_last:
            return self._finish(self._frame(body, True))
        self._wire.write(self._frame(body, False))
        if self._wire.is_paused:
            await self._wire.wait_writable()

    def _head(self, status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
        lines = [b"%b: %b\r\n" % header for header in headers]
        head = self._whole_head(status, lines, has_length=any(name == b"content-length" for name, _ in headers))
        if head.count(b"\n") != len(lines) + 3 or b"\0" in head:
            raise ValueError("a response header holds a line break")
        return head

    def _whole_head(self, status: int, lines: list[bytes], *, has_length: bool) -> bytes:
        if not has_length and status not in BODILESS:
            if self._is_http_10:
                self._keeps = False
            else:
                self._is_chunked = True
                lines.append(CHUNKED)
        if not self._keeps:
            lines.append(CLOSE)
        return b"".join((STATUS_LINES[status], self._wire.date, *lines, b"\r\n"))

    def _frame(self, body: bytes, is_last: bool) -> bytes:
        """What goes on the wire for a piece of the body, the head in front of the first."""
        head, self.pending_head = self.pending_head, b""
        self._has_head = True
        if self.head_only or self._status in BODILESS:
            return head
        if not self._is_chunked:
            return head + body
        if is_last:
            return head + (b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n")
        return head + (b"%x\r\n%b\r\n" % (len(body), body) if body else b"")

    def _finish(self, last: bytes) -> None:
        self._is_done = True
        self._wire.write(last)
        self._wake()
        self._wire.ended(self, self._keeps)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
