"""A whole answer of Converse."""

import msgspec

from kyma.core.answer import ChatResponse, Choice
from kyma.core.chat import AnswerPart, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled
from kyma.core.model import Quirks
from kyma.dialects.bedrock_converse.wire import NAME, NULL, finish_reason, parse_usage
from kyma.dialects.thinking import split_thinking


class WireToolUse(msgspec.Struct, rename="camel"):
    tool_use_id: str
    name: str
    input: msgspec.Raw = msgspec.Raw(b"{}")


class WireReasoningText(msgspec.Struct):
    text: str = ""
    signature: str | None = None


class WireReasoning(msgspec.Struct, rename="camel"):
    reasoning_text: WireReasoningText | None = None
    redacted_content: str | None = None


class WireCited(msgspec.Struct):
    text: str = ""


class WireCitations(msgspec.Struct):
    content: list[WireCited] = []


class WireBlock(msgspec.Struct, rename="camel"):
    """One of these; what else there is, e.g. an image, was not asked for and is left out."""

    text: str | None = None
    tool_use: WireToolUse | None = None
    reasoning_content: WireReasoning | None = None
    citations_content: WireCitations | None = None


class WireMessage(msgspec.Struct):
    content: list[WireBlock]


class WireOutput(msgspec.Struct):
    message: WireMessage


class WireAnswer(msgspec.Struct, rename="camel"):
    output: WireOutput
    stop_reason: str
    usage: msgspec.Raw = NULL


_answer_decoder = msgspec.json.Decoder(WireAnswer)


def parse_response(body: bytes, quirks: Quirks) -> ChatResponse:
    """Read a vendor's 200. Raises: Garbled when it is no answer, UpstreamFailed when it says that it failed."""
    try:
        wire = _answer_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is no Converse response") from None
    parts: list[AnswerPart] = []
    for block in wire.output.message.content:
        _add(block, parts, quirks.thinks_first and not parts)
    has_calls = any(isinstance(part, ToolCallPart) for part in parts)
    choice = Choice(0, tuple(parts), finish_reason(wire.stop_reason, has_calls))
    return ChatResponse((choice,), parse_usage(wire.usage))


def _add(block: WireBlock, parts: list[AnswerPart], starts_inside: bool) -> None:
    if block.tool_use is not None:
        call = block.tool_use
        parts.append(ToolCallPart(call.tool_use_id, call.name, bytes(call.input).decode()))
    elif block.reasoning_content is not None:
        parts.extend(_thoughts(block.reasoning_content))
    elif text := block.text if block.citations_content is None else _cited(block.citations_content):
        is_first = not any(isinstance(part, TextPart) for part in parts)
        thought, speech = split_thinking(text, starts_inside) if is_first else ("", text)
        if thought:
            parts.append(ThinkingPart(thought))
        if speech:
            parts.append(TextPart(speech))


def _thoughts(wire: WireReasoning) -> list[AnswerPart]:
    if wire.redacted_content:
        return [ThinkingPart("", origin=NAME, redacted=wire.redacted_content)]
    said = wire.reasoning_text
    if said is None or not (said.text or said.signature):
        return []
    return [ThinkingPart(said.text, said.signature or None, NAME if said.signature else "")]


def _cited(wire: WireCitations) -> str:
    return "".join(piece.text for piece in wire.content)
