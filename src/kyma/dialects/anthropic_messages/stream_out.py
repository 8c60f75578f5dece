"""Events as a customer's stream of message events.

Blocks never overlap in this dialect. What comes while a tool call is still under way waits until the call is complete:
its arguments are a whole object, its part has ended, or the answer has.
"""

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
from kyma.dialects.anthropic_messages.block_writer import BlockWriter
from kyma.dialects.anthropic_messages.errors import render_error
from kyma.dialects.anthropic_messages.frames import PING, STOP, TEXT_TAIL
from kyma.dialects.anthropic_messages.response import message_id
from kyma.dialects.anthropic_messages.wire import (
    NAME,
    count_usage,
    encoder,
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

    __slots__ = ("_blocks", "_finish", "_reply", "_started", "_waiting")

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._started = False
        self._blocks = BlockWriter()
        self._waiting: list[ChatEvent] = []
        self._finish: Finish | None = None

    def encode(self, event: ChatEvent) -> bytes:
        if type(event) is TextDelta and self._blocks.text_head:  # nearly all there is
            return self._blocks.text_head + _encode(event.text) + TEXT_TAIL if event.choice == 0 else b""
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
        if self._blocks.calls and reason is FinishReason.STOP:
            reason, word = FinishReason.TOOL_CALLS, None
        delta: dict[str, object] = {
            "stop_reason": stop_reason(reason, word, origin, stop_sequence),
            "stop_sequence": stop_sequence,
        }
        event: dict[str, object] = {"type": "message_delta", "delta": delta, "usage": render_usage(bill)}
        for name, raw in self._blocks.outer.items():
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
        blocks = self._blocks
        if isinstance(event, Finish):
            self._finish = event
            return self._drain()
        if blocks.call is None:
            return blocks.say(event)
        match event:
            case ToolCallDelta(_, index) if blocks.calls.get(index) is blocks.call:
                said = blocks.say(event)
                return said + self._resume() if self._waiting and blocks.call.is_whole else said
            case ToolCallStart() | TextDelta() | RefusalDelta() | ThinkingDelta() | SignatureDelta() | NativeDelta():
                if not self._waiting and blocks.call.is_whole:
                    return blocks.close() + blocks.say(event)
            case PartEnd() if not self._waiting:
                return blocks.close()
        self._waiting.append(event)
        return b""

    def _resume(self) -> bytes:
        """What waited for the call that is whole now; it may find another one in its way."""
        waiting, self._waiting = self._waiting, []
        return self._blocks.close() + b"".join([self._admit(event) for event in waiting])

    def _drain(self) -> bytes:
        """All that waits, now that no call can go on; then nothing is open."""
        blocks, waiting, self._waiting = self._blocks, self._waiting, []
        frames = [blocks.close()]
        deltas: dict[int, list[ChatEvent]] = {}
        for event in waiting:
            if isinstance(event, ToolCallDelta):
                deltas.setdefault(event.index, []).append(event)
        for event in waiting:
            if isinstance(event, OF_A_CALL):
                continue
            frames.append(blocks.say(event))
            if isinstance(event, ToolCallStart):
                frames.extend(blocks.say(delta) for delta in deltas.pop(event.index, ()))
        frames.append(blocks.close())
        return b"".join(frames)
