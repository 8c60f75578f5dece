"""Gemini API: whole responses as pieces, calls in one piece, thoughts counted apart, prompts that are blocked.

Source: google-genai 3.4 types; ai.google.dev, generateContent and troubleshooting, 2026-11-21.
"""

from collections.abc import Mapping

from msgspec import Raw

from kyma.core.answer import (
    Finish,
    FinishReason,
    NativeDelta,
    PartEnd,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Greet."), TextPart("Hi."), ThinkingPart("", "Y2Fs", "gemini")),
        FinishReason.STOP,
        Usage(input=18, cached_input=12, output=9, reasoning=4),
    ),
    "plain_blocked.json": Whole((), FinishReason.CONTENT_FILTER, Usage(input=30)),
    "tools.json": Whole(
        (
            ToolCallPart(
                "f1", "weather", '{\n                "city": "Oslo"\n              }', signature="Y2Fs", origin="gemini"
            ),
            ToolCallPart("call_u1_0_1", "time", "{}"),
        ),
        FinishReason.TOOL_CALLS,
        Usage(input=18, cached_input=12, output=9, reasoning=4),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_u1_0_0", "weather", '{"city":"Oslo"}', "Y2Fs", "gemini"),
            PartEnd(0),
            UsageReport(Usage(input=18, cached_input=12, output=9, reasoning=4)),
            ToolCallStart(0, 1, "call_u1_0_1", "weather", '{"city":"Bergen"}'),
            PartEnd(0),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=18, cached_input=12, output=9, reasoning=4)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Greet."),
            UsageReport(Usage(input=18, cached_input=12, output=9, reasoning=4)),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            SignatureDelta(0, "Y2Fs", "gemini"),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=18, cached_input=12, output=9, reasoning=4)),
        )
    ),
    "stream_malformed.sse": Streamed(
        (TextDelta(0, "I look."), UsageReport(Usage(input=18, cached_input=12, output=9, reasoning=4))), fails=Garbled
    ),
    "stream_safety.sse": Streamed(
        (
            TextDelta(0, "He took"),
            UsageReport(Usage(input=18, cached_input=12, output=9, reasoning=4)),
            NativeDelta(
                0,
                "gemini",
                {},
                {
                    "safetyRatings": Raw(
                        b'[{"category":"HARM_CATEGORY_DANGEROUS_CONTENT","probability":"HIGH","blocked":true}]'
                    )
                },
            ),
            Finish(0, FinishReason.CONTENT_FILTER),
            UsageReport(Usage(input=18, cached_input=12, output=9, reasoning=4)),
        )
    ),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: INVALID_ARGUMENT",
        caller_message="this model's maximum context length is 1048576 tokens; the request has 1200000",
        code="context_length_exceeded",
    ),
    "error_key.json": Refused(400, RefusedUs, "HTTP 400: INVALID_ARGUMENT"),
    "error_rate.json": Refused(429, Throttled, "HTTP 429: RESOURCE_EXHAUSTED", retry_after_s=35),
    "cut.sse": Streamed(
        (TextDelta(0, "Hi"), UsageReport(Usage(input=18, cached_input=12, output=9, reasoning=4))), fails=Garbled
    ),
}
