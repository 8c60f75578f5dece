"""Cerebras: usage in the last chunk unasked, thoughts in `reasoning`, errors that are flat.

Source: cerebras-cloud-sdk types; inference-docs.cerebras.ai, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, Rejected, Throttled
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Greet."), TextPart("Hi.")), FinishReason.STOP, Usage(input=78, output=9, reasoning=4)
    ),
    "tools.json": Whole(
        (ToolCallPart("30d", "weather", '{"city":"Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=78, output=9, reasoning=4),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "30d", "weather", '{"city":"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=78, output=9, reasoning=4)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Greet."),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=78, output=9, reasoning=4)),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: context_length_exceeded",
        caller_message="Please reduce the length of the messages. Current length is 9000 while limit is 8192",
        code="context_length_exceeded",
    ),
    "error_busy.json": Refused(
        429, Throttled, "HTTP 429: queue_exceeded", retry_after_s=7, headers={b"retry-after": b"7"}
    ),
    "cut.sse": Streamed((TextDelta(0, "Hi"),), fails=Garbled),
}
