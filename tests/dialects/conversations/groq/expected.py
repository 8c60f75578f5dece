"""Groq: thoughts in `reasoning`, usage beside the last choice and in `x_groq` too.

Source: answers recorded in github.com/vercel/ai packages/groq, 2026-08-22; console.groq.com/docs/errors, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, Rejected, Throttled, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("I count them."), TextPart("Three.")), FinishReason.STOP, Usage(input=17, output=9, reasoning=5)
    ),
    "tools.json": Whole(
        (ToolCallPart("ax9f", "weather", "{}"),), FinishReason.TOOL_CALLS, Usage(input=17, output=9, reasoning=5)
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "tk85", "weather", "{}"),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=17, output=9, reasoning=5)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "I"),
            ThinkingDelta(0, " count."),
            TextDelta(0, "Three"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=17, output=9, reasoning=5)),
        )
    ),
    "error.json": Refused(
        400, Rejected, "HTTP 400: invalid_request_error", caller_message="property 'logprobs' is unsupported"
    ),
    "error_gone.json": Refused(400, UpstreamFailed, "HTTP 400: model_decommissioned"),
    "error_rate.json": Refused(
        429, Throttled, "HTTP 429: rate_limit_exceeded", retry_after_s=7, headers={b"retry-after": b"7"}
    ),
    "cut.sse": Streamed((TextDelta(0, "Three"),), fails=Garbled),
}
