"""Vendors' streams, cut at every byte, and the streams we make of them."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from kyma.core.answer import (
    Bill,
    ChatEvent,
    Finish,
    FinishReason,
    StreamFailure,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.errors import Garbled, Throttled, UpstreamFailed
from kyma.core.model import Quirks, Usage
from kyma.dialects.openai_chat import parse_request, stream_decoder, stream_encoder


def chunk(delta: object = None, finish: str | None = None, **outer: object) -> bytes:
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "x", "object": "chat.completion.chunk", "choices": [choice], **outer}).encode()


USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}
DONE = b"data: [DONE]"

PLAIN = b"\n\n".join(
    [
        chunk({"role": "assistant", "content": ""}),
        b": keep-alive",
        chunk({"content": "Hel"}),
        chunk({"content": "lo ümlaut"}),
        chunk(finish="stop"),
        b'data: {"choices":[],"usage":' + json.dumps(USAGE).encode() + b"}",
        DONE,
        b"",
    ]
)
PLAIN_EVENTS: list[ChatEvent] = [
    TextDelta(0, "Hel"),
    TextDelta(0, "lo ümlaut"),
    Finish(0, FinishReason.STOP),
    UsageReport(Usage(8, 4, 0, 3, 0)),
]

TOOLS = b"\r\n\r\n".join(
    [
        chunk(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}],
            }
        ),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"x":'}}]}),
        chunk({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
        chunk({"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}),
        chunk(finish="tool_calls"),
        DONE,
        b"",
    ]
)
TOOLS_EVENTS: list[ChatEvent] = [
    ToolCallStart(0, 0, "a", "f"),
    ToolCallDelta(0, 0, '{"x":'),
    ToolCallStart(0, 1, "b", "g"),
    ToolCallDelta(0, 0, "1}"),
    ToolCallDelta(0, 1, "{}"),
    Finish(0, FinishReason.TOOL_CALLS),
]


def decode(stream: bytes, size: int | None = None, quirks: Quirks | None = None) -> list[ChatEvent]:
    decoder = stream_decoder(quirks or Quirks())
    pieces = [stream] if size is None else [stream[at : at + size] for at in range(0, len(stream), size)]
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close()


@pytest.mark.parametrize(("stream", "events"), [(PLAIN, PLAIN_EVENTS), (TOOLS, TOOLS_EVENTS)])
def test_a_stream_reads_the_same_wherever_it_is_cut_in_two(stream: bytes, events: list[ChatEvent]) -> None:
    for at in range(len(stream)):
        decoder = stream_decoder(Quirks())
        assert decoder.feed(stream[:at]) + decoder.feed(stream[at:]) + decoder.close() == events


@pytest.mark.parametrize("size", [1, 2, 3, 7, None])
def test_a_stream_reads_the_same_in_pieces_of_any_size(size: int | None) -> None:
    assert decode(PLAIN, size) == PLAIN_EVENTS


def test_a_stream_cut_before_its_end_is_a_failure() -> None:
    end = PLAIN.index(b'"finish_reason": "stop"')
    for at in range(1, end, 5):
        events = decode(PLAIN[:at])
        assert isinstance(events[-1], StreamFailure)
        assert isinstance(events[-1].error, Garbled)


def test_a_stream_without_done_is_complete_once_it_has_finished() -> None:
    assert decode(chunk({"content": "x"}) + b"\n\n" + chunk(finish="stop") + b"\n\n") == [
        TextDelta(0, "x"),
        Finish(0, FinishReason.STOP),
    ]


def test_a_last_event_of_several_lines_may_lack_its_blank_line() -> None:
    decoder = stream_decoder(Quirks())
    assert decoder.feed(chunk(finish="stop").replace(b', "choices"', b',\ndata: "choices"')) == []
    assert decoder.close() == [Finish(0, FinishReason.STOP)]


def test_a_broken_chunk_is_a_failure_after_what_came_before_it() -> None:
    events = decode(chunk({"content": "x"}) + b'\n\ndata: {"choices": [{"del\n\n' + chunk({"content": "y"}) + b"\n\n")
    assert events[0] == TextDelta(0, "x")
    assert isinstance(events[1], StreamFailure)
    assert len(events) == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "boom"}, UpstreamFailed),
        ("boom", UpstreamFailed),
        ({"code": 429, "message": "slow down"}, Throttled),
    ],
)
def test_an_error_object_in_the_stream_is_a_failure(error: object, kind: type) -> None:
    events = decode(b"data: " + json.dumps({"error": error}).encode() + b"\n\n")
    assert isinstance(events[-1], StreamFailure)
    assert type(events[-1].error) is kind


def test_a_finish_reason_that_means_failure_is_one() -> None:
    events = decode(chunk({"content": "x"}) + b"\n\n" + chunk(finish="insufficient_system_resource") + b"\n\n")
    assert isinstance(events[-1], StreamFailure)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_read_under_either_name(field: str) -> None:
    stream = b"\n\n".join([chunk({field: "hm"}), chunk({"content": "yes"}), chunk(finish="stop"), b""])
    assert decode(stream)[:2] == [ThinkingDelta(0, "hm"), TextDelta(0, "yes")]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_a_leading_think_tag_moves_out_of_the_content(size: int) -> None:
    text = "<think>\nlet me see</think>\n\nIt is <think> 4."
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    stream = b"\n\n".join([*(chunk({"content": piece}) for piece in pieces), chunk(finish="stop"), b""])
    events = decode(stream)
    assert "".join(e.text for e in events if isinstance(e, ThinkingDelta)) == "\nlet me see"
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "It is <think> 4."


def test_content_is_thought_from_the_start_where_the_template_opens_the_tag() -> None:
    stream = b"\n\n".join([chunk({"content": "hm</thi"}), chunk({"content": "nk>yes"}), chunk(finish="stop"), b""])
    events = decode(stream, quirks=Quirks(thinks_first=True))
    assert events[:2] == [ThinkingDelta(0, "hm"), TextDelta(0, "yes")]


def test_text_that_only_looks_like_a_tag_is_not_lost() -> None:
    stream = b"\n\n".join([chunk({"content": "<thi"}), chunk({"content": "s>"}), chunk(finish="stop"), b""])
    assert "".join(e.text for e in decode(stream) if isinstance(e, TextDelta)) == "<this>"


def test_calls_without_index_are_told_apart_by_id() -> None:
    stream = b"\n\n".join(
        [
            chunk({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]}),
            chunk({"tool_calls": [{"id": "b", "function": {"name": "g", "arguments": "{}"}}]}),
            chunk(finish="stop"),
            b"",
        ]
    )
    events = decode(stream)
    assert [e.id for e in events if isinstance(e, ToolCallStart)] == ["a", "b"]
    assert [e.index for e in events if isinstance(e, ToolCallStart)] == [0, 1]
    assert events[-1] == Finish(0, FinishReason.TOOL_CALLS)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 2}, Usage(10, 0, 0, 2, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": None}, Usage(10, 0, 0, 2, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "cached_tokens": 6}, Usage(4, 6, 0, 2, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 6}, Usage(4, 6, 0, 2, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "num_cached_tokens": 6}, Usage(4, 6, 0, 2, 0)),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 3, "cache_creation_input_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(3, 3, 4, 5, 2),
        ),
    ],
)
def test_usage_is_read_into_disjoint_buckets(usage: dict[str, object], expected: Usage) -> None:
    events = decode(chunk({"content": "x"}, "stop", usage=usage) + b"\n\n")
    assert events[-1] == UsageReport(expected)


def test_reasoning_that_is_counted_apart_is_added() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 7}}
    quirks = Quirks(reasoning_outside_output=True)
    report = decode(chunk({"content": "x"}, "stop", usage=usage) + b"\n\n", quirks=quirks)[-1]
    assert report == UsageReport(Usage(1, 0, 0, 12, 7))


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -1, "completion_tokens": 2},
        {"prompt_tokens": 1, "completion_tokens": -2},
        {"prompt_tokens": 1.5, "completion_tokens": 2},
        {"prompt_tokens": "1", "completion_tokens": 2},
        {"prompt_tokens": True, "completion_tokens": 2},
        {"prompt_tokens": 2, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 5}},
        {"prompt_tokens": 10**30, "completion_tokens": 2},
        [1],
    ],
)
def test_nonsense_usage_is_reported_as_invalid(usage: object) -> None:
    report = decode(chunk({"content": "x"}, "stop", usage=usage) + b"\n\n")[-1]
    assert isinstance(report, UsageReport)
    assert not report.is_valid


@dataclass(frozen=True)
class Reply:
    request_id: str = "req_abc"
    model_id: str = "qwen-3-32b"
    created: int = 1779000000
    input_estimate: int = 12


def encode(events: list[ChatEvent], wants_usage: bool) -> list[dict[str, Any] | str]:
    options = {"stream_options": {"include_usage": True}} if wants_usage else {}
    message = {"role": "user", "content": "hi"}
    request = parse_request(json.dumps({"model": "m", "messages": [message], "stream": True, **options}).encode())
    encoder = stream_encoder(request, Reply())
    bill = Bill(Usage(8, 4, 0, 3, 0), 350_000, 622_000, is_estimated=False)
    frames = b"".join(map(encoder.encode, events)) + encoder.end(bill)
    assert frames.endswith(b"\n\n")
    lines = [frame.removeprefix(b"data: ") for frame in frames.split(b"\n\n") if frame]
    return ["[DONE]" if line == b"[DONE]" else json.loads(line) for line in lines]


def test_no_chunk_has_empty_choices_unless_usage_was_asked_for() -> None:
    chunks = encode(PLAIN_EVENTS, wants_usage=False)
    assert chunks[-1] == "[DONE]"
    assert all(isinstance(c, dict) and c["choices"] and "usage" not in c for c in chunks[:-1])


def test_usage_comes_last_with_its_exact_cost_when_asked_for() -> None:
    chunks = encode(PLAIN_EVENTS, wants_usage=True)
    last = chunks[-2]
    assert isinstance(last, dict)
    assert last["choices"] == []
    usage = last["usage"]
    assert isinstance(usage, dict)
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (12, 3, 15)
    assert (usage["cached_tokens"], usage["cost"], usage["cache_discount"]) == (4, 0.00035, 0.000622)
    assert all(isinstance(c, dict) and c["usage"] is None for c in chunks[:-2])


def test_the_first_delta_has_the_role_and_chunks_name_the_model() -> None:
    first, second = encode(PLAIN_EVENTS, wants_usage=False)[:2]
    assert isinstance(first, dict) and isinstance(second, dict)
    assert first["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": "Hel"}, "finish_reason": None}]
    assert second["choices"] == [{"index": 0, "delta": {"content": "lo ümlaut"}, "finish_reason": None}]
    assert (first["model"], first["id"], first["created"]) == ("qwen-3-32b", "chatcmpl-abc", 1779000000)


@pytest.mark.parametrize("events", [PLAIN_EVENTS, TOOLS_EVENTS])
def test_what_we_write_reads_back_as_the_same_events(events: list[ChatEvent]) -> None:
    message = {"role": "user", "content": "hi"}
    request = parse_request(json.dumps({"model": "m", "messages": [message], "stream": True}).encode())
    encoder = stream_encoder(request, Reply())
    spoken = [event for event in events if not isinstance(event, UsageReport)]
    bill = Bill(Usage(), 0, 0, is_estimated=False)
    assert decode(b"".join(map(encoder.encode, spoken)) + encoder.end(bill)) == spoken


def test_refusals_and_logprobs_pass_through() -> None:
    logprobs = {"content": [{"token": "no", "logprob": -0.1}]}
    raw = {"choices": [{"index": 0, "delta": {"refusal": "no"}, "logprobs": logprobs, "finish_reason": "stop"}]}
    events = decode(b"data: " + json.dumps(raw).encode() + b"\n\n")
    said, beside, ended = [chunk for chunk in encode(events, wants_usage=False) if isinstance(chunk, dict)]
    assert said["choices"][0]["delta"]["refusal"] == "no"
    assert beside["choices"][0]["logprobs"] == logprobs
    assert ended["choices"][0]["finish_reason"] == "stop", "a refusal ends as OpenAI ends it"
