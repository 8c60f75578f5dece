"""Reads a request for chat completions."""

import msgspec

from tests.upstream.reading import Reading, words_in
from tests.upstream.talk import Asked, Called, Json, Offered, Result
from tests.upstream.wire import Request

PATH = "/v1/chat/completions"


class _CalledFunction(msgspec.Struct, frozen=True):
    name: str = ""
    arguments: str = ""


class _Call(msgspec.Struct):
    id: str
    function: _CalledFunction = _CalledFunction()


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, object]] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str = ""


class _Function(msgspec.Struct):
    name: str
    parameters: Json | None = None


class _Tool(msgspec.Struct):
    function: _Function


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Chat(msgspec.Struct):
    model: str
    messages: list[_Message]
    stream: bool = False
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    tools: list[_Tool] = []


_read_chat = msgspec.json.Decoder(_Chat).decode


def owns(path: str) -> bool:
    """Whether this family lives there."""
    return path == PATH


def read(request: Request) -> Reading:
    """The request, understood. Raises: msgspec.DecodeError."""
    chat = _read_chat(request.body)
    return Reading(chat.model, _asked(chat), _without_content(msgspec.json.decode(request.body, type=Json)))


def _asked(chat: _Chat) -> Asked:
    texts = [(message.role, _text(message.content)) for message in chat.messages]
    roles = [message.role for message in chat.messages]
    return Asked(
        is_streaming=chat.stream,
        wants_usage=chat.stream_options is not None and chat.stream_options.include_usage,
        prompt_tokens=words_in(text for _, text in texts),
        max_tokens=chat.max_tokens if chat.max_completion_tokens is None else chat.max_completion_tokens,
        last_user_text=next((text for role, text in reversed(texts) if role == "user"), ""),
        texts=tuple(text for role, text in texts if role not in ("assistant", "tool")),
        tools=tuple(Offered(tool.function.name, tool.function.parameters or {}) for tool in chat.tools),
        calls=tuple(_called(call) for message in chat.messages for call in message.tool_calls or ()),
        results=tuple(Result(said.tool_call_id, _text(said.content)) for said in chat.messages if said.role == "tool"),
        ends_in_tool_result=roles[-1:] == ["tool"],
    )


def _called(call: _Call) -> Called:
    """What is no object counts as one without members."""
    try:
        arguments = msgspec.json.decode(call.function.arguments, type=Json)
    except msgspec.DecodeError:
        arguments = {}
    return Called(call.id, call.function.name, arguments)


def _text(content: str | list[dict[str, object]] | None) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content)
    return content or ""


def _without_content(body: Json) -> Json:
    messages = body["messages"]
    assert isinstance(messages, list)
    return body | {"messages": [{key: message[key] for key in message if key != "content"} for message in messages]}
