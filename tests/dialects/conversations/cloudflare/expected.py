"""Workers AI: no finish reason until there is one, usage twice (zeros at the end), errors in Cloudflare's envelope.

Source: developers.cloudflare.com/workers-ai/platform/errors, 2026-07-29; a stream recorded on 2026-05-08 for
github.com/anomalyco/opencode, read in copies only; calls without a name: github.com/cloudflare/ai issue 523.
"""

from collections.abc import Mapping

from kyma.core.answer import Finish, FinishReason, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallStart, UsageReport
from kyma.core.chat import TextPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled, UpstreamFailed
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, FailsWhole, Refused, Streamed, Whole

EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole((TextPart("Hello!"),), FinishReason.STOP, Usage(input=45, output=3)),
    "plain_error.json": FailsWhole(Garbled, "the answer is not a chat completion"),
    "tools.json": Whole(
        (ToolCallPart("chatcmpl-tool-1", "weather", '{"city": "Oslo"}'),),
        FinishReason.TOOL_CALLS,
        Usage(input=45, output=3),
    ),
    "tools_stream.sse": Streamed(
        (
            ToolCallStart(0, 0, "chatcmpl-tool-1", "weather"),
            ToolCallDelta(0, 0, '{"city": "Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=45, output=3)),
        )
    ),
    "tools_nameless.sse": Streamed(
        (
            ToolCallStart(0, 0, "x", "weather", '{"city":"Oslo"}'),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(Usage(input=45, output=3)),
        )
    ),
    "tools_never_named.sse": Streamed((), fails=Garbled),
    "stream.sse": Streamed(
        (TextDelta(0, "Hello"), TextDelta(0, "!"), Finish(0, FinishReason.STOP), UsageReport(Usage(input=45, output=3)))
    ),
    "stream_reasoning.sse": Streamed(
        (
            ThinkingDelta(0, "Greet."),
            TextDelta(0, "Hello"),
            Finish(0, FinishReason.STOP),
            UsageReport(Usage(input=45, output=3)),
        )
    ),
    "error.json": Refused(400, Rejected, "HTTP 400: 5004", caller_message="Invalid data type for base64 input: number"),
    "error_busy.json": Refused(429, Throttled, "HTTP 429: 3040", retry_after_s=7, headers={b"retry-after": b"7"}),
    "error_forbidden.json": Refused(403, RefusedUs, "HTTP 403: 5016"),
    "error_gone.json": Refused(400, UpstreamFailed, "HTTP 400: 5007"),
    "error_spent.json": Refused(429, RefusedUs, "HTTP 429: 3036"),
    "cut.sse": Streamed((TextDelta(0, "Hello"),), fails=Garbled),
}
