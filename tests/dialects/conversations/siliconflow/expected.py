"""SiliconFlow: nulls for what is not said, usage in the last chunk, errors that are flat or plain text.

Source: docs.siliconflow.com, chat completions and error codes, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Throttled, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Greet."), TextPart("Hi.")), FinishReason.STOP, Usage(input=12, output=9, reasoning=5)
    ),
    "tools.json": Whole(
        (ToolCallPart("0197", "weather", '{"city":"Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=12, output=9, reasoning=5),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "0197", "weather", '{"city":"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=12, output=9, reasoning=5)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Greet."),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=12, output=9, reasoning=5)),
        )
    ),
    "error.json": Refused(400, UpstreamFailed, "HTTP 400: 20012"),
    "error_key.json": Refused(401, RefusedUs, "HTTP 401"),
    "error_rate.json": Refused(429, Throttled, "HTTP 429", retry_after_s=7, headers={b"retry-after": b"7"}),
    "cut.sse": Streamed((TextDelta(0, "Hi"),), fails=Garbled),
}
