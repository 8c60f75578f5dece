"""Stream events that differ from one before in a single string: known again by the bytes around it.

Most events of a stream are a few characters of text inside a hundred and more bytes that never change. Decoding one of
them whole costs three times as much as comparing what surrounds the text.
"""

from collections.abc import Callable

import msgspec

from kyma.core.answer import ChatEvent, TextDelta

PROBE = "\x1fprobe"
TRIES = 4
"""Events learnt without a later one that was known by them: some vendors write something new into each."""

_decode_text = msgspec.json.Decoder(str).decode
_encode = msgspec.json.Encoder().encode


class RepeatedText:
    """The text event that was learnt last. `before` and `after` are all of its bytes but the string."""

    __slots__ = ("_after", "_before", "_tries")

    def __init__(self) -> None:
        self._before: bytes | None = None
        self._after = b""
        self._tries = TRIES

    def read(self, data: bytes) -> str:
        """The text, if `data` is the learnt event with another string in it and nothing besides; else empty."""
        before, after = self._before, self._after
        if before is None or not data.startswith(before) or not data.endswith(after):
            return ""
        try:
            text = _decode_text(data[len(before) : -len(after)])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""
        self._tries = TRIES
        return text

    def learn(self, data: bytes, events: list[ChatEvent], decode: Callable[[bytes], list[ChatEvent]]) -> None:
        """Remember `data`, whole events that `decode` made `events` of, if they are one text of the first choice.

        `decode` is asked once more, with another text: the string that was found must be what it reads, and an event
        like it must leave no trace in the decoder.
        """
        if not self._tries or len(events) != 1 or type(event := events[0]) is not TextDelta or event.choice:
            return
        self._tries -= 1
        before, _, after = data.partition(_encode(event.text))
        if after and decode(before + _encode(PROBE) + after) == [TextDelta(0, PROBE)]:
            self._before, self._after = before, after
