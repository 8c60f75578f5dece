"""A vendor's choices, in all the forms that compatible vendors give them, read into Kyma's words."""

from typing import Any

import msgspec

from kyma.core.answer import Choice, FinishReason
from kyma.core.chat import AnswerPart, Native, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled
from kyma.core.model import Quirks
from kyma.dialects.openai_chat.wire import FINISH_REASONS, NAME, NULL, STOP, encoder, head
from kyma.dialects.thinking import split_thinking

MESSAGE_FIELDS = ("annotations", "audio", "reasoning_details", "function_call")
"""Members of an answer's message or delta that travel to a customer of the same dialect; others may name the vendor."""


class WireCalledFunction(msgspec.Struct):
    name: str
    arguments: str | dict[str, Any] | None = None


class WireCall(msgspec.Struct):
    function: WireCalledFunction
    id: str | None = None


class WirePiece(msgspec.Struct):
    text: str | None = None


class WirePart(msgspec.Struct):
    """Of Mistral's content, thinking among it. Source: its chat API, November 2026."""

    text: str | None = None
    thinking: list[WirePiece] | None = None


class WireAnswerMessage(msgspec.Struct):
    content: str | list[WirePart] | None = None
    reasoning_content: str | None = None
    reasoning: str | dict[str, Any] | None = None
    tool_calls: list[WireCall] | None = None
    refusal: msgspec.Raw = NULL
    annotations: msgspec.Raw = NULL
    audio: msgspec.Raw = NULL
    reasoning_details: msgspec.Raw = NULL
    function_call: msgspec.Raw = NULL


class WireAnswerChoice(msgspec.Struct):
    message: WireAnswerMessage
    finish_reason: str | None = None
    logprobs: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL


_choices_decoder = msgspec.json.Decoder(list[WireAnswerChoice])
_text_decoder = msgspec.json.Decoder(str)


def read_choices(raw: msgspec.Raw, quirks: Quirks) -> tuple[Choice, ...]:
    """Raises: msgspec.DecodeError when they are none, Garbled when an answer ended for a reason that is a failure."""
    return tuple([_choice(choice, index, quirks) for index, choice in enumerate(_choices_decoder.decode(raw))])


def usage_of_choices(raw: msgspec.Raw) -> msgspec.Raw:
    """The usage inside the first choice, where Moonshot puts it."""
    choices = _choices_decoder.decode(raw)
    return choices[0].usage if choices else NULL


def finish_reason(word: str | None, has_calls: bool, has_refused: bool = False) -> FinishReason:
    """A vendor's finish reason. Raises: Garbled for one that means failure."""
    reason = FinishReason.STOP if word is None else FINISH_REASONS.get(word)
    if reason is None:
        raise Garbled("the answer ended for a reason that is a failure")
    if reason is not FinishReason.STOP:
        return reason
    if has_calls:
        return FinishReason.TOOL_CALLS
    return FinishReason.CONTENT_FILTER if has_refused else reason


def split_parts(parts: list[WirePart]) -> tuple[str, str]:
    """`(speech, thought)` of content that is parts."""
    thoughts = [piece.text for part in parts for piece in part.thinking or () if piece.text]
    return "".join(part.text for part in parts if part.text), "".join(thoughts)


def _choice(wire: WireAnswerChoice, index: int, quirks: Quirks) -> Choice:
    message = wire.message
    speech, thought = _content(message, quirks)
    parts: tuple[AnswerPart, ...] = (TextPart(speech),) if speech else ()
    if thought:
        parts = (ThinkingPart(thought), *parts)
    refusal = "" if message.refusal is NULL else read_words(message.refusal)
    if refusal:
        parts += (RefusalPart(refusal),)
    if message.tool_calls:
        parts += tuple([_call(call, position) for position, call in enumerate(message.tool_calls)])
    logprobs = None if wire.logprobs is NULL or wire.logprobs == NULL else Native(NAME, {"logprobs": wire.logprobs})
    reason = finish_reason(wire.finish_reason, bool(message.tool_calls), bool(refusal))
    word = STOP if refusal and reason is FinishReason.CONTENT_FILTER else None
    return Choice(index, parts, reason, _message_native(message), logprobs, word, NAME if word else "")


def read_words(raw: msgspec.Raw) -> str:
    """A member that is text where it says anything."""
    return _text_decoder.decode(raw) if head(raw) == b'"' else ""


def _call(wire: WireCall, position: int) -> ToolCallPart:
    """Arguments that came as an object become JSON text."""
    arguments = wire.function.arguments
    if not isinstance(arguments, str):
        arguments = encoder.encode(arguments or {}).decode()
    return ToolCallPart(wire.id or f"call_{position}", wire.function.name, arguments)


def _content(message: WireAnswerMessage, quirks: Quirks) -> tuple[str, str]:
    """`(speech, thought)`; reasoning comes in a field of its own or in front of the content."""
    if isinstance(message.content, list):
        speech, thought = split_parts(message.content)
    else:
        thought, speech = split_thinking(message.content or "", quirks.thinks_first)
    reasoning = message.reasoning_content or message.reasoning
    return speech, reasoning if isinstance(reasoning, str) else thought


def _message_native(message: WireAnswerMessage) -> Native | None:
    if (
        message.annotations is NULL
        and message.audio is NULL
        and message.reasoning_details is NULL
        and message.function_call is NULL
    ):
        return None
    kept = {name: raw for name in MESSAGE_FIELDS if (raw := getattr(message, name)) != NULL}
    return Native(NAME, kept) if kept else None
