"""Every family's answers, as its vendors write them, are read as what they say."""

import pytest

from kyma.core.answer import StreamFailure
from kyma.core.errors import Rejected, UpstreamError
from tests.dialects.conversations.expectation import (
    HERE,
    FailsWhole,
    Recording,
    Refused,
    Streamed,
    Whole,
    expected_of,
    families,
    recordings,
)

KINDS = {"plain", "tools", "stream", "error", "cut"}


@pytest.mark.parametrize("family", families())
def test_a_family_has_every_kind_of_conversation_and_expects_something_of_each(family: str) -> None:
    names = {file.name for file in (HERE / family).iterdir() if file.suffix not in (".py", "")}
    assert names == expected_of(family).keys()
    assert {name.partition(".")[0].partition("_")[0] for name in names} == KINDS


@pytest.mark.parametrize("recording", recordings(Whole), ids=str)
def test_a_whole_answer_says_this(recording: Recording) -> None:
    dialect, quirks = recording.how()
    response = dialect.parse_response(recording.data, quirks)
    (choice,) = response.choices
    usage = response.report.usage if response.report else None
    assert Whole(choice.parts, choice.finish, usage) == recording.expected


@pytest.mark.parametrize("recording", recordings(FailsWhole), ids=str)
def test_an_error_in_place_of_an_answer_fails(recording: Recording) -> None:
    expected, (dialect, quirks) = recording.expected, recording.how()
    assert isinstance(expected, FailsWhole)
    with pytest.raises(UpstreamError) as caught:
        dialect.parse_response(recording.data, quirks)
    assert (type(caught.value), caught.value.message) == (expected.kind, expected.message)


@pytest.mark.parametrize("is_bytewise", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("recording", recordings(Streamed), ids=str)
def test_a_stream_says_this(recording: Recording, is_bytewise: bool) -> None:
    expected, (dialect, quirks) = recording.expected, recording.how()
    assert isinstance(expected, Streamed)
    data, decoder = recording.data, dialect.stream_decoder(quirks)
    pieces = [data[at : at + 1] for at in range(len(data))] if is_bytewise else [data]
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()
    fails = [type(event.error) for event in events if isinstance(event, StreamFailure)]
    assert tuple(event for event in events if not isinstance(event, StreamFailure)) == expected.events
    assert fails == ([expected.fails] if expected.fails else [])


@pytest.mark.parametrize("recording", recordings(Refused), ids=str)
def test_a_refusal_means_this(recording: Recording) -> None:
    expected, (dialect, _) = recording.expected, recording.how()
    assert isinstance(expected, Refused)
    error = dialect.parse_error(expected.status, expected.headers, recording.data)
    assert (type(error), error.message) == (expected.kind, expected.message)
    assert (error.upstream_status, error.retry_after_s) == (expected.status, expected.retry_after_s)
    said = (error.caller_message, error.caller_code) if isinstance(error, Rejected) else (None, None)
    assert said == (expected.caller_message, expected.code)
