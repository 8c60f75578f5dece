"""Whole answers of Converse, and its refusals.

Shapes: AWS API reference, Converse (API_runtime_Converse.html), November 2026; headers and messages of refusals as the
sources beside them tell.
"""

import json
from typing import Any

import pytest

from kyma.core.answer import Choice, FinishReason, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import (
    Garbled,
    RefusedUs,
    Rejected,
    Throttled,
    UpstreamError,
    UpstreamFailed,
    UpstreamTimeout,
)
from kyma.core.model import Quirks, Usage
from kyma.dialects.bedrock_converse import NAME, parse_error, parse_response

CORAL = b":http://internal.amazon.com/coral/com.amazon.bedrock/"
"""What follows a name in `x-amzn-errortype`. Source: an answer of bedrock-runtime, 6 February 2025."""


def body(*content: Any, reason: str = "end_turn", **fields: Any) -> bytes:
    usage = {"inputTokens": 2, "outputTokens": 5, "totalTokens": 7, "serverToolUsage": {}}
    message = {"role": "assistant", "content": list(content)}
    whole = {"metrics": {"latencyMs": 9}, "output": {"message": message}, "stopReason": reason, "usage": usage}
    return json.dumps(whole | fields).encode()


def choice(raw: bytes, quirks: Quirks | None = None) -> Choice:
    (only,) = parse_response(raw, quirks or Quirks()).choices
    return only


def error(status: int, name: str = "", message: object = "", **fields: object) -> UpstreamError:
    headers = {b"x-amzn-errortype": name.encode() + CORAL} if name else {}
    return parse_error(status, headers, json.dumps({"message": message, **fields}).encode())


def test_an_answer_with_thoughts_a_text_and_a_call() -> None:
    said = choice(
        body(
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "Eu0C=="}}},
            {"reasoningContent": {"redactedContent": "RXRr"}},
            {"text": "I look"},
            {"toolUse": {"toolUseId": "tooluse_a", "name": "f", "input": {"city": "Paris"}}},
            {"image": {"format": "png", "source": {"bytes": "aGk="}}},
            reason="tool_use",
        )
    )
    assert said.parts == (
        ThinkingPart("hm", "Eu0C==", NAME),
        ThinkingPart("", origin=NAME, redacted="RXRr"),
        TextPart("I look"),
        ToolCallPart("tooluse_a", "f", '{"city": "Paris"}'),
    )
    assert said.finish is FinishReason.TOOL_CALLS


def test_thoughts_that_nobody_signed_belong_to_nobody() -> None:
    said = choice(body({"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "ok"}))
    assert said.parts == (ThinkingPart("hm"), TextPart("ok"))


def test_thoughts_and_citations_in_the_text() -> None:
    assert choice(body({"text": " <think>hm</think>\n\nok"})).parts == (ThinkingPart("hm"), TextPart("ok"))
    assert choice(body({"text": "hm</think>ok"}), Quirks(thinks_first=True)).parts == (
        ThinkingPart("hm"),
        TextPart("ok"),
    )
    cited = {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}], "citations": [{"title": "t"}]}}
    assert choice(body(cited)).parts == (TextPart("ab"),)


def test_cached_and_written_tokens_stand_beside_the_input() -> None:
    usage = {
        **{"inputTokens": 2, "outputTokens": 5, "totalTokens": 1329, "cacheReadInputTokens": 22},
        **{"cacheWriteInputTokens": 1300, "cacheDetails": [{"ttl": "1h", "inputTokens": 1000}]},
    }
    report = parse_response(body({"text": "21"}, usage=usage), Quirks()).report
    assert report == UsageReport(Usage(2, 22, 300, 5, cache_write_1h=1000))
    assert report.usage.total == usage["totalTokens"]


def test_an_answer_that_counts_nothing_has_no_report() -> None:
    assert parse_response(body({"text": "x"}, usage=None), Quirks()).report is None


def test_a_blank_answer_is_blank() -> None:
    assert parse_response(body(), Quirks()).is_blank
    assert not parse_response(body(reason="max_tokens"), Quirks()).is_blank


@pytest.mark.parametrize(
    "raw",
    [b"", b"<html>", b"{}", b"[]", b'{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"}}',
     body({"toolUse": {"name": "f"}}), body({"text": 7}), body({"text": "x"}, reason="cosmic_rays"), b"[" * 5000],
)  # fmt: skip
def test_what_is_no_answer_is_garbled(raw: bytes) -> None:
    with pytest.raises(Garbled):
        parse_response(raw, Quirks())


def test_an_answer_that_went_wrong_is_a_failure() -> None:
    with pytest.raises(UpstreamFailed):
        parse_response(body({"text": "x"}, reason="malformed_tool_use"), Quirks())


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "ValidationException", Rejected),
        (400, "ServiceQuotaExceededException", Throttled),
        (400, "IncompleteSignature", RefusedUs),
        (403, "AccessDeniedException", RefusedUs),
        (403, "UnrecognizedClientException", RefusedUs),
        (403, "InvalidSignatureException", RefusedUs),
        (403, "ExpiredTokenException", RefusedUs),
        (404, "ResourceNotFoundException", UpstreamFailed),
        (408, "ModelTimeoutException", UpstreamTimeout),
        (424, "ModelErrorException", UpstreamFailed),
        (429, "ThrottlingException", Throttled),
        (429, "ModelNotReadyException", UpstreamFailed),
        (500, "InternalServerException", UpstreamFailed),
        (503, "ServiceUnavailableException", UpstreamFailed),
        (400, "", Rejected),
        (403, "", RefusedUs),
        (429, "", Throttled),
        (502, "", UpstreamFailed),
    ],
)
def test_a_refusal_means_what_its_name_and_status_say(status: int, name: str, kind: type[UpstreamError]) -> None:
    found = error(status, name, "words that may quote a prompt")
    assert type(found) is kind and found.upstream_status == status
    assert found.message == (f"HTTP {status}: {name}" if name else f"HTTP {status}")


@pytest.mark.parametrize(
    "message",
    [
        "The provided model identifier is invalid.",
        "Invocation of model ID anthropic.claude-opus-4-7 with on-demand throughput isn\u2019t supported.",
        "This model doesn't support tool use in streaming mode.",
        "This model doesn't support the toolConfig.toolChoice.any field. Remove it and try again.",
        "The maximum tokens you requested exceeds the model limit of 8192.",
    ],
)
def test_what_this_source_alone_cannot_do_is_no_fault_of_the_request(message: str) -> None:
    assert type(error(400, "ValidationException", message)) is UpstreamFailed


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Input is too long for requested model.", "maximum context length"),
        (
            "The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum",
            "200000 tokens",
        ),
    ],
)
def test_a_request_that_is_too_long_is_told_so_in_the_words_that_agents_know(message: str, said: str) -> None:
    found = error(400, "ValidationException", message)
    assert isinstance(found, Rejected) and found.caller_code == "context_length_exceeded"
    assert said in found.caller_message


def test_a_callers_mistake_is_explained_without_the_vendors_name() -> None:
    found = error(
        400, "ValidationException", "The model returned the following errors: Amazon Bedrock wants text, says AWS"
    )
    assert isinstance(found, Rejected) and found.caller_message == "the source wants text, says the source"


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b'"x"', b"\xff", b"[" * 5000])
def test_any_body_is_a_refusal(raw: bytes) -> None:
    assert type(parse_error(400, {}, raw)) is Rejected
    assert type(parse_error(500, {b"x-amzn-errortype": b"\xff\xfe"}, raw)) is UpstreamFailed
