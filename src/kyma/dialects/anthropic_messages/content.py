"""The content of an answer: a vendor's blocks in Kyma's words, and Kyma's parts as blocks."""

from typing import Any

import msgspec

from kyma.core.answer import Choice, FinishReason
from kyma.core.chat import AnswerPart, Native, NativePart, Part, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled
from kyma.dialects.anthropic_messages.proofs import wrap
from kyma.dialects.anthropic_messages.wire import FINISH_REASONS, NAME, NULL, RawFields, encoder, fields_decoder
from kyma.dialects.thinking import split_thinking

EMPTY_OBJECT = msgspec.Raw(b"{}")
TEXT = {"text": "text", "thinking": "thinking", "redacted_thinking": "data", "tool_use": "name"}
"""The member without which a block of each kind that Kyma has a word for is none."""


class WireAnswerBlock(msgspec.Struct):
    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = EMPTY_OBJECT


class WireOuter(msgspec.Struct):
    """What stands beside the content."""

    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: msgspec.Raw = NULL
    container: msgspec.Raw = NULL
    context_management: msgspec.Raw = NULL


_blocks_decoder = msgspec.json.Decoder(list[WireAnswerBlock])
_raws_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def finish_reason(word: str | None, has_calls: bool) -> FinishReason:
    """A vendor's stop reason. Raises: Garbled for one that means failure."""
    if word is None:
        return FinishReason.TOOL_CALLS if has_calls else FinishReason.STOP
    reason = FINISH_REASONS.get(word)
    if reason is None:
        raise Garbled("the answer ended for a reason that is a failure")
    return FinishReason.TOOL_CALLS if has_calls and word == "end_turn" else reason


def read_blocks(raw: msgspec.Raw) -> list[WireAnswerBlock]:
    """Raises: msgspec.DecodeError when they are none."""
    blocks = _blocks_decoder.decode(raw)
    for block in blocks:
        if block.type in TEXT and getattr(block, TEXT[block.type]) is None:
            raise msgspec.ValidationError(f"a block of type {block.type} needs the member {TEXT[block.type]}")
    return blocks


def read_choice(raw: msgspec.Raw, outer: WireOuter, thinks_first: bool = False) -> Choice:
    """An answer's content and how it ended; thought that a vendor left in the text is moved out of it.

    Raises: msgspec.DecodeError, Garbled.
    """
    parts: list[Part] = []
    for block, as_sent in zip(read_blocks(raw), _raws_decoder.decode(raw), strict=True):
        if block.type == "text" and not parts:
            thought, speech = split_thinking(block.text or "", thinks_first)
            parts.extend([ThinkingPart(thought), TextPart(speech)] if thought else [TextPart(speech)])
        else:
            parts.append(_part(block, as_sent, len(parts)))
    has_calls = any(isinstance(part, ToolCallPart) for part in parts)
    reason, word = finish_reason(outer.stop_reason, has_calls), outer.stop_reason
    if reason is FinishReason.TOOL_CALLS:
        word = None
    beside = outer_fields(outer)
    native = Native(NAME, beside) if beside else None
    return Choice(0, tuple(parts), reason, None, native, word, NAME, outer.stop_sequence)


def outer_fields(outer: WireOuter) -> RawFields:
    """The members beside the content that travel."""
    if outer.stop_details is NULL and outer.container is NULL and outer.context_management is NULL:
        return {}
    fields = {
        "stop_details": outer.stop_details,
        "container": outer.container,
        "context_management": outer.context_management,
    }
    return {name: raw for name, raw in fields.items() if raw is not NULL and raw != NULL}


def render_blocks(parts: tuple[AnswerPart, ...]) -> list[Any]:
    """Parts of an answer as blocks; what only another dialect knows is left out."""
    blocks: list[Any] = []
    for part in parts:
        match part:
            case TextPart(text=text) | RefusalPart(text=text) if text:
                blocks.append({"type": "text", "text": text})
            case ThinkingPart(redacted=str(data), origin=origin):
                blocks.append({"type": "redacted_thinking", "data": wrap(data, origin)})
            case ThinkingPart(text=text, signature=signature, origin=origin):
                proof = wrap(signature, origin) if signature else ""
                blocks.append({"type": "thinking", "thinking": text, "signature": proof})
            case ToolCallPart():
                if part.signature:
                    proof = wrap(part.signature, part.origin, of_call=True)
                    blocks.append({"type": "thinking", "thinking": "", "signature": proof})
                tool_input = as_object(part.arguments) or as_input(part.arguments)
                blocks.append({"type": "tool_use", "id": part.id, "name": part.name, "input": tool_input})
            case NativePart(dialect=dialect, raw=raw) if dialect == NAME:
                blocks.append(raw)
    return blocks


def as_object(arguments: str) -> msgspec.Raw | None:
    """A call's arguments as the object that this dialect wants, nothing as `{}`; None for what is no object."""
    if not arguments.strip():
        return EMPTY_OBJECT
    try:
        fields_decoder.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return None
    return msgspec.Raw(arguments.encode())


def as_input(text: str) -> msgspec.Raw:
    """Free text as an object."""
    return msgspec.Raw(encoder.encode({"input": text}))


def _part(block: WireAnswerBlock, as_sent: msgspec.Raw, position: int) -> Part:
    match block.type:
        case "text":
            return TextPart(block.text or "")
        case "thinking":
            return ThinkingPart(block.thinking or "", block.signature or None, NAME if block.signature else "")
        case "redacted_thinking":
            return ThinkingPart("", origin=NAME, redacted=block.data)
        case "tool_use":
            return ToolCallPart(block.id or f"toolu_{position}", block.name or "", bytes(block.input).decode())
    return NativePart(NAME, block.type, as_sent.copy())
