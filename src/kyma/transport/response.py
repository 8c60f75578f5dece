"""An answer as it arrives: status and headers first, then the body in the pieces that the network makes.

Knows nothing of HTTP framing, which is the connection's business, and nothing of what the bytes mean.
"""

import asyncio
from collections.abc import Callable

from kyma.core.errors import Garbled, Unreachable, UpstreamError
from kyma.transport.deadline import Deadline

HIGH_WATER_BYTES = 256 * 1024
"""A consumer that lags by more than this stops the reading until it has caught up."""

Sink = Callable[[bytes], bool]
"""Takes a piece of a body at once and says whether it takes more. It runs inside the event loop's reading."""


class Response:
    """Read it to the end or `abort()` it: until then it keeps its connection. One task at a time may wait on it.

    `headers` has lower-case names; of a repeated header the last value. Cancelling a wait drops the connection, so a
    consumer that only wants to look up from time to time waits with `asyncio.wait`, not with a timeout around a read.
    """

    __slots__ = (
        "_buffered",
        "_deadline",
        "_drop",
        "_error",
        "_idle_s",
        "_is_complete",
        "_is_paused",
        "_loop",
        "_sink",
        "_transport",
        "_waiter",
        "headers",
        "pieces",
        "status",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        deadline: Deadline,
        drop: Callable[[], None],
        idle_s: float,
    ) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.pieces: list[bytes] = []
        self._loop = loop
        self._transport = transport
        self._deadline = deadline
        self._drop = drop
        self._idle_s = idle_s
        self._buffered = 0
        self._sink: Sink | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: UpstreamError | None = None
        self._is_complete = False
        self._is_paused = False

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body, or what `next_chunk` has left of it. Raises: Garbled when it is larger than `limit_bytes`."""
        parts: list[bytes] = []
        size = 0
        while True:
            part = self._take() if self.pieces else await self.next_chunk()
            size += len(part)
            if size > limit_bytes:
                self.abort()
                raise Garbled(f"The body is larger than {limit_bytes} bytes.", upstream_status=self.status)
            parts.append(part)
            if not part or (self._is_complete and not self.pieces):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def next_chunk(self) -> bytes:
        """All body bytes that have arrived since the last call, waiting for the first of them; `b""` at the end.

        Bytes that arrived before a failure are handed out before it is raised.
        Raises: UpstreamTimeout after `idle_s` without a byte, Unreachable if the answer was cut short, Garbled.
        """
        if not self.pieces and self._error is None and not self._is_complete:
            await self._wait(self._idle_s)
        if self.pieces:
            return self._take()
        if self._error is not None:
            raise self._told()
        return b""

    async def pour(self, sink: Sink) -> bool:
        """Give `sink` what has arrived, then each further piece as it arrives, in the call that read it: no task wakes.

        Returns True once the body has ended, False as soon as `sink` takes no more; the rest waits for the next reader.
        What `sink` raises is raised here and drops the connection. Raises besides: as `next_chunk`.
        """
        try:
            if self.pieces and not sink(self._take()):
                return False
        except BaseException:
            self.abort()
            raise
        if self._error is None and not self._is_complete:
            await self._wait(self._idle_s, sink)
            if self._sink is None:
                return False
            self._sink = None
        if self._error is not None:
            raise self._told()
        return True

    def abort(self) -> None:
        """Drop the connection at once, unless the answer is complete; whoever waits gets Unreachable."""
        if not self._is_complete and self._error is None:
            self._drop()
            self.pieces.clear()
            self.fail(Unreachable("The call was given up."))

    async def start(self, first_byte_s: float) -> None:
        """The client's side: wait until status and headers are in. Raises: what `fail` was told."""
        if not self.status and self._error is None:
            await self._wait(first_byte_s)
        if not self.status and self._error is not None:
            raise self._told()

    def advance(self, wire_bytes: int) -> None:
        """The connection's side: the headers are in or `pieces` has grown, by `wire_bytes` of traffic."""
        if self._sink is not None:
            self._deadline.start(self._idle_s)
            self._pour(self._sink)
            return
        self._buffered += wire_bytes
        if self._buffered > HIGH_WATER_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def finish(self) -> None:
        """The connection's side: the answer is complete and the connection no longer ours."""
        self._is_complete = True
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        self._end()

    def fail(self, error: UpstreamError) -> None:
        """The connection's side: no more will come, because of `error`."""
        self._error = error
        self._is_paused = False
        self._end()

    def _told(self) -> UpstreamError:
        """The failure, to be raised. A raised error leads to the frames that hold this answer: if it stayed here, only
        the collector would free them all."""
        error, self._error = self._error, Unreachable("The call has failed already.")
        assert error is not None
        return error

    def _end(self) -> None:
        if self.pieces and self._sink is not None:
            self._pour(self._sink)
        self._wake()

    def _pour(self, sink: Sink) -> None:
        """One call of `sink` on behalf of the task that waits in `pour`: what it raises ends that task's wait."""
        try:
            if not sink(self._take()):
                self._sink = None
                self._wake()
        except Exception as bug:
            self._sink = None
            if not self._wake(bug):  # the task was cancelled a moment ago
                self._loop.call_exception_handler({"message": "A sink failed after its task.", "exception": bug})

    def _take(self) -> bytes:
        """All pieces as one; there is room for more then."""
        pieces = self.pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._buffered = 0
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    async def _wait(self, seconds: float, sink: Sink | None = None) -> None:
        if self._waiter is not None:
            raise RuntimeError("Another task waits for this answer already.")
        waiter = self._waiter = self._loop.create_future()
        self._sink = sink
        self._deadline.start(seconds)
        try:
            await waiter
        except BaseException:
            self._sink = None
            self.abort()
            raise
        finally:
            self._waiter = None

    def _wake(self, bug: Exception | None = None) -> bool:
        """Let the waiting task go on, or end it with `bug`; whether there was one."""
        # The deadline stops here and not in `_wait`: by the time that task runs, the connection may serve another call.
        waiter = self._waiter
        if waiter is None or waiter.done():
            return False
        self._deadline.stop()
        if bug is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(bug)
        return True
