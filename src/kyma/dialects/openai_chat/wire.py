"""The shapes of OpenAI chat completions on the wire, and how its usage counts."""

from typing import Any

import msgspec

from kyma.core.answer import FinishReason, UsageReport
from kyma.core.model import Quirks, Usage

NAME = "openai_chat"
NULL = msgspec.Raw(b"null")
EMPTY = (NULL, msgspec.Raw(b"[]"))
"""Members that say nothing, as clients send back with the messages they were given."""
MAX_TOKENS = 2**40
"""More than this in one answer is no count."""

RawFields = dict[str, msgspec.Raw]
fields_decoder = msgspec.json.Decoder(RawFields)
encoder = msgspec.json.Encoder()

STOP = "stop"
"""How OpenAI ends a refusal too: the words stand in a member of their own."""

FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "function_call": FinishReason.TOOL_CALLS,
    "model_length": FinishReason.LENGTH,
    "end_turn": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "sensitive": FinishReason.CONTENT_FILTER,
    "model_context_window_exceeded": FinishReason.LENGTH,
}
"""What compatible vendors write; anything else is a failure.

`model_length` is Mistral's, `eos` Together's, `sensitive` and `model_context_window_exceeded` are Z.ai's.
"""


class CachedDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct):
    """Every name under which compatible vendors report tokens. Source: vendors' pages and SDKs, November 2026."""

    prompt_tokens: int
    completion_tokens: int = 0
    prompt_tokens_details: CachedDetails | None = None
    prompt_token_details: CachedDetails | None = None
    completion_tokens_details: OutputDetails | None = None
    cached_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None
    num_cached_tokens: int | None = None


usage_decoder = msgspec.json.Decoder(WireUsage)


def parse_usage(raw: msgspec.Raw, quirks: Quirks) -> UsageReport | None:
    """A vendor's `usage` in disjoint buckets; None for `null`, an invalid report for nonsense.

    None for one of zeros too, as MiniMax sends before it has counted and Workers AI once more after it has.
    """
    if raw is NULL or raw == NULL:
        return None
    try:
        wire = usage_decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return UsageReport(Usage(), is_valid=False)
    if not (wire.prompt_tokens or wire.completion_tokens):
        return None
    details = wire.prompt_tokens_details or wire.prompt_token_details
    cached, written, reasoning = _cached(wire, details), 0, 0
    if details is not None:
        written = details.cache_write_tokens or details.cache_creation_input_tokens or 0
    if wire.completion_tokens_details is not None:
        reasoning = wire.completion_tokens_details.reasoning_tokens or 0
    output = wire.completion_tokens
    if quirks.reasoning_outside_output or reasoning > output >= 0:
        output += reasoning
    fresh = wire.prompt_tokens - cached - written
    is_valid = min(fresh, cached, written, output, reasoning) >= 0 and wire.prompt_tokens + output < MAX_TOKENS
    return UsageReport(Usage(fresh, cached, written, output, reasoning) if is_valid else Usage(), is_valid)


def _cached(wire: WireUsage, details: CachedDetails | None) -> int:
    """The first name that a vendor used; 0 says as much as any other figure."""
    if details is not None and details.cached_tokens is not None:
        return details.cached_tokens
    if wire.cached_tokens is not None:
        return wire.cached_tokens
    if wire.prompt_cache_hit_tokens is not None:
        return wire.prompt_cache_hit_tokens
    return wire.num_cached_tokens or 0


def head(raw: msgspec.Raw) -> bytes:
    """The first byte of a raw value: what kind of JSON it is, without decoding it."""
    return bytes(memoryview(raw)[:1])


def to_raw(value: Any) -> msgspec.Raw:
    """A value as raw JSON, to stand among fields that only travel."""
    return msgspec.Raw(encoder.encode(value))
