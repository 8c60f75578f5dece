"""The words of Bedrock's Converse on the wire, and how its usage counts.

Source: botocore's service model of bedrock-runtime, read in August 2026; answers recorded from it, 2025 and 2026.
"""

import msgspec

from kyma.core.answer import FinishReason, UsageReport
from kyma.core.errors import Garbled, UpstreamFailed
from kyma.core.model import Usage

NAME = "bedrock_converse"
NULL = msgspec.Raw(b"null")
MAX_TOKENS = 2**40
"""More than this in one answer is no count."""

encoder = msgspec.json.Encoder()

FINISH_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "tool_use": FinishReason.TOOL_CALLS,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "guardrail_intervened": FinishReason.CONTENT_FILTER,
    "content_filtered": FinishReason.CONTENT_FILTER,
}
FAILURES = ("malformed_model_output", "malformed_tool_use")
"""Stop reasons of an answer that went wrong."""

HOUR = "1h"


class WireWritten(msgspec.Struct, rename="camel"):
    ttl: str = ""
    input_tokens: int = 0


class WireUsage(msgspec.Struct, rename="camel"):
    """`inputTokens` are those neither read from a cache nor written to one: the recorded answers' totals say so."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None
    cache_details: list[WireWritten] | None = None


_usage_decoder = msgspec.json.Decoder(WireUsage)


def parse_usage(raw: msgspec.Raw) -> UsageReport | None:
    """Bedrock's `usage` in disjoint buckets; None where nothing is counted, an invalid report for nonsense.

    Thoughts are among the output and are not counted apart.
    """
    if raw is NULL or raw == NULL:
        return None
    try:
        wire = _usage_decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return UsageReport(Usage(), is_valid=False)
    if wire.input_tokens is None and wire.output_tokens is None:
        return None
    fresh, output = wire.input_tokens or 0, wire.output_tokens or 0
    cached, written = wire.cache_read_input_tokens or 0, wire.cache_write_input_tokens or 0
    hour = sum(detail.input_tokens for detail in wire.cache_details or () if detail.ttl == HOUR)
    is_valid = min(fresh, output, cached, hour, written - hour) >= 0 and fresh + output + cached + written < MAX_TOKENS
    usage = Usage(fresh, cached, written - hour, output, cache_write_1h=hour)
    return UsageReport(usage if is_valid else Usage(), is_valid)


def finish_reason(word: str, has_calls: bool) -> FinishReason:
    """Why an answer ended; some models call tools and say `end_turn`. Raises: UpstreamError for a failure."""
    if word in FAILURES:
        raise UpstreamFailed(f"the answer ended with {word}")
    reason = FINISH_REASONS.get(word)
    if reason is None:
        raise Garbled("the answer ended for a reason that is none")
    return FinishReason.TOOL_CALLS if has_calls and reason is FinishReason.STOP else reason
