"""Azure OpenAI: a first chunk about the prompt's filters, filters in every choice, filtered prompts refused.

Source: learn.microsoft.com, Foundry: content filtering, 2026-11-21;
a stream recorded in github.com/vercel/ai packages/openai, 2026-08-22.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (TextPart("It rains in Oslo."),), FinishReason.STOP, Usage(input=4, cached_input=16, output=7, reasoning=4)
    ),
    "plain_filtered.json": Whole(
        (TextPart("He took"),), FinishReason.CONTENT_FILTER, Usage(input=4, cached_input=16, output=7, reasoning=4)
    ),
    "tools.json": Whole(
        (ToolCallPart("call_a1", "weather", '{"city": "Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=4, cached_input=16, output=7, reasoning=4),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_a1", "weather"),
            ToolCallDelta(0, 0, '{"city": "Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=4, cached_input=16, output=7, reasoning=4)),
        )
    ),
    "stream.sse": Streamed(
        (
            TextDelta(0, "It"),
            TextDelta(0, " rains"),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=4, cached_input=16, output=7, reasoning=4)),
        )
    ),
    "stream_filtered.sse": Streamed((TextDelta(0, "He took"), Finish(0, FinishReason.CONTENT_FILTER))),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: content_filter",
        caller_message="The response was filtered: the prompt triggers Azure OpenAI's content management policy.",
        code="content_filter",
    ),
    "error_deployment.json": Refused(404, UpstreamFailed, "HTTP 404: DeploymentNotFound"),
    "error_key.json": Refused(401, RefusedUs, "HTTP 401: 401"),
    "error_rate.json": Refused(429, Throttled, "HTTP 429: 429", retry_after_s=12, headers={b"retry-after": b"12"}),
    "cut.sse": Streamed((TextDelta(0, "It"),), fails=Garbled),
}
