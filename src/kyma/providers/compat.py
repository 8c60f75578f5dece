"""The generic adapters: a vendor that speaks one of our dialects is a provider row and nothing else."""

from collections.abc import Mapping
from types import ModuleType
from typing import Protocol, cast

import msgspec

from kyma.core.answer import Answer
from kyma.core.chat import CallRequest, ChatRequest, Rendered
from kyma.core.credential import Credential
from kyma.core.errors import Throttled, UpstreamError
from kyma.core.ids import Clock, SystemClock
from kyma.core.model import Kind, Provider, Quirks, Route
from kyma.core.upstream import Headers, Timeouts, UpstreamRequest
from kyma.dialects import anthropic_messages, bedrock_converse, cohere_chat, gemini, openai_chat
from kyma.dialects.anthropic_messages.assemble import MessageAssembler
from kyma.dialects.assemble import Assembler
from kyma.dialects.base import ChatUpstreamDialect, StreamDecoder, UpstreamDialect, WholeUpstreamDialect
from kyma.dialects.gemini.assemble import PieceAssembler
from kyma.dialects.openai_chat.assemble import ChatAssembler
from kyma.dialects.whole import WHOLE
from kyma.providers.aws_sigv4 import Signer, aws_key, region_of

ASSEMBLERS: Mapping[str, type[Assembler]] = {
    openai_chat.NAME: ChatAssembler,
    anthropic_messages.NAME: MessageAssembler,
    gemini.NAME: PieceAssembler,
}
"""Of dialects that say things in streams which only they know."""

DIALECTS: Mapping[str, ModuleType] = {
    dialect.NAME: dialect for dialect in (openai_chat, anthropic_messages, gemini, cohere_chat, bedrock_converse)
}
"""Dialects of chats, by name."""

STREAM_TYPES: Mapping[str, str] = {bedrock_converse.NAME: bedrock_converse.STREAM_TYPE}
"""What is accepted as a stream where that is not server-sent events."""


class _Form(msgspec.Struct, frozen=True):
    """What is the same in all requests of one kind to one provider with one key."""

    provider: Provider
    credential: Credential | None
    headers: tuple[tuple[bytes, bytes], ...]
    timeouts: Timeouts
    signer: Signer | None


class Adapter(Protocol):
    """What to send to providers of one dialect and how to read what comes back."""

    def build_request(
        self, route: Route, credential: Credential | None, request: CallRequest
    ) -> tuple[UpstreamRequest, Rendered]:
        """The HTTP request for `route`, authenticated with `credential`, and the report on its translation.

        Raises: Throttled while a provider that wants a minted token has none.
        """
        ...

    def parse_response(self, route: Route, body: bytes, request: CallRequest) -> Answer:
        """A 200 as an answer. Raises: UpstreamError when it is none."""
        ...

    def parse_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError: ...


class _Requests:
    """The half of an adapter that does not depend on what is asked."""

    def __init__(self, dialect: UpstreamDialect, clock: Clock) -> None:
        self._wire = dialect
        self._clock = clock
        self._forms: dict[tuple[str, str, bool], _Form] = {}

    def build_request(
        self, route: Route, credential: Credential | None, request: CallRequest
    ) -> tuple[UpstreamRequest, Rendered]:
        provider, is_streaming = route.provider, request.is_streaming
        key = (provider.id, "", is_streaming) if credential is None else (provider.id, credential.id, is_streaming)
        form = self._forms.get(key)
        if form is None or form.provider is not provider or form.credential is not credential:
            form = _form(provider, credential, is_streaming, self._clock)
            if credential is None or not credential.is_own:  # of customers' keys there may be any number
                self._forms[key] = form
        rendered = self._wire.render_request(request, route.upstream_model, provider.quirks)
        target = provider.base_path + _target(self._wire, route, is_streaming)
        headers = form.headers
        if request.native.headers and request.native.dialect == self._wire.NAME:
            headers, rendered = _with_native_headers(headers, rendered, request, provider.quirks)
        if form.signer is not None:
            headers += form.signer.sign("POST", provider.origin, target, headers, rendered.body)
        return UpstreamRequest("POST", provider.origin, target, headers, rendered.body, form.timeouts), rendered

    def parse_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        return self._wire.parse_error(status, headers, body)


class ChatAdapter(_Requests):
    """For chats, which may be streamed."""

    def __init__(self, dialect: ChatUpstreamDialect, clock: Clock) -> None:
        super().__init__(dialect, clock)
        self.dialect = dialect
        self._assembler = ASSEMBLERS.get(dialect.NAME, Assembler)

    def parse_response(self, route: Route, body: bytes, request: CallRequest) -> Answer:
        return self.dialect.parse_response(body, route.provider.quirks)

    def stream_decoder(self, route: Route) -> StreamDecoder:
        return self.dialect.stream_decoder(route.provider.quirks)

    def can_assemble(self, request: ChatRequest) -> bool:
        """Whether a streamed answer to `request` tells its customer all that a whole one would.

        What only one dialect says reaches customers of that dialect alone, so others lose nothing.
        """
        return request.native.dialect != self.dialect.NAME or self._assembler.can_tell(request)

    def assembler(self) -> Assembler:
        """Makes a whole answer of the events of one stream."""
        return self._assembler()


class WholeAdapter(_Requests):
    """For what is answered whole, and read beside what was asked."""

    def __init__(self, dialect: WholeUpstreamDialect, clock: Clock) -> None:
        super().__init__(dialect, clock)
        self.dialect = dialect

    def parse_response(self, route: Route, body: bytes, request: CallRequest) -> Answer:
        return self.dialect.parse_response(body, request)


def chat_adapter(dialect: str, clock: Clock | None = None) -> ChatAdapter:
    """The adapter of a provider row's dialect. Raises: KeyError for a dialect we do not speak.

    `clock` tells the time that signatures carry; by default it is the machine's.
    """
    return ChatAdapter(cast(ChatUpstreamDialect, DIALECTS[dialect]), clock or SystemClock())


def adapter_for(dialect: str, kind: Kind, clock: Clock | None = None) -> Adapter:
    """The same for calls of any kind; the catalog has seen to it that a provider speaks of what is routed to it."""
    if kind == "chat":
        return chat_adapter(dialect, clock)
    return WholeAdapter(cast(WholeUpstreamDialect, WHOLE[dialect][kind]), clock or SystemClock())


def _target(wire: UpstreamDialect, route: Route, is_streaming: bool) -> str:
    """The dialect's path, or the provider's own."""
    quirks = route.provider.quirks
    own = quirks.stream_target if is_streaming else quirks.target
    if own:
        return own.replace("{model}", route.upstream_model)
    return wire.target(route.upstream_model, is_streaming)


def _with_native_headers(
    headers: tuple[tuple[bytes, bytes], ...], rendered: Rendered, request: CallRequest, quirks: Quirks
) -> tuple[tuple[tuple[bytes, bytes], ...], Rendered]:
    """The customer's headers of this dialect too; those that the provider refuses count as dropped."""
    unwanted = tuple(name for name, _ in request.native.headers if name.decode() in quirks.drop_headers)
    if not unwanted:
        return headers + request.native.headers, rendered
    dropped = (*rendered.dropped, *(name.decode() for name in unwanted))
    taken = tuple(header for header in request.native.headers if header[0] not in unwanted)
    return headers + taken, msgspec.structs.replace(rendered, dropped=dropped)


def _form(provider: Provider, credential: Credential | None, is_streaming: bool, clock: Clock) -> _Form:
    if provider.auth == "google" and credential is None:
        raise Throttled("there is no access token yet", retry_after_s=1)
    accept = STREAM_TYPES.get(provider.dialect, "text/event-stream") if is_streaming else "application/json"
    media = ((b"content-type", b"application/json"), (b"accept", accept.encode()))
    signer = _signer(provider, credential, clock)
    authentication = _authentication(provider.key_header, credential) if signer is None else ()
    return _Form(
        provider,
        credential,
        (*authentication, *media, *provider.headers),
        provider.timeouts if is_streaming else _patient(provider.timeouts),
        signer,
    )


def _signer(provider: Provider, credential: Credential | None, clock: Clock) -> Signer | None:
    """What signs every request to a provider of that kind; its API keys are sent as they are."""
    key = aws_key(credential) if provider.auth == "aws" and credential is not None else None
    return Signer(key, clock, region_of(provider.origin.host)) if key is not None else None


def _authentication(header: str, credential: Credential | None) -> tuple[tuple[bytes, bytes], ...]:
    if credential is None:
        return ()
    secret = credential.secret.encode()
    return ((b"authorization", b"Bearer " + secret) if header == "authorization" else (header.encode(), secret),)


def _patient(timeouts: Timeouts) -> Timeouts:
    """A whole answer shows no byte until it is finished, so the wait for its first byte is the idle limit."""
    return msgspec.structs.replace(timeouts, first_byte_s=max(timeouts.first_byte_s, timeouts.idle_s))
