"""What output items have in common: each knows its JSON, and the events that tell it once the stream has come to it."""

from typing import Any, Literal

from kyma.dialects.openai_responses.wire import encoder

Json = dict[str, Any]
ItemStatus = Literal["completed", "incomplete"]

_encode = encoder.encode


class Pen:
    """Writes the events of one stream, numbered from 0; `number` is that of the next."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0

    def event(self, kind: str, members: Json) -> bytes:
        return self.write(opening(kind, members), b"}\n\n")

    def write(self, start: bytes, end: bytes) -> bytes:
        """An event between whose `start` and `end` only the number is missing."""
        number = self.number
        self.number += 1
        return b"%b%d%b" % (start, number, end)


def opening(kind: str, members: Json) -> bytes:
    """An event up to its number."""
    return b'event: %b\ndata: {"type":"%b",%b,"sequence_number":' % (
        kind.encode(),
        kind.encode(),
        _encode(members)[1:-1],
    )


class Item:
    """An item of the output, told in events from `start` on; what came before that is caught up.

    `status` is None until it is finished.
    """

    def __init__(self, item_id: str, index: int) -> None:
        self.id = item_id
        self.status: ItemStatus | None = None
        self._index = index
        self._pen: Pen | None = None

    @property
    def is_started(self) -> bool:
        return self._pen is not None

    def start(self, pen: Pen) -> bytes:
        """Open the item, with all that it has by now."""
        self._pen = pen
        added = pen.event("response.output_item.added", {"output_index": self._index, "item": self._blank()})
        return added + self._caught_up(pen) + (self._finished(pen) if self.status else b"")

    def finish(self, status: ItemStatus) -> bytes:
        """Nothing is added to it any more."""
        self.status = status
        return self._finished(self._pen) if self._pen else b""

    def json(self) -> Json:
        """The item as far as it is known."""
        raise NotImplementedError

    def _blank(self) -> Json:
        """The item as it is opened: in progress, empty."""
        raise NotImplementedError

    def _caught_up(self, pen: Pen) -> bytes:
        raise NotImplementedError

    def _closed(self, pen: Pen) -> bytes:
        raise NotImplementedError

    def _finished(self, pen: Pen) -> bytes:
        closed = self._closed(pen)
        return closed + pen.event("response.output_item.done", {"output_index": self._index, "item": self.json()})

    def _at(self, **more: Any) -> Json:
        return {"item_id": self.id, "output_index": self._index, **more}
