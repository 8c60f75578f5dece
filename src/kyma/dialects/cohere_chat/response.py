"""A vendor's 200 as an answer. Its citations are left out: no customer speaks this dialect."""

import msgspec

from kyma.core.answer import ChatResponse, Choice
from kyma.core.chat import AnswerPart, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled
from kyma.core.model import Quirks
from kyma.dialects.cohere_chat.wire import WireCall, WireFunction, arguments_of, finish_reason, parse_usage
from kyma.dialects.raw_fields import NULL


class WireContent(msgspec.Struct):
    text: str | None = None
    thinking: str | None = None


class WireMessage(msgspec.Struct):
    content: list[WireContent] | str | None = None
    tool_plan: str | None = None
    tool_calls: list[WireCall] | None = None


class WireAnswer(msgspec.Struct):
    message: WireMessage | None = None
    finish_reason: str | None = None
    usage: msgspec.Raw = NULL


_answer_decoder = msgspec.json.Decoder(WireAnswer)


def parse_response(body: bytes, quirks: Quirks) -> ChatResponse:
    """Read a vendor's 200. Raises: Garbled when it is no answer, or ended for a reason that is a failure."""
    try:
        wire = _answer_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is no chat response") from None
    if wire.message is None:
        raise Garbled("the answer has no message")
    choice = Choice(0, tuple(_parts(wire.message)), finish_reason(wire.finish_reason))
    return ChatResponse((choice,), parse_usage(wire.usage))


def _parts(message: WireMessage) -> list[AnswerPart]:
    """Thoughts, the plan for the tools among them, then words, then calls."""
    content = [WireContent(message.content)] if isinstance(message.content, str) else message.content or []
    parts: list[AnswerPart] = []
    for piece in content:
        if piece.thinking:
            parts.append(ThinkingPart(piece.thinking))
        if piece.text:
            parts.append(TextPart(piece.text))
    if message.tool_plan:
        parts.append(ThinkingPart(message.tool_plan))
    for position, call in enumerate(message.tool_calls or ()):
        function = call.function or WireFunction()
        if not function.name:
            raise Garbled("the answer calls a tool and does not say which")
        parts.append(ToolCallPart(call.id or f"call_{position}", function.name, arguments_of(function)))
    return parts
