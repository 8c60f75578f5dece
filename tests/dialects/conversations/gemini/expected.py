"""Gemini's OpenAI layer: no finish reason until there is one, calls in one piece, errors as a list.

Source: ai.google.dev, OpenAI compatibility and thought signatures, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ToolCallPart
from kyma.core.errors import Garbled, Rejected, Throttled
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole((TextPart("Hi."),), FinishReason.STOP, Usage(input=18, cached_input=12, output=5)),
    "tools.json": Whole(
        (ToolCallPart("function-call-1", "weather", '{"city":"Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=18, cached_input=12, output=5),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "function-call-1", "weather", '{"city":"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=18, cached_input=12, output=5)),
        )
    ),
    "stream.sse": Streamed(
        (
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=18, cached_input=12, output=5)),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: INVALID_ARGUMENT",
        caller_message='Invalid JSON payload received. Unknown name "store": Cannot find field.',
    ),
    "error_rate.json": Refused(
        429, Throttled, "HTTP 429: RESOURCE_EXHAUSTED", retry_after_s=7, headers={b"retry-after": b"7"}
    ),
    "cut.sse": Streamed((TextDelta(0, "Hi"),), fails=Garbled),
}
