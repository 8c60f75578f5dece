"""Reads a request for Anthropic Messages, as strictly as the vendor where that finds a gateway's mistakes."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from tests.upstream.reading import Reading, signed_of, without_texts, words_in
from tests.upstream.talk import Asked, Called, Json, Offered, Result
from tests.upstream.wire import Request

PATH = "/v1/messages"


class _Message(msgspec.Struct):
    role: Literal["user", "assistant", "system"]
    content: msgspec.Raw


class _Tool(msgspec.Struct):
    name: str
    type: str | None = None
    input_schema: Json = {}


class _Chat(msgspec.Struct):
    model: str
    messages: list[_Message]
    max_tokens: int
    system: msgspec.Raw = msgspec.Raw(b"[]")
    stream: bool = False
    tools: list[_Tool] = []


class _Block(msgspec.Struct):
    type: str
    text: str = ""
    content: msgspec.Raw = msgspec.Raw(b"[]")
    id: str = ""
    name: str = ""
    input: Json = {}
    tool_use_id: str = ""


_read_chat = msgspec.json.Decoder(_Chat).decode


def owns(path: str) -> bool:
    """Whether this family lives there."""
    return path == PATH


def read(request: Request) -> Reading:
    """The request, understood. Raises: msgspec.DecodeError."""
    if "anthropic-version" not in request.headers:
        raise msgspec.ValidationError("anthropic-version: header is required")
    chat = _read_chat(request.body)
    if not chat.messages:
        raise msgspec.ValidationError("messages: at least one message is required")
    body = msgspec.json.decode(request.body, type=Json)
    body |= {key: without_texts(body[key]) for key in ("system", "messages") if key in body}
    signed = [block for message in chat.messages for block in signed_of(_raw_blocks(message.content))]
    return Reading(chat.model, _asked(chat), body, signed)


def _asked(chat: _Chat) -> Asked:
    turns = [(message.role, _blocks(message.content)) for message in chat.messages]
    blocks = [*_blocks(chat.system), *(block for _, said in turns for block in said)]
    spoken = [" ".join(_own_texts(said)) for role, said in turns if role == "user" and any(_own_texts(said))]
    heard = [said for role, said in turns if role != "assistant"]
    return Asked(
        is_streaming=chat.stream,
        wants_usage=True,
        prompt_tokens=words_in(text for block in blocks for text in _texts(block)),
        max_tokens=chat.max_tokens,
        last_user_text=spoken[-1] if spoken else "",
        texts=tuple(" ".join(_own_texts(said)) for said in (_blocks(chat.system), *heard)),
        tools=tuple(Offered(tool.name, tool.input_schema) for tool in chat.tools if tool.type in (None, "custom")),
        calls=tuple(Called(block.id, block.name, block.input) for block in blocks if block.type == "tool_use"),
        results=tuple(_result(block) for block in blocks if block.type == "tool_result"),
        ends_in_tool_result=any(block.type == "tool_result" for block in turns[-1][1]),
    )


def _result(block: _Block) -> Result:
    return Result(block.tool_use_id, " ".join(_texts(block)))


def _own_texts(blocks: list[_Block]) -> list[str]:
    return [block.text for block in blocks if block.type == "text"]


def _texts(block: _Block) -> Iterator[str]:
    """The block's text and what a tool result holds; thoughts are not counted."""
    if block.type == "text":
        yield block.text
    elif block.type == "tool_result":
        for inner in _blocks(block.content):
            yield from _texts(inner)


def _blocks(content: msgspec.Raw) -> list[_Block]:
    value = msgspec.json.decode(content, type=str | list[_Block])
    return [_Block("text", value)] if isinstance(value, str) else value


def _raw_blocks(content: msgspec.Raw) -> list[msgspec.Raw]:
    if bytes(content).startswith(b'"'):
        return []
    return msgspec.json.decode(content, type=list[msgspec.Raw])
