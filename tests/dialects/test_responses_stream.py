"""Answers of any vendor as Responses streams: the order of events, checked with the official SDK's types."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from kyma.core.answer import (
    Bill,
    ChatEvent,
    ChatResponse,
    Choice,
    Finish,
    FinishReason,
    NativeDelta,
    PartEnd,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, InvalidRequest, KymaError, Throttled
from kyma.core.model import Usage
from kyma.dialects.openai_responses import parse_request, render_error, render_response, stream_encoder

Json = dict[str, Any]
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
BILL = Bill(Usage(8, 4, 2, 30, 20), 350_000, 1_500, is_estimated=False)
STOP, CALLS = Finish(0, FinishReason.STOP), Finish(0, FinishReason.TOOL_CALLS)
ENCRYPTED: Any = {"include": ["reasoning.encrypted_content"]}

OPENED = ["created", "in_progress"]
TEXT = ["output_item.added", "content_part.added", "output_text.delta"]
TEXT_DONE = ["output_text.done", "content_part.done", "output_item.done"]
THOUGHT = ["output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"]
THOUGHT_DONE = ["reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"]
CALL = ["output_item.added", "function_call_arguments.delta"]
CALL_DONE = ["function_call_arguments.done", "output_item.done"]


@dataclass
class Named:
    """How an answer names itself."""

    request_id: str = "req_0123"
    model_id: str = "qwen-3.6-plus"
    created: int = 1_779_000_000
    input_estimate: int = 10


def request(**fields: object) -> bytes:
    return json.dumps({"model": "m", "input": "hi", **fields}).encode()


def frames(stream: bytes) -> list[Json]:
    """The events of a stream, each checked by the SDK's own types."""
    events = []
    for frame in stream.decode().split("\n\n")[:-1]:
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        EVENT.validate_python(event)
        events.append(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def streamed(*events: ChatEvent, error: KymaError | None = None, **fields: object) -> list[Json]:
    encoder = stream_encoder(parse_request(request(stream=True, **fields)), Named())
    told = b"".join(map(encoder.encode, events))
    return frames(told + (encoder.end(BILL) if error is None else encoder.error(error)))


def kinds(events: list[Json]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def whole(*parts: Any, finish: FinishReason = FinishReason.STOP, **fields: object) -> Json:
    answer = ChatResponse((Choice(0, parts, finish),), None)
    rendered: Json = json.loads(render_response(answer, Named(), BILL, parse_request(request(**fields))))
    Response.model_validate(rendered, strict=False)
    return rendered


def function(name: str, **more: object) -> Json:
    return {"type": "function", "name": name, "parameters": {}, "strict": None, **more}


def test_text_is_told_in_order() -> None:
    events = streamed(TextDelta(0, "Hel"), TextDelta(0, "lo"), UsageReport(Usage()), STOP)
    assert kinds(events) == [*OPENED, *TEXT, "output_text.delta", *TEXT_DONE, "completed"]
    assert [event["delta"] for event in events if "delta" in event] == ["Hel", "lo"]
    assert events[-2]["item"] == events[-1]["response"]["output"][0]
    assert events[-2]["item"]["content"][0]["text"] == "Hello"


def test_every_event_of_an_item_bears_its_id_and_index() -> None:
    events = streamed(ThinkingDelta(0, "hm"), TextDelta(0, "a"), STOP)
    thought, message = events[-1]["response"]["output"]
    assert [event["output_index"] for event in events if event.get("item_id") == thought["id"]] == [0] * 4
    assert [event["output_index"] for event in events if event.get("item_id") == message["id"]] == [1] * 4
    assert thought["id"].startswith("rs_")
    assert message["id"].startswith("msg_")


def test_the_last_event_has_the_whole_response_and_its_usage() -> None:
    response = streamed(TextDelta(0, "x"), STOP, temperature=0.5)[-1]["response"]
    assert response["id"] == "resp_0123"
    assert (response["status"], response["model"], response["temperature"]) == ("completed", "qwen-3.6-plus", 0.5)
    assert response["usage"] == {
        "input_tokens": 14,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "output_tokens": 30,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 44,
        "cost": 0.00035,
        "cache_discount": 0.0000015,
    }


def test_the_first_events_have_the_response_in_progress() -> None:
    created = streamed(TextDelta(0, "x"), STOP)[0]["response"]
    assert (created["status"], created["output"], created["usage"]) == ("in_progress", [], None)


def test_thought_comes_before_text_as_an_item_of_its_own() -> None:
    events = streamed(ThinkingDelta(0, "I "), ThinkingDelta(0, "think"), TextDelta(0, "so"), STOP)
    thought = [*THOUGHT, "reasoning_summary_text.delta", *THOUGHT_DONE]
    assert kinds(events) == [*OPENED, *thought, *TEXT, *TEXT_DONE, "completed"]
    assert events[-1]["response"]["output"][0]["summary"] == [{"type": "summary_text", "text": "I think"}]


def test_a_proof_of_thought_is_shown_with_its_origin_to_who_asked() -> None:
    proved = (
        ThinkingDelta(0, "hm"),
        SignatureDelta(0, "s.g==", "anthropic_messages"),
        PartEnd(0),
        TextDelta(0, "x"),
        STOP,
    )
    thought = streamed(*proved, **ENCRYPTED)[-1]["response"]["output"][0]
    assert thought["encrypted_content"] == "kyma.anthropic_messages.s.g=="
    assert "encrypted_content" not in streamed(*proved)[-1]["response"]["output"][0]


def test_a_thought_kept_by_its_vendor_is_an_item_without_summary() -> None:
    events = streamed(
        SignatureDelta(0, "zz", "anthropic_messages", is_redacted=True), TextDelta(0, "x"), STOP, **ENCRYPTED
    )
    assert kinds(events)[2:4] == ["output_item.added", "output_item.done"]
    assert events[3]["item"]["summary"] == []
    assert events[3]["item"]["encrypted_content"] == "kyma.anthropic_messages:redacted.zz"


@pytest.mark.parametrize(
    "parts",
    [
        (ThinkingPart("hm", "sig", "anthropic_messages"), TextPart("so"), ToolCallPart("c1", "f", '{"a":1}')),
        (ThinkingPart("", None, "anthropic_messages", "zz"), ThinkingPart("", "sig", "anthropic_messages")),
        (ToolCallPart("c1", "f", "{}", signature="sig", origin="gemini"), ToolCallPart("c2", "f", "{}")),
        (ToolCallPart("c1", "p", "*** Begin", is_custom=True), TextPart("a"), TextPart("b")),
    ],
)
def test_an_answer_given_back_is_what_the_model_said(parts: Any) -> None:
    tools = [function("f"), {"type": "custom", "name": "p"}]
    output = whole(*parts, tools=tools, **ENCRYPTED)["output"]
    again = parse_request(request(input=[{"role": "user", "content": "x"}, *output], tools=tools)).chat()
    assert again.messages[1].parts == parts


def test_a_call_is_told_by_deltas_and_then_whole() -> None:
    events = streamed(ToolCallStart(0, 0, "c1", "f"), ToolCallDelta(0, 0, '{"a":'), ToolCallDelta(0, 0, "1}"), CALLS)
    assert kinds(events) == [*OPENED, *CALL, "function_call_arguments.delta", *CALL_DONE, "completed"]
    assert events[2]["item"]["arguments"] == ""
    assert events[-3]["arguments"] == '{"a":1}'
    item = events[-2]["item"]
    assert (item["call_id"], item["name"], item["arguments"], item["status"]) == ("c1", "f", '{"a":1}', "completed")
    assert item["id"].startswith("fc_")


def test_a_call_without_arguments_has_an_empty_object() -> None:
    events = streamed(ToolCallStart(0, 0, "c1", "f"), CALLS)
    assert kinds(events) == [*OPENED, *CALL, *CALL_DONE, "completed"]
    assert events[-2]["item"]["arguments"] == "{}"


def test_interleaved_calls_come_out_one_after_the_other() -> None:
    events = streamed(
        ToolCallStart(0, 0, "a", "f"),
        ToolCallDelta(0, 0, '{"x":'),
        ToolCallStart(0, 1, "b", "g"),
        ToolCallDelta(0, 1, '{"y":'),
        ToolCallDelta(0, 0, "1}"),
        ToolCallDelta(0, 1, "2}"),
        CALLS,
    )
    first = [*CALL, "function_call_arguments.delta", *CALL_DONE]
    assert kinds(events) == [*OPENED, *first, *CALL, *CALL_DONE, "completed"]
    assert [item["arguments"] for item in events[-1]["response"]["output"]] == ['{"x":1}', '{"y":2}']


def test_calls_that_a_vendor_closes_are_told_at_once() -> None:
    encoder = stream_encoder(parse_request(request()), Named())
    for event in (ToolCallStart(0, 0, "a", "f"), ToolCallDelta(0, 0, "{}"), PartEnd(0)):
        encoder.encode(event)
    assert b"response.output_item.added" in encoder.encode(ToolCallStart(0, 1, "b", "g"))


def test_two_calls_of_one_id_stay_two() -> None:
    events = streamed(ToolCallStart(0, 0, "a", "f"), PartEnd(0), ToolCallStart(0, 1, "a", "f"), CALLS)
    assert len({item["call_id"] for item in events[-1]["response"]["output"]}) == 2


def test_parts_in_any_order_become_items_in_that_order() -> None:
    events = streamed(
        TextDelta(0, "a"),
        ToolCallStart(0, 0, "c", "f", "{}"),
        PartEnd(0),
        TextDelta(0, "b"),
        ThinkingDelta(0, "hm"),
        TextDelta(0, "c"),
        NativeDelta(0, "somebody_else", {}, {}),
        STOP,
    )
    output = events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["message", "function_call", "message", "reasoning", "message"]
    assert [event["output_index"] for event in events if "item" in event] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_text_behind_a_call_that_is_still_open_loses_nothing() -> None:
    events = streamed(
        ToolCallStart(0, 0, "c", "f"),
        TextDelta(0, "b"),
        PartEnd(0),
        TextDelta(0, "c"),
        ToolCallDelta(0, 0, "{}"),
        CALLS,
    )
    call, message = events[-1]["response"]["output"]
    assert call["arguments"] == "{}"
    assert [part["text"] for part in message["content"]] == ["b", "c"]
    message_told = [*TEXT, *TEXT_DONE[:2], *TEXT[1:], *TEXT_DONE]
    assert kinds(events) == [*OPENED, *CALL, *CALL_DONE, *message_told, "completed"]


def test_parts_of_text_are_parts_of_one_message() -> None:
    events = streamed(TextDelta(0, "a"), PartEnd(0), TextDelta(0, "b"), PartEnd(0), STOP)
    assert [event["content_index"] for event in events if event["type"] == "response.output_text.delta"] == [0, 1]
    assert len(events[-1]["response"]["output"]) == 1


def test_a_call_in_a_namespace_is_given_back_by_both_names() -> None:
    space = {"type": "namespace", "name": "agents", "description": "", "tools": [{"type": "function", "name": "spawn"}]}
    events = streamed(ToolCallStart(0, 0, "c", "agents__spawn", "{}"), CALLS, tools=[space])
    assert [(event["item"]["name"], event["item"]["namespace"]) for event in events if "item" in event] == [
        ("spawn", "agents")
    ] * 2


def test_a_call_of_a_tool_that_stood_in_the_input_is_given_back_by_both_names() -> None:
    space = {"type": "namespace", "name": "functions", "description": "", "tools": [{"type": "custom", "name": "exec"}]}
    items = [{"type": "additional_tools", "role": "developer", "tools": [space]}, {"role": "user", "content": "hi"}]
    item = streamed(ToolCallStart(0, 0, "c", "functions__exec", "1+1"), CALLS, input=items)[-2]["item"]
    assert (item["type"], item["name"], item["namespace"]) == ("custom_tool_call", "exec", "functions")
    assert item["input"] == "1+1"


@pytest.mark.parametrize("arguments", ['{"input":"*** Begin"}', "*** Begin"])
def test_a_custom_tool_gets_its_free_text(arguments: str) -> None:
    tools = [{"type": "custom", "name": "p"}]
    events = streamed(ToolCallStart(0, 0, "c", "p"), ToolCallDelta(0, 0, arguments), CALLS, tools=tools)
    told = ["output_item.added", "custom_tool_call_input.delta", "custom_tool_call_input.done", "output_item.done"]
    assert kinds(events) == [*OPENED, *told, "completed"]
    assert (events[3]["delta"], events[4]["input"], events[5]["item"]["input"]) == ("*** Begin",) * 3


def test_a_search_for_tools_is_an_item_for_the_client() -> None:
    tools = [{"type": "tool_search", "execution": "client", "description": "d", "parameters": {}}]
    events = streamed(ToolCallStart(0, 0, "c", "tool_search", '{"q":"x"}'), CALLS, tools=tools)
    assert kinds(events) == [*OPENED, "output_item.added", "output_item.done", "completed"]
    assert events[3]["item"]["type"] == "tool_search_call"
    assert events[3]["item"]["arguments"] == {"q": "x"}


@pytest.mark.parametrize(
    ("reason", "word"),
    [(FinishReason.LENGTH, "max_output_tokens"), (FinishReason.CONTENT_FILTER, "content_filter")],
)
def test_an_answer_cut_short_is_incomplete(reason: FinishReason, word: str) -> None:
    events = streamed(ThinkingDelta(0, "hm"), TextDelta(0, "Hel"), Finish(0, reason))
    assert kinds(events)[-4:] == [*TEXT_DONE, "incomplete"]
    response = events[-1]["response"]
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": word})
    assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]
    assert response["usage"]["output_tokens"] == 30


def test_a_call_cut_short_is_not_completed_with_arguments_of_ours() -> None:
    events = streamed(ToolCallStart(0, 0, "c", "f"), Finish(0, FinishReason.LENGTH))
    item = events[-1]["response"]["output"][0]
    assert (item["status"], item["arguments"]) == ("incomplete", "")


def test_a_failure_closes_the_text_and_fails_the_response() -> None:
    events = streamed(TextDelta(0, "Hel"), error=Garbled("the answer broke off"))
    assert kinds(events) == [*OPENED, *TEXT, *TEXT_DONE, "failed"]
    response = events[-1]["response"]
    assert response["status"] == "failed"
    assert (response["error"]["code"], response["error"]["message"]) == ("server_error", "the answer broke off")
    assert response["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize("more", [(), (ToolCallStart(0, 1, "d", "g", "{}"),)])
def test_a_failure_never_hands_out_half_a_call(more: tuple[ChatEvent, ...]) -> None:
    events = streamed(TextDelta(0, "x"), ToolCallStart(0, 0, "c", "f", '{"rm":'), *more, error=Garbled("cut"))
    assert kinds(events) == [*OPENED, *TEXT, *TEXT_DONE, *CALL, "failed"]
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["message"]


def test_a_failure_before_any_event_still_opens_the_response() -> None:
    assert kinds(streamed(error=Garbled("nothing"))) == [*OPENED, "failed"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Throttled("busy"), "rate_limit_exceeded"),
        (InvalidRequest("no"), "invalid_prompt"),
        (Garbled("x"), "server_error"),
    ],
)
def test_a_failure_has_a_code_that_clients_know(error: KymaError, code: str) -> None:
    assert streamed(error=error)[-1]["response"]["error"]["code"] == code


def test_an_empty_answer_is_complete() -> None:
    events = streamed(TextDelta(0, ""), STOP)
    assert kinds(events) == [*OPENED, "completed"]
    assert events[-1]["response"]["output"] == []


def test_further_answers_are_not_of_this_dialect() -> None:
    assert kinds(streamed(TextDelta(1, "x"), Finish(1, FinishReason.LENGTH), STOP)) == [*OPENED, "completed"]


def test_keep_alive_is_a_comment() -> None:
    assert stream_encoder(parse_request(request()), Named()).keep_alive().startswith(b": ")


def test_stream_and_whole_answer_say_the_same() -> None:
    parts = (ThinkingPart("hm", "sig", "x"), TextPart("so"), ToolCallPart("c", "f", "{}"), ToolCallPart("d", "g", ""))
    events = streamed(
        ThinkingDelta(0, "h"), ThinkingDelta(0, "m"), SignatureDelta(0, "sig", "x"), TextDelta(0, "so"),
        ToolCallStart(0, 0, "c", "f", "{}"), ToolCallStart(0, 1, "d", "g"), CALLS, **ENCRYPTED,
    )  # fmt: skip
    assert whole(*parts, **ENCRYPTED) == events[-1]["response"]


@st.composite
def events_of_any_order(draw: st.DrawFn) -> list[ChatEvent]:
    """Calls start in order; all else comes as it likes."""
    events: list[ChatEvent] = []
    calls = 0
    for kind in draw(st.lists(st.sampled_from("tThsrcdde"), max_size=25)):
        index = draw(st.integers(0, max(0, calls - 1)))
        match kind:
            case "t":
                events.append(TextDelta(0, draw(st.sampled_from(["", "a", "ü\n"]))))
            case "T":
                events.append(ThinkingDelta(0, "b"))
            case "s" | "r":
                events.append(SignatureDelta(0, "sig", "x", is_redacted=kind == "r"))
            case "c":
                events.append(ToolCallStart(0, calls, f"c{calls}", draw(st.sampled_from(["f", "p", "tool_search"]))))
                calls += 1
            case "d" if calls:
                events.append(ToolCallDelta(0, index, "1"))
            case "e":
                events.append(PartEnd(0))
    return [*events, Finish(0, draw(st.sampled_from(FinishReason)))]


@settings(max_examples=60, deadline=None)
@given(events_of_any_order(), st.booleans())
def test_any_order_of_events_makes_a_correct_stream(events: list[ChatEvent], is_broken: bool) -> None:
    tools: Any = [function("f"), {"type": "custom", "name": "p"}, {"type": "tool_search", "execution": "client"}]
    if is_broken:
        events.pop()
    told = streamed(*events, error=Garbled("x") if is_broken else None, tools=tools, **ENCRYPTED)
    state = ResponseStreamState[None](input_tools=omit, text_format=omit)
    opened: list[int] = []
    for event in told:
        state.handle_event(EVENT.validate_python(event))
        if event["type"] == "response.output_item.added":
            assert not opened
            opened.append(event["output_index"])
        elif event["type"] == "response.output_item.done":
            assert opened.pop() == event["output_index"]
    if is_broken:
        return
    assert not opened
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text == "".join(event["delta"] for event in told if event["type"] == "response.output_text.delta")


def test_the_answer_repeats_the_settings_it_was_asked_with() -> None:
    tools = [function("f"), {"type": "web_search"}]
    asked: Any = {"instructions": "be brief", "tools": tools, "tool_choice": "required", "parallel_tool_calls": False,
             "metadata": {"a": "b"}, "reasoning": {"effort": "low"}, "top_p": 0.5, "max_output_tokens": 9}  # fmt: skip
    answer = whole(TextPart("x"), **asked)
    assert {name: answer[name] for name in asked} == asked
    assert (answer["store"], answer["previous_response_id"], answer["error"]) == (False, None, None)


def test_the_answer_says_what_holds_where_nothing_was_asked() -> None:
    answer = whole(TextPart("x"), text={"verbosity": "low"})
    assert (answer["tools"], answer["tool_choice"], answer["parallel_tool_calls"]) == ([], "auto", True)
    assert (answer["metadata"], answer["instructions"]) == ({}, None)
    assert answer["text"] == {"verbosity": "low", "format": {"type": "text"}}


def test_errors_have_openais_envelope() -> None:
    assert json.loads(render_error(InvalidRequest("no", param="input"))) == {
        "error": {"message": "no", "type": "invalid_request", "param": "input", "code": "invalid_request"}
    }
