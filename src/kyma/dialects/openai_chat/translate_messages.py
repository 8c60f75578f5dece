"""Messages of another dialect as OpenAI chat has them."""

from hashlib import sha256
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
MEDIA_OF_RESULT = "Images and files that the tool answered with:"
MAX_ID = 40
"""OpenAI refuses longer ids of calls, while other vendors' may be as long as they like."""


def write_messages(chat: Chat, told: Translation, *, returns_reasoning: bool) -> list[Json]:
    """Every message, in order. Media in a tool's result follow in a user message, since results hold text only."""
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
    return written or [{"role": "user", "content": ""}]


def _results(message: Message, told: Translation) -> list[Json]:
    """One message for each result, then the media of all of them: results of one turn must not be parted."""
    written: list[Json] = []
    media: list[Json] = []
    for part in message.parts:
        if not isinstance(part, ToolResultPart):
            continue
        text = "\n".join(filter(None, map(_said, part.content)))
        if part.is_error:
            told.emulate("is_error")
            text = f"Error: {text}"
        written.append({"role": "tool", "tool_call_id": _id(part.call_id), "content": text})
        for content in part.content:
            if isinstance(content, ImagePart | AudioPart | FilePart):
                told.emulate(_concept(content))
                media.append(_part(content))
    if media:
        written.append({"role": "user", "content": [{"type": "text", "text": MEDIA_OF_RESULT}, *media]})
    return written


def _concept(media: ImagePart | AudioPart | FilePart) -> str:
    return "image" if isinstance(media, ImagePart) else "audio" if isinstance(media, AudioPart) else "file"


def _id(call_id: str) -> str:
    """The same for a call and its result; one that is too long ends in a digest, so that it stays itself."""
    if len(call_id) <= MAX_ID:
        return call_id
    return f"{call_id[: MAX_ID - 9]}_{sha256(call_id.encode()).hexdigest()[:8]}"


def _said(content: ResultContent) -> str:
    match content:
        case TextPart(text=text):
            return text
        case ToolReferencePart(name):
            return f"The tool {name} can be called now."
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
    return {"id": _id(part.id), "type": "function", "function": {"name": part.name, "arguments": arguments}}


def _named(message: Message, written: Json) -> Json:
    return written if message.name is None else written | {"name": message.name}


def _text(parts: tuple[Part, ...]) -> str:
    return "\n\n".join(part.text for part in parts if isinstance(part, TextPart))


def _content(parts: tuple[Part, ...]) -> str | list[Json]:
    """Plain text as a string, which every vendor takes; anything else as parts."""
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return parts[0].text  # nearly always
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
