"""Bedrock's stream of Converse events, cut anywhere, as events of ours."""

from collections.abc import Iterator

import msgspec

from kyma.core.answer import (
    ChatEvent,
    Finish,
    PartEnd,
    SignatureDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
)
from kyma.core.errors import UpstreamFailed
from kyma.core.model import Quirks
from kyma.dialects.aws_eventstream import BrokenFrame, Frame, FrameParser
from kyma.dialects.bedrock_converse.errors import stream_exception
from kyma.dialects.bedrock_converse.wire import NAME, NULL, finish_reason, parse_usage
from kyma.dialects.framed_decoder import FramedDecoder
from kyma.dialects.thinking import Speech


class WireToolDelta(msgspec.Struct, gc=False):
    input: str = ""


class WireReasoningDelta(msgspec.Struct, rename="camel", gc=False):
    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class WireDelta(msgspec.Struct, rename="camel", gc=False):
    text: str | None = None
    tool_use: WireToolDelta | None = None
    reasoning_content: WireReasoningDelta | None = None


class WireDeltaEvent(msgspec.Struct, rename="camel", gc=False):
    delta: WireDelta
    content_block_index: int = 0


class WireToolStart(msgspec.Struct, rename="camel"):
    tool_use_id: str
    name: str


class WireStart(msgspec.Struct, rename="camel"):
    tool_use: WireToolStart | None = None


class WireStartEvent(msgspec.Struct, rename="camel"):
    start: WireStart
    content_block_index: int = 0


class WireStopEvent(msgspec.Struct, rename="camel"):
    content_block_index: int = 0


class WireEndEvent(msgspec.Struct, rename="camel"):
    stop_reason: str


class WireMetadata(msgspec.Struct):
    usage: msgspec.Raw = NULL


_decode_delta = msgspec.json.Decoder(WireDeltaEvent).decode
_decode_start = msgspec.json.Decoder(WireStartEvent).decode
_decode_stop = msgspec.json.Decoder(WireStopEvent).decode
_decode_end = msgspec.json.Decoder(WireEndEvent).decode
_decode_metadata = msgspec.json.Decoder(WireMetadata).decode


def stream_decoder(quirks: Quirks) -> "EventDecoder":
    """A decoder for one stream."""
    return EventDecoder(quirks.thinks_first)


class CallState:
    """A tool call under way; one without arguments has no delta."""

    __slots__ = ("has_arguments", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.has_arguments = False


class EventDecoder(FramedDecoder[Frame]):
    """See `StreamDecoder`. A stream is complete with its `messageStop`; the usage comes after that, and ends it.

    Only blocks of tool calls are opened; text and thoughts begin with their first delta.
    """

    __slots__ = ("_calls", "_frame_parser", "_has_finished", "_open", "_speech")

    garbled = "a frame of the stream is no Converse event"
    broken = BrokenFrame

    def __init__(self, thinks_first: bool) -> None:
        super().__init__()
        self._frame_parser = FrameParser()
        self._speech = Speech(0, thinks_first)
        self._open: dict[int, CallState] = {}
        self._calls = 0
        self._has_finished = False

    @property
    def _is_complete(self) -> bool:
        return self._has_finished

    def _frames(self, data: bytes) -> Iterator[Frame]:
        return self._frame_parser.feed(data)

    def _read(self, frame: Frame, events: list[ChatEvent]) -> None:
        if self._is_over:
            return
        match frame.headers.get(":message-type"):
            case "event":
                self._read_event(frame.headers.get(":event-type"), frame.payload, events)
            case "exception":
                raise stream_exception(str(frame.headers.get(":exception-type", "")), frame.payload)
            case "error":
                raise UpstreamFailed("error frame in a stream")

    def _read_event(self, kind: object, payload: bytes, events: list[ChatEvent]) -> None:
        match kind:
            case "contentBlockDelta":
                event = _decode_delta(payload)
                self._read_delta(event.content_block_index, event.delta, events)
            case "contentBlockStart":
                opened = _decode_start(payload)
                if opened.start.tool_use is not None:
                    self._call(opened.content_block_index, opened.start.tool_use, events)
            case "contentBlockStop":
                self._close(_decode_stop(payload).content_block_index, events)
            case "messageStop":
                self._end(_decode_end(payload).stop_reason, events)
            case "metadata":
                if (report := parse_usage(_decode_metadata(payload).usage)) is not None:
                    events.append(report)
                self._is_over = self._has_finished

    def _read_delta(self, index: int, delta: WireDelta, events: list[ChatEvent]) -> None:
        if delta.text:
            self._speech.feed(delta.text, events)
        elif delta.tool_use is not None:
            call = self._open.get(index)
            if call is not None and delta.tool_use.input:
                call.has_arguments = True
                events.append(ToolCallDelta(0, call.number, delta.tool_use.input))
        elif delta.reasoning_content is not None:
            thought = delta.reasoning_content
            if thought.text:
                events.append(ThinkingDelta(0, thought.text))
            if thought.signature:
                events.append(SignatureDelta(0, thought.signature, NAME))
            if thought.redacted_content:
                events.append(SignatureDelta(0, thought.redacted_content, NAME, is_redacted=True))

    def _call(self, index: int, call: WireToolStart, events: list[ChatEvent]) -> None:
        self._open[index] = CallState(self._calls)
        events.append(ToolCallStart(0, self._calls, call.tool_use_id, call.name))
        self._calls += 1

    def _close(self, index: int, events: list[ChatEvent]) -> None:
        call = self._open.pop(index, None)
        self._speech.close(events)
        if call is not None and not call.has_arguments:
            events.append(ToolCallDelta(0, call.number, "{}"))
        events.append(PartEnd(0))

    def _end(self, word: str, events: list[ChatEvent]) -> None:
        if not self._has_finished:
            reason = finish_reason(word, bool(self._calls))
            self._has_finished = True
            events.append(Finish(0, reason))
