"""AWS Bedrock, Converse: binary frames, blocks that are not opened, cached and written tokens beside the input.

Source: docs.aws.amazon.com/bedrock/latest/APIReference, API_runtime_Converse and API_runtime_ConverseStream; botocore's
service model of bedrock-runtime; messages of refusals as reported at strands-agents/harness-sdk#1912,
continuedev/continue#6005, 2026-11-21.
"""

from collections.abc import Mapping

from kyma.core.answer import (
    Finish,
    FinishReason,
    PartEnd,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled, UpstreamFailed, UpstreamTimeout
from kyma.core.model import Usage
from tests.dialects.conversations.expectation import Expectation, Refused, Streamed, Whole

USAGE = Usage(input=25, cached_input=2000, cache_write=60, output=12, cache_write_1h=40)
SIGNATURE = "EqQBCkYIBxgCKkDSignature=="
CORAL = b":http://internal.amazon.com/coral/com.amazon.bedrock/"


def named(name: bytes) -> Mapping[bytes, bytes]:
    return {b"x-amzn-errortype": name + CORAL}


EXPECTED: Mapping[str, Expectation] = {
    "plain.json": Whole(
        (ThinkingPart("Greet.", SIGNATURE, "bedrock_converse"), TextPart("Hi.")), FinishReason.STOP, USAGE
    ),
    "plain_after_tools.json": Whole((TextPart("It is 3 °C in Oslo."),), FinishReason.STOP, USAGE),
    "plain_filtered.json": Whole((TextPart("Sorry."),), FinishReason.CONTENT_FILTER, USAGE),
    "tools.json": Whole(
        (
            TextPart("I look."),
            ToolCallPart("tooluse_01", "weather", '{\n              "city": "Oslo"\n            }'),
            ToolCallPart("tooluse_02", "time", "{}"),
        ),
        FinishReason.TOOL_CALLS,
        USAGE,
    ),
    "tools_stream.eventstream": Streamed(
        (
            TextDelta(0, "I look."),
            PartEnd(0),
            ToolCallStart(0, 0, "tooluse_01", "weather"),
            ToolCallDelta(0, 0, '{"city": '),
            ToolCallDelta(0, 0, '"Oslo"}'),
            PartEnd(0),
            ToolCallStart(0, 1, "tooluse_02", "time"),
            ToolCallDelta(0, 1, "{}"),
            PartEnd(0),
            Finish(0, FinishReason.TOOL_CALLS),
            UsageReport(USAGE),
        )
    ),
    "stream.eventstream": Streamed(
        (
            ThinkingDelta(0, "Greet."),
            SignatureDelta(0, SIGNATURE, "bedrock_converse"),
            PartEnd(0),
            TextDelta(0, "Hi"),
            TextDelta(0, "."),
            PartEnd(0),
            Finish(0, FinishReason.STOP),
            UsageReport(USAGE),
        )
    ),
    "stream_redacted.eventstream": Streamed(
        (
            SignatureDelta(0, "RXRrRUNrZ0I=", "bedrock_converse", True),
            PartEnd(0),
            TextDelta(0, "Hi"),
            PartEnd(0),
            Finish(0, FinishReason.LENGTH),
            UsageReport(USAGE),
        )
    ),
    "cut.eventstream": Streamed((TextDelta(0, "Hi"),), fails=Garbled),
    "error_in_stream.eventstream": Streamed((TextDelta(0, "Hi"),), fails=UpstreamFailed),
    "error.json": Refused(
        400,
        Rejected,
        "HTTP 400: ValidationException",
        caller_message="this model's maximum context length is 200000 tokens; the request has 210000",
        code="context_length_exceeded",
        headers=named(b"ValidationException"),
    ),
    "error_long.json": Refused(
        400,
        Rejected,
        "HTTP 400: ValidationException",
        caller_message="the request is longer than this model's maximum context length",
        code="context_length_exceeded",
        headers=named(b"ValidationException"),
    ),
    "error_rate.json": Refused(
        429, Throttled, "HTTP 429: ThrottlingException", retry_after_s=1, headers=named(b"ThrottlingException")
    ),
    "error_model.json": Refused(
        400, UpstreamFailed, "HTTP 400: ValidationException", headers=named(b"ValidationException")
    ),
    "error_key.json": Refused(
        403, RefusedUs, "HTTP 403: UnrecognizedClientException", headers=named(b"UnrecognizedClientException")
    ),
    "error_late.json": Refused(
        408, UpstreamTimeout, "HTTP 408: ModelTimeoutException", headers=named(b"ModelTimeoutException")
    ),
}
