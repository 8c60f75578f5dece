"""Reads a request for Gemini's generateContent: model and streaming stand in the address, names in camel or snake."""

from collections.abc import Iterator
from typing import Literal
from urllib.parse import parse_qs, unquote

import msgspec

from tests.upstream.reading import Reading, signed_of, without_texts, words_in
from tests.upstream.talk import Asked, Json
from tests.upstream.wire import Request

FOLDER = "/v1beta/models/"
VERBS = ("generateContent", "streamGenerateContent")


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    function_response: dict[str, object] | None = None


class _Content(msgspec.Struct, frozen=True):
    parts: list[_Part] = []
    role: Literal["user", "model"] = "user"


class _RawContent(msgspec.Struct):
    parts: list[msgspec.Raw] = []


class _RawChat(msgspec.Struct):
    contents: list[_RawContent]


class _Function(msgspec.Struct):
    name: str


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
    return Asked(
        is_streaming=is_streaming,
        wants_usage=True,
        prompt_tokens=words_in(text for content in contents for text in (*_texts(content), *_results(content))),
        max_tokens=chat.generation_config.max_output_tokens,
        last_user_text=spoken[-1] if spoken else "",
        tool_names=tuple(function.name for tool in chat.tools for function in tool.function_declarations),
        tool_results=sum(map(_result_count, contents)),
        ends_in_tool_result=_result_count(contents[-1]) > 0,
    )


def _texts(content: _Content) -> list[str]:
    """What is said in the open; thoughts are not counted."""
    return [part.text for part in content.parts if part.text is not None and not part.thought]


def _results(content: _Content) -> Iterator[str]:
    """The strings at the top of function responses."""
    for part in content.parts:
        response = (part.function_response or {}).get("response")
        if isinstance(response, dict):
            yield from (value for value in response.values() if isinstance(value, str))


def _result_count(content: _Content) -> int:
    return sum(part.function_response is not None for part in content.parts)


def _camel(value: object) -> object:
    """The same with all names in camel case, those of arguments too: nobody looks there."""
    if isinstance(value, list):
        return [_camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {_camel_name(name): _camel(item) for name, item in value.items()}


def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
