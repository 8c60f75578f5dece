"""A vendor's stream of message events, cut anywhere, as events of ours."""

import msgspec

from kyma.core.answer import (
    ChatEvent,
    Finish,
    FinishReason,
    NativeDelta,
    PartEnd,
    SignatureDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
)
from kyma.core.model import Quirks
from kyma.dialects.anthropic_messages.content import WireAnswerBlock, WireOuter, finish_reason, outer_fields
from kyma.dialects.anthropic_messages.errors import stream_error
from kyma.dialects.anthropic_messages.wire import NAME, NULL, UsageTally, fields_decoder, to_raw
from kyma.dialects.sse_decoder import RepeatingDecoder
from kyma.dialects.thinking import Speech

CALL_MEMBERS = ("type", "id", "name", "input")


class WireDelta(WireOuter, gc=False):
    type: str | None = None
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None


class WireStarted(msgspec.Struct, gc=False):
    usage: msgspec.Raw = NULL


class WireEvent(msgspec.Struct, gc=False):
    type: str
    delta: WireDelta | None = None
    index: int = 0
    content_block: msgspec.Raw = NULL
    message: WireStarted | None = None
    usage: msgspec.Raw = NULL
    context_management: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


class WireRawDelta(msgspec.Struct, gc=False):
    delta: msgspec.Raw


_decode_event = msgspec.json.Decoder(WireEvent).decode
_decode_raw_delta = msgspec.json.Decoder(WireRawDelta).decode
_decode_block = msgspec.json.Decoder(WireAnswerBlock).decode


def stream_decoder(quirks: Quirks) -> "EventDecoder":
    """A decoder for one stream."""
    return EventDecoder(quirks.thinks_first)


class BlockState:
    """A block under way. `call` is the number of a tool call, None for blocks of other kinds."""

    __slots__ = ("call", "held_input", "is_native")

    def __init__(self, is_native: bool, call: int | None, held_input: str) -> None:
        self.is_native = is_native
        self.call = call
        self.held_input = held_input
        """Input that stood in the start of the block: it holds if no delta brings any."""


class EventDecoder(RepeatingDecoder):
    """See `StreamDecoder`. A stream is complete with its `message_stop`."""

    __slots__ = ("_blocks", "_calls", "_has_finished", "_speech", "_tally")

    garbled = "an event of the stream is no message event"

    def __init__(self, thinks_first: bool) -> None:
        super().__init__()
        self._speech = Speech(0, thinks_first)
        self._blocks: dict[int, BlockState] = {}
        self._tally = UsageTally()
        self._calls = 0
        self._has_finished = False

    @property
    def _is_complete(self) -> bool:
        return False  # `message_stop` ends the reading there and then

    def _read(self, payload: bytes, events: list[ChatEvent]) -> None:
        if self._is_over:
            return
        event = _decode_event(payload)
        match event.type:
            case "content_block_delta" if event.delta is not None:
                self._read_delta(event.index, event.delta, payload, events)
            case "content_block_start":
                self._open(event.index, event.content_block, events)
            case "content_block_stop":
                self._close(event.index, events)
            case "message_start" if event.message is not None:
                self._report(event.message.usage, events)
            case "message_delta":
                self._report(event.usage, events)
                if event.delta is not None:
                    self._finish(event.delta, event, events)
            case "message_stop":
                if not self._has_finished:
                    self._finish(WireDelta(stop_reason="end_turn"), event, events)
                self._is_over = True
            case "error":
                raise stream_error(event.error)

    def _read_delta(self, index: int, delta: WireDelta, payload: bytes, events: list[ChatEvent]) -> None:
        block = self._blocks.get(index)
        match delta.type:
            case "input_json_delta" if block is not None and block.call is not None:
                if delta.partial_json:
                    block.held_input = ""
                    events.append(ToolCallDelta(0, block.call, delta.partial_json))
            case "thinking_delta" if block is None or not block.is_native:
                if delta.thinking:
                    events.append(ThinkingDelta(0, delta.thinking))
            case "signature_delta" if block is None or not block.is_native:
                if delta.signature:
                    events.append(SignatureDelta(0, delta.signature, NAME))
            case "text_delta":
                if delta.text:
                    self._speech.feed(delta.text, events)
            case _:
                size = len(delta.partial_json or "")
                events.append(NativeDelta(0, NAME, {"delta": _decode_raw_delta(payload).delta}, {}, size))

    def _open(self, index: int, raw: msgspec.Raw, events: list[ChatEvent]) -> None:
        block = _decode_block(raw)
        is_native, call, held = False, None, ""
        match block.type:
            case "text":
                if block.text:
                    self._speech.feed(block.text, events)
            case "thinking":
                if block.thinking:
                    events.append(ThinkingDelta(0, block.thinking))
                if block.signature:
                    events.append(SignatureDelta(0, block.signature, NAME))
            case "redacted_thinking":
                events.append(SignatureDelta(0, block.data or "", NAME, is_redacted=True))
            case "tool_use":
                if members := _more_members(raw):
                    events.append(NativeDelta(0, NAME, {"call": members}, {}))
                call, self._calls = self._calls, self._calls + 1
                held = bytes(block.input).decode() if block.input != NULL else "{}"
                events.append(ToolCallStart(0, call, block.id or f"toolu_{call}", block.name or ""))
            case _:
                is_native = True
                events.append(NativeDelta(0, NAME, {"content_block": raw.copy()}, {}))
        self._blocks[index] = BlockState(is_native, call, held)

    def _close(self, index: int, events: list[ChatEvent]) -> None:
        block = self._blocks.pop(index, None)
        self._speech.close(events)
        if block is not None and block.call is not None and block.held_input:
            events.append(ToolCallDelta(0, block.call, block.held_input))
        events.append(PartEnd(0))

    def _report(self, raw: msgspec.Raw, events: list[ChatEvent]) -> None:
        if (report := self._tally.see(raw)) is not None:
            events.append(report)

    def _finish(self, delta: WireDelta, event: WireEvent, events: list[ChatEvent]) -> None:
        """How the message ended; before that, what stands beside it."""
        delta.context_management = event.context_management
        if outer := outer_fields(delta):
            events.append(NativeDelta(0, NAME, {}, {name: raw.copy() for name, raw in outer.items()}))
        if delta.stop_reason is None or self._has_finished:
            return
        self._has_finished = True
        reason = finish_reason(delta.stop_reason, bool(self._calls))
        word = None if reason is FinishReason.TOOL_CALLS else delta.stop_reason
        events.append(Finish(0, reason, word, NAME, delta.stop_sequence))


def _more_members(raw: msgspec.Raw) -> msgspec.Raw | None:
    """What a call says besides its id, name and input, e.g. who in the vendor's house called it."""
    fields = fields_decoder.decode(raw)
    more = {name: value for name, value in fields.items() if name not in CALL_MEMBERS and value != NULL}
    return to_raw(more) if more else None
