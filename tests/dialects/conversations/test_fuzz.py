"""Decoders under bytes that no vendor would send: recordings cut, repeated, mixed up and written over.

None may raise, and none may go on after it has failed. A decoder that hung would hang the test.
"""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyma.core.answer import ChatEvent, StreamFailure, UsageReport
from kyma.core.errors import UpstreamError
from tests.dialects.conversations.expectation import FailsWhole, Recording, Refused, Streamed, Whole, recordings

EDITS = 8
SIGNS = (b'"', b"\\", b"{", b"}", b"[", b"]", b"[" * 3000, b"null", b"-1", b"1e999", b"9" * 400, b"\\ud800", b"")
FRAMES = (b"\n\n", b"\r\n", b"data: ", b"data: {}\n\n", b"event: error\n", b"[DONE]", b"\x00", b"\xff", b"\x80" * 64)

Edit = tuple[str, int, int, bytes]
edits = st.lists(
    st.tuples(
        st.sampled_from(("write over", "insert", "delete", "repeat", "move")),
        st.integers(0, 2**16),
        st.integers(0, 64),
        st.sampled_from(SIGNS + FRAMES) | st.binary(max_size=12),
    ),
    max_size=EDITS,
)
cuts = st.lists(st.integers(0, 2**16), max_size=EDITS)


def edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    for what, at, size, odd in edits:
        at %= len(data) + 1
        head, piece, tail = data[:at], data[at : at + size], data[at + size :]
        match what:
            case "write over":
                data = head + odd + data[at + len(odd) :]
            case "insert":
                data = head + odd + piece + tail
            case "delete":
                data = head + tail
            case "repeat":
                data = head + piece + piece + tail
            case "move":
                data = tail + head + piece
    return data


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


@pytest.mark.parametrize("recording", recordings(Streamed), ids=str)
@settings(max_examples=60, deadline=None)
@given(edits=edits, cuts=cuts)
def test_no_bytes_upset_a_decoder(recording: Recording, edits: Sequence[Edit], cuts: Sequence[int]) -> None:
    dialect, quirks = recording.how()
    decoder = dialect.stream_decoder(quirks)
    fed = [decoder.feed(piece) for piece in pieces(edited(recording.data, edits), cuts)]
    events: list[ChatEvent] = [event for found in fed for event in found] + decoder.close()
    failures = [event for event in events if isinstance(event, StreamFailure)]
    assert not failures or failures == events[-1:], "a failure is the last of a stream, and there is one at most"
    if failures:
        assert not decoder.feed(recording.data) and not decoder.close(), "nothing comes after a failure"
    for event in events:
        if isinstance(event, UsageReport) and event.is_valid:
            assert min(vars_of(event)) >= 0, "what is billed is never negative"


@pytest.mark.parametrize("recording", recordings(Whole) + recordings(FailsWhole), ids=str)
@settings(max_examples=60, deadline=None)
@given(edits=edits)
def test_no_bytes_upset_the_reader_of_a_whole_answer(recording: Recording, edits: Sequence[Edit]) -> None:
    dialect, quirks = recording.how()
    try:
        response = dialect.parse_response(edited(recording.data, edits), quirks)
    except UpstreamError:
        return
    assert response.choices, "an answer has choices, or is none"
    if response.report is not None and response.report.is_valid:
        assert min(vars_of(response.report)) >= 0, "what is billed is never negative"


@pytest.mark.parametrize("recording", recordings(Refused), ids=str)
@settings(max_examples=60, deadline=None)
@given(edits=edits)
def test_a_refusal_in_any_words_is_one(recording: Recording, edits: Sequence[Edit]) -> None:
    expected = recording.expected
    assert isinstance(expected, Refused)
    dialect, _ = recording.how()
    error = dialect.parse_error(expected.status, expected.headers, edited(recording.data, edits))
    assert error.upstream_status == expected.status


def vars_of(report: UsageReport) -> list[int]:
    usage = report.usage
    return [getattr(usage, name) for name in usage.__struct_fields__]
