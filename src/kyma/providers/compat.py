"""The generic adapters: a vendor that speaks one of our dialects is a provider row and nothing else."""

from collections.abc import Mapping
from types import ModuleType
from typing import Protocol, cast

import msgspec

from kyma.core.answer import Answer
from kyma.core.chat import CallRequest, Rendered
from kyma.core.credential import Credential
from kyma.core.errors import UpstreamError
from kyma.core.model import Kind, Provider, Route
from kyma.core.upstream import Headers, Timeouts, UpstreamRequest
from kyma.dialects import anthropic_messages, gemini, openai_chat, openai_embeddings, openai_moderations, rerank
from kyma.dialects.base import ChatUpstreamDialect, StreamDecoder, UpstreamDialect, WholeUpstreamDialect

DIALECTS: Mapping[str, ModuleType] = {dialect.NAME: dialect for dialect in (openai_chat, anthropic_messages, gemini)}
"""Dialects of chats, by name."""

WHOLE: Mapping[Kind, ModuleType] = {
    "embedding": openai_embeddings,
    "rerank": rerank,
    "moderation": openai_moderations,
}
"""What a vendor of OpenAI's dialect speaks besides chats, on the same base path."""


class _Form(msgspec.Struct, frozen=True):
    """What is the same in all requests of one kind to one provider with one key."""

    provider: Provider
    credential: Credential | None
    headers: tuple[tuple[bytes, bytes], ...]
    timeouts: Timeouts


class Adapter(Protocol):
    """What to send to providers of one dialect and how to read what comes back."""

    def build_request(
        self, route: Route, credential: Credential | None, request: CallRequest
    ) -> tuple[UpstreamRequest, Rendered]:
        """The HTTP request for `route`, authenticated with `credential`, and the report on its translation."""
        ...

    def parse_response(self, route: Route, body: bytes, request: CallRequest) -> Answer:
        """A 200 as an answer. Raises: UpstreamError when it is none."""
        ...

    def parse_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError: ...


class _Requests:
    """The half of an adapter that does not depend on what is asked."""

    def __init__(self, dialect: UpstreamDialect) -> None:
        self._wire = dialect
        self._forms: dict[tuple[str, str, bool], _Form] = {}

    def build_request(
        self, route: Route, credential: Credential | None, request: CallRequest
    ) -> tuple[UpstreamRequest, Rendered]:
        provider, is_streaming = route.provider, request.is_streaming
        key = (provider.id, "", is_streaming) if credential is None else (provider.id, credential.id, is_streaming)
        form = self._forms.get(key)
        if form is None or form.provider is not provider or form.credential is not credential:
            form = _form(provider, credential, is_streaming)
            if credential is None or not credential.is_own:  # of customers' keys there may be any number
                self._forms[key] = form
        rendered = self._wire.render_request(request, route.upstream_model, provider.quirks)
        target = provider.base_path + self._wire.target(route.upstream_model, is_streaming)
        headers = form.headers
        if request.native.headers and request.native.dialect == self._wire.NAME:
            headers += request.native.headers
        return UpstreamRequest("POST", provider.origin, target, headers, rendered.body, form.timeouts), rendered

    def parse_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        return self._wire.parse_error(status, headers, body)


class ChatAdapter(_Requests):
    """For chats, which may be streamed."""

    def __init__(self, dialect: ChatUpstreamDialect) -> None:
        super().__init__(dialect)
        self.dialect = dialect

    def parse_response(self, route: Route, body: bytes, request: CallRequest) -> Answer:
        return self.dialect.parse_response(body, route.provider.quirks)

    def stream_decoder(self, route: Route) -> StreamDecoder:
        return self.dialect.stream_decoder(route.provider.quirks)


class WholeAdapter(_Requests):
    """For what is answered whole, and read beside what was asked."""

    def __init__(self, dialect: WholeUpstreamDialect) -> None:
        super().__init__(dialect)
        self.dialect = dialect

    def parse_response(self, route: Route, body: bytes, request: CallRequest) -> Answer:
        return self.dialect.parse_response(body, request)


def chat_adapter(dialect: str) -> ChatAdapter:
    """The adapter of a provider row's dialect. Raises: KeyError for a dialect we do not speak."""
    return ChatAdapter(cast(ChatUpstreamDialect, DIALECTS[dialect]))


def adapter_for(dialect: str, kind: Kind) -> Adapter:
    """The same for calls of any kind; the catalog has seen to it that a provider speaks of what is routed to it."""
    if kind == "chat":
        return chat_adapter(dialect)
    return WholeAdapter(cast(WholeUpstreamDialect, WHOLE[kind]))


def _form(provider: Provider, credential: Credential | None, is_streaming: bool) -> _Form:
    accept = b"text/event-stream" if is_streaming else b"application/json"
    media = ((b"content-type", b"application/json"), (b"accept", accept))
    return _Form(
        provider,
        credential,
        (*_authentication(provider.key_header, credential), *media, *provider.headers),
        provider.timeouts if is_streaming else _patient(provider.timeouts),
    )


def _authentication(header: str, credential: Credential | None) -> tuple[tuple[bytes, bytes], ...]:
    if credential is None:
        return ()
    secret = credential.secret.encode()
    return ((b"authorization", b"Bearer " + secret) if header == "authorization" else (header.encode(), secret),)


def _patient(timeouts: Timeouts) -> Timeouts:
    """A whole answer shows no byte until it is finished, so the wait for its first byte is the idle limit."""
    return msgspec.structs.replace(timeouts, first_byte_s=max(timeouts.first_byte_s, timeouts.idle_s))
