"""Adapter, credential and transport put together: asks one source and returns once its answer has begun for good."""

from typing import cast

import msgspec

from kyma.calls.call import Call
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
from kyma.core.errors import Garbled, Rejected, UpstreamError
from kyma.core.model import Kind, Provider
from kyma.credentials import Vault
from kyma.dialects.base import StreamDecoder
from kyma.providers.compat import Adapter, ChatAdapter, adapter_for
from kyma.routing import Candidate
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
    """The providers of this gateway, called with the keys of `vault`; a local one may need none."""

    def __init__(self, client: HttpClient, vault: Vault) -> None:
        self._client = client
        self._vault = vault
        self._adapters: dict[tuple[Kind, str], Adapter] = {}

    async def complete(self, call: Call, candidate: Candidate, is_last: bool) -> Answer:
        """A whole answer. A blank one is a fault while another source is left. Raises: UpstreamError."""
        adapter, response = await self._send(call, candidate)
        answer = adapter.parse_response(candidate.route, await response.read(MAX_ANSWER_BYTES), call.request)
        if answer.is_blank and not is_last:
            raise Garbled("the answer is empty")
        return answer

    async def open_stream(self, call: Call, candidate: Candidate, is_last: bool) -> OpenStream:
        """A stream up to its first content event, the commit point. Raises: UpstreamError."""
        adapter, response = await self._send(call, candidate)
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
                    return self._blank(response, decoder, events, is_last)
        except BaseException:
            response.abort()
            raise

    def _blank(self, response: Response, decoder: StreamDecoder, events: list[ChatEvent], is_last: bool) -> OpenStream:
        """A stream that ended well and said nothing: a fault, unless a limit or filter kept it silent."""
        is_blank = all(event.reason is FinishReason.STOP for event in events if isinstance(event, Finish))
        if is_blank and not is_last:
            raise Garbled("the answer is empty")
        return OpenStream(response, decoder, events, has_ended=True, is_blank=is_blank)

    async def _send(self, call: Call, candidate: Candidate) -> tuple[Adapter, Response]:
        route = candidate.route
        adapter = self._adapter(call.request.kind, route.provider)
        usable = self._vault.usable(route.provider.id, call.principal.account_id)
        credential = call.credential = usable[0] if usable else None
        request, rendered = adapter.build_request(route, credential, call.request)
        call.dropped, call.emulated = rendered.dropped, rendered.emulated
        if call.is_strict and call.dropped:
            raise _lossy(call.dropped)
        call.candidate = candidate
        response = await self._client.send(request, call.hold, call.attach)
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


def _lossy(dropped: tuple[str, ...]) -> Rejected:
    said = f"X-Kyma-Strict: the source of this model cannot be told {', '.join(dropped)}"
    code = "fields_would_be_dropped"
    return Rejected(code, upstream_status=400, caller_message=said, code=code)


def _is_content(event: ChatEvent) -> bool:
    return isinstance(event, TextDelta | RefusalDelta | ThinkingDelta | ToolCallStart | NativeDelta)
