"""Anthropic: typed blocks, tokens of each kind apart from the others, errors as events too.

Source: anthropic-sdk-python 2.11 types; docs.anthropic.com, streaming and errors, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import (
    Finish,
    FinishReason,
    PartEnd,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, Rejected, Throttled
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Greet.", "EqQBCkYIBxgCKkDSignature==", "anthropic_messages"), TextPart("Hi.")),
        FinishReason.STOP,
        Usage(input=25, cached_input=2000, cache_write=60, output=12, cache_write_1h=40),
    ),
    "plain_refusal.json": Whole(
        (),
        FinishReason.CONTENT_FILTER,
        Usage(input=25, cached_input=2000, cache_write=60, output=12, cache_write_1h=40),
    ),
    "tools.json": Whole(
        (
            TextPart("I look."),
            ToolCallPart("toolu_01", "weather", '{\n        "city": "Oslo"\n      }'),
            ToolCallPart("toolu_02", "time", "{}"),
        ),
        FinishReason.TOOL_CALLS,
        Usage(input=25, cached_input=2000, cache_write=60, output=12, cache_write_1h=40),
    ),
    "tools_stream.sse": Streamed(
        (
            UsageReport(Usage(input=25, cached_input=2000, cache_write=60, output=2, cache_write_1h=40)),
            TextDelta(0, "I look."),
            PartEnd(0),
            ToolCallStart(0, 0, "toolu_01", "weather"),
            ToolCallDelta(0, 0, '{"city": '),
            ToolCallDelta(0, 0, '"Oslo"}'),
            PartEnd(0),
            ToolCallStart(0, 1, "toolu_02", "time"),
            ToolCallDelta(0, 1, "{}"),
            PartEnd(0),
            UsageReport(Usage(input=25, cached_input=2000, cache_write=60, output=12, cache_write_1h=40)),
            Finish(0, FinishReason.TOOL_CALLS, origin="anthropic_messages"),
        )
    ),
    "stream.sse": Streamed(
        (
            UsageReport(Usage(input=25, cached_input=2000, cache_write=60, output=2, cache_write_1h=40)),
            ThinkingDelta(0, "Greet."),
            SignatureDelta(0, "EqQBCkYIBxgCKkDSignature==", "anthropic_messages"),
            PartEnd(0),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            PartEnd(0),
            UsageReport(Usage(input=25, cached_input=2000, cache_write=60, output=12, cache_write_1h=40)),
            Finish(0, FinishReason.STOP, "end_turn", "anthropic_messages"),
        )
    ),
    "stream_redacted.sse": Streamed(
        (
            UsageReport(Usage(input=25, cached_input=2000, cache_write=60, output=2, cache_write_1h=40)),
            SignatureDelta(0, "EmwKAhgBEgy", "anthropic_messages", True),
            PartEnd(0),
            TextDelta(0, "Hi"),
            PartEnd(0),
            UsageReport(Usage(input=25, cached_input=2000, cache_write=60, output=9, cache_write_1h=40)),
            Finish(0, FinishReason.LENGTH, "max_tokens", "anthropic_messages"),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: invalid_request_error",
        caller_message="this model's maximum context length is 200000 tokens; the request has 210000",
        code="context_length_exceeded",
    ),
    "error_busy.json": Refused(529, Throttled, "HTTP 529: overloaded_error", retry_after_s=1),
    "error_in_stream.sse": Streamed(
        (
            UsageReport(Usage(input=25, cached_input=2000, cache_write=60, output=2, cache_write_1h=40)),
            TextDelta(0, "Hi"),
        ),
        fails=Throttled,
    ),
    "error_rate.json": Refused(
        429, Throttled, "HTTP 429: rate_limit_error", retry_after_s=7, headers={b"retry-after": b"7"}
    ),
    "cut.sse": Streamed(
        (UsageReport(Usage(input=25, cached_input=2000, cache_write=60, output=2, cache_write_1h=40)),), fails=Garbled
    ),
}
