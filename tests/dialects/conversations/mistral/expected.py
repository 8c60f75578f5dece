"""Mistral: content that is parts when it thinks, calls without a type, an error that is flat.

Source: answers recorded in github.com/vercel/ai packages/mistral, 2026-08-22; docs.mistral.ai, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, Rejected
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("2+2 is 4."), TextPart("4")), FinishReason.STOP, Usage(input=43, cached_input=128, output=14)
    ),
    "plain_length.json": Whole(
        (TextPart("So far"),), FinishReason.LENGTH, Usage(input=43, cached_input=128, output=14)
    ),
    "tools.json": Whole(
        (ToolCallPart("gSIMJiOkT", "weather", '{"city": "Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=43, cached_input=128, output=14),
    ),
    "tools_incremental.sse": Streamed(
        (
            ToolCallStart(0, 0, "chatcmpl-tool-9f", "search"),
            ToolCallDelta(0, 0, '{"query": "Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=43, cached_input=128, output=14)),
        )
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "gSIMJiOkT", "weather", '{"city": "Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=43, cached_input=128, output=14)),
        )
    ),
    "stream.sse": Streamed(
        (
            TextDelta(0, "Hel"),
            TextDelta(0, "lo"),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=43, cached_input=128, output=14)),
        )
    ),
    "stream_thinking.sse": Streamed(
        (
            ThinkingDelta(0, "2+2"),
            ThinkingDelta(0, " is 4."),
            TextDelta(0, "4"),
            TextDelta(0, "!"),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=43, cached_input=128, output=14)),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: invalid_request_prompt",
        caller_message="Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
    ),
    "error_detail.json": Refused(422, Rejected, "HTTP 422", caller_message="Extra inputs are not permitted"),
    "cut.sse": Streamed((TextDelta(0, "Hel"),), fails=Garbled),
}
