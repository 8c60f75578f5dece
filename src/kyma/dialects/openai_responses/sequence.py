"""The output of one answer: events or parts become items, one after the other.

Items never overlap on the wire: the first unfinished one is told as it grows, those behind it wait until it is done.
"""

from typing import Any

import msgspec

from kyma.core.answer import (
    ChatEvent,
    Finish,
    FinishReason,
    PartEnd,
    RefusalDelta,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
)
from kyma.core.chat import ChatRequest
from kyma.dialects.openai_responses.envelope import final_status
from kyma.dialects.openai_responses.items import items_of
from kyma.dialects.openai_responses.output import Item, ItemStatus, Pen
from kyma.dialects.openai_responses.output_call import CallItem
from kyma.dialects.openai_responses.output_message import MessageItem
from kyma.dialects.openai_responses.output_thought import ThoughtItem
from kyma.dialects.openai_responses.read import ENCRYPTED
from kyma.dialects.openai_responses.tools import SEARCH, Toolbox, read_tools
from kyma.dialects.openai_responses.wire import NULL, Sealed, seal

CALL_PREFIXES = {"function": "fc", "custom": "ctc", SEARCH: "tsc"}

_strings_decoder = msgspec.json.Decoder(list[str])


class ItemSequence:
    """Takes in events and returns the frames they make. Without a `pen` nothing is told, only kept.

    Proofs of thought are shown to those who asked for them, with their origin, so that they find their way back.
    """

    def __init__(self, request: ChatRequest, digits: str, pen: Pen | None) -> None:
        self.finish = FinishReason.STOP
        self._fields = request.native.fields
        self._shows_proofs = "include" in self._fields and _asks_for_proofs(self._fields["include"])
        self._digits = digits
        self._pen = pen
        self._items: list[Item] = []
        self._live = 0
        self._calls: dict[int, CallItem] = {}
        self._call_ids: set[str] = set()
        self._tools: Toolbox | None = None

    @property
    def output(self) -> list[dict[str, Any]]:
        """The finished items, of those that were told if there is somebody to tell."""
        told = self._items if self._pen is None else [item for item in self._items if item.is_started]
        return [item.json() for item in told if item.status]

    @property
    def speaking(self) -> MessageItem | None:
        """The message under way, if there is one and it is the item being told."""
        last = self._last
        return last if isinstance(last, MessageItem) and last.is_started and last.status is None else None

    def take(self, event: ChatEvent) -> bytes:
        """The frames that `event` makes; answers beyond the first are not of this dialect."""
        match event:
            case TextDelta(0, text):
                return self.say(text)
            case RefusalDelta(0, text):
                return self.refuse(text)
            case ThinkingDelta(0, text):
                return self.think(text)
            case SignatureDelta(0, signature, origin, is_redacted):
                return self.prove(Sealed(signature, origin, "redacted" if is_redacted else "signature"))
            case ToolCallStart(0, index, call_id, name, arguments, signature, origin):
                return self.call(
                    index, call_id, name, arguments, Sealed(signature, origin, "call") if signature else None
                )
            case ToolCallDelta(0, index, arguments) if index in self._calls:
                return self._calls[index].say(arguments) if self._calls[index].status is None else b""
            case PartEnd(0):
                return self.end_part()
            case Finish(0, reason):
                return self.end(reason)
        return b""

    def say(self, text: str) -> bytes:
        """More of what the model says."""
        last = self._last
        if isinstance(last, MessageItem) and last.status is None:
            return last.say(text)
        if not text:
            return b""
        item = MessageItem(*self._place("msg"))
        return self._add(item) + item.say(text)

    def refuse(self, text: str) -> bytes:
        """More of the words in which it declines."""
        last = self._last
        if isinstance(last, MessageItem) and last.status is None:
            return last.refuse(text)
        item = MessageItem(*self._place("msg"))
        return self._add(item) + item.refuse(text)

    def think(self, text: str) -> bytes:
        """More of what it thinks."""
        last = self._last
        if not text:
            return b""
        if isinstance(last, ThoughtItem) and last.status is None:
            return last.say(text)
        item = ThoughtItem(*self._place("rs"))
        return self._add(item) + item.say(text)

    def prove(self, sealed: Sealed) -> bytes:
        """A proof ends its thought; one without a thought is an item of its own."""
        if not self._shows_proofs:
            return b""
        last, told = self._last, b""
        if not isinstance(last, ThoughtItem) or last.status or sealed.kind != "signature":
            last = ThoughtItem(*self._place("rs"))
            told = self._add(last)
        last.proof = seal(sealed)
        return told + self._done(last, "completed")

    def call(self, number: int, call_id: str, name: str, arguments: str, proof: Sealed | None) -> bytes:
        """A tool call opens; `number` is what more of its arguments will name it by."""
        told = self.prove(proof) if proof else b""
        call_id = call_id or f"call_{self._digits}"
        if call_id in self._call_ids:  # clients tell calls apart by it
            call_id = f"{call_id}_{len(self._items)}"
        self._call_ids.add(call_id)
        spoken = self._toolbox().spoken(name)
        item = CallItem(*self._place(CALL_PREFIXES[spoken.kind]), call_id, spoken)
        self._calls[number] = item
        return told + self._add(item) + item.say(arguments)

    def end_part(self) -> bytes:
        """The part under way is complete.

        Among calls that overlap it is not clear which one ended: they wait for the end of the answer.
        """
        last = self._last
        if isinstance(last, MessageItem) and last.status is None:
            return last.end_part()
        if last is None or last.status or any(item.status is None for item in self._items[:-1]):
            return b""
        return self._done(last, "completed")

    def end(self, reason: FinishReason) -> bytes:
        """The answer is over."""
        self.finish = reason
        if reason is FinishReason.CONTENT_FILTER and self._has_refused:
            self.finish = FinishReason.STOP  # the refusal is the answer, and complete
        return self.close()

    def close(self) -> bytes:
        """Finish all items; the last one is what an answer cut short was cut in."""
        last = self._last
        told = b""
        for item in self._items:
            if item.status is None:
                told += self._done(item, final_status(self.finish) if item is last else "completed")
        return told

    def abandon(self) -> bytes:
        """The answer broke: words are closed as incomplete. A half call is left open, so that nobody acts on it."""
        last = self._last
        if last is None or last.status or not last.is_started or isinstance(last, CallItem):
            return b""
        return last.finish("incomplete")

    @property
    def _last(self) -> Item | None:
        return self._items[-1] if self._items else None

    @property
    def _has_refused(self) -> bool:
        return any(isinstance(item, MessageItem) and item.has_refused for item in self._items)

    def _place(self, prefix: str) -> tuple[str, int]:
        """Id and index of the next item."""
        index = len(self._items)
        return f"{prefix}_{self._digits}{index:02x}", index

    def _add(self, item: Item) -> bytes:
        """Put `item` last. It ends words; calls may go on beside it."""
        last = self._last
        ended = b"" if last is None or last.status or isinstance(last, CallItem) else self._done(last, "completed")
        self._items.append(item)
        return ended + self._advance()

    def _done(self, item: Item, status: ItemStatus) -> bytes:
        return item.finish(status) + self._advance()

    def _advance(self) -> bytes:
        """Tell what waited behind items that are finished."""
        told = b""
        if self._pen is None:
            return told
        while self._live < len(self._items):
            item = self._items[self._live]
            if not item.is_started:
                told += item.start(self._pen)
            if item.status is None:
                break
            self._live += 1
        return told

    def _toolbox(self) -> Toolbox:
        if self._tools is None:
            self._tools = read_tools(self._fields, items_of(self._fields))
        return self._tools


def _asks_for_proofs(include: msgspec.Raw) -> bool:
    return include != NULL and ENCRYPTED in _strings_decoder.decode(include)
