"""OpenAI itself: padding in every chunk, usage in a chunk of its own, refusals beside the content.

Source: openai-python 3.52 types; error bodies as recorded in github.com/vercel/ai packages/openai, 2026-08-22.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, RefusalDelta, TextDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (TextPart("It rains in Oslo."),), FinishReason.STOP, Usage(input=4, cached_input=16, output=7, reasoning=4)
    ),
    "tools.json": Whole(
        (
            ToolCallPart("call_a1", "weather", '{"city": "Oslo"}'),
            ToolCallPart("call_b2", "weather", '{"city": "Bergen"}'),
        ),
        FinishReason.TOOL_CALLS,
        Usage(input=4, cached_input=16, output=7, reasoning=4),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_a1", "weather"),
            ToolCallDelta(0, 0, '{"city": '),
            ToolCallStart(0, 1, "call_b2", "time"),
            ToolCallDelta(0, 0, '"Oslo"}'),
            ToolCallDelta(0, 1, "{}"),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=4, cached_input=16, output=7, reasoning=4)),
        )
    ),
    "stream.sse": Streamed(
        (
            TextDelta(0, "It"),
            TextDelta(0, " rains"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=4, cached_input=16, output=7, reasoning=4)),
        )
    ),
    "stream_refusal.sse": Streamed(
        (
            RefusalDelta(0, "I can't"),
            RefusalDelta(0, " help."),
            Finish(0, FinishReason.CONTENT_FILTER, "stop", "openai_chat"),
            UsageReport(Usage(input=4, cached_input=16, output=7, reasoning=4)),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: unsupported_parameter",
        caller_message="Unsupported parameter: 'max_tokens' is not supported with this model.",
    ),
    "error_in_stream.sse": Streamed((TextDelta(0, "It"),), fails=UpstreamFailed),
    "error_quota.json": Refused(429, RefusedUs, "HTTP 429: insufficient_quota"),
    "error_rate.json": Refused(
        429, Throttled, "HTTP 429: rate_limit_exceeded", retry_after_s=7, headers={b"retry-after": b"7"}
    ),
    "cut.sse": Streamed((TextDelta(0, "It"),), fails=Garbled),
}
