"""The task that reads one upstream to its end, whatever becomes of its customer, and settles the call once.

It outlives the handler: a customer who leaves only marks the call as abandoned. Nothing is awaited in a clean-up.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from kyma.calls.call import Call
from kyma.calls.meter import Outcome
from kyma.calls.outlet import HeaderLines, Outlet
from kyma.calls.scrub import caller_error
from kyma.calls.upstream import OpenStream, Upstream
from kyma.core.chat import Bill, ChatEvent, StreamFailure
from kyma.core.errors import KymaError, UpstreamError, UpstreamFailed
from kyma.core.ids import Clock
from kyma.dialects.base import Dialect, StreamEncoder
from kyma.routing import Health, Plan, attempt

Settle = Callable[[Call, Outcome], Awaitable[Bill]]


class PumpSettings(msgspec.Struct, frozen=True):
    """Seconds: of silence that earn a stream a comment, of a full buffer that end it for its reader, and of reading on
    a stream that nobody reads any more."""

    keep_alive_s: float
    slow_reader_s: float
    drain_s: float


class AnswerPump:
    """A whole answer: asked, settled, sent."""

    def __init__(self, call: Call, outlet: Outlet, lines: HeaderLines, dialect: Dialect) -> None:
        self.call = call
        self._outlet = outlet
        self._lines = lines
        self._dialect = dialect

    async def run(self, upstream: Upstream, plan: Plan, health: Health, settle: Settle) -> None:
        """Raises: KymaError when no source answered; then nothing was sent."""
        call = self.call
        attempted = await attempt(
            plan,
            lambda candidate, is_last: upstream.complete(call, candidate, is_last),
            health,
            lambda: not call.has_left,
        )
        answer, call.candidate, call.attempts = attempted.value, attempted.candidate, attempted.attempts
        call.meter.see_response(answer)
        bill = await settle(call, Outcome.BLANK if answer.is_blank else Outcome.FINISHED)
        self._outlet.answer(self._lines + call.header_lines(), self._dialect.render_response(answer, call, bill))

    def tick(self, now: float) -> None:
        """A whole answer needs no tending."""


class StreamPump:
    """A stream: opened at its commit point, relayed event by event, settled before its last byte."""

    def __init__(
        self,
        call: Call,
        outlet: Outlet,
        lines: HeaderLines,
        encoder: StreamEncoder,
        settings: PumpSettings,
        clock: Clock,
    ) -> None:
        self.call = call
        self._outlet = outlet
        self._lines = lines
        self._encoder = encoder
        self._settings = settings
        self._clock = clock
        self._has_begun = False
        self._is_closed = False
        self._is_evicting = False
        self._sending_since: float | None = None
        self._sent_at = clock.monotonic()
        self._left_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    async def run(self, upstream: Upstream, plan: Plan, health: Health, settle: Settle) -> None:
        """Raises: KymaError when no source answered before the stream had begun."""
        self._task = asyncio.current_task()
        call = self.call
        try:
            attempted = await attempt(
                plan,
                lambda candidate, is_last: upstream.open_stream(call, candidate, is_last),
                health,
                lambda: not call.has_left,
            )
        except KymaError as error:
            if not self._has_begun:
                raise
            await settle(call, Outcome.FAILED)
            self._close(self._encoder.error(caller_error(error, call.model)))
            return
        call.candidate, call.attempts = attempted.candidate, attempted.attempts
        call.first_token_ms = self._clock.now_ms() - call.started_at
        failure = await self._relay(attempted.value)
        if failure is not None and not call.has_left:
            health.failed(attempted.candidate.route, failure)
        outcome = self._outcome(failure, attempted.value.is_blank)
        bill = await settle(call, outcome)
        if failure is None:
            self._close(self._encoder.end(bill))
        else:
            self._close(self._encoder.error(_told(failure, bill)))

    def tick(self, now: float) -> None:
        """Tend the stream once a second or so: keep it alive, give up on a reader who does not read, end a drain."""
        if self.call.has_left:
            self._left_at = self._left_at or now
            if now - self._left_at > self._settings.drain_s:
                self.call.cut()
        elif self._sending_since is not None:
            if now - self._sending_since > self._settings.slow_reader_s and self._task is not None:
                self.call.abandon()
                self._is_evicting = True
                self._task.cancel()
        elif now - self._sent_at > self._settings.keep_alive_s and not self._is_closed:
            self._sent_at = now
            self._write(self._encoder.keep_alive())

    async def _relay(self, stream: OpenStream) -> UpstreamError | None:
        """Everything the upstream says, to the meter and the customer; what broke it, if it broke."""
        response, decoder = stream.response, stream.decoder
        failure = await self._pass_on(stream.events)
        has_ended = stream.has_ended
        while failure is None and not has_ended:
            try:
                data = await response.next_chunk()
            except UpstreamError as error:
                return error
            has_ended = not data
            failure = await self._pass_on(decoder.feed(data) if data else decoder.close())
        if failure is not None:
            response.abort()
        return failure

    async def _pass_on(self, events: list[ChatEvent]) -> UpstreamError | None:
        see, encode = self.call.meter.see, self._encoder.encode
        frames = b""
        failure = None
        for event in events:
            if isinstance(event, StreamFailure):
                failure = event.error
                break
            see(event)
            frames += encode(event)
        if frames and not self.call.has_left:
            self._write(frames)
            if self._outlet.is_full:
                await self._wait_for_reader()
        return failure

    def _outcome(self, failure: UpstreamError | None, is_blank: bool) -> Outcome:
        if is_blank and failure is None:
            return Outcome.BLANK
        if failure is None:
            return Outcome.DRAINED if self.call.has_left else Outcome.FINISHED
        return Outcome.CANCELLED if self.call.has_left else Outcome.CUT

    def _write(self, frames: bytes) -> None:
        self._sent_at = self._clock.monotonic()
        if not self._has_begun:
            self._begin()
        self._outlet.write(frames)

    async def _wait_for_reader(self) -> None:
        self._sending_since = self._clock.monotonic()
        try:
            await self._outlet.wait_writable()
        except asyncio.CancelledError:
            if not self._is_evicting or self._task is None:
                raise
            self._task.uncancel()
        self._sending_since = None

    def _close(self, frames: bytes) -> None:
        self._is_closed = True
        if self.call.has_left:
            return
        if not self._has_begun:
            self._begin()
        self._outlet.end(frames)

    def _begin(self) -> None:
        self._has_begun = True
        self._outlet.begin(self._lines + self.call.header_lines())


def _told(failure: UpstreamError, bill: Bill) -> KymaError:
    """What the customer is told of a broken stream: not the vendor's words."""
    told = UpstreamFailed(
        f"the model's source broke off; {bill.usage.output} output tokens were delivered and billed, nothing more",
    )
    told.code = failure.code
    return told
