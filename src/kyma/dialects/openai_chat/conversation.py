"""Messages and tools as OpenAI chat writes them, and the same in Kyma's words.

The shapes are checked with the whole request; reading them waits until another dialect needs the words.
"""

from collections.abc import Iterator

import msgspec

from kyma.core.chat import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    NativePart,
    Part,
    Role,
    TextPart,
    ThinkingPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from kyma.dialects.documents import UNSEEN_DOCUMENT_BYTES, decoded_size
from kyma.dialects.openai_chat.cache_marks import mark_last, note_mark, read_mark
from kyma.dialects.openai_chat.wire import NAME, NULL, RawFields


class WireFunction(msgspec.Struct):
    name: str
    arguments: str = ""


class WireToolCall(msgspec.Struct):
    id: str = ""
    type: str = "function"
    function: WireFunction | None = None


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
    cache_control: msgspec.Raw = NULL

    @property
    def media_bytes(self) -> int:
        """How much of the part is media, which a model does not read as text."""
        image = self.image_url
        size = 0 if image is None else len(image if isinstance(image, str) else image.url)
        if self.input_audio is not None:
            size += len(self.input_audio.data)
        if self.file is not None and self.file.file_data is not None:
            size += len(self.file.file_data)
        return size

    @property
    def document_bytes(self) -> int:
        """How large a document it is; one that stands elsewhere is guessed."""
        if self.file is None:
            return 0
        return decoded_size(self.file.file_data) if self.file.file_data else UNSEEN_DOCUMENT_BYTES


MEMBERS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "image_url": "image_url",
    "input_audio": "input_audio",
    "file": "file",
}
"""The member that a part of each known type cannot be without; other types are the dialect's own."""


PART_CONCEPTS = {"image_url": "image", "input_audio": "audio", "file": "file"}


class WireMessage(msgspec.Struct):
    role: Role
    content: str | list[WirePart] | None = None
    name: str | None = None
    tool_calls: list[WireToolCall] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    cache_control: msgspec.Raw = NULL


class WireToolFunction(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = NULL
    strict: bool | None = None


class WireCustomTool(msgspec.Struct):
    name: str
    description: str | None = None
    format: msgspec.Raw = NULL


class WireTool(msgspec.Struct):
    type: str = "function"
    function: WireToolFunction | None = None
    custom: WireCustomTool | None = None
    cache_control: msgspec.Raw = NULL


class _Content(msgspec.Struct):
    content: str | list[msgspec.Raw] | None = None


_messages_decoder = msgspec.json.Decoder(list[WireMessage])
_contents_decoder = msgspec.json.Decoder(list[_Content])
_fields_decoder = msgspec.json.Decoder(list[RawFields])
_tools_decoder = msgspec.json.Decoder(list[WireTool] | None)


def read_messages(raw: msgspec.Raw) -> tuple[tuple[Message, ...], dict[str, str], tuple[str, ...]]:
    """Checked messages, and the report on what stands inside them."""
    wires = _messages_decoder.decode(raw)
    messages = zip(wires, _contents_decoder.decode(raw), strict=True)
    names: dict[str, str] = {}
    lost: dict[str, None] = {}
    for wire, fields in zip(wires, _fields_decoder.decode(raw), strict=True):
        lost.update(dict.fromkeys(f"messages.{name}" for name in fields if name not in WireMessage.__struct_fields__))
        note_mark(wire.cache_control, "messages.cache_control", names, lost)
        if wire.name is not None:
            names["name"] = "messages.name"
        if wire.reasoning_content:
            names["thinking"] = "messages.reasoning_content"
        for part in wire.content if isinstance(wire.content, list) else ():
            note_mark(part.cache_control, "messages.content.cache_control", names, lost)
            if part.type in PART_CONCEPTS:
                names[PART_CONCEPTS[part.type]] = f"messages.content.{part.type}"
            elif part.type not in MEMBERS:
                lost[f"messages.content.{part.type}"] = None
            if isinstance(part.image_url, WireImage) and part.image_url.detail is not None:
                names["detail"] = "messages.content.image_url.detail"
    return tuple([_message(wire, as_sent) for wire, as_sent in messages]), names, tuple(lost)


def read_tools(raw: msgspec.Raw) -> tuple[tuple[Tool, ...], dict[str, str], tuple[str, ...]]:
    """Checked tools, and the report on what stands inside them."""
    tools: list[Tool] = []
    names: dict[str, str] = {}
    lost: dict[str, None] = {}
    for wire in _tools_decoder.decode(raw) or ():
        note_mark(wire.cache_control, "tools.cache_control", names, lost)
        if wire.function is not None:
            tools.append(_tool(wire.function, wire.cache_control))
            if wire.function.strict:
                names["strict"] = "tools.function.strict"
        elif wire.custom is not None:
            custom = wire.custom
            tools.append(Tool(custom.name, custom.description, None, is_custom=True, format=_present(custom.format)))
            names["custom_tools"] = "tools.custom"
        else:
            lost[f"tools.{wire.type}"] = None
    if tools:
        names["tools"] = "tools"
    return tuple(tools), names, tuple(lost)


def _message(wire: WireMessage, as_sent: _Content) -> Message:
    """A mark on a message stands behind its last part that can bear one."""
    parts = tuple(_parts(wire, as_sent))
    mark = read_mark(wire.cache_control)
    if wire.role == "tool":
        result = ToolResultPart(wire.tool_call_id or "", parts, cache=mark)  # type: ignore[arg-type]
        return Message("tool", (result,), wire.name)
    if wire.role != "assistant":
        return Message(wire.role, mark_last(parts, mark), wire.name)
    thinking: tuple[Part, ...] = (ThinkingPart(wire.reasoning_content),) if wire.reasoning_content else ()
    refusal: tuple[Part, ...] = (TextPart(wire.refusal),) if wire.refusal else ()
    calls = tuple(
        ToolCallPart(call.id, call.function.name, call.function.arguments)
        for call in wire.tool_calls or ()
        if call.function
    )
    return Message("assistant", mark_last(thinking + parts + refusal + calls, mark), wire.name)


def _parts(wire: WireMessage, as_sent: _Content) -> Iterator[Part]:
    if isinstance(wire.content, str):
        yield TextPart(wire.content)
    elif wire.content is not None and isinstance(as_sent.content, list):
        for part, raw in zip(wire.content, as_sent.content, strict=True):
            yield _part(part, raw)


def _part(wire: WirePart, as_sent: msgspec.Raw) -> Part:
    mark = read_mark(wire.cache_control)
    match wire:
        case WirePart(type="text" | "input_text" | "output_text", text=str(text)):
            return TextPart(text, mark)
        case WirePart(type="image_url", image_url=WireImage() as image):
            return ImagePart(image.url, image.detail, mark)
        case WirePart(type="image_url", image_url=str(url)):
            return ImagePart(url, cache=mark)
        case WirePart(type="input_audio", input_audio=WireAudio() as audio):
            return AudioPart(audio.data, audio.format)
        case WirePart(type="file", file=WireFile() as file):
            return FilePart(file.file_data, file.file_id, file.filename, cache=mark)
    return NativePart(NAME, wire.type, as_sent.copy())


def _tool(wire: WireToolFunction, cache: msgspec.Raw) -> Tool:
    return Tool(wire.name, wire.description, _present(wire.parameters), wire.strict, cache=read_mark(cache))


def _present(raw: msgspec.Raw) -> msgspec.Raw | None:
    return None if raw == NULL else raw
