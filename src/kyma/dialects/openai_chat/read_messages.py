"""A customer's messages and tools in Kyma's words, with the report on what stands inside them."""

from collections.abc import Iterator

import msgspec

from kyma.core.chat import (
    AudioPart,
    CacheMark,
    FilePart,
    ImagePart,
    Message,
    NativePart,
    Part,
    TextPart,
    ThinkingPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)
from kyma.dialects.openai_chat.cache_marks import mark_last, note_mark, read_mark
from kyma.dialects.openai_chat.conversation import (
    MEMBERS,
    PART_CONCEPTS,
    WireAudio,
    WireFile,
    WireImage,
    WireMessage,
    WirePart,
    WireTool,
    WireToolCall,
    WireToolFunction,
)
from kyma.dialects.openai_chat.wire import EMPTY, NAME, NULL, RawFields
from kyma.dialects.report import note


class _Sent(msgspec.Struct):
    content: str | list[msgspec.Raw] | None = None
    tool_calls: list[RawFields] | None = None


_messages_decoder = msgspec.json.Decoder(list[WireMessage])
_sent_decoder = msgspec.json.Decoder(list[_Sent])
_fields_decoder = msgspec.json.Decoder(list[RawFields])
_tools_decoder = msgspec.json.Decoder(list[WireTool] | None)
_sent_tools_decoder = msgspec.json.Decoder(list[RawFields] | None)
_object_decoder = msgspec.json.Decoder(RawFields)


Names = dict[str, str]
Lost = dict[str, None]


def read_messages(raw: msgspec.Raw) -> tuple[tuple[Message, ...], Names, tuple[str, ...]]:
    """Checked messages, and the report on what stands inside them."""
    names: Names = {}
    lost: Lost = {}
    messages = []
    wires, sent, fields = _messages_decoder.decode(raw), _sent_decoder.decode(raw), _fields_decoder.decode(raw)
    for wire, as_sent, members in zip(wires, sent, fields, strict=True):
        _lose_unknown(members, WireMessage, "messages", lost)
        if wire.name is not None:
            names["name"] = "messages.name"
        if wire.reasoning_content:
            names["thinking"] = "messages.reasoning_content"
        messages.append(_message(wire, as_sent, names, lost))
    return tuple(messages), names, tuple(lost)


def read_tools(raw: msgspec.Raw) -> tuple[tuple[Tool, ...], Names, tuple[str, ...]]:
    """Checked tools, and the report on what stands inside them."""
    tools: list[Tool] = []
    names: Names = {}
    lost: Lost = {}
    for wire, sent in zip(_tools_decoder.decode(raw) or (), _sent_tools_decoder.decode(raw) or (), strict=True):
        note_mark(wire.cache_control, "tools.cache_control", names, lost)
        cache = read_mark(wire.cache_control)
        if wire.function is not None:
            tools.append(_tool(wire.function, cache))
            if wire.function.strict:
                names["strict"] = "tools.function.strict"
            _lose_unknown(_object_decoder.decode(sent["function"]), WireToolFunction, "tools.function", lost)
        elif wire.custom is not None:
            custom = wire.custom
            form = _present(custom.format)
            tools.append(Tool(custom.name, custom.description, None, is_custom=True, format=form, cache=cache))
            names["custom_tools"] = "tools.custom"
        else:
            lost[f"tools.{wire.type}"] = None
            continue
        _lose_unknown(sent, WireTool, "tools", lost)
    if tools:
        names["tools"] = "tools"
    return tuple(tools), names, tuple(lost)


def _message(wire: WireMessage, sent: _Sent, names: Names, lost: Lost) -> Message:
    """A mark on a message stands behind its last part that can bear one."""
    parts = tuple(_parts(wire, sent, names, lost))
    note_mark(wire.cache_control, "messages.cache_control", names, lost)
    mark = read_mark(wire.cache_control)
    if wire.role == "tool":
        result = ToolResultPart(wire.tool_call_id or "", parts, cache=mark)  # type: ignore[arg-type]
        return Message("tool", (result,), wire.name)
    if wire.role != "assistant":
        return Message(wire.role, mark_last(parts, mark), wire.name)
    thinking: tuple[Part, ...] = (ThinkingPart(wire.reasoning_content),) if wire.reasoning_content else ()
    refusal: tuple[Part, ...] = (TextPart(wire.refusal),) if wire.refusal else ()
    said = (*thinking, *parts, *refusal, *_calls(wire, sent, names, lost))
    return Message("assistant", mark_last(said, mark), wire.name)


def _calls(wire: WireMessage, sent: _Sent, names: Names, lost: Lost) -> Iterator[ToolCallPart]:
    for call, members in zip(wire.tool_calls or (), sent.tool_calls or (), strict=True):
        _lose_unknown(members, WireToolCall, "messages.tool_calls", lost, "index")
        if call.function is not None:
            names["arguments"] = "messages.tool_calls.function.arguments"
            yield ToolCallPart(call.id, call.function.name, call.function.arguments)
        elif call.custom is not None:
            note(names, "custom_tools", "messages.tool_calls.custom")
            yield ToolCallPart(call.id, call.custom.name, call.custom.input, is_custom=True)
        else:
            lost[f"messages.tool_calls.{call.type}"] = None


def _parts(wire: WireMessage, sent: _Sent, names: Names, lost: Lost) -> Iterator[Part]:
    if isinstance(wire.content, str):
        yield TextPart(wire.content)
    elif wire.content is not None and isinstance(sent.content, list):
        for part, raw in zip(wire.content, sent.content, strict=True):
            where = f"messages.content.{part.type}"
            if part.type not in MEMBERS:
                lost[where] = None
            else:
                _lose_unknown(_object_decoder.decode(raw), WirePart, where, lost)
            if part.type in PART_CONCEPTS:
                names[PART_CONCEPTS[part.type]] = where
            if isinstance(part.image_url, WireImage) and part.image_url.detail not in (None, "auto"):
                names["detail"] = f"{where}.detail"
            note_mark(part.cache_control, "messages.content.cache_control", names, lost)
            yield _part(part, raw, read_mark(part.cache_control))


def _part(wire: WirePart, as_sent: msgspec.Raw, cache: CacheMark | None) -> Part:
    match wire:
        case WirePart(type="text" | "input_text" | "output_text", text=str(text)):
            return TextPart(text, cache)
        case WirePart(type="image_url", image_url=WireImage() as image):
            return ImagePart(image.url, image.detail, cache)
        case WirePart(type="image_url", image_url=str(url)):
            return ImagePart(url, cache=cache)
        case WirePart(type="input_audio", input_audio=WireAudio() as audio):
            return AudioPart(audio.data, audio.format)
        case WirePart(type="file", file=WireFile() as file):
            return FilePart(file.file_data, file.file_id, file.filename, cache=cache)
    return NativePart(NAME, wire.type, as_sent.copy())


def _lose_unknown(members: RawFields, known: type[msgspec.Struct], where: str, lost: Lost, *more: str) -> None:
    for name, value in members.items():
        if name not in known.__struct_fields__ and name not in more and value not in EMPTY:
            lost[f"{where}.{name}"] = None


def _tool(function: WireToolFunction, cache: CacheMark | None) -> Tool:
    parameters = _present(function.parameters)
    return Tool(function.name, function.description, parameters, function.strict, cache=cache)


def _present(raw: msgspec.Raw) -> msgspec.Raw | None:
    return None if raw == NULL else raw
