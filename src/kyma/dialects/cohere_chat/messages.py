"""Messages as Cohere has them: the system first, words or images of the user, plans and calls, results as text."""

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
from kyma.dialects.raw_fields import encoder
from kyma.dialects.report import Report

Json = dict[str, Any]
DETAILS = ("auto", "low", "high")
GO_ON = "(The conversation goes on.)"
"""Stands where something must be said and nothing was."""
MEDIA_OF_RESULT = "Images that the tool answered with:"


def write_messages(chat: Chat, instruction: str, report: Report) -> list[Json]:
    """Every message, in order; `instruction` joins the system message, and what a system says later is a user's turn.

    Source: docs.cohere.com/reference/errors: "system turn must be the first in the list".
    """
    system: list[str] = []
    written: list[Json] = []
    for message in chat.messages:
        match message.role:
            case "system" | "developer":
                said = _text(message.parts)
                if not written:
                    system.append(said)
                elif said:
                    report.emulate("messages")
                    written.append({"role": "user", "content": said})
            case "tool":
                written += _results(message, report)
            case "assistant":
                written += _assistant(message, report)
            case _:
                written += _user(message, report)
    if not written:
        report.emulate("messages")
        written.append({"role": "user", "content": GO_ON})
    first = "\n\n".join(filter(None, [*system, instruction]))
    return [{"role": "system", "content": first}, *written] if first else written


def _user(message: Message, report: Report) -> list[Json]:
    content: list[Json] = []
    for part in message.parts:
        match part:
            case TextPart(text):
                if text:
                    content.append({"type": "text", "text": text})
            case ImagePart():
                content.append(_image(part, report))
            case AudioPart():
                report.drop("audio")
            case FilePart():
                report.drop("file")
    if all(piece["type"] == "text" for piece in content):
        said = "\n\n".join(piece["text"] for piece in content)
        return [{"role": "user", "content": said}] if said else []
    return [{"role": "user", "content": content}]


def _image(part: ImagePart, report: Report) -> Json:
    image: Json = {"url": part.url}
    if part.detail in DETAILS:
        image["detail"] = part.detail
    elif part.detail is not None:
        report.drop("detail")
    return {"type": "image_url", "image_url": image}


def _assistant(message: Message, report: Report) -> list[Json]:
    """What is said before a call is its plan; without words, an unsigned thought is. Other thoughts stay out."""
    text = _text(message.parts)
    calls = [_call(part, report) for part in message.parts if isinstance(part, ToolCallPart)]
    thoughts = [part for part in message.parts if isinstance(part, ThinkingPart)]
    if not calls:
        if thoughts:
            report.drop("thinking")
        return [{"role": "assistant", "content": text}] if text else []
    unsigned = [part for part in thoughts if part.signature is None and part.redacted is None]
    if len(unsigned) < len(thoughts) or (text and thoughts):
        report.drop("thinking")
    plan = text or "".join(part.text for part in unsigned)
    return [{"role": "assistant", "tool_calls": calls} | ({"tool_plan": plan} if plan else {})]


def _call(part: ToolCallPart, report: Report) -> Json:
    if part.signature is not None:
        report.drop("thinking")
    arguments = encoder.encode({"input": part.arguments}).decode() if part.is_custom else part.arguments or "{}"
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": arguments}}


def _results(message: Message, report: Report) -> list[Json]:
    """One message for each result, then the images of all of them: results of one turn must not be parted."""
    written: list[Json] = []
    images: list[Json] = []
    for part in message.parts:
        if not isinstance(part, ToolResultPart):
            continue
        text = "\n".join(filter(None, (_said(content, report) for content in part.content)))
        if part.is_error:
            report.emulate("is_error")
            text = f"Error: {text}"
        written.append({"role": "tool", "tool_call_id": part.call_id, "content": text})
        for content in part.content:
            if isinstance(content, ImagePart):
                report.emulate("image")
                images.append(_image(content, report))
    if images:
        written.append({"role": "user", "content": [{"type": "text", "text": MEDIA_OF_RESULT}, *images]})
    return written


def _said(content: ResultContent, report: Report) -> str:
    match content:
        case TextPart(text):
            return text
        case ToolReferencePart(name):
            return f"The tool {name} can be called now."
        case AudioPart():
            report.drop("audio")
        case FilePart():
            report.drop("file")
    return ""


def _text(parts: tuple[Part, ...]) -> str:
    return "\n\n".join(part.text for part in parts if isinstance(part, TextPart) and part.text)
