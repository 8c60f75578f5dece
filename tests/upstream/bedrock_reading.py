"""Reads a request for Bedrock's Converse, as strictly as Amazon where that finds a gateway's mistakes.

The model and whether to stream stand in the address. A script may have a maker before it (`anthropic.script:ok`).
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import unquote

import msgspec

from tests.upstream import aws_signature
from tests.upstream.reading import Reading, signed_of, without_texts, words_in
from tests.upstream.talk import Asked, Called, Json, Offered, Result
from tests.upstream.wire import Request

FOLDER = "/model/"
VERBS = ("converse", "converse-stream")
MAX_CACHE_POINTS = 4

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_.:-]{1,64}$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
DocumentName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9\-()\[\]]+( [A-Za-z0-9\-()\[\]]+)*$", max_length=200)]
NotEmpty = Annotated[str, msgspec.Meta(min_length=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Bytes(msgspec.Struct):
    bytes: NotEmpty


class _Image(msgspec.Struct):
    format: Literal["png", "jpeg", "gif", "webp"]
    source: _Bytes


class _Document(msgspec.Struct):
    name: DocumentName
    source: _Bytes


class _ResultBlock(msgspec.Struct):
    text: str | None = None
    image: _Image | None = None
    document: _Document | None = None


class _ToolUse(msgspec.Struct, rename="camel"):
    tool_use_id: Id
    name: Name
    input: Json


class _ToolResult(msgspec.Struct, rename="camel"):
    tool_use_id: Id
    content: Annotated[list[_ResultBlock], msgspec.Meta(min_length=1)]
    status: Literal["success", "error"] = "success"


class _CachePoint(msgspec.Struct):
    type: Literal["default"]
    ttl: Literal["5m", "1h"] = "5m"


class _Block(msgspec.Struct, rename="camel"):
    text: str | None = None
    image: _Image | None = None
    document: _Document | None = None
    tool_use: _ToolUse | None = None
    tool_result: _ToolResult | None = None
    cache_point: _CachePoint | None = None
    reasoning_content: Json | None = None


class _Message(msgspec.Struct):
    role: Literal["user", "assistant"]
    content: Annotated[list[_Block], msgspec.Meta(min_length=1)]


class _RawMessage(msgspec.Struct):
    content: list[msgspec.Raw]


class _RawChat(msgspec.Struct):
    messages: list[_RawMessage]


class _Schema(msgspec.Struct):
    json: Json


class _Spec(msgspec.Struct, rename="camel"):
    name: Name
    input_schema: _Schema
    description: NotEmpty | None = None


class _Tool(msgspec.Struct, rename="camel"):
    tool_spec: _Spec | None = None
    cache_point: _CachePoint | None = None


class _Tools(msgspec.Struct, rename="camel"):
    tools: Annotated[list[_Tool], msgspec.Meta(min_length=1)]


class _Inference(msgspec.Struct, rename="camel"):
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    temperature: Share | None = None
    top_p: Share | None = None


class _Chat(msgspec.Struct, rename="camel"):
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    system: list[_Block] = []
    tool_config: _Tools | None = None
    inference_config: _Inference = msgspec.field(default_factory=_Inference)


_read_chat = msgspec.json.Decoder(_Chat).decode
_read_raw = msgspec.json.Decoder(_RawChat).decode
_MAKER = re.compile(r"^[a-z.]*\.(?=script:)")


def owns(path: str) -> bool:
    """Whether this family lives there."""
    return path.startswith(FOLDER)


def read(request: Request) -> Reading:
    """The request, understood. Raises: Unsigned, msgspec.DecodeError."""
    aws_signature.check(request)
    model, _, verb = request.path.removeprefix(FOLDER).rpartition("/")
    if verb not in VERBS or "/" in model or ":" in model:
        raise msgspec.ValidationError(f"no operation is called {verb!r}, or the model is not encoded")
    chat = _read_chat(request.body)
    _check(chat)
    body = msgspec.json.decode(request.body, type=Json)
    body |= {key: without_texts(body[key]) for key in ("system", "messages") if key in body}
    signed = [block for message in _read_raw(request.body).messages for block in signed_of(message.content)]
    return Reading(_MAKER.sub("", unquote(model)), _asked(chat, verb == "converse-stream"), body, signed)


def _check(chat: _Chat) -> None:
    """What Amazon says no to beyond the shapes."""
    roles = [message.role for message in chat.messages]
    if roles != [("user", "assistant")[at % 2] for at in range(len(roles))]:
        raise msgspec.ValidationError("a conversation must start with a user message, and roles must alternate")
    blocks = [*chat.system, *(block for message in chat.messages for block in message.content)]
    if any(text is not None and not text.strip() for block in blocks for text in (block.text, *_inner_texts(block))):
        raise msgspec.ValidationError("the text field in a ContentBlock object is blank")
    if chat.tool_config is None and any(block.tool_use or block.tool_result for block in blocks):
        raise msgspec.ValidationError("toolConfig must be defined when using toolUse and toolResult content blocks")
    points = [block.cache_point for block in blocks]
    points += [tool.cache_point for tool in (chat.tool_config.tools if chat.tool_config else ())]
    if sum(point is not None for point in points) > MAX_CACHE_POINTS:
        raise msgspec.ValidationError(f"you may have at most {MAX_CACHE_POINTS} cache points")


def _asked(chat: _Chat, is_streaming: bool) -> Asked:
    turns = [("system", chat.system), *((message.role, message.content) for message in chat.messages)]
    blocks = [block for _, said in turns for block in said]
    spoken = [" ".join(_texts(said)) for role, said in turns if role == "user" and any(_texts(said))]
    tools = chat.tool_config.tools if chat.tool_config else []
    calls, results = [block.tool_use for block in blocks], [block.tool_result for block in blocks]
    return Asked(
        is_streaming=is_streaming,
        wants_usage=True,
        prompt_tokens=words_in(text for block in blocks for text in (block.text or "", *_inner_texts(block))),
        max_tokens=chat.inference_config.max_tokens,
        last_user_text=spoken[-1] if spoken else "",
        texts=tuple(" ".join(_texts(said)) for role, said in turns if role != "assistant"),
        tools=tuple(Offered(tool.tool_spec.name, tool.tool_spec.input_schema.json) for tool in tools if tool.tool_spec),
        calls=tuple(Called(call.tool_use_id, call.name, call.input) for call in calls if call),
        results=tuple(Result(said.tool_use_id, " ".join(_result_texts(said))) for said in results if said),
        ends_in_tool_result=any(block.tool_result for block in chat.messages[-1].content),
    )


def _texts(blocks: list[_Block]) -> list[str]:
    return [block.text for block in blocks if block.text is not None]


def _inner_texts(block: _Block) -> Iterator[str]:
    return _result_texts(block.tool_result) if block.tool_result else iter(())


def _result_texts(result: _ToolResult) -> Iterator[str]:
    return (inner.text for inner in result.content if inner.text is not None)
