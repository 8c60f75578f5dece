"""Gemini on Vertex AI: as the Gemini API, with a traffic type, no ids of calls, and usage only where a stream ends.

Source: answers of 2026-03-12 recorded in github.com/charmbracelet/fantasy, providertests/testdata/TestGoogleCommon;
errors in issues decolua/9router#1081 and QwenLM/qwen-code#9016; google.api.ErrorReason; 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, PartEnd, TextDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

CALL_ID = "call_gwCzadXvHKzFw-UPou_44AQ_0_0"
PROOF = "CiwBjz1rX5J0c2lnbmF0dXJl"
SAID, CALLED = Usage(input=9, output=27, reasoning=24), Usage(input=28, output=57, reasoning=52)

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole((TextPart("It rains."),), FinishReason.STOP, SAID),
    "tools.json": Whole(
        (
            ToolCallPart(
                CALL_ID,
                "weather",
                '{\n                "city": "Oslo"\n              }',
                signature=PROOF,
                origin="gemini",
            ),
        ),
        FinishReason.TOOL_CALLS,
        CALLED,
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, CALL_ID, "weather", '{"city": "Oslo"}', PROOF, "gemini"),
            PartEnd(0),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(CALLED),
        )
    ),
    "stream.sse": Streamed(
        (TextDelta(0, "It"), TextDelta(0, " rains."), Finish(0, FinishReason.STOP), UsageReport(SAID))
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: INVALID_ARGUMENT",
        caller_message="Invalid value at 'tools[0].function_declarations[0].parameters' "
        '(type.googleapis.com/google.cloud.aiplatform.v1.Schema), "object"',
    ),
    "error_token.json": Refused(401, RefusedUs, "HTTP 401: UNAUTHENTICATED"),
    "error_rate.json": Refused(429, Throttled, "HTTP 429: RESOURCE_EXHAUSTED", retry_after_s=1),
    "cut.sse": Streamed((TextDelta(0, "It"),), fails=Garbled),
}
