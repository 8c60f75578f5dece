"""Whole answers: a vendor's chat completion read, and ours written."""

from typing import Any

import msgspec

from kyma.core.chat import (
    Bill,
    ChatResponse,
    Choice,
    FinishReason,
    Native,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)
from kyma.core.errors import Garbled
from kyma.core.model import Quirks
from kyma.core.money import usd_number
from kyma.dialects.base import Reply
from kyma.dialects.openai_chat.errors import stream_error
from kyma.dialects.openai_chat.wire import FINISH_REASONS, NAME, NULL, RawFields, encoder, head, parse_usage
from kyma.dialects.thinking import split_thinking

MESSAGE_FIELDS = ("refusal", "annotations", "audio", "reasoning_details", "function_call")
"""Members of an answer's message or delta that travel to a customer of the same dialect; others may name the vendor."""

CHOICE_FIELDS = ("logprobs",)


class WireCalledFunction(msgspec.Struct):
    name: str
    arguments: str | dict[str, Any] | None = None


class WireCall(msgspec.Struct):
    function: WireCalledFunction
    id: str | None = None


class WireAnswer(msgspec.Struct):
    choices: list[RawFields] = []
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_answer_decoder = msgspec.json.Decoder(WireAnswer)
_message_decoder = msgspec.json.Decoder(RawFields)
_calls_decoder = msgspec.json.Decoder(list[WireCall])
_text_decoder = msgspec.json.Decoder(str | None)
_any_decoder = msgspec.json.Decoder()


def parse_response(body: bytes, quirks: Quirks) -> ChatResponse:
    """Read a vendor's 200. Raises: Garbled when it is no completion, UpstreamFailed when it holds an error."""
    try:
        wire = _answer_decoder.decode(body)
        if wire.error != NULL:
            raise stream_error(wire.error)
        if not wire.choices:
            raise Garbled("the answer has no choices")
        choices = tuple(_choice(fields, index, quirks) for index, fields in enumerate(wire.choices))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is not a chat completion") from None
    usage = wire.usage
    if usage == NULL and "usage" in wire.choices[0]:
        usage = wire.choices[0]["usage"]
    return ChatResponse(choices, parse_usage(usage, quirks))


def render_response(response: ChatResponse, reply: Reply, bill: Bill) -> bytes:
    """The body of a `chat.completion`, usage with Kyma's additions."""
    return encoder.encode(
        {
            "id": chat_id(reply),
            "object": "chat.completion",
            "created": reply.created,
            "model": reply.model_id,
            "choices": [_render_choice(choice) for choice in response.choices],
            "usage": render_usage(bill),
        }
    )


def render_usage(bill: Bill) -> dict[str, Any]:
    """`usage` as OpenAI counts it, and `cost`, `cached_tokens`, `cache_write_tokens`, `cache_discount` in USD."""
    usage = bill.usage
    return {
        "prompt_tokens": usage.total_input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input, "cache_write_tokens": usage.cache_write},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        "cached_tokens": usage.cached_input,
        "cache_write_tokens": usage.cache_write,
        "cost": usd_number(bill.cost),
        "cache_discount": usd_number(bill.cache_discount),
    }


def chat_id(reply: Reply) -> str:
    """`chatcmpl-` and the digits of our request id, so that a customer can look the request up."""
    return "chatcmpl-" + reply.request_id.removeprefix("req_")


def finish_reason(raw: msgspec.Raw, has_calls: bool) -> FinishReason:
    """A vendor's finish reason. Raises: Garbled for one that means failure."""
    if raw == NULL:
        return FinishReason.TOOL_CALLS if has_calls else FinishReason.STOP
    reason = FINISH_REASONS.get(str(_any_decoder.decode(raw)))
    if reason is None:
        raise Garbled("the answer ended for a reason that is a failure")
    return FinishReason.TOOL_CALLS if has_calls and reason is FinishReason.STOP else reason


def parse_calls(raw: msgspec.Raw) -> tuple[ToolCallPart, ...]:
    """Tool calls of a whole message; arguments that came as an object become JSON text."""
    return tuple(
        ToolCallPart(call.id or f"call_{index}", call.function.name, _arguments(call.function.arguments))
        for index, call in enumerate(_calls_decoder.decode(raw))
    )


def _arguments(value: str | dict[str, Any] | None) -> str:
    if value is None:
        return "{}"
    return value if isinstance(value, str) else encoder.encode(value).decode()


def _choice(fields: RawFields, index: int, quirks: Quirks) -> Choice:
    message = _message_decoder.decode(fields["message"]) if "message" in fields else {}
    content, thought = _content(message, quirks)
    calls = parse_calls(message["tool_calls"]) if message.get("tool_calls", NULL) != NULL else ()
    parts: list[Part] = []
    if thought:
        parts.append(ThinkingPart(thought))
    if content:
        parts.append(TextPart(content))
    return Choice(
        index,
        (*parts, *calls),
        finish_reason(fields.get("finish_reason", NULL), bool(calls)),
        native_fields(message, MESSAGE_FIELDS),
        native_fields(fields, CHOICE_FIELDS),
    )


def _content(message: RawFields, quirks: Quirks) -> tuple[str, str]:
    """`(speech, thought)`; reasoning comes in a field of its own or in front of the content."""
    raw = message.get("content", NULL)
    if head(raw) == b"[":
        speech, thought = _mistral_parts(raw)
    else:
        thought, speech = split_thinking(_text_decoder.decode(raw) or "", quirks.thinks_first)
    for name in ("reasoning_content", "reasoning"):
        if message.get(name, NULL) != NULL and head(message[name]) == b'"':
            return speech, _text_decoder.decode(message[name]) or thought
    return speech, thought


def _mistral_parts(raw: msgspec.Raw) -> tuple[str, str]:
    """Content as parts, thinking among them. Source: Mistral chat API, November 2026."""
    speech: list[str] = []
    thought: list[str] = []
    for part in _any_decoder.decode(raw):
        if part.get("type") == "thinking":
            inner = part.get("thinking") or []
            thought.extend(str(piece.get("text", "")) for piece in inner if isinstance(piece, dict))
        else:
            speech.append(str(part.get("text") or ""))
    return "".join(speech), "".join(thought)


def native_fields(fields: RawFields, names: tuple[str, ...]) -> Native | None:
    """Those of `names` that are there and not null, as they came."""
    kept = {name: fields[name] for name in names if fields.get(name, NULL) != NULL}
    return Native(NAME, kept) if kept else None


def _render_choice(choice: Choice) -> dict[str, Any]:
    text = "".join(part.text for part in choice.parts if isinstance(part, TextPart))
    calls = [part for part in choice.parts if isinstance(part, ToolCallPart)]
    thought = "".join(part.text for part in choice.parts if isinstance(part, ThinkingPart))
    message: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
    if thought:
        message["reasoning_content"] = thought
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    if choice.message_native and choice.message_native.dialect == NAME:
        message |= choice.message_native.fields
    outer = choice.outer_native.fields if choice.outer_native and choice.outer_native.dialect == NAME else {}
    return {"index": choice.index, "message": message, "finish_reason": choice.finish.value, **outer}
