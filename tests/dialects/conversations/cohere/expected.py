"""Cohere chat v2: a plan before calls, counts with and without its own template, `null` for no arguments.

Source: cohere-python's v2 types, 2026-08-19; answers recorded in github.com/vercel/ai packages/cohere, 2026-08-22;
docs.cohere.com, errors, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import (
    Finish,
    FinishReason,
    PartEnd,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, FailsWhole, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Greet."), TextPart("Oslo is wet.")), FinishReason.STOP, Usage(input=12, output=7)
    ),
    "plain_error.json": FailsWhole(Garbled, "the answer ended for a reason that is a failure"),
    "plain_length.json": Whole((TextPart("**The History of"),), FinishReason.LENGTH, Usage(input=12, output=7)),
    "plain_unbilled.json": Whole((TextPart("Hi."),), FinishReason.STOP, Usage(input=59, cached_input=448, output=10)),
    "tools.json": Whole(
        (
            ThinkingPart("I will use the weather tool."),
            ToolCallPart("weather_1", "weather", '{"city":"Oslo"}'),
            ToolCallPart("time_2", "time", "{}"),
        ),
        FinishReason.TOOL_CALLS,
        Usage(input=12, output=7),
    ),
    "tools_stream.sse": Streamed(
        (
            ThinkingDelta(0, "I will"),
            ThinkingDelta(0, " look."),
            ToolCallStart(0, 0, "weather_1", "weather"),
            ToolCallDelta(0, 0, '{"city":'),
            ToolCallDelta(0, 0, '"Oslo"}'),
            PartEnd(0),
            ToolCallStart(0, 1, "time_2", "time"),
            ToolCallDelta(0, 1, "{}"),
            PartEnd(0),
            UsageReport(Usage(input=12, output=7)),
            Finish(0, FinishReason.TOOL_CALLS),
        )
    ),
    "stream.sse": Streamed(
        (
            ThinkingDelta(0, "Gr"),
            ThinkingDelta(0, "eet."),
            PartEnd(0),
            TextDelta(0, "Oslo"),
            TextDelta(0, " is wet."),
            PartEnd(0),
            UsageReport(Usage(input=12, output=7)),
            Finish(0, FinishReason.STOP),
        )
    ),
    "error.json": Refused(
        400, Rejected, "HTTP 400", caller_message="invalid request: all elements in messages must have content"
    ),
    "error_in_stream.sse": Streamed((TextDelta(0, "Oslo"),), fails=UpstreamFailed),
    "error_key.json": Refused(401, RefusedUs, "HTTP 401"),
    "error_overflow.json": Refused(
        400,
        Rejected,
        "HTTP 400",
        caller_message="this model's maximum context length is 4081 tokens; the request has 4292",
        code="context_length_exceeded",
    ),
    "error_rate.json": Refused(429, Throttled, "HTTP 429", retry_after_s=7, headers={b"retry-after": b"7"}),
    "cut.sse": Streamed((TextDelta(0, "Oslo"),), fails=Garbled),
}
