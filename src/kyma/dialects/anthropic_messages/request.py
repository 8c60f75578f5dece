"""A customer's Messages request, checked and read into Kyma's words."""

from functools import partial
from typing import Annotated, NoReturn

import msgspec

from kyma.core.chat import ChatRequest, Native, Role
from kyma.core.errors import InvalidRequest
from kyma.dialects.anthropic_messages.blocks import Census, WireBlock, WireCache, WireMessage, WireTool
from kyma.dialects.anthropic_messages.errors import THREAD_UNSUPPORTED
from kyma.dialects.anthropic_messages.read import (
    WireFormat,
    WireMetadata,
    WireOutputConfig,
    WireThinking,
    WireToolChoice,
    read_chat,
)
from kyma.dialects.anthropic_messages.server_tools import NONE, count_lookups
from kyma.dialects.anthropic_messages.wire import NAME, NULL, RawFields, encoder, fields_decoder
from kyma.dialects.json_input import decode_body
from kyma.dialects.preferences import take_preferences

Headers = tuple[tuple[bytes, bytes], ...]

ALSO_READ_BY_MODEL = ("system", "tools", "output_config", "output_format")
"""Besides the messages, the fields whose bytes bound the input tokens."""

NATIVE_FIELDS = ("container", "mcp_servers", "compaction")
"""Fields that ask for what only Anthropic's own servers do."""


class CountRequest(msgspec.Struct, kw_only=True):
    """Body of POST /v1/messages/count_tokens; what does not change the count may stand in it all the same.

    Fields not listed here travel to the model unchanged.
    """

    model: str = ""
    messages: list[WireMessage]
    system: str | list[WireBlock] | None = None
    tools: list[WireTool] | None = None
    tool_choice: WireToolChoice | None = None
    thinking: WireThinking | None = None
    output_config: WireOutputConfig | None = None
    output_format: WireFormat | None = None
    cache_control: WireCache | None = None
    thread: msgspec.Raw = NULL
    stream: bool | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, msgspec.Meta(ge=0, le=2**31)] | None = None
    stop_sequences: list[str] | None = None
    metadata: WireMetadata | None = None
    service_tier: str | None = None


class MessagesRequest(CountRequest, kw_only=True):
    """Body of POST /v1/messages. `max_tokens` 0 asks for nothing but that the prompt be cached."""

    max_tokens: Annotated[int, msgspec.Meta(ge=0, le=2**31)]


_request_decoder = msgspec.json.Decoder(MessagesRequest)
_count_decoder = msgspec.json.Decoder(CountRequest)


def parse_request(body: bytes, headers: Headers = ()) -> ChatRequest:
    """Read a request body. `headers` are the customer's `anthropic-beta`, for an upstream that speaks Anthropic too.

    Raises: InvalidRequest naming the field.
    """
    wire = decode_body(_request_decoder, body)
    return _request(wire, body, headers, wire.max_tokens, bool(wire.stream), wire.temperature)


def parse_count(body: bytes) -> ChatRequest:
    """Read a request whose tokens are to be counted: it need not say how many it wants back. Raises: InvalidRequest."""
    return _request(decode_body(_count_decoder, body), body, (), 1, False, None)


def render_count(tokens: int) -> bytes:
    """The answer to `count_tokens`."""
    return encoder.encode({"input_tokens": tokens})


def _request(
    wire: CountRequest, body: bytes, headers: Headers, max_tokens: int, is_streaming: bool, temperature: float | None
) -> ChatRequest:
    fields = fields_decoder.decode(body)
    if wire.thread != NULL:
        raise InvalidRequest(
            "threads are not kept here: send the whole conversation in messages",
            code=THREAD_UNSUPPORTED,
            param="thread",
        )
    model, preferences = wire.model, None
    if "provider" in fields or "models" in fields:
        model, preferences = take_preferences(fields, model)
    if not model:
        _refuse("model must name a model or an alias", "model")
    if not wire.messages:
        _refuse("messages must hold at least one message", "messages")
    census = Census()
    roles = _check(wire, census)
    lookups = count_lookups(wire.tools) if wire.tools else NONE
    read_by_model = len(memoryview(fields["messages"]))
    for name in ALSO_READ_BY_MODEL:
        if name in fields:
            read_by_model += len(memoryview(fields[name]))
    return ChatRequest(
        model=model,
        preferences=preferences,
        max_tokens=max_tokens or 1,  # others know no 0: what is held and sent to them is the least there is
        is_streaming=is_streaming,
        temperature=temperature,
        roles=frozenset(roles),
        has_tools=bool(wire.tools),
        needs_native=census.needs_native or not max_tokens or _asks_natively(fields),
        chat=partial(read_chat, fields, max_tokens or 1),
        native=Native(NAME, fields, headers),
        input_bytes=max(0, read_by_model - census.media_bytes),
        image_count=census.images,
        document_bytes=census.document_bytes,
        keeps_an_hour=census.keeps_an_hour,
        searches=lookups.searches,
        fetches=lookups.fetches,
        unpriced=lookups.unpriced,
    )


def _asks_natively(fields: RawFields) -> bool:
    for name in NATIVE_FIELDS:
        if name in fields and fields[name] != NULL:
            return True
    return False


def _check(wire: CountRequest, census: Census) -> set[Role]:
    """Everything that the types alone do not say. Returns who speaks."""
    roles: set[Role] = {"system"} if wire.system else set()
    if isinstance(wire.system, list):
        census.check(wire.system, "system")
    for index, message in enumerate(wire.messages):
        roles.add(message.role)
        if isinstance(message.content, list):
            census.check(message.content, f"messages.{index}.content")
    if census.has_results:
        roles.add("tool")
    for index, tool in enumerate(wire.tools or ()):
        if not tool.is_customers:
            census.needs_native = True
        if tool.cache_control is not None:
            census.mark(tool.cache_control)
        if tool.is_customers and not tool.name:
            _refuse("a tool needs a name", f"tools.{index}.name")
        if tool.is_customers and tool.input_schema is None:
            _refuse("a tool needs an input_schema", f"tools.{index}.input_schema")
    if wire.cache_control is not None:
        census.mark(wire.cache_control)
    choice = wire.tool_choice
    if choice is not None and choice.type == "tool" and not choice.name:
        _refuse("a tool_choice of type tool needs the name of a tool", "tool_choice.name")
    return roles


def _refuse(message: str, param: str) -> NoReturn:
    raise InvalidRequest(message, param=param)
