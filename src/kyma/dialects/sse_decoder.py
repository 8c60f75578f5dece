"""Stream decoders over server-sent events."""

from kyma.core.answer import ChatEvent, TextDelta
from kyma.dialects.framed_decoder import FramedDecoder
from kyma.dialects.repeated import RepeatedText
from kyma.dialects.sse import EventTooLarge, SseParser


class SseDecoder(FramedDecoder[bytes]):
    """See `StreamDecoder`; a frame is the payload of an event."""

    __slots__ = ("_sse",)

    broken = EventTooLarge
    ending = b"\n\n"

    def __init__(self) -> None:
        super().__init__()
        self._sse = SseParser()

    def _frames(self, data: bytes) -> list[bytes]:
        return self._sse.feed(data)


class RepeatingDecoder(SseDecoder):
    """One for a dialect whose text events differ in their text alone, and leave no trace in the decoder."""

    __slots__ = ("_repeated",)

    def __init__(self) -> None:
        super().__init__()
        self._repeated = RepeatedText()

    def feed(self, data: bytes) -> list[ChatEvent]:
        if self._is_over:
            return []
        if self._sse.is_between and (text := self._repeated.read(data)):
            return [TextDelta(0, text)]
        events = self._decode(data)
        if self._sse.is_between:
            self._repeated.learn(data, events, self._decode)
        return events
