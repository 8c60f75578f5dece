"""Gemini's streams, cut at every byte, and the streams we make of them and of others."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from kyma.core.answer import (
    Bill,
    ChatEvent,
    Finish,
    FinishReason,
    NativeDelta,
    PartEnd,
    SignatureDelta,
    StreamFailure,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.errors import Garbled, NoRouteLeft, Throttled, UpstreamFailed
from kyma.core.model import Quirks, Usage
from kyma.dialects.gemini import parse_request, stream_decoder, stream_encoder
from kyma.dialects.gemini.signatures import unwrap
from kyma.dialects.gemini.stream_out import PieceEncoder

Fields = dict[str, Any]


def piece(parts: list[Fields] | None = None, finish: str | None = None, index: int = 0, **outer: Any) -> bytes:
    """One event as Google writes it; `outer` stands beside the candidates, `beside_*` beside the content."""
    candidate: Fields = {"index": index}
    if parts is not None:
        candidate["content"] = {"parts": parts, "role": "model"}
    if finish is not None:
        candidate["finishReason"] = finish
    candidate |= {name.removeprefix("beside_"): outer.pop(name) for name in list(outer) if name.startswith("beside_")}
    whole = {"candidates": [candidate], "modelVersion": "gemini-3-flash", "responseId": "r-1", **outer}
    return b"data: " + json.dumps(whole, ensure_ascii=False).encode() + b"\r\n\r\n"


def usage(**counts: int) -> Fields:
    return {"usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 20, **counts}}


THOUGHTFUL = b"".join(
    [
        piece([{"text": "hm", "thought": True}], **usage()),
        piece([{"text": "Hel"}], **usage(candidatesTokenCount=1)),
        piece([{"text": "lo ümlaut"}], **usage(candidatesTokenCount=3)),
        piece(
            [{"text": "", "thoughtSignature": "c2ln"}],
            "STOP",
            **usage(candidatesTokenCount=3, thoughtsTokenCount=5, cachedContentTokenCount=4, toolUsePromptTokenCount=2),
        ),
    ]
)
THOUGHTFUL_EVENTS: list[ChatEvent] = [
    ThinkingDelta(0, "hm"),
    UsageReport(Usage(12)),
    TextDelta(0, "Hel"),
    TextDelta(0, "lo ümlaut"),
    SignatureDelta(0, "c2ln", "gemini"),
    Finish(0, FinishReason.STOP),
    UsageReport(Usage(input=10, cached_input=4, output=8, reasoning=5)),
]

CALLS = b"".join(
    [
        piece(
            [
                {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"},
                {"functionCall": {"id": "own", "name": "g"}},
            ]
        ),
        piece([{"text": ""}], "STOP", **usage(candidatesTokenCount=7)),
    ]
)
CALLS_EVENTS: list[ChatEvent] = [
    ToolCallStart(0, 0, "call_r-1_0_0", "f", '{"x": 1}', "c2ln", "gemini"),
    PartEnd(0),
    ToolCallStart(0, 1, "own", "g", "{}"),
    PartEnd(0),
    Finish(0, FinishReason.TOOL_CALLS),
    UsageReport(Usage(12, output=7)),
]


def decode(stream: bytes, size: int | None = None) -> list[ChatEvent]:
    decoder = stream_decoder(Quirks())
    step = size or len(stream) or 1
    events = [event for at in range(0, len(stream), step) for event in decoder.feed(stream[at : at + step])]
    return events + decoder.close()


def failure(stream: bytes) -> Exception:
    *_, last = decode(stream)
    assert isinstance(last, StreamFailure)
    return last.error


@pytest.mark.parametrize(("stream", "events"), [(THOUGHTFUL, THOUGHTFUL_EVENTS), (CALLS, CALLS_EVENTS)])
def test_a_stream_cut_anywhere_gives_the_same_events(stream: bytes, events: list[ChatEvent]) -> None:
    assert decode(stream) == events
    assert decode(stream, 1) == events
    for at in range(1, len(stream)):
        decoder = stream_decoder(Quirks())
        assert decoder.feed(stream[:at]) + decoder.feed(stream[at:]) + decoder.close() == events


@pytest.mark.parametrize("stream", [THOUGHTFUL, CALLS])
def test_a_stream_that_ends_early_is_a_failure(stream: bytes) -> None:
    last = stream.rindex(b"data: ")
    for end in (0, last // 2, last, len(stream) - 40):
        assert isinstance(failure(stream[:end]), Garbled)


def test_usage_may_come_after_the_end() -> None:
    late = b'data: {"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}}\n\n'
    assert decode(piece([{"text": "x"}], "STOP") + late)[-1] == UsageReport(Usage(3, output=1))


def test_nonsense_usage_is_not_billed() -> None:
    stream = piece([{"text": "x"}], "STOP", usageMetadata={"promptTokenCount": 1, "cachedContentTokenCount": 5})
    assert decode(stream)[-1] == UsageReport(Usage(), is_valid=False)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", FinishReason.STOP),
        ("TOO_MANY_TOOL_CALLS", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("CONTINUATION", FinishReason.LENGTH),
        ("SAFETY", FinishReason.CONTENT_FILTER),
        ("RECITATION", FinishReason.CONTENT_FILTER),
        ("BLOCKLIST", FinishReason.CONTENT_FILTER),
        ("PROHIBITED_CONTENT", FinishReason.CONTENT_FILTER),
        ("SPII", FinishReason.CONTENT_FILTER),
        ("MODEL_ARMOR", FinishReason.CONTENT_FILTER),
        ("IMAGE_SAFETY", FinishReason.CONTENT_FILTER),
    ],
)
def test_finish_reasons(word: str, reason: FinishReason) -> None:
    last = decode(piece([{"text": "x"}], word))[-1]
    assert isinstance(last, Finish)
    assert last.reason is reason
    assert word in (last.word, "STOP", "MAX_TOKENS", "SAFETY")


@pytest.mark.parametrize(
    "word",
    ["MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "OTHER", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"],
)
def test_ends_that_are_failures(word: str) -> None:
    assert isinstance(failure(piece([{"text": "x"}], word)), Garbled)


def test_a_refused_prompt_is_a_content_filter() -> None:
    feedback = {"promptFeedback": {"blockReason": "SAFETY"}, **usage()}
    native, finish, report = decode(b"data: " + json.dumps(feedback).encode() + b"\n\n")
    assert isinstance(native, NativeDelta)
    assert finish == Finish(0, FinishReason.CONTENT_FILTER)
    assert report == UsageReport(Usage(12))


def test_error_objects_in_the_stream_end_it() -> None:
    def error(code: int, status: str) -> bytes:
        return b"data: " + json.dumps({"error": {"code": code, "message": "m", "status": status}}).encode() + b"\n\n"

    start = piece([{"text": "x"}])
    assert isinstance(failure(start + error(429, "RESOURCE_EXHAUSTED")), Throttled)
    assert isinstance(failure(start + error(503, "UNAVAILABLE") + start), UpstreamFailed)
    assert isinstance(failure(start + b"data: <html>\n\n"), Garbled)


def test_a_silent_end_says_nothing() -> None:
    events = decode(piece([{"text": ""}], "STOP", beside_safetyRatings=[]))
    assert events == [Finish(0, FinishReason.STOP)]


# what we write


@dataclass
class OurReply:
    request_id: str = "req_0abc"
    model_id: str = "gemini-3-flash"
    created: int = 1
    input_estimate: int = 5


BILL = Bill(Usage(input=8, cached_input=4, output=8, reasoning=5), 350_000, 1_000, is_estimated=False)


def encoder() -> PieceEncoder:
    request = parse_request(b'{"contents":[{"parts":[{"text":"hi"}]}]}', "m", is_streaming=True)
    return stream_encoder(request, OurReply())


def frames(stream: bytes) -> list[Fields]:
    """Every event, read as strictly as Google's SDKs do: `data: `, one line, and content in every candidate."""
    assert stream.endswith(b"\n\n")
    pieces = []
    for event in stream[:-2].split(b"\n\n"):
        assert event.startswith(b"data: ")
        assert b"\n" not in event and b"\r" not in event
        whole = json.loads(event[6:])
        for candidate in whole["candidates"] if "error" not in whole and "promptFeedback" not in whole else ():
            assert candidate["content"]["role"] == "model"
            assert candidate["content"]["parts"]
            assert all(candidate["content"]["parts"])
        pieces.append(whole)
    return pieces


def encode(*events: ChatEvent) -> list[Fields]:
    out = encoder()
    return frames(b"".join(map(out.encode, events)) + out.end(BILL))


def parts(pieces: list[Fields], choice: int = 0) -> list[Fields]:
    """The parts of one candidate, the closing silence left out."""
    found = [
        part
        for whole in pieces
        for candidate in whole["candidates"]
        if candidate["index"] == choice
        for part in candidate["content"]["parts"]
    ]
    return [part for part in found if part != {"text": ""}]


STOP = Finish(0, FinishReason.STOP)
CALLED = Finish(0, FinishReason.TOOL_CALLS)


def test_text_and_the_end() -> None:
    pieces = encode(TextDelta(0, "Hel\n"), TextDelta(0, "lo"), STOP)
    assert parts(pieces) == [{"text": "Hel\n"}, {"text": "lo"}]
    assert [("finishReason" in whole["candidates"][0], "usageMetadata" in whole) for whole in pieces] == [
        (False, False),
        (False, False),
        (True, True),
    ]
    assert {(whole["modelVersion"], whole["responseId"]) for whole in pieces} == {("gemini-3-flash", "0abc")}
    assert pieces[-1]["candidates"][0]["finishReason"] == "STOP"


def test_usage_is_counted_as_gemini_counts() -> None:
    assert encode(STOP)[-1]["usageMetadata"] == {
        "promptTokenCount": 12,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 5,
        "cachedContentTokenCount": 4,
        "totalTokenCount": 20,
        "cost": 0.00035,
        "cacheDiscount": 0.000001,
    }


def test_a_call_is_said_whole() -> None:
    pieces = encode(ToolCallStart(0, 0, "a", "f"), ToolCallDelta(0, 0, '{"x":\n'), ToolCallDelta(0, 0, " 1}"), CALLED)
    assert parts(pieces) == [{"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}}]
    assert pieces[-1]["candidates"][0]["finishReason"] == "STOP"


def test_a_complete_call_does_not_wait_for_the_end() -> None:
    out = encoder()
    assert out.encode(ToolCallStart(0, 0, "a", "f", '{"x":1}', "c2ln", "gemini")) == b""
    (whole,) = frames(out.encode(PartEnd(0)))
    assert parts([whole]) == [{"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"}]


def test_interleaved_calls_keep_their_order() -> None:
    pieces = encode(
        TextDelta(0, "t"),
        ToolCallStart(0, 0, "a", "f"),
        ToolCallStart(0, 1, "b", "g", '{"y":2}'),
        ToolCallDelta(0, 0, '{"x":1}'),
        TextDelta(0, "u"),
        ToolCallStart(0, 2, "c", "h"),
        CALLED,
    )
    assert [part.get("text") or part["functionCall"]["id"] for part in parts(pieces)] == ["t", "a", "b", "u", "c"]
    assert parts(pieces)[-1]["functionCall"]["args"] == {}


def test_arguments_that_never_became_json_make_the_answer_malformed() -> None:
    broken = (ToolCallStart(0, 0, "a", "f"), ToolCallDelta(0, 0, '{"x":'))
    pieces = encode(*broken, CALLED)
    assert parts(pieces) == []
    assert pieces[-1]["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert encode(*broken, Finish(0, FinishReason.LENGTH))[-1]["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_calls_survive_a_stream_without_a_finish() -> None:
    assert parts(encode(ToolCallStart(0, 0, "a", "f", "{}")))[0]["functionCall"]["id"] == "a"


def test_foreign_signatures_are_wrapped_and_come_home() -> None:
    pieces = encode(
        ThinkingDelta(0, "hm"),
        SignatureDelta(0, "ab+/=", "anthropic_messages"),
        SignatureDelta(0, "xyz", "anthropic_messages", is_redacted=True),
        ToolCallStart(0, 0, "a", "f", "{}", "s", "openai_responses"),
        CALLED,
    )
    thought, signed, redacted, call = parts(pieces)
    assert thought == {"text": "hm", "thought": True}
    assert unwrap(signed["thoughtSignature"]) == ("ab+/=", "anthropic_messages", False)
    assert unwrap(redacted["thoughtSignature"]) == ("xyz", "anthropic_messages", True)
    assert unwrap(call["thoughtSignature"]) == ("s", "openai_responses", False)


def test_two_choices_are_two_candidates() -> None:
    pieces = encode(
        TextDelta(1, "b"), TextDelta(0, "a"), Finish(1, FinishReason.LENGTH), Finish(0, FinishReason.CONTENT_FILTER)
    )
    assert (parts(pieces, 0), parts(pieces, 1)) == ([{"text": "a"}], [{"text": "b"}])
    last = {candidate["index"]: candidate["finishReason"] for candidate in pieces[-1]["candidates"]}
    assert last == {0: "SAFETY", 1: "MAX_TOKENS"}


def test_what_only_gemini_says_comes_through_and_what_others_say_does_not() -> None:
    stream = piece([{"text": "x"}]) + piece(
        [{"executableCode": {"language": "PYTHON", "code": "1"}}],
        "RECITATION",
        beside_groundingMetadata={"webSearchQueries": ["q"]},
    )
    foreign = NativeDelta(0, "openai_chat", {"refusal": msgspec.Raw(b'"no"')}, {})
    pieces = encode(*decode(stream), foreign)
    assert parts(pieces) == [{"text": "x"}, {"executableCode": {"language": "PYTHON", "code": "1"}}]
    assert [whole["candidates"][0].get("groundingMetadata") for whole in pieces].count({"webSearchQueries": ["q"]}) == 1
    assert pieces[-1]["candidates"][0]["finishReason"] == "RECITATION"


def test_a_refused_prompt_is_said_as_gemini_says_it() -> None:
    feedback = b'data: {"promptFeedback":\r\ndata: {"blockReason":"SAFETY"}}\r\n\r\n'
    (whole,) = encode(*decode(feedback))
    assert whole["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in whole


@pytest.mark.parametrize("stream", [THOUGHTFUL, CALLS])
def test_what_we_write_reads_back_as_what_we_read(stream: bytes) -> None:
    def gist(events: list[ChatEvent]) -> list[ChatEvent]:
        return [event for event in events if not isinstance(event, UsageReport)]

    out = encoder()
    events = decode(stream)
    again = decode(b"".join(map(out.encode, events)) + out.end(BILL))
    assert [
        msgspec.structs.replace(event, arguments="") if isinstance(event, ToolCallStart) else event
        for event in gist(again)
    ] == [
        msgspec.structs.replace(event, arguments="") if isinstance(event, ToolCallStart) else event
        for event in gist(events)
    ]
    assert UsageReport(BILL.usage) in again


def test_a_broken_stream_has_no_end() -> None:
    out = encoder()
    written = out.encode(TextDelta(0, "x")) + out.encode(STOP) + out.error(NoRouteLeft("gone", retry_after_s=3))
    *said, error = frames(written)
    assert not any("finishReason" in candidate for whole in said for candidate in whole["candidates"])
    assert list(error) == ["error"]
    assert (error["error"]["code"], error["error"]["status"]) == (503, "UNAVAILABLE")


def test_a_keep_alive_is_a_piece_that_says_nothing() -> None:
    (whole,) = frames(encoder().keep_alive())
    assert whole["candidates"] == [{"content": {"parts": [{"text": ""}], "role": "model"}, "index": 0}]
