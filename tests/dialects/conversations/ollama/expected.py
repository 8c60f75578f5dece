"""Ollama's OpenAI layer: a role in every delta, calls in one piece, errors as an object or as text.

Source: docs.ollama.com, OpenAI compatibility, 2026-11-21; ollama's openai package, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole((ThinkingPart("Greet."), TextPart("Hi.")), FinishReason.STOP, Usage(input=68, output=12)),
    "tools.json": Whole(
        (ToolCallPart("call_k2", "weather", '{"city":"Oslo"}'),), FinishReason.TOOL_CALLS, Usage(input=68, output=12)
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_k2", "weather", '{"city":"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=68, output=12)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Greet."),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=68, output=12)),
        )
    ),
    "stream_full.sse": Streamed((Finish(0, FinishReason.LENGTH), UsageReport(Usage(input=68, output=12)))),
    "error.json": Refused(404, UpstreamFailed, "HTTP 404: api_error"),
    "error_native.json": Refused(503, UpstreamFailed, "HTTP 503"),
    "cut.sse": Streamed((TextDelta(0, "Hi"),), fails=Garbled),
}
