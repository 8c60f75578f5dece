"""Bedrock's streams, cut at every byte, broken in every way, and mutated at random."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyma.core.answer import (
    ChatEvent,
    Finish,
    FinishReason,
    PartEnd,
    SignatureDelta,
    StreamFailure,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.errors import Garbled, Rejected, Throttled, UpstreamError, UpstreamFailed
from kyma.core.model import Quirks, Usage
from kyma.dialects.bedrock_converse import NAME, stream_decoder
from tests.dialects.bedrock_frames import (
    arguments,
    begin,
    call,
    delta,
    end,
    event,
    exception,
    message,
    stop,
    thought,
)

CACHED_USAGE = {
    **{"inputTokens": 2, "outputTokens": 5, "totalTokens": 1329},
    **{"cacheReadInputTokens": 22, "cacheWriteInputTokens": 1300},
    "cacheDetails": [{"ttl": "1h", "inputTokens": 1000}, {"ttl": "5m", "inputTokens": 300}],
}
THOUGHTFUL = b"".join(
    [
        *(
            begin(),
            thought(0, text="The user"),
            thought(0, text=" greets – hm"),
            thought(0, signature="Eu0C+/=="),
            stop(0),
        ),
        *(thought(1, redactedContent="RXRrRUNr"), stop(1)),
        *(delta(2, text="Hel"), delta(2, text="lo ümlaut"), stop(2), end("end_turn", CACHED_USAGE)),
    ]
)
THOUGHTFUL_EVENTS: list[ChatEvent] = [
    *(ThinkingDelta(0, "The user"), ThinkingDelta(0, " greets – hm"), SignatureDelta(0, "Eu0C+/==", NAME), PartEnd(0)),
    *(SignatureDelta(0, "RXRrRUNr", NAME, is_redacted=True), PartEnd(0)),
    *(TextDelta(0, "Hel"), TextDelta(0, "lo ümlaut"), PartEnd(0), Finish(0, FinishReason.STOP)),
    UsageReport(Usage(input=2, cached_input=22, cache_write=300, output=5, cache_write_1h=1000)),
]

CALLS = b"".join(
    [
        *(begin(), delta(0, text="I look"), stop(0)),
        *(call(1, "tooluse_a-1", "f"), arguments(1, '{"city":'), arguments(1, ' "Paris"}'), stop(1)),
        *(call(2, "tooluse_b-2", "g"), arguments(2, ""), stop(2), end("tool_use")),
    ]
)
CALLS_EVENTS: list[ChatEvent] = [
    *(TextDelta(0, "I look"), PartEnd(0)),
    *(
        ToolCallStart(0, 0, "tooluse_a-1", "f"),
        ToolCallDelta(0, 0, '{"city":'),
        ToolCallDelta(0, 0, ' "Paris"}'),
        PartEnd(0),
    ),
    *(ToolCallStart(0, 1, "tooluse_b-2", "g"), ToolCallDelta(0, 1, "{}"), PartEnd(0)),
    *(Finish(0, FinishReason.TOOL_CALLS), UsageReport(Usage(input=12, output=7))),
]

GPT_OSS = b"".join(
    [
        *(begin(), delta(0, text=""), stop(0), thought(1, text="Short."), stop(1)),
        *(delta(2, text="Hello!"), stop(2), end("end_turn")),
    ]
)
GPT_OSS_EVENTS: list[ChatEvent] = [
    *(PartEnd(0), ThinkingDelta(0, "Short."), PartEnd(0), TextDelta(0, "Hello!"), PartEnd(0)),
    *(Finish(0, FinishReason.STOP), UsageReport(Usage(input=12, output=7))),
]
STREAMS = [(THOUGHTFUL, THOUGHTFUL_EVENTS), (CALLS, CALLS_EVENTS), (GPT_OSS, GPT_OSS_EVENTS)]


def decode(*pieces: bytes, quirks: Quirks | None = None) -> list[ChatEvent]:
    decoder = stream_decoder(quirks or Quirks())
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close()


def failure(stream: bytes) -> UpstreamError:
    *_, last = decode(stream)
    assert isinstance(last, StreamFailure)
    return last.error


@pytest.mark.parametrize(("stream", "events"), STREAMS)
def test_a_stream_cut_anywhere_gives_the_same_events(stream: bytes, events: list[ChatEvent]) -> None:
    assert decode(stream) == events
    assert decode(*(stream[at : at + 1] for at in range(len(stream)))) == events
    for at in range(1, len(stream)):
        assert decode(stream[:at], stream[at:]) == events


@pytest.mark.parametrize("stream", [stream for stream, _ in STREAMS])
def test_a_stream_that_ends_before_its_message_did_is_a_failure(stream: bytes) -> None:
    is_whole = stream.index(b"messageStop") + len(b"messageStop")
    for at in range(is_whole):
        assert isinstance(failure(stream[:at]), Garbled)


def test_a_stream_without_its_count_is_whole() -> None:
    stream = begin() + delta(0, text="x") + stop(0) + event("messageStop", stopReason="end_turn")
    assert decode(stream)[-1] == Finish(0, FinishReason.STOP)
    assert decode(begin() + delta(0, text="x") + end("end_turn", None))[-1] == Finish(0, FinishReason.STOP)


def test_a_count_before_the_end_is_not_the_end() -> None:
    counted = event("metadata", usage={"inputTokens": 1, "outputTokens": 1})
    events = decode(begin() + delta(0, text="x") + counted + stop(0) + event("messageStop", stopReason="end_turn"))
    assert events[1:] == [UsageReport(Usage(1, output=1)), PartEnd(0), Finish(0, FinishReason.STOP)]
    assert isinstance(failure(begin() + delta(0, text="x") + counted), Garbled)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("guardrail_intervened", FinishReason.CONTENT_FILTER),
        ("content_filtered", FinishReason.CONTENT_FILTER),
        ("tool_use", FinishReason.TOOL_CALLS),
    ],
)
def test_every_stop_reason_has_its_meaning(word: str, reason: FinishReason) -> None:
    assert Finish(0, reason) in decode(begin() + delta(0, text="x") + stop(0) + end(word))


def test_a_model_that_calls_and_says_end_turn_has_called() -> None:
    stream = begin() + call(0, "t", "f") + arguments(0, "{}") + stop(0) + end("end_turn")
    assert Finish(0, FinishReason.TOOL_CALLS) in decode(stream)


@pytest.mark.parametrize("word", ["malformed_model_output", "malformed_tool_use"])
def test_an_answer_that_went_wrong_is_a_failure_of_its_source(word: str) -> None:
    assert isinstance(failure(begin() + delta(0, text="x") + end(word)), UpstreamFailed)


@pytest.mark.parametrize(
    ("kind", "fields", "error"),
    [
        ("throttlingException", {"message": "Too many tokens, please wait."}, Throttled),
        ("modelStreamErrorException", {"message": "m", "originalStatusCode": 500}, UpstreamFailed),
        ("modelStreamErrorException", {"message": "m", "originalStatusCode": 429}, Throttled),
        ("internalServerException", {"message": "m"}, UpstreamFailed),
        ("serviceUnavailableException", {"message": "m"}, UpstreamFailed),
        ("validationException", {"message": "messages: text is blank"}, Rejected),
        ("somethingNewException", {}, UpstreamFailed),
    ],
)
def test_an_exception_in_a_stream_ends_it(kind: str, fields: dict[str, object], error: type[UpstreamError]) -> None:
    stream = begin() + delta(0, text="x") + exception(kind, **fields)
    events = decode(stream + delta(0, text="never") + end("end_turn"))
    assert events[0] == TextDelta(0, "x") and len(events) == 2
    assert type(failure(stream)) is error
    assert failure(stream).message == f"exception in a stream: {kind}"


def test_a_request_that_is_too_long_is_told_in_the_stream_too() -> None:
    error = failure(exception("validationException", message="Input is too long for requested model."))
    assert isinstance(error, Rejected) and error.caller_code == "context_length_exceeded"


def test_an_error_frame_ends_a_stream() -> None:
    headers = {":message-type": "error", ":error-code": "InternalError", ":error-message": "secret words"}
    error = failure(begin() + message(headers, b""))
    assert isinstance(error, UpstreamFailed) and "secret" not in error.message


@pytest.mark.parametrize(
    "broken",
    [b"data: {}\n\n" * 3, b"<html>oh no</html>", event("messageStop"), message({":message-type": "event"}, b"")],
)
def test_what_is_no_event_is_garbled(broken: bytes) -> None:
    assert isinstance(failure(begin() + broken), Garbled)


def test_what_only_later_models_say_is_passed_over() -> None:
    stream = begin() + event("contentBlockStart", contentBlockIndex=0, start={"image": {"format": "png"}})
    stream += delta(0, image={"source": {"bytes": "aGk="}}) + delta(0, citation={"title": "t"}) + event("newEvent", a=1)
    assert decode(stream + delta(1, text="x") + stop(1) + end("end_turn"))[0] == TextDelta(0, "x")


def test_thoughts_that_stand_in_the_text_are_thoughts() -> None:
    stream = begin() + delta(0, text=" <thi") + delta(0, text="nk>hm</th") + delta(0, text="ink>\n\nhi") + stop(0)
    assert decode(stream + end("end_turn"))[:2] == [ThinkingDelta(0, "hm"), TextDelta(0, "hi")]


@pytest.mark.parametrize(
    "usage",
    [
        {"inputTokens": -1, "outputTokens": 1},
        {"inputTokens": 1.5, "outputTokens": 1},
        {"inputTokens": "1", "outputTokens": 1},
        {"inputTokens": 1, "outputTokens": 2**60},
        {"inputTokens": 1, "outputTokens": 1, "cacheDetails": [{"ttl": "1h", "inputTokens": 5}]},
    ],
)
def test_nonsense_usage_is_not_billed(usage: dict[str, object]) -> None:
    assert decode(begin() + delta(0, text="x") + end("end_turn", usage))[-1] == UsageReport(Usage(), is_valid=False)


@st.composite
def mutated(draw: st.DrawFn) -> list[bytes]:
    """A stream whose bytes were changed, doubled, dropped or moved, in pieces."""
    stream = bytearray(draw(st.sampled_from([stream for stream, _ in STREAMS])))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(stream) - 1))
        match draw(st.sampled_from(["flip", "drop", "double", "insert"])):
            case "flip":
                stream[at] ^= 1 << draw(st.integers(0, 7))
            case "drop":
                del stream[at : at + draw(st.integers(1, 80))]
            case "double":
                stream[at:at] = stream[at : at + draw(st.integers(1, 200))]
            case "insert":
                stream[at:at] = draw(st.binary(max_size=40))
        stream = stream or bytearray(b"\x00")
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    return [bytes(stream[start:stop]) for start, stop in pairwise([0, *cuts, len(stream)])]


@st.composite
def shuffled(draw: st.DrawFn) -> list[bytes]:
    """Whole frames in any order and number, their payloads cut or replaced."""
    payload = st.one_of(st.binary(max_size=30), st.sampled_from([b"{}", b"null", b'{"delta":null}', b"[" * 5000]))
    kinds = ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]
    wild = st.builds(
        lambda kind, data: message({":message-type": "event", ":event-type": kind}, data),
        st.sampled_from(kinds),
        payload,
    )
    known = st.sampled_from(
        [begin(), delta(0, text="x"), call(1, "t", "f"), arguments(1, "{"), stop(1), end("end_turn")]
    )
    return draw(st.lists(st.one_of(known, known, wild, st.just(exception("throttlingException"))), max_size=12))


@given(st.one_of(mutated(), shuffled()))
def test_whatever_comes_nothing_is_raised_and_nothing_follows_a_failure(pieces: list[bytes]) -> None:
    decoder = stream_decoder(Quirks())
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()
    failures = [at for at, event in enumerate(events) if isinstance(event, StreamFailure)]
    assert failures in ([], [len(events) - 1])
    assert failures or any(isinstance(event, Finish) for event in events)
    if failures:
        assert decoder.feed(delta(0, text="late")) == decoder.close() == []
