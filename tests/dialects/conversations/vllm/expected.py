"""vLLM: thoughts under two names at once, or in the content; calls whose name comes before any argument.

Source: vLLM's protocol module (0.11 and later), 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Rejected, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Greet."), TextPart("Hi.")), FinishReason.STOP, Usage(input=15, cached_input=16, output=12)
    ),
    "tools.json": Whole(
        (ToolCallPart("chatcmpl-tool-7c", "weather", '{"city": "Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=15, cached_input=16, output=12),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "chatcmpl-tool-7c", "weather"),
            ToolCallDelta(0, 0, '{"city": "Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=15, cached_input=16, output=12)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Greet."),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=15, cached_input=16, output=12)),
        )
    ),
    "stream_untold.sse": Streamed(
        (
            ThinkingDelta(0, "\n"),
            ThinkingDelta(0, "Greet."),
            ThinkingDelta(0, "\n"),
            TextDelta(0, "Hi"),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=15, cached_input=16, output=12)),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: BadRequestError",
        caller_message="This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
    ),
    "error_flat.json": Refused(
        400, Rejected, "HTTP 400: BadRequestError", caller_message="This model's maximum context length is 4096 tokens."
    ),
    "cut.sse": Streamed((TextDelta(0, "Hi"),), fails=UpstreamFailed),
}
