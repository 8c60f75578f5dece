"""What every stream decoder over server-sent events does around its payloads.

It knows how a stream is framed, breaks and ends, and nothing of what a payload says: that is the dialect's `_read`.
"""

from abc import ABC, abstractmethod

import msgspec

from kyma.core.answer import ChatEvent, StreamFailure, TextDelta
from kyma.core.errors import Garbled, UpstreamError
from kyma.dialects.repeated import RepeatedText
from kyma.dialects.sse import EventTooLarge, SseParser


class SseDecoder(ABC):
    """See `StreamDecoder`. After a failure, or once the dialect has set `_is_over`, nothing more is read."""

    __slots__ = ("_is_over", "_sse")

    garbled: str
    """What is said of a payload that the dialect cannot read."""

    def __init__(self) -> None:
        self._sse = SseParser()
        self._is_over = False

    def feed(self, data: bytes) -> list[ChatEvent]:
        return [] if self._is_over else self._decode(data)

    def close(self) -> list[ChatEvent]:
        if self._is_over:
            return []
        events = self._decode(b"\n\n")  # a last event may lack its blank line
        if not self._is_over and not self._is_complete:
            self._fail(Garbled("the stream ended before the answer did"), events)
        return events

    @abstractmethod
    def _read(self, payload: bytes, events: list[ChatEvent]) -> None:
        """Add what `payload` says. Raises: UpstreamError if it tells one, msgspec.DecodeError if it is nonsense."""

    @property
    @abstractmethod
    def _is_complete(self) -> bool:
        """Whether the answer may end here."""

    def _decode(self, data: bytes) -> list[ChatEvent]:
        events: list[ChatEvent] = []
        try:
            for payload in self._sse.feed(data):
                self._read(payload, events)
        except UpstreamError as error:
            self._fail(error, events)
        except (msgspec.DecodeError, EventTooLarge, UnicodeDecodeError, RecursionError):
            self._fail(Garbled(self.garbled), events)
        return events

    def _fail(self, error: UpstreamError, events: list[ChatEvent]) -> None:
        self._is_over = True
        events.append(StreamFailure(error))


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
