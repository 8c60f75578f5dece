"""Whole answers: a vendor's GenerateContentResponse read, and ours written."""

from typing import Any

import msgspec

from kyma.core.answer import Bill, ChatResponse, Choice, FinishReason, Relay, UsageReport
from kyma.core.chat import ChatRequest, Native, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled
from kyma.core.model import Quirks
from kyma.core.money import usd_number
from kyma.dialects.base import Reply
from kyma.dialects.gemini.candidates import read_candidates
from kyma.dialects.gemini.relay import relay
from kyma.dialects.gemini.signatures import wrap
from kyma.dialects.gemini.wire import (
    FINISH_WORDS,
    MALFORMED_CALL,
    NAME,
    NULL,
    RawFields,
    as_object,
    encoder,
    parse_usage,
)
from kyma.dialects.vendor_errors import error_in_answer

PROMPT_FEEDBACK = "promptFeedback"

_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class WireFeedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class WireAnswer(msgspec.Struct, rename="camel"):
    candidates: msgspec.Raw = NULL
    prompt_feedback: msgspec.Raw = NULL
    usage_metadata: msgspec.Raw = NULL
    response_id: str | None = None
    error: msgspec.Raw = NULL


class UsageOut(msgspec.Struct, rename="camel", omit_defaults=True):
    """`usageMetadata` as Gemini counts it, and Kyma's additions in USD."""

    prompt_token_count: int
    candidates_token_count: int
    total_token_count: int
    cost: msgspec.Raw
    cache_discount: msgspec.Raw
    cached_content_token_count: int = 0
    thoughts_token_count: int = 0


_answer_decoder = msgspec.json.Decoder(WireAnswer)
_feedback_decoder = msgspec.json.Decoder(WireFeedback | None)


def parse_response(body: bytes, quirks: Quirks) -> ChatResponse:
    """Read a vendor's 200. Raises: Garbled when it is no answer, UpstreamFailed when it holds an error."""
    try:
        wire = _answer_decoder.decode(body)
        if wire.error is not NULL and wire.error != NULL:
            raise error_in_answer(wire.error)
        report = parse_usage(wire.usage_metadata)
        response_id = wire.response_id or ""
        if wire.candidates is NULL or wire.candidates == NULL:
            return _blocked(wire.prompt_feedback, report)
        said = relay(wire.candidates, response_id) or read_candidates(wire.candidates, response_id)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is no generateContent response") from None
    if not said:
        return _blocked(wire.prompt_feedback, report)
    return ChatResponse(said, report)


def block_reason(feedback: msgspec.Raw) -> str | None:
    """Why a prompt was not answered at all."""
    wire = _feedback_decoder.decode(feedback)
    return wire.block_reason if wire else None


def render_response(response: ChatResponse, reply: Reply, bill: Bill, request: ChatRequest | None = None) -> bytes:
    """The body of a GenerateContentResponse, usage with Kyma's additions."""
    said = response.said
    feedback = None
    if isinstance(said, Relay) and said.dialect == NAME:
        candidates: bytes | msgspec.Raw = said.raw
    else:
        choices = response.choices
        feedback = next((raw for choice in choices if (raw := _feedback(choice)) is not None), None)
        candidates = encoder.encode([_render_choice(choice) for choice in choices])
    answer = b'"candidates":' + candidates if feedback is None else b'"promptFeedback":' + feedback
    usage = encoder.encode(render_usage(bill))
    return b"".join((b"{", answer, b',"usageMetadata":', usage, b",", ending(reply), b"}"))


def render_usage(bill: Bill) -> UsageOut:
    """The bill as a customer of this dialect reads it: the cached is part of the prompt, thoughts stand alone."""
    usage = bill.usage
    return UsageOut(
        usage.total_input,
        usage.output - usage.reasoning,
        usage.total,
        usd_number(bill.cost),
        usd_number(bill.cache_discount),
        usage.cached_input,
        usage.reasoning,
    )


def ending(reply: Reply) -> bytes:
    """The members by which every answer, or piece of one, names itself."""
    response_id = reply.request_id.removeprefix("req_")
    return b'"modelVersion":%b,"responseId":%b' % (encoder.encode(reply.model_id), encoder.encode(response_id))


def _blocked(feedback: msgspec.Raw, report: UsageReport | None) -> ChatResponse:
    """A prompt that was refused before the model saw it. Raises: Garbled when nothing says so."""
    if block_reason(feedback) is None:
        raise Garbled("the answer has no candidates")
    native = Native(NAME, {PROMPT_FEEDBACK: feedback})
    return ChatResponse((Choice(0, (), FinishReason.CONTENT_FILTER, native, origin=NAME),), report)


def _feedback(choice: Choice) -> bytes | None:
    native = choice.message_native
    if native is None or native.dialect != NAME or PROMPT_FEEDBACK not in native.fields:
        return None
    return bytes(native.fields[PROMPT_FEEDBACK])


def _render_choice(choice: Choice) -> dict[str, Any]:
    parts: list[Any] = []
    word = choice.word if choice.origin == NAME and choice.word else FINISH_WORDS[choice.finish]
    for part in choice.parts:
        match part:
            case TextPart(text=text) | RefusalPart(text=text):
                parts.append({"text": text})
            case ThinkingPart():
                parts += _render_thought(part)
            case ToolCallPart():
                call = render_call(part.id, part.name, part.arguments, part.signature, part.origin)
                if call is not None:
                    parts.append(call)
                elif choice.finish is not FinishReason.LENGTH:
                    word = MALFORMED_CALL
    if choice.message_native is not None and choice.message_native.dialect == NAME:
        parts += _list_decoder.decode(choice.message_native.fields.get("parts", b"[]"))
    content = {"role": "model", "parts": parts}
    beside: RawFields = {}
    if choice.outer_native is not None and choice.outer_native.dialect == NAME:
        beside = choice.outer_native.fields
    return {"content": content, "finishReason": word, "index": choice.index, **beside}


def _render_thought(part: ThinkingPart) -> list[dict[str, Any]]:
    """Gemini's own proof stands where it stood; a foreign one on an empty text, which clients keep, unlike thoughts."""
    if part.redacted is not None:
        return [signed(part.redacted, part.origin, is_redacted=True)]
    thought: dict[str, Any] = {"text": part.text, "thought": True}
    if part.signature is None:
        return [thought] if part.text else []
    if part.text and part.origin == NAME:
        return [thought | {"thoughtSignature": part.signature}]
    return [*([thought] if part.text else []), signed(part.signature, part.origin)]


def signed(signature: str, origin: str, is_redacted: bool = False) -> dict[str, Any]:
    """A part that holds nothing but the proof of a thought."""
    return {"text": "", "thoughtSignature": wrap(signature, origin, is_redacted)}


def render_call(call_id: str, name: str, arguments: str, signature: str | None, origin: str) -> dict[str, Any] | None:
    """A function call as a part; None if its arguments are no JSON object."""
    args = as_object(arguments)
    if args is None:
        return None
    part: dict[str, Any] = {"functionCall": {"id": call_id, "name": name, "args": args}}
    return part if signature is None else part | {"thoughtSignature": wrap(signature, origin)}
