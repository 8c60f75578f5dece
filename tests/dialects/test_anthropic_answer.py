"""Whole answers and errors of Anthropic Messages."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from anthropic.types import Message as AnthropicMessage
from pydantic import TypeAdapter

from kyma.core.answer import Bill, ChatResponse, Choice, FinishReason, Relay, UsageReport
from kyma.core.chat import NativePart, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import (
    Bug,
    Conflict,
    Draining,
    Forbidden,
    Garbled,
    InsufficientCredits,
    InvalidRequest,
    KymaError,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    RateLimited,
    Throttled,
    TooLarge,
    Unauthenticated,
    UpstreamTimeout,
)
from kyma.core.model import Quirks, Usage
from kyma.dialects.anthropic_messages import NAME, parse_response, render_error, render_response

BILL = Bill(Usage(8, 4, 2, 3, 0), 350_000, 622_000, is_estimated=False)

THINKING = {"type": "thinking", "thinking": "hm", "signature": "Eq/+=="}
REDACTED = {"type": "redacted_thinking", "data": "Em/+=="}
TEXT = {"type": "text", "text": "It is 4."}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}}
SERVER = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}


@dataclass(frozen=True)
class Reply:
    request_id: str = "req_abc"
    model_id: str = "claude-sonnet-4-6"
    created: int = 1779000000
    input_estimate: int = 12


def answer(*content: object, reason: str | None = "end_turn", **more: object) -> bytes:
    said = {
        "id": "msg_vendor",
        "type": "message",
        "role": "assistant",
        "model": "vendor/claude",
        "content": list(content),
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 4, "output_tokens": 3},
        **more,
    }
    return json.dumps(said, separators=(", ", ":  ")).encode()


def given(response: ChatResponse) -> dict[str, Any]:
    """What a customer is given, once the SDK's own type has taken it."""
    body = render_response(response, Reply(), BILL)
    TypeAdapter(AnthropicMessage).validate_json(body)
    said: dict[str, Any] = json.loads(body)
    return said


def test_an_answer_is_given_back_to_the_byte_around_our_own_names_and_bill() -> None:
    response = parse_response(answer(THINKING, REDACTED, TEXT, CALL, reason="tool_use", provider="x"), Quirks())
    assert isinstance(response.said, Relay)
    raw = json.dumps([THINKING, REDACTED, TEXT, CALL], separators=(", ", ":  ")).encode()
    assert raw in render_response(response, Reply(), BILL)
    said = given(response)
    assert (said["id"], said["model"], said["stop_reason"]) == ("msg_abc", "claude-sonnet-4-6", "tool_use")
    assert said["usage"]["cost"] == 0.00035
    assert "provider" not in said


def test_an_answer_is_read_into_parts() -> None:
    response = parse_response(answer(THINKING, REDACTED, TEXT, CALL, SERVER, reason="tool_use"), Quirks())
    choice = response.choices[0]
    assert choice.parts[:4] == (
        ThinkingPart("hm", "Eq/+==", NAME),
        ThinkingPart("", None, NAME, "Em/+=="),
        TextPart("It is 4."),
        ToolCallPart("toolu_1", "f", '{"x":  1}'),
    )
    assert isinstance(choice.parts[4], NativePart)
    assert choice.finish is FinishReason.TOOL_CALLS
    assert response.report == UsageReport(Usage(5, 4, 0, 3, 0))


@pytest.mark.parametrize(
    ("content", "reason", "is_blank"),
    [
        ((), "end_turn", True),
        (({"type": "text", "text": " \n"},), "end_turn", True),
        ((TEXT,), "end_turn", False),
        ((), "max_tokens", False),
        ((), "refusal", False),
        ((SERVER,), "pause_turn", False),
    ],
)
def test_blank_answers_are_told_from_others(content: tuple[object, ...], reason: str, is_blank: bool) -> None:
    assert parse_response(answer(*content, reason=reason), Quirks()).is_blank is is_blank


def test_a_refusal_keeps_its_reasons() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "no"}
    response = parse_response(answer(TEXT, reason="refusal", stop_details=details), Quirks())
    assert given(response)["stop_details"] == details
    assert response.choices[0].finish is FinishReason.CONTENT_FILTER


def test_calls_that_say_end_turn_end_in_calls() -> None:
    assert given(parse_response(answer(CALL, reason="end_turn"), Quirks()))["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"content":5}', b'{"content":[{"type":"text"}]}', answer(reason="exploded")],
)
def test_what_is_no_message_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        parse_response(body, Quirks())


def test_an_error_in_a_200_is_one() -> None:
    with pytest.raises(Throttled):
        parse_response(b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}', Quirks())


def test_parts_of_other_dialects_become_blocks() -> None:
    parts = (
        ThinkingPart("hm", "gAAA", "openai_responses"),
        ThinkingPart("unsigned"),
        TextPart(""),
        TextPart("It is 4."),
        ToolCallPart("call_1", "f", '{"x":1}'),
        ToolCallPart("call_2", "g", ""),
        ToolCallPart("call_3", "h", "free text", is_custom=True),
    )
    said = given(ChatResponse((Choice(0, parts, FinishReason.STOP),), None))
    assert said["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "kyma.openai_responses.gAAA"},
        {"type": "thinking", "thinking": "unsigned", "signature": ""},
        {"type": "text", "text": "It is 4."},
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "call_2", "name": "g", "input": {}},
        {"type": "tool_use", "id": "call_3", "name": "h", "input": {"input": "free text"}},
    ]
    assert said["stop_reason"] == "tool_use"
    assert said["usage"]["input_tokens"] == 8
    assert said["usage"]["cache_read_input_tokens"] == 4


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequest("x"), "invalid_request_error"),
        (MethodNotAllowed("x"), "invalid_request_error"),
        (Unauthenticated("x"), "authentication_error"),
        (InsufficientCredits("x"), "billing_error"),
        (Forbidden("x"), "permission_error"),
        (NotFound("x"), "not_found_error"),
        (Conflict("x"), "conflict_error"),
        (TooLarge("x"), "request_too_large"),
        (RateLimited("x"), "rate_limit_error"),
        (Overloaded("x"), "overloaded_error"),
        (Draining("x"), "overloaded_error"),
        (Bug("x"), "api_error"),
        (UpstreamTimeout("x"), "api_error"),
    ],
)
def test_errors_have_anthropics_types(error: KymaError, kind: str) -> None:
    assert json.loads(render_error(error)) == {"type": "error", "error": {"type": kind, "message": "x"}}


@pytest.mark.parametrize("thinks_first", [False, True])
def test_thought_that_a_vendor_left_in_the_text_is_moved_out_of_it(thinks_first: bool) -> None:
    opener = "" if thinks_first else "<think>"
    body = answer({"type": "text", "text": f"{opener}hm</think>\n\nIt is 4."})
    choice = parse_response(body, Quirks(thinks_first=thinks_first)).choices[0]
    assert choice.parts == (ThinkingPart("hm"), TextPart("It is 4."))
