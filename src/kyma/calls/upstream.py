"""Adapter, credential and transport put together: asks one source and returns once its answer has begun for good."""

from typing import cast

import msgspec

from kyma.calls.call import Call
from kyma.calls.long_answers import is_streamed_inside, read_stream
from kyma.calls.patience import Patience
from kyma.core.answer import (
    Answer,
    ChatEvent,
    Finish,
    FinishReason,
    NativeDelta,
    RefusalDelta,
    StreamFailure,
    TextDelta,
    ThinkingDelta,
    ToolCallStart,
)
from kyma.core.chat import CallRequest
from kyma.core.errors import Garbled, Unsuited, UpstreamError
from kyma.core.ids import Clock
from kyma.core.model import Kind, Provider
from kyma.dialects.base import StreamDecoder
from kyma.providers.compat import Adapter, ChatAdapter, adapter_for
from kyma.routing import Candidate, Health, Turn
from kyma.transport import HttpClient, Response

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_ERROR_BYTES = 256 * 1024


class OpenStream(msgspec.Struct):
    """A stream past its commit point: `events` begin with everything up to the first content."""

    response: Response
    decoder: StreamDecoder
    events: list[ChatEvent]
    has_ended: bool
    is_blank: bool


class Upstream:
    """The providers of this gateway, each asked for as long as `health` has patience with it."""

    def __init__(self, client: HttpClient, health: Health, clock: Clock) -> None:
        self._client = client
        self._health = health
        self._clock = clock
        self._adapters: dict[tuple[Kind, str], Adapter] = {}

    async def complete(self, call: Call, candidate: Candidate, turn: Turn) -> Answer:
        """A whole answer. A blank one is a fault while another attempt may follow. Raises: UpstreamError.

        One that may take long is asked for as a stream; what breaks it is a fault like any other, for nobody has heard
        any of it.
        """
        route, request = candidate.route, call.request
        adapter = self._adapter(request.kind, route.provider)
        is_inside = is_streamed_inside(request, route, adapter, candidate.source.tokens_per_s)
        with self._patience(call, candidate, turn, is_inside) as patience:
            if is_inside:
                asked = msgspec.structs.replace(request, is_streaming=True)
                response = await self._send(call, candidate, adapter, asked, patience)
                answer: Answer = await read_stream(
                    response, cast(ChatAdapter, adapter), route, MAX_ANSWER_BYTES, patience.end
                )
            else:
                response = await self._send(call, candidate, adapter, request, patience)
                answer = adapter.parse_response(route, await response.read(MAX_ANSWER_BYTES), request)
        if answer.is_blank and turn < Turn.LAST_TRY:
            raise Garbled("the answer is empty")
        return answer

    async def open_stream(self, call: Call, candidate: Candidate, turn: Turn) -> OpenStream:
        """A stream up to its first content event, the commit point. Raises: UpstreamError."""
        route, request = candidate.route, call.request
        adapter = cast(ChatAdapter, self._adapter(request.kind, route.provider))  # nothing but chats is streamed
        with self._patience(call, candidate, turn, True) as patience:
            response = await self._send(call, candidate, adapter, request, patience)
            decoder = adapter.stream_decoder(route)
            events: list[ChatEvent] = []
            try:
                while True:
                    data = await response.next_chunk()
                    fresh = decoder.feed(data) if data else decoder.close()
                    events += fresh
                    if any(map(_is_content, fresh)):
                        return OpenStream(response, decoder, events, has_ended=not data, is_blank=False)
                    if fresh and isinstance(fresh[-1], StreamFailure):
                        raise fresh[-1].error
                    if not data:
                        return self._blank(response, decoder, events, turn)
            except BaseException:
                response.abort()
                raise

    def _patience(self, call: Call, candidate: Candidate, turn: Turn, is_streaming: bool) -> Patience:
        """A limit on the wait for the first token; the last source is given all the time that its provider may take."""
        is_only = turn >= Turn.LAST_SOURCE
        return Patience(call, None if is_only else self._health.patience_s(candidate, is_streaming))

    def _blank(self, response: Response, decoder: StreamDecoder, events: list[ChatEvent], turn: Turn) -> OpenStream:
        """A stream that ended well and said nothing: a fault, unless a limit or filter kept it silent."""
        is_blank = all(event.reason is FinishReason.STOP for event in events if isinstance(event, Finish))
        if is_blank and turn < Turn.LAST_TRY:
            raise Garbled("the answer is empty")
        return OpenStream(response, decoder, events, has_ended=True, is_blank=is_blank)

    async def _send(
        self, call: Call, candidate: Candidate, adapter: Adapter, asked: CallRequest, patience: Patience
    ) -> Response:
        """A 200 whose body is to be read. Raises: UpstreamError for all else."""
        request, rendered = adapter.build_request(candidate.route, candidate.credential, asked)
        if rendered.dropped and call.is_strict:
            raise Unsuited(rendered.dropped)
        call.dropped, call.emulated = rendered.dropped, rendered.emulated
        call.turn_to(candidate)
        response = await self._client.send(request, call.hold, patience.attach)
        if response.status == 200:
            return response
        try:
            body = await response.read(MAX_ERROR_BYTES)
        except UpstreamError:
            body = b""
        raise adapter.parse_error(response.status, response.headers, body)

    def _adapter(self, kind: Kind, provider: Provider) -> Adapter:
        adapter = self._adapters.get((kind, provider.dialect))
        if adapter is None:
            adapter = self._adapters[kind, provider.dialect] = adapter_for(provider.dialect, kind, self._clock)
        return adapter


def _is_content(event: ChatEvent) -> bool:
    return isinstance(event, TextDelta | RefusalDelta | ThinkingDelta | ToolCallStart | NativeDelta)
