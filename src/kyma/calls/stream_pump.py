"""A stream: opened at its commit point, relayed event by event, settled before its last byte.

It outlives the handler: a customer who leaves only marks the call as abandoned. Nothing is awaited in a clean-up.
"""

import asyncio

import msgspec

from kyma.calls.call import Call
from kyma.calls.meter import Outcome
from kyma.calls.outlet import HeaderLines, Outlet
from kyma.calls.pump import Settle
from kyma.calls.scrub import caller_error
from kyma.calls.upstream import OpenStream, Upstream
from kyma.core.answer import Bill, ChatEvent, StreamFailure
from kyma.core.errors import KymaError, UpstreamError, UpstreamFailed
from kyma.core.ids import Clock
from kyma.dialects.base import StreamDecoder, StreamEncoder
from kyma.routing import Attempted, Health, Plan, attempt


class PumpSettings(msgspec.Struct, frozen=True):
    """Seconds: of silence that earn a stream a comment, of a full buffer that end it for its reader, and of reading on
    a stream that nobody reads any more."""

    keep_alive_s: float
    slow_reader_s: float
    drain_s: float


class StreamPump:
    """Relays without waking a task per event: the transport's reading calls `_take`, and `run` sleeps meanwhile."""

    __slots__ = (
        "_clock",
        "_decoder",
        "_encoder",
        "_failure",
        "_has_begun",
        "_has_written",
        "_is_closed",
        "_is_evicting",
        "_left_at",
        "_lines",
        "_outlet",
        "_sending_since",
        "_sent_at",
        "_settings",
        "_task",
        "call",
    )

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
        self._decoder: StreamDecoder
        self._failure: UpstreamError | None = None
        self._has_begun = False
        self._has_written = False
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
                lambda candidate, turn: upstream.open_stream(call, candidate, turn),
                health,
                lambda: not call.has_left,
            )
        except KymaError as error:
            if not self._has_begun:
                raise
            call.lose(error)
            await settle(call, Outcome.FAILED)
            self._close(self._encoder.error(caller_error(error, call.model, call.credential)))
            return
        plan.forget()
        call.candidate, call.attempts = attempted.candidate, attempted.attempts
        call.first_token_ms = self._clock.now_ms() - call.started_at
        failure = await self._watch(attempted, health)
        outcome = self._outcome(failure, attempted.value.is_blank)
        bill = await settle(call, outcome)
        if failure is None:
            self._close(self._encoder.end(bill))
        else:
            self._close(self._encoder.error(_told(failure, bill)))

    def break_off(self, error: KymaError) -> bool:
        """End a stream that has begun with `error`, unless it has ended. False if nothing was sent yet."""
        if self._has_begun and not self._is_closed:
            self._close(self._encoder.error(error))
        return self._has_begun

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
        elif self._has_written:  # since the last tick; to look at the clock at each event would cost more
            self._has_written = False
            self._sent_at = now
        elif now - self._sent_at > self._settings.keep_alive_s and not self._is_closed:
            self._sent_at = now
            self._write(self._encoder.keep_alive())

    async def _watch(self, attempted: Attempted[OpenStream], health: Health) -> UpstreamError | None:
        """Relay the stream, and let `health` know how its source does."""
        candidate = attempted.candidate
        health.answered(candidate, attempted.seconds, True)
        began_at = self._clock.monotonic()
        failure: UpstreamError | None = None
        try:
            failure = await self._relay(attempted.value)
        finally:
            if failure is None or self.call.has_left:
                health.ended(candidate, self.call.meter.delivered_tokens, self._clock.monotonic() - began_at)
            else:
                health.broke(candidate, failure)
        return failure

    async def _relay(self, stream: OpenStream) -> UpstreamError | None:
        """Everything the upstream says, to the meter and the customer; what broke it, if it broke."""
        response, self._decoder = stream.response, stream.decoder
        response.headers.clear()
        self.call.let_go()
        try:
            has_room, has_ended = self._pass_on(stream.events), stream.has_ended
            while self._failure is None:
                if not has_room:
                    await self._wait_for_reader()
                if has_ended:
                    return None
                has_ended = await response.pour(self._take)
                has_room = has_ended and self._pass_on(stream.decoder.close())
            return self._failure
        except UpstreamError as error:
            return error
        finally:
            response.abort()  # whatever ended this, nobody reads on; one that is complete stays as it is

    def _take(self, data: bytes) -> bool:
        """A piece of the upstream's body, all the way to the customer, in the call that read it."""
        return self._pass_on(self._decoder.feed(data))

    def _pass_on(self, events: list[ChatEvent]) -> bool:
        """Whether more may follow: the stream is not broken, and the customer reads or has left."""
        see, encode = self.call.meter.see, self._encoder.encode
        frames = b""
        for event in events:
            if type(event) is StreamFailure:
                self._failure = event.error
                break
            see(event)
            frames += encode(event)
        has_room = True
        if frames and not self.call.has_left:
            self._has_written = True
            has_room = self._write(frames)
        return has_room and self._failure is None

    def _outcome(self, failure: UpstreamError | None, is_blank: bool) -> Outcome:
        if is_blank and failure is None:
            return Outcome.BLANK
        if failure is None:
            return Outcome.DRAINED if self.call.has_left else Outcome.FINISHED
        return Outcome.CANCELLED if self.call.has_left else Outcome.CUT

    def _write(self, frames: bytes) -> bool:
        if not self._has_begun:
            self._begin()
        return self._outlet.write(frames)

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
        self._lines = b""  # a stream may stay open for long, and many at once


def _told(failure: UpstreamError, bill: Bill) -> KymaError:
    """What the customer is told of a broken stream: not the vendor's words."""
    told = UpstreamFailed(
        f"the model's source broke off; {bill.usage.output} output tokens were delivered and billed, nothing more",
    )
    told.code = failure.code
    return told
