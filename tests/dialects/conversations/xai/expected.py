"""xAI: no finish reason until there is one, thoughts that are not counted in the output, errors that are text.

Source: answers recorded in github.com/vercel/ai packages/xai, 2026-08-22; docs.x.ai, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, Rejected, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("One word."), TextPart("Hello")),
        FinishReason.STOP,
        Usage(input=1, cached_input=306, output=33, reasoning=27),
    ),
    "tools.json": Whole(
        (ThinkingPart("I need it."), ToolCallPart("call_5", "weather", '{"city":"Oslo"}')),
        FinishReason.TOOL_CALLS,
        Usage(input=1, cached_input=306, output=33, reasoning=27),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_5", "weather", '{"city":"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=1, cached_input=306, output=33, reasoning=27)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "One"),
            ThinkingDelta(0, " word."),
            TextDelta(0, "Hello"),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=1, cached_input=306, output=33, reasoning=27)),
        )
    ),
    "error.json": Refused(
        400, Rejected, "HTTP 400", caller_message="Argument not supported on this model: presencePenalty"
    ),
    "error_key.json": Refused(404, UpstreamFailed, "HTTP 404"),
    "cut.sse": Streamed((TextDelta(0, "Hel"),), fails=Garbled),
}
