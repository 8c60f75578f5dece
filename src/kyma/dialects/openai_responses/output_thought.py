"""The output item of what the model thought."""

from kyma.dialects.openai_responses.output import Item, Json, Pen, opening
from kyma.dialects.openai_responses.wire import encoder

_encode = encoder.encode


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


def _summary(text: str) -> Json:
    return {"type": "summary_text", "text": text}
