"""Events as a customer's stream of message events.

Blocks never overlap in this dialect. What comes while a tool call is still under way waits until the call is complete:
its arguments are a whole object, its part has ended, or the answer has.
"""

import msgspec

from kyma.core.answer import (
    Bill,
    ChatEvent,
    Finish,
    FinishReason,
    NativeDelta,
    PartEnd,
    RefusalDelta,
    SignatureDelta,
    StreamFailure,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import ChatRequest
from kyma.core.errors import KymaError
from kyma.core.model import Usage
from kyma.dialects.anthropic_messages.errors import render_error
from kyma.dialects.anthropic_messages.frames import (
    DELTA_FRAME,
    DELTA_HEAD,
    PING,
    START_FRAME,
    STOP,
    STOP_FRAME,
    TEXT_BLOCK,
    TEXT_TAIL,
    THINKING_BLOCK,
    OpenCall,
)
from kyma.dialects.anthropic_messages.proofs import wrap
from kyma.dialects.anthropic_messages.response import message_id
from kyma.dialects.anthropic_messages.wire import (
    NAME,
    OUTER_FIELDS,
    RawFields,
    count_usage,
    encoder,
    fields_decoder,
    render_usage,
    stop_reason,
)
from kyma.dialects.base import Reply

OF_NO_CHOICE = (UsageReport, StreamFailure)
OF_A_CALL = (ToolCallDelta, PartEnd)
_encode = encoder.encode


def stream_encoder(request: ChatRequest, reply: Reply) -> "EventEncoder":
    """An encoder for one stream."""
    return EventEncoder(reply)


class EventEncoder:
    """See `StreamEncoder`. The first event of any kind brings `message_start`; `end` says why it ended and bills."""

    __slots__ = (
        "_call",
        "_calls",
        "_finish",
        "_index",
        "_kind",
        "_more",
        "_outer",
        "_reply",
        "_started",
        "_text_head",
        "_waiting",
    )

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._started = False
        self._index = -1
        self._kind = ""
        """What block is open: text, thinking, call, native, or none."""
        self._text_head = b""
        """What stands before the words of a text delta, while a text block is open."""
        self._call: OpenCall | None = None
        self._calls: dict[int, OpenCall] = {}
        self._waiting: list[ChatEvent] = []
        self._finish: Finish | None = None
        self._outer: RawFields = {}
        self._more: RawFields = {}
        """What the next call says besides its id, name and input."""

    def encode(self, event: ChatEvent) -> bytes:
        if type(event) is TextDelta and self._text_head:  # nearly all there is
            return self._text_head + _encode(event.text) + TEXT_TAIL if event.choice == 0 else b""
        head = b"" if self._started else self._start(event)
        if isinstance(event, OF_NO_CHOICE) or event.choice != 0:
            return head
        if isinstance(event, NativeDelta) and event.dialect != NAME:
            return head
        return head + self._admit(event)

    def end(self, bill: Bill) -> bytes:
        """The open block's stop, `message_delta` and `message_stop`."""
        head = b"" if self._started else self._start(None)
        frames = head + self._drain()
        finish = self._finish
        reason, word, origin, stop_sequence = FinishReason.STOP, None, "", None
        if finish is not None:
            reason, word, origin, stop_sequence = finish.reason, finish.word, finish.origin, finish.stop_sequence
        if self._calls and reason is FinishReason.STOP:
            reason, word = FinishReason.TOOL_CALLS, None
        delta: dict[str, object] = {
            "stop_reason": stop_reason(reason, word, origin, stop_sequence),
            "stop_sequence": stop_sequence,
        }
        event: dict[str, object] = {"type": "message_delta", "delta": delta, "usage": render_usage(bill)}
        for name, raw in self._outer.items():
            (event if name == "context_management" else delta)[name] = raw
        return frames + b"event: message_delta\ndata: " + _encode(event) + b"\n\n" + STOP

    def error(self, error: KymaError) -> bytes:
        return b"event: error\ndata: " + render_error(error) + b"\n\n"

    def keep_alive(self) -> bytes:
        return PING

    def _start(self, event: ChatEvent | None) -> bytes:
        """`message_start`, with the upstream's count if that is what came first."""
        self._started = True
        usage = Usage(input=self._reply.input_estimate)
        if isinstance(event, UsageReport) and event.is_valid:
            usage = event.usage
        message: dict[str, object] = {
            "id": message_id(self._reply),
            "type": "message",
            "role": "assistant",
            "model": self._reply.model_id,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": count_usage(usage),
        }
        return b"event: message_start\ndata: " + _encode({"type": "message_start", "message": message}) + b"\n\n"

    def _admit(self, event: ChatEvent) -> bytes:
        """The event now, or later if a tool call stands in its way."""
        if self._call is None:
            return self._say(event)
        match event:
            case ToolCallDelta(_, index) if self._calls.get(index) is self._call:
                said = self._say(event)
                return said + self._resume() if self._waiting and self._call.is_whole else said
            case ToolCallStart() | TextDelta() | RefusalDelta() | ThinkingDelta() | SignatureDelta() | NativeDelta():
                if not self._waiting and self._call.is_whole:
                    return self._close() + self._say(event)
            case PartEnd() if not self._waiting:
                return self._close()
            case Finish():
                self._finish = event
                return self._drain()
        self._waiting.append(event)
        return b""

    def _resume(self) -> bytes:
        """What waited for the call that is whole now; it may find another one in its way."""
        waiting, self._waiting = self._waiting, []
        return self._close() + b"".join([self._admit(event) for event in waiting])

    def _drain(self) -> bytes:
        """All that waits, now that no call can go on; then nothing is open."""
        waiting, self._waiting = self._waiting, []
        frames = [self._close()]
        deltas: dict[int, list[ChatEvent]] = {}
        for event in waiting:
            if isinstance(event, ToolCallDelta):
                deltas.setdefault(event.index, []).append(event)
        for event in waiting:
            if isinstance(event, OF_A_CALL):
                continue
            frames.append(self._say(event))
            if isinstance(event, ToolCallStart):
                frames.extend(self._say(delta) for delta in deltas.pop(event.index, ()))
        frames.append(self._close())
        return b"".join(frames)

    def _say(self, event: ChatEvent) -> bytes:
        """The frames of an event that nothing stands in the way of."""
        match event:
            case TextDelta(_, text) | RefusalDelta(_, text):
                if not text:
                    return b""
                opening = self._open("text", TEXT_BLOCK)
                self._text_head = DELTA_HEAD % (self._index, b'"text_delta","text":')
                return opening + self._text_head + _encode(text) + TEXT_TAIL
            case ThinkingDelta(_, text):
                if not text:
                    return b""
                opening = b"" if self._kind == "thinking" else self._open("thinking", THINKING_BLOCK)
                return opening + self._delta({"type": "thinking_delta", "thinking": text})
            case SignatureDelta(_, signature, origin, is_redacted):
                return self._prove(wrap(signature, origin), is_redacted)
            case ToolCallStart():
                return self._open_call(event)
            case ToolCallDelta(_, index, arguments):
                if self._call is None or self._calls.get(index) is not self._call or not arguments:
                    return b""
                self._call.said.append(arguments)
                return self._delta({"type": "input_json_delta", "partial_json": arguments})
            case PartEnd():
                return self._close()
            case NativeDelta(_, _, delta, outer):
                return self._native(delta, outer)
            case Finish():
                self._finish = event
                return self._close()
            case _:
                return b""

    def _open(self, kind: str, block: bytes | msgspec.Raw) -> bytes:
        closing = self._close()
        self._index += 1
        self._kind = kind
        return closing + START_FRAME % (self._index, block)

    def _open_call(self, event: ToolCallStart) -> bytes:
        proof = b""
        if event.signature:
            proof = self._close() + self._prove(wrap(event.signature, event.origin, of_call=True), False)
        block = {"type": "tool_use", "id": event.id, "name": event.name, "input": {}, **self._more}
        self._more = {}
        frames = proof + self._open("call", _encode(block))
        self._call = self._calls[event.index] = OpenCall(event)
        if event.arguments:
            frames += self._delta({"type": "input_json_delta", "partial_json": event.arguments})
        return frames

    def _prove(self, proof: str, is_redacted: bool) -> bytes:
        """The proof closes the thought it belongs to; without one it stands in an empty thought of its own."""
        if is_redacted:
            return self._open("native", _encode({"type": "redacted_thinking", "data": proof})) + self._close()
        opening = b"" if self._kind == "thinking" else self._open("thinking", THINKING_BLOCK)
        return opening + self._delta({"type": "signature_delta", "signature": proof}) + self._close()

    def _native(self, delta: RawFields, outer: RawFields) -> bytes:
        self._outer.update((name, raw) for name, raw in outer.items() if name in OUTER_FIELDS)
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

    def _close(self) -> bytes:
        if not self._kind:
            return b""
        self._kind, self._text_head = "", b""
        if self._call is not None:
            self._call.is_complete, self._call = True, None
        return STOP_FRAME % self._index
