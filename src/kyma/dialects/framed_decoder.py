"""What every stream decoder does around its frames, whatever frames a stream.

It knows how a stream breaks and ends, and nothing of what a frame says: that is the dialect's `_read`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, TypeVar

import msgspec

from kyma.core.answer import ChatEvent, StreamFailure
from kyma.core.errors import Garbled, UpstreamError

FrameT = TypeVar("FrameT")


class FramedDecoder(ABC, Generic[FrameT]):
    """See `StreamDecoder`. After a failure, or once the dialect has set `_is_over`, nothing more is read."""

    __slots__ = ("_is_over",)

    garbled: str
    """What is said of a frame that the dialect cannot read."""
    broken: type[Exception]
    """What `_frames` raises for bytes that are no frames."""
    ending = b""
    """What ends a last frame that may lack its end."""

    def __init__(self) -> None:
        self._is_over = False

    def feed(self, data: bytes) -> list[ChatEvent]:
        return [] if self._is_over else self._decode(data)

    def close(self) -> list[ChatEvent]:
        if self._is_over:
            return []
        events = self._decode(self.ending)
        if not self._is_over and not self._is_complete:
            self._fail(Garbled("the stream ended before the answer did"), events)
        return events

    @abstractmethod
    def _frames(self, data: bytes) -> Iterable[FrameT]:
        """The frames that `data` completes."""

    @abstractmethod
    def _read(self, frame: FrameT, events: list[ChatEvent]) -> None:
        """Add what `frame` says. Raises: UpstreamError if it tells one, msgspec.DecodeError if it is nonsense."""

    @property
    @abstractmethod
    def _is_complete(self) -> bool:
        """Whether the answer may end here."""

    def _decode(self, data: bytes) -> list[ChatEvent]:
        events: list[ChatEvent] = []
        try:
            for frame in self._frames(data):
                self._read(frame, events)
        except UpstreamError as error:
            self._fail(error, events)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, self.broken):
            self._fail(Garbled(self.garbled), events)
        return events

    def _fail(self, error: UpstreamError, events: list[ChatEvent]) -> None:
        self._is_over = True
        events.append(StreamFailure(error))
