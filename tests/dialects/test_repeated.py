"""A known event must never be read otherwise than a decoder without memory would read it."""

import json

import pytest

from kyma.core.answer import ChatEvent, Finish, TextDelta, UsageReport
from kyma.core.model import Quirks
from kyma.dialects import anthropic_messages, openai_chat
from kyma.dialects.base import StreamDecoder
from kyma.dialects.repeated import TRIES, RepeatedText


def openai_event(text: str, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None} | more
    return b"data: " + json.dumps({"id": "x", "choices": [choice], "usage": None}).encode() + b"\n\n"


def anthropic_event(text: str) -> bytes:
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    return b"event: content_block_delta\ndata: " + json.dumps(delta).encode() + b"\n\n"


class Counted:
    """A decoder's slow road, counted."""

    def __init__(self) -> None:
        self.decoder = openai_chat.stream_decoder(Quirks())
        self.count = 0

    def __call__(self, data: bytes) -> list[ChatEvent]:
        self.count += 1
        return self.decoder.feed(data)


def learnt(text: str = "one") -> RepeatedText:
    repeated, decode = RepeatedText(), openai_chat.stream_decoder(Quirks()).feed
    repeated.learn(openai_event(text), [TextDelta(0, text)], decode)
    return repeated


@pytest.mark.parametrize("text", ["two", " ", '"', "\\", "\n\n", "é\U0001f600", "data: ", "}]}", "</think>", '","x":"'])
def test_an_event_like_the_learnt_one_is_its_text(text: str) -> None:
    assert learnt().read(openai_event(text)) == text


@pytest.mark.parametrize(
    "data",
    [
        openai_event("two", finish_reason="stop"),
        openai_event("two", index=1),
        openai_event("two", logprobs={"content": []}),
        openai_event("two") + openai_event("three"),
        openai_event("two")[:-1],
        openai_event("two").replace(b'"two"', b'"two","refusal":"no"'),
        openai_event("two").replace(b'"two"', b"2"),
        openai_event("two").replace(b'"two"', b'"two'),
        openai_event("two").replace(b'"two"', b'"\xff"'),
        openai_event("two").replace(b'"two"', b""),
        b"data: [DONE]\n\n",
        b"",
    ],
)
def test_any_other_event_is_left_to_the_decoder(data: bytes) -> None:
    assert learnt().read(data) == ""


@pytest.mark.parametrize("text", ["content", "x", "choices", "delta"])
def test_a_text_that_stands_elsewhere_too_is_not_taken_for_the_wrong_string(text: str) -> None:
    repeated = learnt(text)
    assert repeated.read(openai_event(text).replace(b'"id": "x"', b'"id": "y"')) == ""
    assert repeated.read(openai_event("two")) in ("", "two")


def test_it_gives_up_on_a_vendor_who_writes_something_new_into_each_event() -> None:
    repeated, decode = RepeatedText(), Counted()
    for number in range(50):
        data = openai_event("a", obfuscation=str(number))
        assert repeated.read(data) == ""
        repeated.learn(data, [TextDelta(0, "a")], decode)
    assert decode.count == TRIES


def test_it_learns_anew_when_the_vendor_changes_the_event() -> None:
    repeated, decode = RepeatedText(), openai_chat.stream_decoder(Quirks()).feed
    for second in range(20):
        for _ in range(3):
            data = openai_event("a", created=second)
            if not repeated.read(data):
                repeated.learn(data, [TextDelta(0, "a")], decode)
        assert repeated.read(openai_event("b", created=second)) == "b"


def whole(decoder: StreamDecoder, pieces: list[bytes]) -> list[ChatEvent]:
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


def test_a_known_event_that_arrives_in_two_pieces_is_read_once() -> None:
    first, second = openai_event("a"), openai_event("b")
    pieces = [first, first, second[:20], second[20:], first, second[:-1], b"\n", first]
    events = whole(openai_chat.stream_decoder(Quirks()), pieces)
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["a", "a", "b", "a", "b", "a"]


def test_nothing_is_read_after_the_stream_has_failed_or_ended() -> None:
    broken = openai_chat.stream_decoder(Quirks())
    assert len([*broken.feed(openai_event("a")), *broken.feed(openai_event("b"))]) == 2
    assert len(broken.feed(b"data: {\n\n")) == 1
    assert broken.feed(openai_event("c")) == []
    ended = anthropic_messages.stream_decoder(Quirks())
    assert len([*ended.feed(anthropic_event("a")), *ended.feed(anthropic_event("b"))]) == 2
    ended.feed(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    assert ended.feed(anthropic_event("c")) == []


def test_thoughts_between_tags_are_still_parted_from_speech() -> None:
    pieces = [openai_event(text) for text in ("<think>", "a", "b", "</think>", "c", "d", "</think>")]
    events = openai_chat.stream_decoder(Quirks())
    said = [event for piece in pieces for event in events.feed(piece)]
    assert [event.text for event in said if isinstance(event, TextDelta)] == ["c", "d", "</think>"]


def test_the_end_and_the_usage_are_seen_after_known_events() -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'
    pieces = [openai_event("a")] * 3 + [openai_event("z", finish_reason="stop"), usage, b"data: [DONE]\n\n"]
    events = whole(openai_chat.stream_decoder(Quirks()), pieces)
    assert [type(event) for event in events] == [TextDelta] * 4 + [Finish, UsageReport]
