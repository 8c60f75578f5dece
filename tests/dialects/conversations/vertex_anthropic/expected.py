"""Claude on Vertex AI: Anthropic's answers with blanks before closing braces; Google's errors where Google refuses.

Source: answers of 2026-03-12 recorded in github.com/charmbracelet/fantasy, providertests/testdata/TestGoogleCommon;
errors in issues anthropics/claude-code#12429 and tombii/better-ccflare#47; 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, PartEnd, TextDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

CALL_ID = "toolu_vrtx_01JhPy9eXqgjLWmUpoCiEkCs"
BEGUN = UsageReport(Usage(input=16, output=5))

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole((TextPart("It rains."),), FinishReason.STOP, Usage(input=16, output=6)),
    "tools.json": Whole(
        (ToolCallPart(CALL_ID, "weather", '{"city":"Oslo"}'),), FinishReason.TOOL_CALLS, Usage(input=16, output=42)
    ),
    "tools_stream.sse": Streamed(
        (
            BEGUN,
            ToolCallStart(0, 0, CALL_ID, "weather"),
            ToolCallDelta(0, 0, '{"city'),
            ToolCallDelta(0, 0, '": "Oslo"}'),
            PartEnd(0),
            UsageReport(Usage(input=16, output=42)),
            Finish(0, FinishReason.TOOL_CALLS, origin="anthropic_messages"),
        )
    ),
    "stream.sse": Streamed(
        (
            BEGUN,
            TextDelta(0, "It"),
            TextDelta(0, " rains."),
            PartEnd(0),
            UsageReport(Usage(input=16, output=6)),
            Finish(0, FinishReason.STOP, "end_turn", "anthropic_messages"),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: invalid_request_error",
        caller_message="Unexpected value(s) `effort-2025-11-24` for the `anthropic-beta` header. Please consult our "
        "documentation at docs.anthropic.com or try again without the header.",
    ),
    "error_token.json": Refused(401, RefusedUs, "HTTP 401: UNAUTHENTICATED"),
    "error_rate.json": Refused(429, Throttled, "HTTP 429: RESOURCE_EXHAUSTED", retry_after_s=1),
    "cut.sse": Streamed((BEGUN, TextDelta(0, "It")), fails=Garbled),
}
