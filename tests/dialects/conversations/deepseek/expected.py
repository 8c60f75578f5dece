"""DeepSeek: comments and blank lines while it waits, and a finish reason that means that it gave up.

Source: answers recorded in github.com/vercel/ai packages/deepseek, 2026-08-22; api-docs.deepseek.com, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, FailsWhole, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Count them."), TextPart("Three.")),
        FinishReason.STOP,
        Usage(input=175, cached_input=320, output=14, reasoning=10),
    ),
    "plain_overloaded.json": FailsWhole(Garbled, "the answer ended for a reason that is a failure"),
    "tools.json": Whole(
        (ThinkingPart("I need it."), ToolCallPart("call_00_x", "weather", '{"city": "Oslo"}')),
        FinishReason.TOOL_CALLS,
        Usage(input=175, cached_input=320, output=14, reasoning=10),
    ),
    "tools_stream.sse": Streamed(
        (
            ThinkingDelta(0, "I need it."),
            ToolCallStart(0, 0, "call_00_x", "weather"),
            ToolCallDelta(0, 0, '{"city": '),
            ToolCallDelta(0, 0, '"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=175, cached_input=320, output=14, reasoning=10)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Count"),
            TextDelta(0, "Three"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=175, cached_input=320, output=14, reasoning=10)),
        )
    ),
    "error.json": Refused(402, RefusedUs, "HTTP 402: invalid_request_error"),
    "error_params.json": Refused(
        400,
        Rejected,
        "HTTP 400: invalid_request_error",
        caller_message="Thinking mode does not support this tool_choice",
    ),
    "cut.sse": Streamed((TextDelta(0, "Th"),), fails=Garbled),
}
