"""Whole answers of Gemini read, ours written, and errors in both directions."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from kyma.core.answer import Bill, ChatResponse, Choice, FinishReason, Relay, UsageReport
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import (
    Garbled,
    InsufficientCredits,
    InvalidRequest,
    RateLimited,
    RefusedUs,
    Rejected,
    Throttled,
    UpstreamFailed,
)
from kyma.core.model import Quirks, Usage
from kyma.dialects.gemini import parse_error, parse_response, render_error, render_response

Fields = dict[str, Any]
BILL = Bill(Usage(12, output=8, reasoning=5), 350_000, 0, is_estimated=False)


@dataclass
class OurReply:
    request_id: str = "req_0abc"
    model_id: str = "gemini-3-flash"
    created: int = 1
    input_estimate: int = 5


def answer(parts: list[Fields], finish: str = "STOP", **beside: Any) -> Fields:
    return {
        "candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": 0, **beside}],
        "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 3, "thoughtsTokenCount": 5},
        "modelVersion": "gemini-3-flash-preview-backend-7",
        "responseId": "r-1",
    }


def parse(whole: Any) -> ChatResponse:
    return parse_response(json.dumps(whole, indent=2).encode(), Quirks())


def render(response: ChatResponse) -> Fields:
    whole: Fields = json.loads(render_response(response, OurReply(), BILL))
    return whole


CALLS: list[Fields] = [
    {"text": "hm", "thought": True},
    {"text": "yes", "thoughtSignature": "c2lnMQ=="},
    {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "c2lnMg=="},
    {"functionCall": {"name": "f", "args": {}}},
]


def test_parts_are_read() -> None:
    (choice,) = parse(answer(CALLS)).choices
    assert choice.finish is FinishReason.TOOL_CALLS
    thought, text, signature, first, second = choice.parts
    assert (thought, text, signature) == (ThinkingPart("hm"), TextPart("yes"), ThinkingPart("", "c2lnMQ==", "gemini"))
    assert isinstance(first, ToolCallPart) and isinstance(second, ToolCallPart)
    assert (first.id, first.signature, first.origin) == ("call_r-1_0_0", "c2lnMg==", "gemini")
    assert json.loads(first.arguments) == {"x": 1}
    assert (second.id, second.signature) == ("call_r-1_0_1", None)


def test_usage_is_disjoint() -> None:
    assert parse(answer([{"text": "x"}])).report == UsageReport(Usage(12, output=8, reasoning=5))


def test_a_clean_answer_is_given_back_to_the_byte_under_our_name() -> None:
    whole = answer([{"text": "x", "thoughtSignature": "c2ln"}], avgLogprobs=-0.25)
    response = parse(whole)
    assert isinstance(response.said, Relay)
    rendered = render_response(response, OurReply(), BILL)
    assert json.dumps(whole["candidates"][0], indent=2).splitlines()[1].encode() in rendered
    assert json.loads(rendered)["candidates"] == whole["candidates"]
    assert json.loads(rendered)["modelVersion"] == "gemini-3-flash"
    assert b"backend-7" not in rendered


def test_an_answer_with_unknown_members_is_not_relayed() -> None:
    response = parse(answer([{"text": "x"}], backendCluster="c7"))
    assert b"c7" not in render_response(response, OurReply(), BILL)


def test_calls_are_given_ids() -> None:
    rendered = render(parse(answer(CALLS)))["candidates"][0]
    calls = [part["functionCall"] for part in rendered["content"]["parts"] if "functionCall" in part]
    assert [call["id"] for call in calls] == ["call_r-1_0_0", "call_r-1_0_1"]
    assert rendered["finishReason"] == "STOP"


def test_what_only_gemini_says_comes_through() -> None:
    parts: list[Fields] = [
        {"executableCode": {"code": "1"}},
        {"text": "x"},
        {"inlineData": {"mimeType": "image/png", "data": "AA"}},
    ]
    rendered = render(parse(answer(parts, "RECITATION", finishMessage="m", groundingMetadata={"a": 1})))
    (candidate,) = rendered["candidates"]
    assert {"text": "x"} in candidate["content"]["parts"] and parts[0] in candidate["content"]["parts"]
    assert (candidate["finishReason"], candidate["finishMessage"]) == ("RECITATION", "m")
    assert candidate["groundingMetadata"] == {"a": 1}


def test_usage_has_kymas_additions() -> None:
    assert render(parse(answer([{"text": "x"}])))["usageMetadata"] == {
        "promptTokenCount": 12,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 5,
        "totalTokenCount": 20,
        "cost": 0.00035,
        "cacheDiscount": 0,
    }


def test_an_answer_of_another_dialect() -> None:
    choice = Choice(
        0,
        (
            ThinkingPart("hm", "s", "anthropic_messages"),
            TextPart("x"),
            ToolCallPart("a", "f", '{"x": 1}'),
        ),
        FinishReason.TOOL_CALLS,
        word="tool_use",
        origin="anthropic_messages",
    )
    (candidate,) = render(ChatResponse((choice,), None))["candidates"]
    thought, signed, text, call = candidate["content"]["parts"]
    assert thought == {"text": "hm", "thought": True}
    assert signed.keys() == {"text", "thoughtSignature"}
    assert text == {"text": "x"}
    assert call == {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}}
    assert candidate["finishReason"] == "STOP"


def test_a_call_whose_arguments_are_no_json_makes_the_answer_malformed() -> None:
    choice = Choice(0, (ToolCallPart("a", "f", "{"),), FinishReason.TOOL_CALLS)
    (candidate,) = render(ChatResponse((choice,), None))["candidates"]
    assert candidate["content"]["parts"] == []
    assert candidate["finishReason"] == "MALFORMED_FUNCTION_CALL"


def test_a_refused_prompt_is_a_content_filter_and_said_as_gemini_says_it() -> None:
    response = parse({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}})
    assert response.choices[0].finish is FinishReason.CONTENT_FILTER
    assert not response.is_blank
    rendered = render(response)
    assert rendered["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in rendered


@pytest.mark.parametrize("parts", [[], [{"text": ""}], [{"text": " \n"}], [{"text": "", "thoughtSignature": "c2ln"}]])
def test_a_stop_with_nothing_said_is_blank(parts: list[Fields]) -> None:
    assert parse(answer(parts)).is_blank
    assert parse(answer(parts, unknown=1)).is_blank


def test_a_call_is_not_blank() -> None:
    assert not parse(answer([{"functionCall": {"name": "f", "id": "a", "args": {}}}])).is_blank


@pytest.mark.parametrize(
    "whole",
    [{}, [], {"candidates": []}, {"candidates": 5}, {"promptFeedback": {}}, answer([{"text": "x"}], "OTHER")],
)
def test_what_is_no_answer_is_garbled(whole: Any) -> None:
    with pytest.raises(Garbled):
        parse(whole)


def test_an_error_in_a_200_is_one() -> None:
    with pytest.raises(UpstreamFailed):
        parse({"error": {"code": 500, "message": "m", "status": "INTERNAL"}})


def test_our_errors_in_googles_envelope() -> None:
    error = json.loads(render_error(InvalidRequest("bad", param="contents.0")))["error"]
    assert (error["code"], error["message"], error["status"]) == (400, "bad", "INVALID_ARGUMENT")
    assert error["details"][1]["fieldViolations"] == [{"field": "contents.0", "description": "bad"}]
    error = json.loads(render_error(RateLimited("slow", retry_after_s=7)))["error"]
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert error["details"][-1]["retryDelay"] == "7s"
    assert json.loads(render_error(InsufficientCredits("pay")))["error"]["code"] == 402


def google_error(code: int, message: str, status: str, **details: Any) -> bytes:
    error = {"code": code, "message": message, "status": status, "details": [details]}
    return json.dumps({"error": error}).encode()


def test_a_bad_key_is_never_the_callers_fault() -> None:
    body = google_error(400, "API key not valid.", "INVALID_ARGUMENT", reason="API_KEY_INVALID")
    assert isinstance(parse_error(400, {}, body), RefusedUs)


def test_an_error_in_a_list_is_understood() -> None:
    error = parse_error(400, {}, b"[" + google_error(400, "bad field", "INVALID_ARGUMENT") + b"]")
    assert isinstance(error, Rejected)
    assert error.caller_message == "bad field"


def test_the_time_to_wait_stands_in_the_body() -> None:
    error = parse_error(429, {}, google_error(429, "quota", "RESOURCE_EXHAUSTED", retryDelay="6.5s"))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == 7


def test_an_overflow_is_said_in_the_words_that_clients_look_for() -> None:
    message = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
    error = parse_error(400, {}, google_error(400, message, "INVALID_ARGUMENT"))
    assert isinstance(error, Rejected)
    assert "maximum context length is 1048576" in error.caller_message
    assert error.caller_code == "context_length_exceeded"
