"""Reads a request for Gemini's generateContent: model and streaming stand in the address, names in camel or snake."""

from collections.abc import Iterator
from typing import Literal
from urllib.parse import parse_qs, unquote

import msgspec

from tests.upstream.reading import Reading, signed_of, without_texts, words_in
from tests.upstream.talk import Asked, Called, Json, Offered, Result
from tests.upstream.wire import Request

FOLDER = "/v1beta/models/"
OPAQUE = ("args", "response", "parameters", "parametersJsonSchema", "parameters_json_schema")
VERBS = ("generateContent", "streamGenerateContent")


class _FunctionCall(msgspec.Struct):
    name: str
    id: str = ""
    args: Json = {}


class _FunctionResponse(msgspec.Struct):
    name: str
    response: Json
    id: str = ""


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    function_call: _FunctionCall | None = None
    function_response: _FunctionResponse | None = None


class _Content(msgspec.Struct, frozen=True):
    parts: list[_Part] = []
    role: Literal["user", "model"] = "user"


class _RawContent(msgspec.Struct):
    parts: list[msgspec.Raw] = []


class _RawChat(msgspec.Struct):
    contents: list[_RawContent]


class _Function(msgspec.Struct, rename="camel"):
    name: str
    parameters: Json = {}
    parameters_json_schema: Json = {}


class _Tool(msgspec.Struct, rename="camel"):
    function_declarations: list[_Function] = []


class _Generation(msgspec.Struct, frozen=True, rename="camel"):
    max_output_tokens: int | None = None


class _Chat(msgspec.Struct, rename="camel"):
    contents: list[_Content]
    system_instruction: _Content = _Content()
    tools: list[_Tool] = []
    generation_config: _Generation = _Generation()


def owns(path: str) -> bool:
    """Whether this family lives there."""
    return path.startswith(FOLDER)


def read(request: Request) -> Reading:
    """The request, understood. Raises: msgspec.DecodeError."""
    model, _, verb = unquote(request.path.removeprefix(FOLDER)).rpartition(":")
    if verb not in VERBS:
        raise msgspec.ValidationError(f"no method is called {verb!r}")
    is_streaming = verb == "streamGenerateContent"
    if is_streaming and parse_qs(request.query).get("alt") != ["sse"]:
        raise msgspec.ValidationError("streams are only given with alt=sse")
    body = msgspec.json.decode(request.body, type=Json)
    chat = msgspec.convert(_camel(body), _Chat)
    if not chat.contents:
        raise msgspec.ValidationError("contents is not specified")
    places = ("systemInstruction", "system_instruction", "contents")
    body |= {key: without_texts(body[key]) for key in places if key in body}
    raw = msgspec.json.decode(request.body, type=_RawChat)
    signed = [part for content in raw.contents for part in signed_of(content.parts)]
    return Reading(model, _asked(chat, is_streaming), body, signed)


def _asked(chat: _Chat, is_streaming: bool) -> Asked:
    contents = [chat.system_instruction, *chat.contents]
    spoken = [" ".join(_texts(content)) for content in chat.contents if content.role == "user" and any(_texts(content))]
    parts = [part for content in contents for part in content.parts]
    calls, responses = [part.function_call for part in parts], [part.function_response for part in parts]
    return Asked(
        is_streaming=is_streaming,
        wants_usage=True,
        prompt_tokens=words_in(text for content in contents for text in (*_texts(content), *_results(content))),
        max_tokens=chat.generation_config.max_output_tokens,
        last_user_text=spoken[-1] if spoken else "",
        texts=tuple(" ".join(_texts(content)) for content in contents if content.role == "user"),
        tools=tuple(_offered(function) for tool in chat.tools for function in tool.function_declarations),
        calls=tuple(Called(call.id or call.name, call.name, call.args) for call in calls if call is not None),
        results=tuple(Result(said.id or said.name, _told(said)) for said in responses if said is not None),
        ends_in_tool_result=_has_result(contents[-1]),
    )


def _texts(content: _Content) -> list[str]:
    """What is said in the open; thoughts are not counted."""
    return [part.text for part in content.parts if part.text is not None and not part.thought]


def _results(content: _Content) -> Iterator[str]:
    for part in content.parts:
        if part.function_response is not None:
            yield _told(part.function_response)


def _told(said: _FunctionResponse) -> str:
    """The strings at the top of a function's response."""
    return " ".join(value for value in said.response.values() if isinstance(value, str))


def _offered(function: _Function) -> Offered:
    return Offered(function.name, function.parameters or function.parameters_json_schema)


def _has_result(content: _Content) -> bool:
    return any(part.function_response is not None for part in content.parts)


def _camel(value: object) -> object:
    """The same with all of the vendor's names in camel case; what is the customer's stays."""
    if isinstance(value, list):
        return [_camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {_camel_name(name): item if name in OPAQUE else _camel(item) for name, item in value.items()}


def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
