"""A customer's Responses request, checked and read as far as admission needs it."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated

import msgspec

from kyma.core.chat import ChatRequest, Native, Role
from kyma.core.errors import InvalidRequest
from kyma.dialects.json_input import decode_body
from kyma.dialects.openai_responses.items import (
    MEMBERS,
    OFFERING,
    TEXTS,
    Item,
    WireAdditionalTools,
    WireCallOutput,
    WireItem,
    WireMessage,
    WirePart,
    WireReasoning,
    WireSearchOutput,
    read_items,
)
from kyma.dialects.openai_responses.read import WireReasoningSettings, WireText, read_chat
from kyma.dialects.openai_responses.tools import check_tools
from kyma.dialects.openai_responses.wire import NAME, NULL, RawFields, fields_decoder, refuse, unseal
from kyma.dialects.preferences import take_preferences

DEFAULT_MAX_TOKENS = 4096
Count = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
BREAKPOINT = b"prompt_cache_breakpoint"
"""What asks for a cache, wherever it stands: a vendor that has only minutes and an hour is asked for the hour."""

RESULTS = (WireCallOutput, WireSearchOutput)
READ_BY_MODEL = ("input", "instructions", "tools", "text")
"""The fields whose bytes bound the input tokens."""

NOT_STORED = "conversation storage is not switched on: send the whole conversation in `input`"
REFUSED = {
    "previous_response_id": (NOT_STORED, "previous_response_not_found"),
    "conversation": (NOT_STORED, "unsupported_parameter"),
    "prompt": ("prompt templates are not kept here: send `instructions` and `input`", "unsupported_parameter"),
}
"""Ignoring one of these would answer a question that was not asked."""


class ResponsesRequest(msgspec.Struct):
    """Body of POST /v1/responses; only what is checked."""

    model: str = ""
    input: str | list[msgspec.Raw] | None = None
    instructions: str | None = None
    max_output_tokens: Count | None = None
    stream: bool | None = None
    stream_options: dict[str, msgspec.Raw] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    tools: list[msgspec.Raw] | None = None
    parallel_tool_calls: bool | None = None
    text: WireText | None = None
    reasoning: WireReasoningSettings | None = None
    include: list[str] | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    background: bool | None = None


_request_decoder = msgspec.json.Decoder(ResponsesRequest)


def parse_request(body: bytes) -> ChatRequest:
    """Read a request body. Raises: InvalidRequest naming the field."""
    wire = decode_body(_request_decoder, body)
    fields = fields_decoder.decode(body)
    model, preferences = wire.model, None
    if "provider" in fields or "models" in fields:
        model, preferences = take_preferences(fields, model)
    if not model:
        refuse("model must name a model or an alias", "model")
    _check(wire, fields)
    items = read_items(wire.input or [])
    media_bytes = images = document_bytes = 0
    tool_lists = list(_tool_lists(wire, items))
    needs_native = not all([check_tools(tools, where) for where, tools in tool_lists])
    roles: set[Role] = {"system"} if wire.instructions else set()
    for index, item in enumerate(items):
        for part in item.parts:
            if part.text is None or part.type not in TEXTS:
                _check_part(part, index, item)
                images += part.type == "input_image" and part.image_url is not None
                media_bytes += part.media_bytes
                document_bytes += part.document_bytes
        said = item.wire
        if isinstance(said, WireMessage):
            roles.add(said.role)
            continue
        if said is not None and not isinstance(said, WireAdditionalTools):
            roles.add("tool" if isinstance(said, RESULTS) else "assistant")
        needs_native = needs_native or _is_native(said)
    if not roles:
        refuse("input holds nothing that the model could read", "input")
    max_tokens = wire.max_output_tokens or DEFAULT_MAX_TOKENS
    return ChatRequest(
        model=model,
        preferences=preferences,
        max_tokens=max_tokens,
        is_streaming=bool(wire.stream),
        temperature=wire.temperature,
        roles=frozenset(roles),
        has_tools=any(tools for _, tools in tool_lists),
        needs_native=needs_native,
        chat=partial(read_chat, fields, items, max_tokens),
        native=Native(NAME, fields),
        input_bytes=max(0, _bytes_read(fields) - media_bytes),
        image_count=images,
        document_bytes=document_bytes,
        keeps_an_hour=BREAKPOINT in body,
    )


def _tool_lists(wire: ResponsesRequest, items: list[Item]) -> Iterator[tuple[str, list[msgspec.Raw]]]:
    """Every place that offers tools, with what stands there."""
    if wire.tools:
        yield "tools", wire.tools
    for index, item in enumerate(items):
        if item.kind in OFFERING and isinstance(item.wire, WireAdditionalTools | WireSearchOutput):
            yield f"input.{index}.tools", item.wire.tools


def _check(wire: ResponsesRequest, fields: RawFields) -> None:
    for name, (message, code) in REFUSED.items():
        if name in fields and fields[name] != NULL:
            refuse(message, name, code)
    if wire.background:
        refuse("background responses are not kept here: leave `background` out", "background", "unsupported_parameter")
    if not wire.input:
        refuse("input must be a text or hold at least one item", "input")


def _check_part(part: WirePart, index: int, item: Item) -> None:
    wanted = MEMBERS.get(part.type, ())
    if wanted and all(getattr(part, member) is None for member in wanted):
        member = "output" if isinstance(item.wire, WireCallOutput) else "content"
        path = f"input.{index}.{member}.{item.parts.index(part)}"
        raise InvalidRequest(f"a part of type {part.type} needs {' or '.join(wanted)} at {path}", param=path)


def _is_native(wire: WireItem | None) -> bool:
    """Only an upstream of this dialect could honour it."""
    if isinstance(wire, WireReasoning):
        return bool(wire.encrypted_content) and unseal(wire.encrypted_content or "") is None
    return wire is None


def _bytes_read(fields: RawFields) -> int:
    read = 0
    for name in READ_BY_MODEL:
        if name in fields:
            read += len(memoryview(fields[name]))
    return read
