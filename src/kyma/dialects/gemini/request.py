"""A customer's generateContent and countTokens requests, checked and read into Kyma's words."""

from functools import partial
from typing import Annotated, NoReturn

import msgspec

from kyma.core.chat import ChatRequest, Native, Role
from kyma.core.errors import InvalidRequest
from kyma.dialects.gemini.camel import camel_cased
from kyma.dialects.gemini.conversation import WireContent, WirePart, WireTool, as_list
from kyma.dialects.gemini.read import read_chat
from kyma.dialects.gemini.signatures import PLACEHOLDER, WRAPPED_START
from kyma.dialects.gemini.wire import NAME, NULL, RawFields, encoder, fields_decoder
from kyma.dialects.json_input import decode_body

DEFAULT_MAX_TOKENS = 4096
MAX_CANDIDATES = 128
Count = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
READ_BY_MODEL = ("contents", "systemInstruction", "tools")
"""The fields whose bytes bound the input tokens, besides the schema of the answer."""

UNPRICED = ("googlesearch", "googlesearchretrieval", "enterprisewebsearch", "googlemaps")
"""Hosted tools that Google charges for by the query, and that take no limit. Source: Gemini API pricing page, 2026."""

ROLES: dict[str | None, Role] = {None: "user", "": "user", "user": "user", "function": "user", "model": "assistant"}


class WireConfig(msgspec.Struct, rename="camel"):
    max_output_tokens: Count | None = None
    candidate_count: Annotated[int, msgspec.Meta(ge=1, le=MAX_CANDIDATES)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_k: float | None = None
    stop_sequences: list[str] | None = None
    response_mime_type: str | None = None
    response_schema: msgspec.Raw = NULL
    response_json_schema: msgspec.Raw = NULL


class GenerateContentRequest(msgspec.Struct, rename="camel"):
    """Body of POST /v1beta/models/{model}:generateContent. Fields not listed here travel to the model unchanged."""

    contents: list[WireContent] | WireContent
    system_instruction: WireContent | str | None = None
    tools: list[WireTool] | WireTool | None = None
    tool_config: RawFields | None = None
    generation_config: WireConfig | None = None
    cached_content: str | None = None


class CountTokensRequest(msgspec.Struct, rename="camel"):
    generate_content_request: msgspec.Raw = NULL


_request_decoder = msgspec.json.Decoder(GenerateContentRequest)
_count_decoder = msgspec.json.Decoder(CountTokensRequest)
_tools_decoder = msgspec.json.Decoder(list[RawFields] | RawFields | None)


def parse_request(body: bytes, model: str, is_streaming: bool) -> ChatRequest:
    """Read a request body; the path has said which model, and whether to stream. Raises: InvalidRequest."""
    body = camel_cased(body)
    wire = decode_body(_request_decoder, body)
    fields = fields_decoder.decode(body)
    if not model:
        _refuse("the path must name a model or an alias", "model")
    contents = as_list(wire.contents)
    if not contents:
        _refuse("contents must hold at least one turn", "contents")
    media_bytes = images = document_bytes = 0
    is_signed = False
    roles: set[Role] = {"system"} if wire.system_instruction else set()
    for index, content in enumerate(contents):
        role = ROLES.get(content.role)
        if role is None:
            _refuse("role must be user or model", f"contents.{index}.role")
        roles.add(role)
        for part in as_list(content.parts):
            media_bytes += part.media_bytes
            images += part.image_count
            document_bytes += part.document_bytes
            is_signed = is_signed or _is_own_signature(part)
            if part.function_response is not None:
                roles.add("tool")
    hosted = _hosted_tools(fields)
    config = wire.generation_config or WireConfig()
    max_tokens = config.max_output_tokens or DEFAULT_MAX_TOKENS
    return ChatRequest(
        model=model,
        max_tokens=max_tokens,
        is_streaming=is_streaming,
        wants_usage_chunk=is_streaming,
        n=config.candidate_count or 1,
        temperature=config.temperature,
        roles=frozenset(roles),
        has_tools=bool(wire.tools),
        needs_native=is_signed or wire.cached_content is not None or bool(hosted),
        chat=partial(read_chat, fields, max_tokens),
        native=Native(NAME, fields),
        input_bytes=max(0, _read_by_model(fields, config) - media_bytes),
        image_count=images,
        document_bytes=document_bytes,
        unpriced=next((f"tools.{name}" for name in hosted if name.replace("_", "").lower() in UNPRICED), ""),
    )


def parse_count(body: bytes, model: str) -> ChatRequest:
    """Read the body of :countTokens: contents alone, or a whole request to be counted. Raises: InvalidRequest."""
    body = camel_cased(body)
    whole = decode_body(_count_decoder, body).generate_content_request
    return parse_request(body if whole == NULL else bytes(whole), model, is_streaming=False)


def render_count(tokens: int) -> bytes:
    """The answer to :countTokens."""
    return encoder.encode({"totalTokens": tokens})


def _is_own_signature(part: WirePart) -> bool:
    signature = part.thought_signature
    return bool(signature) and signature != PLACEHOLDER and not str(signature).startswith(WRAPPED_START)


def _hosted_tools(fields: RawFields) -> list[str]:
    """Tools that Google runs, not the customer."""
    tools = as_list(_tools_decoder.decode(fields.get("tools", NULL)))
    return [name for tool in tools for name in tool if name != "functionDeclarations"]


def _read_by_model(fields: RawFields, config: WireConfig) -> int:
    size = len(memoryview(config.response_schema)) + len(memoryview(config.response_json_schema))
    return size + sum(len(memoryview(fields[name])) for name in READ_BY_MODEL if name in fields)


def _refuse(message: str, param: str) -> NoReturn:
    raise InvalidRequest(message, param=param)
