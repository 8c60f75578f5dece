"""Z.ai: business codes as text, balance and locks told by 429, finish reasons of its own.

Source: docs.z.ai/api-reference, chat completion and error codes, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Greet."), TextPart("Hi.")), FinishReason.STOP, Usage(input=8, cached_input=4, output=9)
    ),
    "plain_filtered.json": Whole((), FinishReason.CONTENT_FILTER, Usage(input=8, cached_input=4, output=9)),
    "tools.json": Whole(
        (ToolCallPart("call_-8", "weather", '{"city":"Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=8, cached_input=4, output=9),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_-8", "weather", '{"city":"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=8, cached_input=4, output=9)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Greet."),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=8, cached_input=4, output=9)),
        )
    ),
    "stream_network.sse": Streamed((TextDelta(0, "Hi"),), fails=Garbled),
    "error.json": Refused(
        400, Rejected, "HTTP 400: 1210", caller_message="Invalid API parameter, please check the documentation."
    ),
    "error_rate.json": Refused(429, Throttled, "HTTP 429: 1302", retry_after_s=7, headers={b"retry-after": b"7"}),
    "error_spent.json": Refused(429, RefusedUs, "HTTP 429: 1113"),
    "cut.sse": Streamed((TextDelta(0, "Hi"),), fails=Garbled),
}
