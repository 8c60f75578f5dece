"""DashScope: empty ids on the later pieces of a call, written cache tokens inside the prompt.

Source: answers recorded in github.com/vercel/ai packages/alibaba, 2026-08-22;
alibabacloud.com/help, Model Studio, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Count."), TextPart("Three.")),
        FinishReason.STOP,
        Usage(input=45, cached_input=200, cache_write=50, output=22, reasoning=8),
    ),
    "tools.json": Whole(
        (ToolCallPart("call_962", "weather", '{"city": "Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=45, cached_input=200, cache_write=50, output=22, reasoning=8),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_eee", "weather"),
            ToolCallDelta(0, 0, '{"city": "Os'),
            ToolCallDelta(0, 0, 'lo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=45, cached_input=200, cache_write=50, output=22, reasoning=8)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Count."),
            TextDelta(0, "Three"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=45, cached_input=200, cache_write=50, output=22, reasoning=8)),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: invalid_parameter_error",
        caller_message="The tool_choice parameter does not support being set to required in thinking mode",
    ),
    "error_quota.json": Refused(429, RefusedUs, "HTTP 429: insufficient_quota"),
    "error_rate.json": Refused(429, Throttled, "HTTP 429: limit_requests", retry_after_s=1),
    "cut.sse": Streamed((TextDelta(0, "Th"),), fails=Garbled),
}
