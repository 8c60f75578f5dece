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
from kyma.dialects.openai_chat.wire import FINISH_REASONS, NAME, NULL, encoder, parse_usage
from kyma.dialects.thinking import split_thinking

MESSAGE_FIELDS = ("refusal", "annotations", "audio", "reasoning_details", "function_call")
"""Members of an answer's message or delta that travel to a customer of the same dialect; others may name the vendor."""


class WireCalledFunction(msgspec.Struct):
    name: str
    arguments: str | dict[str, Any] | None = None


class WireCall(msgspec.Struct):
    function: WireCalledFunction
    id: str | None = None


class WireAnswerMessage(msgspec.Struct):
    content: str | list[dict[str, Any]] | None = None
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


class WireAnswer(msgspec.Struct):
    choices: list[WireAnswerChoice] = []
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_answer_decoder = msgspec.json.Decoder(WireAnswer)


class MessageOut(msgspec.Struct, omit_defaults=True):
    role: str
    content: str | None
    reasoning_content: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class ChoiceOut(msgspec.Struct):
    index: int
    message: MessageOut | dict[str, Any]
    finish_reason: FinishReason


class CachedOut(msgspec.Struct):
    cached_tokens: int
    cache_write_tokens: int


class ReasonedOut(msgspec.Struct):
    reasoning_tokens: int


class UsageOut(msgspec.Struct):
    """`usage` as OpenAI counts it, and Kyma's additions in USD."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedOut
    completion_tokens_details: ReasonedOut
    cached_tokens: int
    cache_write_tokens: int
    cost: msgspec.Raw
    cache_discount: msgspec.Raw


class AnswerOut(msgspec.Struct):
    id: str
    object: str
    created: int
    model: str
    choices: list[ChoiceOut | dict[str, Any]]
    usage: UsageOut


ZERO = usd_number(0)


def parse_response(body: bytes, quirks: Quirks) -> ChatResponse:
    """Read a vendor's 200. Raises: Garbled when it is no completion, UpstreamFailed when it holds an error."""
    try:
        wire = _answer_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is not a chat completion") from None
    if wire.error is not NULL and wire.error != NULL:
        raise stream_error(wire.error)
    if not wire.choices:
        raise Garbled("the answer has no choices")
    usage = wire.usage if wire.usage != NULL else wire.choices[0].usage
    choices = tuple([_choice(choice, index, quirks) for index, choice in enumerate(wire.choices)])
    return ChatResponse(choices, parse_usage(usage, quirks))


def render_response(response: ChatResponse, reply: Reply, bill: Bill) -> bytes:
    """The body of a `chat.completion`, usage with Kyma's additions."""
    choices = [_render_choice(choice) for choice in response.choices]
    return encoder.encode(
        AnswerOut(chat_id(reply), "chat.completion", reply.created, reply.model_id, choices, render_usage(bill))
    )


def render_usage(bill: Bill) -> UsageOut:
    """The bill as a customer of this dialect reads it."""
    usage = bill.usage
    prompt, cached, written, output = usage.total_input, usage.cached_input, usage.cache_write, usage.output
    return UsageOut(
        prompt,
        output,
        prompt + output,
        CachedOut(cached, written),
        ReasonedOut(usage.reasoning),
        cached,
        written,
        usd_number(bill.cost) if bill.cost else ZERO,
        usd_number(bill.cache_discount) if bill.cache_discount else ZERO,
    )


def chat_id(reply: Reply) -> str:
    """`chatcmpl-` and the digits of our request id, so that a customer can look the request up."""
    return "chatcmpl-" + reply.request_id.removeprefix("req_")


def finish_reason(word: str | None, has_calls: bool) -> FinishReason:
    """A vendor's finish reason. Raises: Garbled for one that means failure."""
    if word is None:
        return FinishReason.TOOL_CALLS if has_calls else FinishReason.STOP
    reason = FINISH_REASONS.get(word)
    if reason is None:
        raise Garbled("the answer ended for a reason that is a failure")
    return FinishReason.TOOL_CALLS if has_calls and reason is FinishReason.STOP else reason


def _choice(wire: WireAnswerChoice, index: int, quirks: Quirks) -> Choice:
    message = wire.message
    speech, thought = _content(message, quirks)
    parts: tuple[Part, ...] = (TextPart(speech),) if speech else ()
    if thought:
        parts = (ThinkingPart(thought), *parts)
    if message.tool_calls:
        parts += tuple([_call(call, position) for position, call in enumerate(message.tool_calls)])
    logprobs = None if wire.logprobs is NULL or wire.logprobs == NULL else Native(NAME, {"logprobs": wire.logprobs})
    native = _message_native(message)
    return Choice(index, parts, finish_reason(wire.finish_reason, bool(message.tool_calls)), native, logprobs)


def _call(wire: WireCall, position: int) -> ToolCallPart:
    """Arguments that came as an object become JSON text."""
    arguments = wire.function.arguments
    if not isinstance(arguments, str):
        arguments = encoder.encode(arguments or {}).decode()
    return ToolCallPart(wire.id or f"call_{position}", wire.function.name, arguments)


def _content(message: WireAnswerMessage, quirks: Quirks) -> tuple[str, str]:
    """`(speech, thought)`; reasoning comes in a field of its own or in front of the content."""
    if isinstance(message.content, list):
        speech, thought = _mistral_parts(message.content)
    else:
        thought, speech = split_thinking(message.content or "", quirks.thinks_first)
    reasoning = message.reasoning_content or message.reasoning
    return speech, reasoning if isinstance(reasoning, str) else thought


def _mistral_parts(parts: list[dict[str, Any]]) -> tuple[str, str]:
    """Content as parts, thinking among them. Source: Mistral chat API, November 2026."""
    speech: list[str] = []
    thought: list[str] = []
    for part in parts:
        if part.get("type") == "thinking":
            inner = part.get("thinking") or []
            thought.extend(str(piece.get("text", "")) for piece in inner if isinstance(piece, dict))
        else:
            speech.append(str(part.get("text") or ""))
    return "".join(speech), "".join(thought)


def _message_native(message: WireAnswerMessage) -> Native | None:
    if (
        message.refusal is NULL
        and message.annotations is NULL
        and message.audio is NULL
        and message.reasoning_details is NULL
        and message.function_call is NULL
    ):
        return None
    kept = {name: raw for name in MESSAGE_FIELDS if (raw := getattr(message, name)) != NULL}
    return Native(NAME, kept) if kept else None


def _render_choice(choice: Choice) -> ChoiceOut | dict[str, Any]:
    text = thought = ""
    calls: list[dict[str, Any]] = []
    for part in choice.parts:
        if isinstance(part, TextPart):
            text += part.text
        elif isinstance(part, ThinkingPart):
            thought += part.text
        elif isinstance(part, ToolCallPart):
            function = {"name": part.name, "arguments": part.arguments}
            calls.append({"id": part.id, "type": "function", "function": function})
    message = MessageOut("assistant", text if text or not calls else None, thought or None, calls or None)
    said = ChoiceOut(choice.index, message, choice.finish)
    if choice.message_native is None and choice.outer_native is None:
        return said
    if choice.message_native and choice.message_native.dialect == NAME:
        said.message = msgspec.to_builtins(message) | choice.message_native.fields
    beside = choice.outer_native.fields if choice.outer_native and choice.outer_native.dialect == NAME else {}
    return msgspec.structs.asdict(said) | beside
