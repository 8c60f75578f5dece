"""MiniMax: thoughts inside the content, empty roles, usage of zeros before it has counted.

Source: platform.minimax.io/docs, OpenAI-compatible chat, 2026-11-21; MiniMax-AI/MiniMax-M2.5 issue 2.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, Rejected
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("\nGreet.\n"), TextPart("Hi.")),
        FinishReason.STOP,
        Usage(input=32, cached_input=12, output=7, reasoning=3),
    ),
    "tools.json": Whole(
        (ThinkingPart("\nI need it.\n"), ToolCallPart("call_function_x_1", "weather", '{"city": "Oslo"}')),
        FinishReason.TOOL_CALLS,
        Usage(input=32, cached_input=12, output=7, reasoning=3),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_function_x_1", "weather"),
            ToolCallDelta(0, 0, '{"city": "Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=32, cached_input=12, output=7, reasoning=3)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "\nGr"),
            ThinkingDelta(0, "eet.\n"),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=32, cached_input=12, output=7, reasoning=3)),
        )
    ),
    "error.json": Refused(400, Rejected, "HTTP 400: bad_request_error", caller_message="invalid params, effort (2013)"),
    "cut.sse": Streamed((TextDelta(0, "Hi"),), fails=Garbled),
}
