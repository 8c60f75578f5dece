"""The generic adapter: a vendor that speaks one of our dialects is a provider row and nothing else."""

from collections.abc import Mapping
from types import ModuleType
from typing import cast

import msgspec

from kyma.core.answer import ChatResponse
from kyma.core.chat import ChatRequest, Rendered
from kyma.core.errors import UpstreamError
from kyma.core.model import Provider, Route
from kyma.core.upstream import Headers, Timeouts, UpstreamRequest
from kyma.dialects import anthropic_messages, gemini, openai_chat
from kyma.dialects.base import StreamDecoder, UpstreamDialect

DIALECTS: Mapping[str, ModuleType] = {dialect.NAME: dialect for dialect in (openai_chat, anthropic_messages, gemini)}


class _Form(msgspec.Struct, frozen=True):
    """What is the same in all requests of one kind to one provider with one key."""

    provider: Provider
    secret: str | None
    headers: tuple[tuple[bytes, bytes], ...]
    timeouts: Timeouts


class ChatAdapter:
    """What to send to one provider and how to read what comes back."""

    def __init__(self, dialect: UpstreamDialect) -> None:
        self.dialect = dialect
        self._forms: dict[tuple[str, bool], _Form] = {}

    def build_request(self, route: Route, secret: str | None, request: ChatRequest) -> tuple[UpstreamRequest, Rendered]:
        """The HTTP request for `route`, authenticated with `secret`, and the report on its translation."""
        provider, is_streaming = route.provider, request.is_streaming
        form = self._forms.get((provider.id, is_streaming))
        if form is None or form.provider is not provider or form.secret != secret:
            form = self._forms[provider.id, is_streaming] = _form(provider, secret, is_streaming)
        rendered = self.dialect.render_request(request, route.upstream_model, provider.quirks)
        target = provider.base_path + self.dialect.target(route.upstream_model, is_streaming)
        headers = form.headers
        if request.native.headers and request.native.dialect == self.dialect.NAME:
            headers += request.native.headers
        return UpstreamRequest("POST", provider.origin, target, headers, rendered.body, form.timeouts), rendered

    def parse_response(self, route: Route, body: bytes) -> ChatResponse:
        """A 200 as an answer. Raises: UpstreamError when it is none."""
        return self.dialect.parse_response(body, route.provider.quirks)

    def stream_decoder(self, route: Route) -> StreamDecoder:
        return self.dialect.stream_decoder(route.provider.quirks)

    def parse_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        return self.dialect.parse_error(status, headers, body)


def adapter_for(dialect: str) -> ChatAdapter:
    """The adapter of a provider row's dialect. Raises: KeyError for a dialect we do not speak."""
    return ChatAdapter(cast(UpstreamDialect, DIALECTS[dialect]))


def _form(provider: Provider, secret: str | None, is_streaming: bool) -> _Form:
    accept = b"text/event-stream" if is_streaming else b"application/json"
    media = ((b"content-type", b"application/json"), (b"accept", accept))
    return _Form(
        provider,
        secret,
        (*_credential(provider.key_header, secret), *media, *provider.headers),
        provider.timeouts if is_streaming else _patient(provider.timeouts),
    )


def _credential(header: str, secret: str | None) -> tuple[tuple[bytes, bytes], ...]:
    if not secret:
        return ()
    if header == "authorization":
        return ((b"authorization", b"Bearer " + secret.encode()),)
    return ((header.encode(), secret.encode()),)


def _patient(timeouts: Timeouts) -> Timeouts:
    """A whole answer shows no byte until it is finished, so the wait for its first byte is the idle limit."""
    return msgspec.structs.replace(timeouts, first_byte_s=max(timeouts.first_byte_s, timeouts.idle_s))
