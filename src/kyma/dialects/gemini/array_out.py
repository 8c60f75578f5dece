"""The same stream as one JSON array that grows: what Google answers to those who do not ask for server-sent events."""

from kyma.core.answer import Bill, ChatEvent
from kyma.core.chat import ChatRequest
from kyma.core.errors import KymaError
from kyma.dialects.base import Reply
from kyma.dialects.gemini.errors import render_error
from kyma.dialects.gemini.response import render_response
from kyma.dialects.gemini.stream_out import PieceEncoder
from kyma.dialects.gemini.wire import NAME

__all__ = ["NAME", "render_error", "render_response", "stream_encoder"]

FRAME_START, FRAME_END = b"data: ", b"\n\n"


def stream_encoder(request: ChatRequest, reply: Reply) -> "ArrayEncoder":
    """An encoder for one stream."""
    return ArrayEncoder(reply)


class ArrayEncoder:
    """See `StreamEncoder`. A stream that broke is closed with the error as its last element."""

    __slots__ = ("_opener", "_pieces")

    def __init__(self, reply: Reply) -> None:
        self._pieces = PieceEncoder(reply)
        self._opener = b"["

    def encode(self, event: ChatEvent) -> bytes:
        return self._elements(self._pieces.encode(event))

    def end(self, bill: Bill) -> bytes:
        return self._elements(self._pieces.end(bill)) + b"]"

    def error(self, error: KymaError) -> bytes:
        return self._elements(self._pieces.error(error)) + b"]"

    def keep_alive(self) -> bytes:
        return b"\n"

    def _elements(self, frames: bytes) -> bytes:
        """Frames have no line break inside."""
        told = b""
        for frame in frames.split(FRAME_END)[:-1]:
            told += self._opener + frame.removeprefix(FRAME_START)
            self._opener = b",\r\n"
        return told
