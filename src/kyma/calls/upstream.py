"""Adapter, credential and transport put together: asks one source and returns once its answer has begun for good."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import msgspec

from kyma.calls.call import Call
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
from kyma.core.errors import Garbled, Unsuited, UpstreamError
from kyma.core.model import Kind, Provider
from kyma.dialects.base import StreamDecoder
from kyma.providers.compat import Adapter, ChatAdapter, adapter_for
from kyma.routing import Candidate, Health, Turn
from kyma.transport import HttpClient, Response

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_ERROR_BYTES = 256 * 1024


Attach = Callable[[Response], None]
T = TypeVar("T")
Asking = Callable[[Call, Candidate, Turn, Attach], Awaitable[T]]


class OpenStream(msgspec.Struct):
    """A stream past its commit point: `events` begin with everything up to the first content."""

    response: Response
    decoder: StreamDecoder
    events: list[ChatEvent]
    has_ended: bool
    is_blank: bool


class Upstream:
    """The providers of this gateway, each asked for as long as `health` has patience with it."""

    def __init__(self, client: HttpClient, health: Health) -> None:
        self._client = client
        self._health = health
        self._adapters: dict[tuple[Kind, str], Adapter] = {}

    def complete(self, call: Call, candidate: Candidate, turn: Turn) -> Awaitable[Answer]:
        """A whole answer. A blank one is a fault while another attempt may follow. Raises: UpstreamError."""
        return self._patiently(call, candidate, turn, self._complete)

    def open_stream(self, call: Call, candidate: Candidate, turn: Turn) -> Awaitable[OpenStream]:
        """A stream up to its first content event, the commit point. Raises: UpstreamError."""
        return self._patiently(call, candidate, turn, self._open_stream)

    def _patiently(
        self,
        call: Call,
        candidate: Candidate,
        turn: Turn,
        ask: Callable[[Call, Candidate, Turn, Attach], Awaitable[T]],
    ) -> Awaitable[T]:
        """Limit the wait for the first token; the last source is given all the time that its provider may take."""
        seconds = None if turn >= Turn.LAST_SOURCE else self._health.patience_s(candidate, call.request.is_streaming)
        if seconds is None:
            return ask(call, candidate, turn, call.attach)
        return _within(Patience(call, seconds), lambda attach: ask(call, candidate, turn, attach))

    async def _complete(self, call: Call, candidate: Candidate, turn: Turn, attach: Attach) -> Answer:
        adapter, response = await self._send(call, candidate, attach)
        answer = adapter.parse_response(candidate.route, await response.read(MAX_ANSWER_BYTES), call.request)
        if answer.is_blank and turn < Turn.LAST_TRY:
            raise Garbled("the answer is empty")
        return answer

    async def _open_stream(self, call: Call, candidate: Candidate, turn: Turn, attach: Attach) -> OpenStream:
        adapter, response = await self._send(call, candidate, attach)
        decoder = cast(ChatAdapter, adapter).stream_decoder(candidate.route)  # nothing but chats is streamed
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

    def _blank(self, response: Response, decoder: StreamDecoder, events: list[ChatEvent], turn: Turn) -> OpenStream:
        """A stream that ended well and said nothing: a fault, unless a limit or filter kept it silent."""
        is_blank = all(event.reason is FinishReason.STOP for event in events if isinstance(event, Finish))
        if is_blank and turn < Turn.LAST_TRY:
            raise Garbled("the answer is empty")
        return OpenStream(response, decoder, events, has_ended=True, is_blank=is_blank)

    async def _send(self, call: Call, candidate: Candidate, attach: Attach) -> tuple[Adapter, Response]:
        route = candidate.route
        adapter = self._adapter(call.request.kind, route.provider)
        request, rendered = adapter.build_request(route, candidate.credential, call.request)
        if rendered.dropped and call.is_strict:
            raise Unsuited(rendered.dropped)
        call.dropped, call.emulated = rendered.dropped, rendered.emulated
        call.turn_to(candidate)
        response = await self._client.send(request, call.hold, attach)
        if response.status == 200:
            return adapter, response
        try:
            body = await response.read(MAX_ERROR_BYTES)
        except UpstreamError:
            body = b""
        raise adapter.parse_error(response.status, response.headers, body)

    def _adapter(self, kind: Kind, provider: Provider) -> Adapter:
        adapter = self._adapters.get((kind, provider.dialect))
        if adapter is None:
            adapter = self._adapters[kind, provider.dialect] = adapter_for(provider.dialect, kind)
        return adapter


async def _within(patience: Patience, ask: Callable[[Attach], Awaitable[T]]) -> T:
    try:
        return await ask(patience.attach)
    except UpstreamError as error:
        raise patience.told(error) from None
    finally:
        patience.end()


def _is_content(event: ChatEvent) -> bool:
    return isinstance(event, TextDelta | RefusalDelta | ThinkingDelta | ToolCallStart | NativeDelta)
