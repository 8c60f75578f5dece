"""Open models on Vertex AI: OpenAI's chat completions; Google's errors in a list of one.

Source: docs.cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis, which says that these answers are
OpenAI's; errors as Google's other layer for OpenAI's words has them; 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

USAGE = Usage(input=70, output=31)

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole((ThinkingPart("Look."), TextPart("It rains.")), FinishReason.STOP, USAGE),
    "tools.json": Whole((ToolCallPart("call_9f", "weather", '{"city": "Oslo"}'),), FinishReason.TOOL_CALLS, USAGE),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Look."),
            TextDelta(0, "It"),
            TextDelta(0, " rains."),
            Finish(0, FinishReason.STOP),
            UsageReport(USAGE),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: INVALID_ARGUMENT",
        caller_message="The input token count (150000) exceeds the maximum number of tokens allowed (131072).",
    ),
    "error_token.json": Refused(401, RefusedUs, "HTTP 401: UNAUTHENTICATED"),
    "error_rate.json": Refused(429, Throttled, "HTTP 429: RESOURCE_EXHAUSTED", retry_after_s=1),
    "cut.sse": Streamed((ThinkingDelta(0, "Look."), TextDelta(0, "It")), fails=Garbled),
}
