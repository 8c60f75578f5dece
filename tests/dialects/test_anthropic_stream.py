"""Anthropic's streams, cut at every byte, and the streams we make of everyone's events."""

import json
import random
from dataclasses import dataclass
from typing import Any

import pytest
from anthropic.types import RawMessageStreamEvent
from pydantic import TypeAdapter

from kyma.core.answer import (
    Bill,
    ChatEvent,
    Finish,
    FinishReason,
    NativeDelta,
    PartEnd,
    RefusalDelta,
    SignatureDelta,
    StreamFailure,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.errors import Bug, Garbled, RefusedUs, Rejected, Throttled, UpstreamFailed, UpstreamTimeout
from kyma.core.model import Quirks, Usage
from kyma.dialects.anthropic_messages import NAME, parse_request, stream_decoder, stream_encoder


def frame(**event: object) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def start(index: int, **block: object) -> bytes:
    return frame(type="content_block_start", index=index, content_block=block)


def delta(index: int, **said: object) -> bytes:
    return frame(type="content_block_delta", index=index, delta=said)


def stop(index: int) -> bytes:
    return frame(type="content_block_stop", index=index)


def begin(**usage: object) -> bytes:
    message: dict[str, object] = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage or {"input_tokens": 25, "output_tokens": 1},
    }
    return frame(type="message_start", message=message)


def end(reason: str | None = "end_turn", sequence: str | None = None, **usage: object) -> bytes:
    ended = {"stop_reason": reason, "stop_sequence": sequence}
    return frame(type="message_delta", delta=ended, usage=usage or {"output_tokens": 15}) + frame(type="message_stop")


PLAIN = (
    begin(input_tokens=10, cache_read_input_tokens=4, cache_creation_input_tokens=2, output_tokens=1)
    + start(0, type="text", text="")
    + frame(type="ping")
    + delta(0, type="text_delta", text="Hel")
    + delta(0, type="text_delta", text="lo ümlaut")
    + stop(0)
    + end("stop_sequence", "END", output_tokens=15)
)
PLAIN_EVENTS: list[ChatEvent] = [
    UsageReport(Usage(10, 4, 2, 1, 0)),
    TextDelta(0, "Hel"),
    TextDelta(0, "lo ümlaut"),
    PartEnd(0),
    UsageReport(Usage(10, 4, 2, 15, 0)),
    Finish(0, FinishReason.STOP, "stop_sequence", NAME, "END"),
]

THINKING = (
    begin()
    + start(0, type="thinking", thinking="", signature="")
    + delta(0, type="thinking_delta", thinking="let me see")
    + delta(0, type="signature_delta", signature="EqQBCgIYAhIM1gbcDa9GJwZA2b3h==")
    + stop(0)
    + start(1, type="redacted_thinking", data="EmwKAhgBEgy3va3pzix/LafPsn4a")
    + stop(1)
    + start(2, type="tool_use", id="toolu_01", name="get_weather", input={})
    + delta(2, type="input_json_delta", partial_json="")
    + delta(2, type="input_json_delta", partial_json='{"city": "Pa')
    + delta(2, type="input_json_delta", partial_json='ris"}')
    + stop(2)
    + start(3, type="tool_use", id="toolu_02", name="now", input={})
    + delta(3, type="input_json_delta", partial_json="")
    + stop(3)
    + end("tool_use", output_tokens=89, output_tokens_details={"thinking_tokens": 30})
)
THINKING_EVENTS: list[ChatEvent] = [
    UsageReport(Usage(25, 0, 0, 1, 0)),
    ThinkingDelta(0, "let me see"),
    SignatureDelta(0, "EqQBCgIYAhIM1gbcDa9GJwZA2b3h==", NAME),
    PartEnd(0),
    SignatureDelta(0, "EmwKAhgBEgy3va3pzix/LafPsn4a", NAME, is_redacted=True),
    PartEnd(0),
    ToolCallStart(0, 0, "toolu_01", "get_weather"),
    ToolCallDelta(0, 0, '{"city": "Pa'),
    ToolCallDelta(0, 0, 'ris"}'),
    PartEnd(0),
    ToolCallStart(0, 1, "toolu_02", "now"),
    ToolCallDelta(0, 1, "{}"),
    PartEnd(0),
    UsageReport(Usage(25, 0, 0, 89, 30)),
    Finish(0, FinishReason.TOOL_CALLS, None, NAME),
]

SEARCH_RESULT = {
    "type": "web_search_result",
    "title": "T",
    "url": "https://example.com",
    "encrypted_content": "x",
    "page_age": None,
}
CITATION = {
    "type": "web_search_result_location",
    "cited_text": "c",
    "encrypted_index": "i",
    "title": "T",
    "url": "https://example.com",
}
SERVER_TOOLS = (
    begin()
    + start(0, type="server_tool_use", id="srvtoolu_1", name="web_search", input={})
    + delta(0, type="input_json_delta", partial_json='{"query":"x"}')
    + stop(0)
    + start(1, type="web_search_tool_result", tool_use_id="srvtoolu_1", content=[SEARCH_RESULT])
    + stop(1)
    + start(2, type="text", text="")
    + delta(2, type="text_delta", text="It is so.")
    + delta(2, type="citations_delta", citation=CITATION)
    + stop(2)
    + end("pause_turn")
)


def decode(stream: bytes, size: int | None = None) -> list[ChatEvent]:
    decoder = stream_decoder(Quirks())
    pieces = [stream] if size is None else [stream[at : at + size] for at in range(0, len(stream), size)]
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


@pytest.mark.parametrize(
    ("stream", "events"),
    [(PLAIN, PLAIN_EVENTS), (THINKING, THINKING_EVENTS), (PLAIN.replace(b"\n", b"\r\n"), PLAIN_EVENTS)],
)
def test_a_stream_reads_the_same_wherever_it_is_cut_in_two(stream: bytes, events: list[ChatEvent]) -> None:
    for at in range(len(stream)):
        decoder = stream_decoder(Quirks())
        assert decoder.feed(stream[:at]) + decoder.feed(stream[at:]) + decoder.close() == events


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, None])
def test_a_stream_reads_the_same_in_pieces_of_any_size(size: int | None) -> None:
    assert decode(THINKING, size) == THINKING_EVENTS
    assert decode(SERVER_TOOLS, size) == decode(SERVER_TOOLS)


def test_a_stream_cut_anywhere_before_message_stop_is_a_failure() -> None:
    last = THINKING.index(b'"message_stop"}')
    for at in range(0, last, 3):
        events = decode(THINKING[:at])
        assert isinstance(events[-1], StreamFailure)
        assert isinstance(events[-1].error, Garbled)


def test_nothing_follows_a_failure() -> None:
    decoder = stream_decoder(Quirks())
    events = decoder.feed(begin() + b"data: {nonsense\n\n")
    assert isinstance(events[-1], StreamFailure)
    assert decoder.feed(PLAIN) == []
    assert decoder.close() == []


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("overloaded_error", Throttled),
        ("rate_limit_error", Throttled),
        ("api_error", UpstreamFailed),
        ("something_new", UpstreamFailed),
        ("authentication_error", RefusedUs),
        ("billing_error", RefusedUs),
        ("invalid_request_error", Rejected),
        ("timeout_error", UpstreamTimeout),
    ],
)
def test_an_error_event_is_a_failure_of_its_type(kind: str, error: type) -> None:
    events = decode(begin() + frame(type="error", error={"type": kind, "message": "boom"}))
    assert isinstance(events[-1], StreamFailure)
    assert type(events[-1].error) is error


def test_a_stop_reason_that_nobody_knows_is_a_failure() -> None:
    assert isinstance(decode(begin() + end("exploded"))[-1], StreamFailure)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", FinishReason.STOP),
        ("pause_turn", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("refusal", FinishReason.CONTENT_FILTER),
    ],
)
def test_stop_reasons_keep_their_own_word(word: str, reason: FinishReason) -> None:
    assert decode(begin() + end(word))[-1] == Finish(0, reason, word, NAME)


def test_a_turn_with_calls_that_says_end_turn_ends_in_calls() -> None:
    stream = begin() + start(0, type="tool_use", id="t", name="f", input={"x": 1}) + stop(0) + end("end_turn")
    events = decode(stream)
    assert events[-1] == Finish(0, FinishReason.TOOL_CALLS, None, NAME)
    assert ToolCallDelta(0, 0, '{"x": 1}') in events


def test_input_in_the_start_of_a_block_gives_way_to_deltas() -> None:
    stream = begin() + start(0, type="tool_use", id="t", name="f", input={"x": 1})
    stream += delta(0, type="input_json_delta", partial_json='{"x":1}') + stop(0) + end("tool_use")
    assert [event for event in decode(stream) if isinstance(event, ToolCallDelta)] == [ToolCallDelta(0, 0, '{"x":1}')]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ({"input_tokens": 7, "output_tokens": 1}, {"output_tokens": 9}, Usage(7, 0, 0, 9, 0)),
        ({"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 7, "output_tokens": 9}, Usage(7, 0, 0, 9, 0)),
        ({"input_tokens": 7, "output_tokens": 0}, {"input_tokens": 0, "output_tokens": 9}, Usage(7, 0, 0, 9, 0)),
        (
            {"input_tokens": 7, "output_tokens": 0},
            {"input_tokens": 2, "cache_read_input_tokens": 5, "output_tokens": 9},
            Usage(2, 5, 0, 9, 0),
        ),
        (
            {
                "input_tokens": 7,
                "output_tokens": 0,
                "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 2},
            },
            {"output_tokens": 9, "cache_read_input_tokens": None},
            Usage(7, 0, 3, 9, 0, 2),
        ),
    ],
)
def test_reports_are_cumulative(first: dict[str, object], last: dict[str, Any], expected: Usage) -> None:
    reports = [event for event in decode(begin(**first) + end(**last)) if isinstance(event, UsageReport)]
    assert reports[-1] == UsageReport(expected)


@pytest.mark.parametrize("figure", [-1, 1.5, "1", True, 10**30])
def test_nonsense_usage_is_reported_as_invalid_for_good(figure: object) -> None:
    events = decode(begin(input_tokens=figure, output_tokens=1) + end(output_tokens=3))
    reports = [event for event in events if isinstance(event, UsageReport)]
    assert [report.is_valid for report in reports] == [False, False]


@dataclass(frozen=True)
class Reply:
    request_id: str = "req_abc"
    model_id: str = "claude-sonnet-4-6"
    created: int = 1779000000
    input_estimate: int = 12


BODY = {"model": "m", "max_tokens": 5, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
REQUEST = parse_request(json.dumps(BODY).encode())
BILL = Bill(Usage(8, 4, 2, 3, 1), 350_000, 622_000, is_estimated=False)


def encode(events: list[ChatEvent]) -> bytes:
    encoder = stream_encoder(REQUEST, Reply())
    return b"".join(map(encoder.encode, events)) + encoder.end(BILL)


def frames(stream: bytes) -> list[dict[str, Any]]:
    """The events of a stream, each of them as Anthropic frames and types it."""
    said: list[dict[str, Any]] = []
    for block in stream.decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        if event["type"] != "ping":
            TypeAdapter(RawMessageStreamEvent).validate_python(event)
        said.append(event)
    return said


def contents(events: list[ChatEvent]) -> list[dict[str, Any]]:
    """The blocks that a client puts together; blocks must follow one another and never overlap."""
    blocks: list[dict[str, Any]] = []
    open_index: int | None = None
    for event in frames(encode(events)):
        match event["type"]:
            case "content_block_start":
                assert open_index is None
                open_index = event["index"]
                assert open_index == len(blocks)
                blocks.append({**event["content_block"], "arguments": ""})
            case "content_block_delta":
                assert event["index"] == open_index
                said, block = event["delta"], blocks[-1]
                match said["type"]:
                    case "text_delta":
                        block["text"] += said["text"]
                    case "thinking_delta":
                        block["thinking"] += said["thinking"]
                    case "signature_delta":
                        block["signature"] = said["signature"]
                    case "input_json_delta":
                        block["arguments"] += said["partial_json"]
            case "content_block_stop":
                assert event["index"] == open_index
                open_index = None
            case "message_delta":
                assert open_index is None
    return blocks


def test_a_stream_has_its_events_in_order() -> None:
    assert [event["type"] for event in frames(encode(PLAIN_EVENTS))] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_a_stream_starts_with_the_reported_input_and_ends_with_the_bill() -> None:
    said = frames(encode(PLAIN_EVENTS))
    assert said[0]["message"]["usage"]["input_tokens"] == 10
    assert said[0]["message"]["usage"]["cache_read_input_tokens"] == 4
    assert (said[0]["message"]["id"], said[0]["message"]["model"]) == ("msg_abc", "claude-sonnet-4-6")
    assert said[-2]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert said[-2]["usage"] == {
        "input_tokens": 8,
        "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": 2,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"thinking_tokens": 1},
        "cost": 0.00035,
        "cache_discount": 0.000622,
    }


def test_a_stream_starts_with_an_estimate_where_nothing_is_reported_yet() -> None:
    said = frames(encode([TextDelta(0, "x"), Finish(0, FinishReason.STOP), UsageReport(Usage(9, 0, 0, 1, 0))]))
    assert said[0]["message"]["usage"]["input_tokens"] == 12
    assert said[-2]["usage"]["input_tokens"] == 8


def test_the_first_block_is_of_the_kind_that_comes_first() -> None:
    call: list[ChatEvent] = [
        ToolCallStart(0, 0, "a", "f"),
        ToolCallDelta(0, 0, "{}"),
        Finish(0, FinishReason.TOOL_CALLS),
    ]
    assert [block["type"] for block in contents([TextDelta(0, ""), ThinkingDelta(0, ""), *call])] == ["tool_use"]


@pytest.mark.parametrize("events", [PLAIN_EVENTS, THINKING_EVENTS, decode(SERVER_TOOLS)])
def test_what_we_write_reads_back_as_the_same_events(events: list[ChatEvent]) -> None:
    spoken = [event for event in events if not isinstance(event, UsageReport)]
    read = [event for event in decode(encode(events)) if not isinstance(event, UsageReport)]
    assert read == spoken


def test_server_tools_pass_through_with_their_blocks() -> None:
    blocks = contents(decode(SERVER_TOOLS))
    assert [block["type"] for block in blocks] == ["server_tool_use", "web_search_tool_result", "text"]
    assert blocks[0]["arguments"] == '{"query":"x"}'
    assert CITATION in [
        event["delta"].get("citation") for event in frames(encode(decode(SERVER_TOOLS))) if "delta" in event
    ]
    assert frames(encode(decode(SERVER_TOOLS)))[-2]["delta"]["stop_reason"] == "pause_turn"


def test_why_a_refusal_was_one_passes_through() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "no"}
    ended = {"stop_reason": "refusal", "stop_sequence": None, "stop_details": details}
    stream = begin() + frame(type="message_delta", delta=ended, usage={"output_tokens": 3}) + frame(type="message_stop")
    assert frames(encode(decode(stream)))[-2]["delta"] == ended


def test_calls_that_come_interleaved_are_told_one_after_the_other() -> None:
    events: list[ChatEvent] = [
        TextDelta(0, "I look."),
        ToolCallStart(0, 0, "a", "f"),
        ToolCallDelta(0, 0, '{"x":'),
        ToolCallStart(0, 1, "b", "g", '{"y"'),
        ToolCallStart(0, 2, "c", "h"),
        ToolCallDelta(0, 2, "{}"),
        ToolCallDelta(0, 0, "1}"),
        ToolCallDelta(0, 1, ":2}"),
        TextDelta(0, "Done."),
        Finish(0, FinishReason.TOOL_CALLS),
    ]
    blocks = contents(events)
    assert [block["type"] for block in blocks] == ["text", "tool_use", "tool_use", "tool_use", "text"]
    assert [block["arguments"] for block in blocks[1:4]] == ['{"x":1}', '{"y":2}', "{}"]
    assert [block["input"] for block in blocks[1:4]] == [{}, {}, {}]


def test_calls_that_come_one_after_the_other_are_not_held_back() -> None:
    encoder = stream_encoder(REQUEST, Reply())
    for event in (ToolCallStart(0, 0, "a", "f"), ToolCallDelta(0, 0, '{"x":{}}')):
        assert encoder.encode(event)
    assert b'"id":"b"' in encoder.encode(ToolCallStart(0, 1, "b", "g"))
    assert b"partial_json" in encoder.encode(ToolCallDelta(0, 1, '{"y'))


def test_a_call_without_arguments_does_not_swallow_what_follows() -> None:
    events: list[ChatEvent] = [ToolCallStart(0, 0, "a", "f"), ToolCallStart(0, 1, "b", "g", '{"y":2}')]
    assert [block["arguments"] for block in contents(events)] == ["", '{"y":2}']


def test_each_signature_comes_just_before_its_block_stops() -> None:
    said = frames(encode(THINKING_EVENTS))
    at = next(i for i, event in enumerate(said) if event.get("delta", {}).get("type") == "signature_delta")
    assert said[at]["delta"]["signature"] == "EqQBCgIYAhIM1gbcDa9GJwZA2b3h=="
    assert said[at + 1]["type"] == "content_block_stop"


def test_thoughts_of_other_dialects_carry_the_way_home() -> None:
    events: list[ChatEvent] = [
        ThinkingDelta(0, "hm"),
        SignatureDelta(0, "gAAA", "openai_responses"),
        SignatureDelta(0, "only", "openai_responses"),
        ToolCallStart(0, 0, "a", "f", "{}", signature="CiQ", origin="gemini"),
        Finish(0, FinishReason.STOP),
    ]
    blocks = contents(events)
    assert [block.get("signature") for block in blocks] == [
        "kyma.openai_responses.gAAA",
        "kyma.openai_responses.only",
        "kyma.gemini#call.CiQ",
        None,
    ]
    assert [block["type"] for block in blocks] == ["thinking", "thinking", "thinking", "tool_use"]


def test_thought_after_speech_is_a_block_of_its_own() -> None:
    events: list[ChatEvent] = [
        TextDelta(0, "a"),
        ThinkingDelta(0, "b"),
        TextDelta(0, "c"),
        PartEnd(0),
        TextDelta(0, "d"),
    ]
    assert [block["type"] for block in contents(events)] == ["text", "thinking", "text", "text"]


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (FinishReason.STOP, "end_turn"),
        (FinishReason.LENGTH, "max_tokens"),
        (FinishReason.TOOL_CALLS, "tool_use"),
        (FinishReason.CONTENT_FILTER, "refusal"),
    ],
)
def test_finish_reasons_of_other_dialects_are_said_in_ours(reason: FinishReason, word: str) -> None:
    finish = Finish(0, reason, "their_word", "openai_responses")
    assert frames(encode([TextDelta(0, "x"), finish]))[-2]["delta"]["stop_reason"] == word


def test_what_only_other_dialects_know_is_left_out() -> None:
    alien = NativeDelta(0, "openai_chat", {}, {})
    assert contents([TextDelta(0, "a"), alien, TextDelta(0, "b"), TextDelta(1, "no")])[0]["text"] == "ab"


def test_a_broken_stream_ends_in_an_error_event() -> None:
    encoder = stream_encoder(REQUEST, Reply())
    encoder.encode(TextDelta(0, "x"))
    assert frames(encoder.keep_alive()) == [{"type": "ping"}]
    data = encoder.error(Bug("sorry"))
    assert data == b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"sorry"}}\n\n'


def test_an_empty_answer_is_still_a_whole_stream() -> None:
    assert [event["type"] for event in frames(encode([]))] == ["message_start", "message_delta", "message_stop"]


def test_a_refusal_in_pieces_is_one_block_beside_the_text() -> None:
    said = contents([TextDelta(0, "Well"), RefusalDelta(0, "I must "), RefusalDelta(0, "not")])
    assert [block["text"] for block in said] == ["Well", "I must not"]


def test_thought_that_a_vendor_left_in_the_text_is_moved_out_of_it() -> None:
    pieces = [delta(0, type="text_delta", text=piece) for piece in ("<thi", "nk>hm</th", "ink>\n\nIt", " is 4.")]
    events = decode(begin() + start(0, type="text", text="") + b"".join(pieces) + stop(0) + end())
    assert [event.text for event in events if isinstance(event, ThinkingDelta)] == ["hm"]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "It is 4."


def test_who_called_a_tool_passes_through() -> None:
    caller = {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}
    block = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}, "caller": caller}
    stream = begin() + start(0, **block) + stop(0) + end("tool_use")
    assert contents(decode(stream))[0]["caller"] == caller


@pytest.mark.parametrize("seed", range(60))
def test_blocks_never_overlap_and_lose_nothing_in_any_order_of_events(seed: int) -> None:
    chance = random.Random(seed)
    arguments = {index: json.dumps({"call": index, "text": "x{}" * index}) for index in range(4)}
    left = {index: [text[at : at + 5] for at in range(0, len(text), 5)] for index, text in arguments.items()}
    unopened, events = list(arguments), list[ChatEvent]()
    words: list[str] = []
    while unopened or any(left.values()):
        kind, opened = chance.randrange(6), [index for index in arguments if index not in unopened and left[index]]
        if kind == 0 and unopened:
            index = unopened.pop(0)
            events.append(ToolCallStart(0, index, f"call_{index}", "f"))
        elif kind in (1, 2, 3) and opened:
            index = chance.choice(opened)
            events.append(ToolCallDelta(0, index, left[index].pop(0)))
        elif kind == 4:
            words.append(f"w{len(events)}")
            events.append(TextDelta(0, words[-1]))
        elif kind == 5:
            events.append(ThinkingDelta(0, "hm") if chance.random() < 0.5 else UsageReport(Usage(1, 0, 0, 1, 0)))
    blocks = contents([*events, Finish(0, FinishReason.TOOL_CALLS)])
    calls = [block for block in blocks if block["type"] == "tool_use"]
    assert {block["id"]: block["arguments"] for block in calls} == {f"call_{i}": text for i, text in arguments.items()}
    assert "".join(block["text"] for block in blocks if block["type"] == "text") == "".join(words)
