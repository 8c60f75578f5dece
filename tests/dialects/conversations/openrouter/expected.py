"""OpenRouter: comments, the finish reason said twice, errors inside a 200.

Source: openrouter.ai/docs, errors and streaming, 2026-11-21;
answers recorded in github.com/anomalyco/opencode packages/llm, 2026-04-28.
"""

from collections.abc import Mapping

from msgspec import Raw

from kyma.core.answer import (
    Finish,
    FinishReason,
    NativeDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import RefusedUs, Throttled, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, FailsWhole, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Greet."), TextPart("Hi.")),
        FinishReason.STOP,
        Usage(input=50, cached_input=10, cache_write=7, output=5, reasoning=2),
    ),
    "plain_error.json": FailsWhole(UpstreamFailed, "error in a 200: 502"),
    "tools.json": Whole(
        (ToolCallPart("call_L7", "weather", '{"city":"Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=50, cached_input=10, cache_write=7, output=5, reasoning=2),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "call_L7", "weather"),
            ToolCallDelta(0, 0, '{"city":"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=50, cached_input=10, cache_write=7, output=5, reasoning=2)),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Gr"),
            NativeDelta(
                0,
                "openai_chat",
                {
                    "reasoning_details": Raw(
                        b'[{"type":"reasoning.text","text":"Gr","signature":null,"format":"unknown","index":0}]'
                    )
                },
                {},
            ),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=50, cached_input=10, cache_write=7, output=5, reasoning=2)),
        )
    ),
    "error.json": Refused(402, RefusedUs, "HTTP 402: 402"),
    "error_rate.json": Refused(429, Throttled, "HTTP 429: 429", retry_after_s=7, headers={b"retry-after": b"7"}),
    "cut.sse": Streamed((TextDelta(0, "Hi"),), fails=UpstreamFailed),
}
