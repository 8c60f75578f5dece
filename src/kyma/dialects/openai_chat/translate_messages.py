"""Messages of another dialect as OpenAI chat has them."""

from typing import Any

from kyma.core.chat import (
    AudioPart,
    Chat,
    FilePart,
    ImagePart,
    Message,
    Part,
    ResultContent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReferencePart,
    ToolResultPart,
)
from kyma.dialects.openai_chat.translation import Translation
from kyma.dialects.openai_chat.wire import encoder

Json = dict[str, Any]
CONTENT = (TextPart, ImagePart, AudioPart, FilePart)
IMAGES_OF_RESULT = "Images that the tool answered with:"


def write_messages(chat: Chat, told: Translation, *, returns_reasoning: bool) -> list[Json]:
    """Every message, in order. Images in a tool's result follow in a user message, since results hold text only."""
    written: list[Json] = []
    for message in chat.messages:
        if message.role == "tool":
            written += _results(message, told)
        elif message.role == "assistant":
            written.append(_assistant(message, told, returns_reasoning=returns_reasoning))
        elif message.role == "user":
            written.append(_named(message, {"role": "user", "content": _content(message.parts)}))
        else:
            written.append(_named(message, {"role": message.role, "content": _text(message.parts)}))
    return written


def _results(message: Message, told: Translation) -> list[Json]:
    """One message for each result, then the images of all of them: results of one turn must not be parted."""
    written: list[Json] = []
    images: list[Json] = []
    for part in message.parts:
        if not isinstance(part, ToolResultPart):
            continue
        text = "\n".join(filter(None, (_said(content, told) for content in part.content)))
        if part.is_error:
            told.emulate("is_error")
            text = f"Error: {text}"
        written.append({"role": "tool", "tool_call_id": part.call_id, "content": text})
        images += [_part(content) for content in part.content if isinstance(content, ImagePart)]
    if images:
        told.emulate("image")
        written.append({"role": "user", "content": [{"type": "text", "text": IMAGES_OF_RESULT}, *images]})
    return written


def _said(content: ResultContent, told: Translation) -> str:
    match content:
        case TextPart(text=text):
            return text
        case ToolReferencePart(name):
            return f"The tool {name} can be called now."
        case FilePart():
            told.drop_if_asked("file")
        case AudioPart():
            told.drop_if_asked("audio")
    return ""


def _assistant(message: Message, told: Translation, *, returns_reasoning: bool) -> Json:
    text = _text(message.parts)
    thought = "".join(part.text for part in message.parts if isinstance(part, ThinkingPart))
    calls = [_call(part) for part in message.parts if isinstance(part, ToolCallPart)]
    written: Json = {"role": "assistant", "content": text if text or not calls else None}
    if thought and returns_reasoning:
        written["reasoning_content"] = thought
    elif any(isinstance(part, ThinkingPart) for part in message.parts):
        told.drop_if_asked("thinking")
    if calls:
        written["tool_calls"] = calls
    return _named(message, written)


def _call(part: ToolCallPart) -> Json:
    arguments = encoder.encode({"input": part.arguments}).decode() if part.is_custom else part.arguments or "{}"
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": arguments}}


def _named(message: Message, written: Json) -> Json:
    return written if message.name is None else written | {"name": message.name}


def _text(parts: tuple[Part, ...]) -> str:
    return "\n\n".join(part.text for part in parts if isinstance(part, TextPart))


def _content(parts: tuple[Part, ...]) -> str | list[Json]:
    """Plain text as a string, which every vendor takes; anything else as parts."""
    if all(isinstance(part, TextPart) for part in parts):
        return _text(parts)
    return [_part(part) for part in parts if isinstance(part, CONTENT)]


def _part(part: TextPart | ImagePart | AudioPart | FilePart) -> Json:
    match part:
        case TextPart(text=text):
            return {"type": "text", "text": text}
        case ImagePart(url=url, detail=detail):
            return {"type": "image_url", "image_url": {"url": url} | ({"detail": detail} if detail else {})}
        case AudioPart(data, format):
            return {"type": "input_audio", "input_audio": {"data": data, "format": format}}
        case FilePart(data=data, file_id=file_id, filename=filename, url=url):
            file = {"file_data": data or url, "file_id": file_id, "filename": filename}
            return {"type": "file", "file": {name: value for name, value in file.items() if value is not None}}
