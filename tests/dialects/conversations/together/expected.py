"""Together: text beside the delta, the finish reason said twice, usage in the last chunk.

Source: answers recorded in github.com/anomalyco/opencode packages/llm, 2026-04-28;
together-python's types, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ToolCallPart
from kyma.core.errors import Garbled, Rejected, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole((TextPart("Hello!"),), FinishReason.STOP, Usage(input=40, cached_input=5, output=3)),
    "plain_eos.json": Whole((TextPart("Hello!"),), FinishReason.STOP, Usage(input=40, cached_input=5, output=3)),
    "tools.json": Whole(
        (ToolCallPart("call_yu", "weather", '{"city":"Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=40, cached_input=5, output=3),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_yu", "weather"),
            ToolCallDelta(0, 0, '{"city":"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=40, cached_input=5, output=3)),
        )
    ),
    "stream.sse": Streamed(
        (
            TextDelta(0, "Hello"),
            TextDelta(0, "!"),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=40, cached_input=5, output=3)),
        )
    ),
    "error.json": Refused(
        422,
        Rejected,
        "HTTP 422: invalid_request_error",
        caller_message="Input validation error: `inputs` tokens + `max_new_tokens` must be <= 131073.",
    ),
    "error_busy.json": Refused(503, UpstreamFailed, "HTTP 503: server_error"),
    "cut.sse": Streamed((), fails=Garbled),
}
