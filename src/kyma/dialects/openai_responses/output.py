"""Output items: each knows its JSON, and the events that tell it once the stream has come to it."""

from typing import Any, Literal

import msgspec

from kyma.dialects.openai_responses.tools import SEARCH, Spoken
from kyma.dialects.openai_responses.wire import encoder

Json = dict[str, Any]
ItemStatus = Literal["completed", "incomplete"]

_object_decoder = msgspec.json.Decoder(dict[str, Any])
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


class MessageItem(Item):
    """What the model says: text in one or more parts."""

    def __init__(self, item_id: str, index: int) -> None:
        super().__init__(item_id, index)
        self._parts: list[list[str]] = []
        self._is_open = False
        self._delta = b""

    def say(self, text: str) -> bytes:
        if self._is_open:  # nearly always
            self._parts[-1].append(text)
            pen = self._pen
            if pen is None:
                return b""
            number = pen.number
            pen.number = number + 1
            return b'%b%d,"delta":%b}\n\n' % (self._delta, number, _encode(text))
        self._parts.append([text])
        self._is_open = True
        return b"" if self._pen is None else self._part(self._pen, len(self._parts) - 1)

    def end_part(self) -> bytes:
        """Text that follows is a new part."""
        if not self._is_open:
            return b""
        self._is_open = False
        return b"" if self._pen is None else self._part_done(self._pen, len(self._parts) - 1)

    def json(self) -> Json:
        content = [_text_part("".join(part)) for part in self._parts]
        return self._blank() | {"status": self.status or "in_progress", "content": content}

    def _blank(self) -> Json:
        return {"id": self.id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}

    def _caught_up(self, pen: Pen) -> bytes:
        last = len(self._parts) - 1
        told = []
        for index in range(last + 1):
            told.append(self._part(pen, index))
            if index < last or not self._is_open:
                told.append(self._part_done(pen, index))
        return b"".join(told)

    def _closed(self, pen: Pen) -> bytes:
        return self.end_part()

    def _part(self, pen: Pen, index: int) -> bytes:
        at = self._at(content_index=index)
        self._delta = opening("response.output_text.delta", at | {"logprobs": []})
        added = pen.event("response.content_part.added", at | {"part": _text_part("")})
        text = "".join(self._parts[index])
        return added + pen.write(self._delta, b',"delta":%b}\n\n' % _encode(text))

    def _part_done(self, pen: Pen, index: int) -> bytes:
        text, at = "".join(self._parts[index]), self._at(content_index=index)
        done = pen.event("response.output_text.done", at | {"text": text, "logprobs": []})
        return done + pen.event("response.content_part.done", at | {"part": _text_part(text)})


class ThoughtItem(Item):
    """What the model thought, as the one part of a summary, and `proof`: the thought itself, closed to its reader."""

    def __init__(self, item_id: str, index: int, proof: str | None = None) -> None:
        super().__init__(item_id, index)
        self.proof = proof
        self._pieces: list[str] = []
        self._delta = b""

    def say(self, text: str) -> bytes:
        self._pieces.append(text)
        if self._pen is None:
            return b""
        return self._told(self._pen, text) if len(self._pieces) > 1 else self._caught_up(self._pen)

    def json(self) -> Json:
        summary = [_summary("".join(self._pieces))] if self._pieces else []
        proof = {"encrypted_content": self.proof} if self.proof else {}
        return self._blank() | {"status": self.status or "in_progress", "summary": summary} | proof

    def _blank(self) -> Json:
        return {"id": self.id, "type": "reasoning", "status": "in_progress", "summary": []}

    def _caught_up(self, pen: Pen) -> bytes:
        if not self._pieces:
            return b""
        at = self._at(summary_index=0)
        self._delta = opening("response.reasoning_summary_text.delta", at)
        added = pen.event("response.reasoning_summary_part.added", at | {"part": _summary("")})
        return added + self._told(pen, "".join(self._pieces))

    def _told(self, pen: Pen, text: str) -> bytes:
        return pen.write(self._delta, b',"delta":%b}\n\n' % _encode(text))

    def _closed(self, pen: Pen) -> bytes:
        if not self._pieces:
            return b""
        text, at = "".join(self._pieces), self._at(summary_index=0)
        done = pen.event("response.reasoning_summary_text.done", at | {"text": text})
        return done + pen.event("response.reasoning_summary_part.done", at | {"part": _summary(text)})


class CallItem(Item):
    """A call of a tool. Functions' arguments are told as they come; other kinds' once they are whole."""

    def __init__(self, item_id: str, index: int, call_id: str, spoken: Spoken) -> None:
        super().__init__(item_id, index)
        self._call_id = call_id
        self._spoken = spoken
        self._pieces: list[str] = []
        self._delta = opening("response.function_call_arguments.delta", self._at())

    def say(self, arguments: str) -> bytes:
        if not arguments:
            return b""
        self._pieces.append(arguments)
        return b"" if self._pen is None else self._told(self._pen, arguments)

    def json(self) -> Json:
        arguments = "".join(self._pieces)
        if self._spoken.kind == "custom":
            return self._blank() | {"status": self.status or "in_progress", "input": free_text(arguments)}
        if self._spoken.kind == SEARCH:
            return self._blank() | {"status": self.status or "in_progress", "arguments": _object(arguments)}
        if self.status == "completed":
            arguments = arguments or "{}"
        return self._blank() | {"status": self.status or "in_progress", "arguments": arguments}

    def _blank(self) -> Json:
        item: Json = {"id": self.id, "status": "in_progress", "call_id": self._call_id}
        if self._spoken.kind == SEARCH:
            return item | {"type": "tool_search_call", "execution": "client", "arguments": {}}
        space = {"namespace": self._spoken.namespace} if self._spoken.namespace else {}
        if self._spoken.kind == "custom":
            return item | {"type": "custom_tool_call", "name": self._spoken.name, "input": ""} | space
        return item | {"type": "function_call", "name": self._spoken.name, "arguments": ""} | space

    def _caught_up(self, pen: Pen) -> bytes:
        return self._told(pen, "".join(self._pieces)) if self._pieces else b""

    def _told(self, pen: Pen, arguments: str) -> bytes:
        if self._spoken.kind != "function":
            return b""
        return pen.write(self._delta, b',"delta":%b}\n\n' % _encode(arguments))

    def _closed(self, pen: Pen) -> bytes:
        if self._spoken.kind == SEARCH:
            return b""
        if self._spoken.kind == "custom":
            text = free_text("".join(self._pieces))
            told = pen.event("response.custom_tool_call_input.delta", self._at(delta=text))
            return told + pen.event("response.custom_tool_call_input.done", self._at(input=text))
        arguments = self.json()["arguments"]
        told = b"" if self._pieces or not arguments else self._told(pen, arguments)
        return told + pen.event("response.function_call_arguments.done", self._at(arguments=arguments))


def free_text(arguments: str) -> str:
    """A custom tool's input: vendors without such tools write it as the one member of an object."""
    try:
        said = _object_decoder.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments
    text = said.get("input")
    return text if len(said) == 1 and isinstance(text, str) else arguments


def _object(arguments: str) -> Json:
    try:
        return _object_decoder.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return {}


def _text_part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _summary(text: str) -> Json:
    return {"type": "summary_text", "text": text}
