"""A customer's chat completion request, checked and read into Kyma's words."""

from typing import Annotated, Any, NoReturn

import msgspec

from kyma.core.chat import (
    AudioPart,
    ChatRequest,
    FilePart,
    ImagePart,
    Message,
    Native,
    NativePart,
    Part,
    Role,
    TextPart,
    ThinkingPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from kyma.core.errors import InvalidRequest
from kyma.dialects.json_input import decode_body, explain
from kyma.dialects.openai_chat.wire import NAME, NULL, fields_decoder, to_raw

DEFAULT_MAX_TOKENS = 4096
MAX_CHOICES = 128
Count = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
READ_BY_MODEL = ("messages", "tools", "response_format")
"""The fields whose bytes bound the input tokens."""


class WireFunction(msgspec.Struct):
    name: str
    arguments: str = ""


class WireToolCall(msgspec.Struct):
    id: str = ""
    type: str = "function"
    function: WireFunction | None = None


class WireMessage(msgspec.Struct):
    role: Role
    content: Any = None
    name: str | None = None
    tool_calls: list[WireToolCall] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None


class WireImage(msgspec.Struct):
    url: str
    detail: str | None = None


class WireAudio(msgspec.Struct):
    data: str
    format: str


class WireFile(msgspec.Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class WirePart(msgspec.Struct):
    type: str
    text: str | None = None
    image_url: WireImage | str | None = None
    input_audio: WireAudio | None = None
    file: WireFile | None = None


class WireToolFunction(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = NULL
    strict: bool | None = None


class WireTool(msgspec.Struct):
    type: str = "function"
    function: WireToolFunction | None = None


class WireStreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class ChatCompletionRequest(msgspec.Struct):
    """Body of POST /v1/chat/completions. Fields not listed here travel to the model unchanged."""

    model: str
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
    if not wire.model:
        _refuse("model must name a model or an alias", "model")
    if not wire.messages:
        _refuse("messages must hold at least one message", "messages")
    messages = tuple([_message(message, index) for index, message in enumerate(wire.messages)])
    media_bytes, images = _media(messages)
    read_by_model = 0
    for name in READ_BY_MODEL:
        if name in fields:
            read_by_model += len(memoryview(fields[name]))
    max_tokens = wire.max_completion_tokens if wire.max_completion_tokens is not None else wire.max_tokens
    return ChatRequest(
        model=wire.model,
        messages=messages,
        max_tokens=DEFAULT_MAX_TOKENS if max_tokens is None else max_tokens,
        is_streaming=bool(wire.stream),
        wants_usage_chunk=bool(wire.stream and wire.stream_options and wire.stream_options.include_usage),
        n=1 if wire.n is None else wire.n,
        temperature=wire.temperature,
        top_p=wire.top_p,
        stop=(wire.stop,) if isinstance(wire.stop, str) else tuple(wire.stop or ()),
        tools=tuple([_tool(tool.function) for tool in wire.tools if tool.function]) if wire.tools else (),
        native=Native(NAME, fields),
        input_bytes=max(0, read_by_model - media_bytes),
        image_count=images,
    )


def _refuse(message: str, param: str) -> NoReturn:
    raise InvalidRequest(message, param=param)


def _message(wire: WireMessage, index: int) -> Message:
    role, content = wire.role, wire.content
    parts = (TextPart(content),) if type(content) is str else _parts(content, f"messages.{index}.content")
    if role == "user" or role == "system" or role == "developer":
        return Message(role, parts, wire.name)
    if role == "tool":
        if not wire.tool_call_id:
            _refuse("a tool message needs the tool_call_id it answers", f"messages.{index}.tool_call_id")
        return Message("tool", (ToolResultPart(wire.tool_call_id, parts),), wire.name)  # type: ignore[arg-type]
    thinking: tuple[Part, ...] = (ThinkingPart(wire.reasoning_content),) if wire.reasoning_content else ()
    refusal: tuple[Part, ...] = (TextPart(wire.refusal),) if wire.refusal else ()
    calls = tuple(
        ToolCallPart(call.id, call.function.name, call.function.arguments)
        for call in wire.tool_calls or ()
        if call.function
    )
    return Message("assistant", thinking + parts + refusal + calls, wire.name)


def _parts(content: Any, where: str) -> tuple[Part, ...]:
    """Content that is no plain string."""
    if content is None:
        return ()
    if not isinstance(content, list):
        _refuse("content must be a string or a list of parts", where)
    try:
        parts = msgspec.convert(content, list[WirePart])
    except msgspec.ValidationError as error:
        message, path = explain(error)
        _refuse(f"{message} in {where}{path and '.' + path}", where)
    return tuple(_part(part, content[index], f"{where}.{index}") for index, part in enumerate(parts))


def _part(wire: WirePart, as_sent: Any, where: str) -> Part:
    match wire:
        case WirePart(type="text" | "input_text" | "output_text", text=str(text)):
            return TextPart(text)
        case WirePart(type="image_url", image_url=WireImage() as image):
            return ImagePart(image.url, image.detail)
        case WirePart(type="image_url", image_url=str(url)):
            return ImagePart(url)
        case WirePart(type="input_audio", input_audio=WireAudio() as audio):
            return AudioPart(audio.data, audio.format)
        case WirePart(type="file", file=WireFile() as file):
            return FilePart(file.file_data, file.file_id, file.filename)
        case WirePart(type="text" | "image_url" | "input_audio" | "file" as kind):
            _refuse(f"a part of type {kind} needs the member {kind}", where)
    return NativePart(NAME, to_raw(as_sent))


def _tool(function: WireToolFunction) -> Tool:
    parameters = None if function.parameters == NULL else function.parameters
    return Tool(function.name, function.description, parameters, function.strict)


def _media(messages: tuple[Message, ...]) -> tuple[int, int]:
    """Bytes of inline media, which a model does not read as text, and the number of images."""
    size = images = 0
    stack: list[Any] = [part for message in messages for part in message.parts if type(part) is not TextPart]
    for part in stack:
        match part:
            case ImagePart(url=url):
                size += len(url)
                images += 1
            case AudioPart(data=data):
                size += len(data)
            case FilePart(data=str(data)):
                size += len(data)
            case ToolResultPart(content=content):
                stack.extend(content)
    return size, images
