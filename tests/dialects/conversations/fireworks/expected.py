"""Fireworks: usage in the last chunk, null ids on the later pieces of a call, errors that may be text.

Source: docs.fireworks.ai, chat completions and error codes, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Greet."), TextPart("Hi.")), FinishReason.STOP, Usage(input=6, cached_input=16, output=8)
    ),
    "tools.json": Whole(
        (ToolCallPart("call_q", "weather", '{"city": "Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=6, cached_input=16, output=8),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_q", "weather"),
            ToolCallDelta(0, 0, '{"city": "Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=6, cached_input=16, output=8)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Greet."),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=6, cached_input=16, output=8)),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: invalid_request_error",
        caller_message="Extra inputs are not permitted, field: 'enable_thinking', value: True",
    ),
    "error_text.json": Refused(401, RefusedUs, "HTTP 401"),
    "cut.sse": Streamed((TextDelta(0, "Hi"),), fails=Garbled),
}
