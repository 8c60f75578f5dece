"""Moonshot: usage inside the choice, cached tokens at its top.

Source: answers in github.com/vercel/ai packages/moonshotai, 2026-08-22; platform.moonshot.ai/docs, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Let me count."), TextPart("There are three.")),
        FinishReason.STOP,
        Usage(input=10, cached_input=10, output=30, reasoning=22),
    ),
    "tools.json": Whole(
        (ToolCallPart("weather:0", "weather", '{"city":"Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=10, cached_input=10, output=30, reasoning=22),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "weather:0", "weather"),
            ToolCallDelta(0, 0, '{"city":"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=10, cached_input=10, output=30)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Aloud. "),
            TextDelta(0, "Hello"),
            TextDelta(0, "!"),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=10, cached_input=10, output=30)),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: invalid_request_error",
        caller_message="invalid temperature: only 1 is allowed for this model",
    ),
    "error_rate.json": Refused(
        429, Throttled, "HTTP 429: rate_limit_reached_error", retry_after_s=7, headers={b"retry-after": b"7"}
    ),
    "error_spent.json": Refused(429, RefusedUs, "HTTP 429: exceeded_current_quota_error"),
    "cut.sse": Streamed((), fails=Garbled),
}
