"""A customer's chat completion request, checked and read into Kyma's words."""

from functools import partial
from typing import Annotated, NoReturn

import msgspec

from kyma.core.chat import ChatRequest, Native, Role
from kyma.core.errors import InvalidRequest
from kyma.dialects.json_input import decode_body
from kyma.dialects.openai_chat.conversation import MEMBERS, WireMessage, WirePart, WireTool
from kyma.dialects.openai_chat.read import read_chat
from kyma.dialects.openai_chat.wire import NAME, NULL, fields_decoder
from kyma.dialects.preferences import take_preferences

DEFAULT_MAX_TOKENS = 4096
MAX_CHOICES = 128
Count = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
ALSO_READ_BY_MODEL = ("tools", "response_format")
"""Besides the messages, the fields whose bytes bound the input tokens."""

SEARCH_OPTIONS = "web_search_options"
"""Has a vendor search at a price, with no limit and no count. Source: OpenAI's chat reference, November 2026."""


class WireStreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class ChatCompletionRequest(msgspec.Struct, kw_only=True):
    """Body of POST /v1/chat/completions. Fields not listed here travel to the model unchanged."""

    model: str = ""
    messages: list[WireMessage]
    stream: bool | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=MAX_CHOICES)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    stop: str | list[str] | None = None
    tools: list[WireTool] | None = None
    stream_options: WireStreamOptions | None = None


_request_decoder = msgspec.json.Decoder(ChatCompletionRequest)


def parse_request(body: bytes) -> ChatRequest:
    """Read a request body. Raises: InvalidRequest naming the field."""
    wire = decode_body(_request_decoder, body)
    fields = fields_decoder.decode(body)
    model, preferences = wire.model, None
    if "provider" in fields or "models" in fields:
        model, preferences = take_preferences(fields, model)
    if not model:
        _refuse("model must name a model or an alias", "model")
    if not wire.messages:
        _refuse("messages must hold at least one message", "messages")
    media_bytes = images = document_bytes = 0
    roles: set[Role] = set()
    for index, message in enumerate(wire.messages):
        roles.add(message.role)
        if message.role == "tool" and not message.tool_call_id:
            _refuse("a tool message needs the tool_call_id it answers", f"messages.{index}.tool_call_id")
        if isinstance(message.content, list):
            media_bytes += _check_parts(message.content, f"messages.{index}.content")
            images += sum(part.type == "image_url" for part in message.content)
            document_bytes += sum(part.document_bytes for part in message.content)
    read_by_model = len(memoryview(fields["messages"]))
    for name in ALSO_READ_BY_MODEL:
        if name in fields:
            read_by_model += len(memoryview(fields[name]))
    max_tokens = wire.max_completion_tokens or wire.max_tokens or DEFAULT_MAX_TOKENS
    return ChatRequest(
        model=model,
        preferences=preferences,
        max_tokens=max_tokens,
        is_streaming=bool(wire.stream),
        wants_usage_chunk=bool(wire.stream and wire.stream_options and wire.stream_options.include_usage),
        n=1 if wire.n is None else wire.n,
        temperature=wire.temperature,
        roles=frozenset(roles),
        has_tools=bool(wire.tools),
        chat=partial(read_chat, fields, max_tokens),
        native=Native(NAME, fields),
        input_bytes=max(0, read_by_model - media_bytes),
        image_count=images,
        document_bytes=document_bytes,
        unpriced=SEARCH_OPTIONS if fields.get(SEARCH_OPTIONS, NULL) != NULL else "",
    )


def _check_parts(parts: list[WirePart], where: str) -> int:
    """The bytes of inline media in checked parts."""
    media_bytes = 0
    for index, part in enumerate(parts):
        member = MEMBERS.get(part.type)
        if member is not None and getattr(part, member) is None:
            _refuse(f"a part of type {part.type} needs the member {member}", f"{where}.{index}")
        media_bytes += part.media_bytes
    return media_bytes


def _refuse(message: str, param: str) -> NoReturn:
    raise InvalidRequest(message, param=param)
