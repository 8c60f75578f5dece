"""Blocks of a customer's message, one after the other: what each event opens, adds and closes.

It writes what it is given at once. What must wait for a block to end is not known here.
"""

import msgspec

from kyma.core.answer import (
    ChatEvent,
    NativeDelta,
    PartEnd,
    RefusalDelta,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
)
from kyma.dialects.anthropic_messages.frames import (
    DELTA_FRAME,
    DELTA_HEAD,
    START_FRAME,
    STOP_FRAME,
    TEXT_BLOCK,
    TEXT_TAIL,
    THINKING_BLOCK,
    OpenCall,
)
from kyma.dialects.anthropic_messages.proofs import wrap
from kyma.dialects.anthropic_messages.wire import OUTER_FIELDS, RawFields, encoder, fields_decoder

_encode = encoder.encode


class BlockWriter:
    """The blocks of one message."""

    __slots__ = ("_index", "_kind", "_more", "call", "calls", "outer", "text_head")

    def __init__(self) -> None:
        self._index = -1
        self._kind = ""
        """What block is open: text, refusal, thinking, call, native, or none."""
        self._more: RawFields = {}
        """What the next call says besides its id, name and input."""
        self.text_head = b""
        """What stands before the words of a text delta, while a text block is open."""
        self.call: OpenCall | None = None
        """The one whose block is open."""
        self.calls: dict[int, OpenCall] = {}
        """All that there have been, by their index."""
        self.outer: RawFields = {}
        """What was said beside the blocks, about the whole message."""

    def say(self, event: ChatEvent) -> bytes:
        """The frames of an event; none for one that says nothing here, or goes on with a call that is closed."""
        match event:
            case TextDelta(_, text) | RefusalDelta(_, text) | ThinkingDelta(_, text) if not text:
                return b""
            case TextDelta(_, text):
                opening = b"" if self._kind == "text" else self._open("text", TEXT_BLOCK)
                self.text_head = DELTA_HEAD % (self._index, b'"text_delta","text":')
                return opening + self.text_head + _encode(text) + TEXT_TAIL
            case RefusalDelta(_, text):
                opening = b"" if self._kind == "refusal" else self._open("refusal", TEXT_BLOCK)
                return opening + self._delta({"type": "text_delta", "text": text})
            case ThinkingDelta(_, text):
                opening = b"" if self._kind == "thinking" else self._open("thinking", THINKING_BLOCK)
                return opening + self._delta({"type": "thinking_delta", "thinking": text})
            case SignatureDelta(_, signature, origin, is_redacted):
                return self._prove(wrap(signature, origin), is_redacted)
            case ToolCallStart():
                return self._open_call(event)
            case ToolCallDelta(_, index, arguments):
                if self.call is None or self.calls.get(index) is not self.call or not arguments:
                    return b""
                self.call.said.append(arguments)
                return self._delta({"type": "input_json_delta", "partial_json": arguments})
            case PartEnd():
                return self.close()
            case NativeDelta(_, _, delta, outer):
                return self._native(delta, outer)
            case _:
                return b""

    def close(self) -> bytes:
        """The stop of the open block, if there is one."""
        if not self._kind:
            return b""
        self._kind, self.text_head = "", b""
        if self.call is not None:
            self.call.is_complete, self.call = True, None
        return STOP_FRAME % self._index

    def _open(self, kind: str, block: bytes | msgspec.Raw) -> bytes:
        closing = self.close()
        self._index += 1
        self._kind = kind
        return closing + START_FRAME % (self._index, block)

    def _open_call(self, event: ToolCallStart) -> bytes:
        proof = b""
        if event.signature:
            proof = self.close() + self._prove(wrap(event.signature, event.origin, of_call=True), False)
        block = {"type": "tool_use", "id": event.id, "name": event.name, "input": {}, **self._more}
        self._more = {}
        frames = proof + self._open("call", _encode(block))
        self.call = self.calls[event.index] = OpenCall(event)
        if event.arguments:
            frames += self._delta({"type": "input_json_delta", "partial_json": event.arguments})
        return frames

    def _prove(self, proof: str, is_redacted: bool) -> bytes:
        """The proof closes the thought it belongs to; without one it stands in an empty thought of its own."""
        if is_redacted:
            return self._open("native", _encode({"type": "redacted_thinking", "data": proof})) + self.close()
        opening = b"" if self._kind == "thinking" else self._open("thinking", THINKING_BLOCK)
        return opening + self._delta({"type": "signature_delta", "signature": proof}) + self.close()

    def _native(self, delta: RawFields, outer: RawFields) -> bytes:
        self.outer.update((name, raw) for name, raw in outer.items() if name in OUTER_FIELDS)
        if "call" in delta:
            self._more = fields_decoder.decode(delta["call"])
        if "content_block" in delta:
            return self._open("native", delta["content_block"])
        if "delta" in delta:
            opening = b"" if self._kind in ("native", "text") else self._open("text", TEXT_BLOCK)
            return opening + DELTA_FRAME % (self._index, delta["delta"])
        return b""

    def _delta(self, delta: dict[str, str]) -> bytes:
        return DELTA_FRAME % (self._index, _encode(delta))
