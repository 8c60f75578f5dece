"""The output item of what the model says, in parts: text, and the words in which it declines."""

from kyma.dialects.openai_responses.output import Item, Json, Pen, opening
from kyma.dialects.openai_responses.wire import encoder

_encode = encoder.encode


class Part:
    """One part of a message. `member` is what its kind calls its words, `event` how its events begin."""

    event = "response.output_text"
    member = "text"

    def __init__(self, words: str) -> None:
        self.words = [words]

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def more(self) -> Json:
        """What its events say besides."""
        return {"logprobs": []}

    def json(self, text: str) -> Json:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


class RefusalPart(Part):
    """The words of a refusal."""

    event = "response.refusal"
    member = "refusal"

    @property
    def more(self) -> Json:
        return {}

    def json(self, text: str) -> Json:
        return {"type": "refusal", "refusal": text}


class MessageItem(Item):
    """What the model says."""

    def __init__(self, item_id: str, index: int) -> None:
        super().__init__(item_id, index)
        self.has_refused = False
        self._parts: list[Part] = []
        self._is_open = False
        self._delta = b""

    def say(self, text: str) -> bytes:
        if self._is_open:  # nearly always
            self._parts[-1].words.append(text)
            pen = self._pen
            if pen is None:
                return b""
            number = pen.number
            pen.number = number + 1
            return b'%b%d,"delta":%b}\n\n' % (self._delta, number, _encode(text))
        return self._add(Part(text))

    def refuse(self, text: str) -> bytes:
        """More of a refusal: a part of its own, behind what was said before."""
        if self._is_open and type(self._parts[-1]) is RefusalPart:
            return self.say(text)
        self.has_refused = True
        return self.end_part() + self._add(RefusalPart(text))

    def end_part(self) -> bytes:
        """Text that follows is a new part."""
        if not self._is_open:
            return b""
        self._is_open = False
        return b"" if self._pen is None else self._part_done(self._pen, len(self._parts) - 1)

    def json(self) -> Json:
        return self._json(self.status or "in_progress", [part.json(part.text) for part in self._parts])

    def _blank(self) -> Json:
        return self._json("in_progress", [])

    def _json(self, status: str, content: list[Json]) -> Json:
        return {"id": self.id, "type": "message", "status": status, "role": "assistant", "content": content}

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

    def _add(self, part: Part) -> bytes:
        self._parts.append(part)
        self._is_open = True
        return b"" if self._pen is None else self._part(self._pen, len(self._parts) - 1)

    def _part(self, pen: Pen, index: int) -> bytes:
        part, at = self._parts[index], self._at(content_index=index)
        self._delta = opening(f"{part.event}.delta", at | part.more)
        added = pen.event("response.content_part.added", at | {"part": part.json("")})
        return added + pen.write(self._delta, b',"delta":%b}\n\n' % _encode(part.text))

    def _part_done(self, pen: Pen, index: int) -> bytes:
        part, at = self._parts[index], self._at(content_index=index)
        done = pen.event(f"{part.event}.done", at | {part.member: part.text} | part.more)
        return done + pen.event("response.content_part.done", at | {"part": part.json(part.text)})
