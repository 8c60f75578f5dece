"""A vendor's stream of v2 chat events, cut anywhere, as events. Citations are left out."""

import msgspec

from kyma.core.answer import ChatEvent, Finish, PartEnd, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallStart
from kyma.core.errors import Garbled, UpstreamFailed
from kyma.core.model import Quirks
from kyma.dialects.cohere_chat.wire import WireCall, WireFunction, finish_reason, parse_usage
from kyma.dialects.raw_fields import NULL
from kyma.dialects.sse_decoder import RepeatingDecoder

DONE = b"[DONE]"
NO_ARGUMENTS = "null"


class WireContent(msgspec.Struct, gc=False):
    text: str | None = None
    thinking: str | None = None


class WireMessage(msgspec.Struct, gc=False):
    """Lists stand here when the message starts, and are empty."""

    content: WireContent | list[msgspec.Raw] | None = None
    tool_plan: str | None = None
    tool_calls: WireCall | list[msgspec.Raw] | None = None


class WireDelta(msgspec.Struct, gc=False):
    message: WireMessage | None = None
    finish_reason: str | None = None
    error: str | None = None
    usage: msgspec.Raw = NULL


class WireEvent(msgspec.Struct, gc=False):
    type: str
    index: int | None = None
    delta: WireDelta | None = None


_decode_event = msgspec.json.Decoder(WireEvent).decode


def stream_decoder(quirks: Quirks) -> "EventDecoder":
    """A decoder for one stream."""
    return EventDecoder()


class EventDecoder(RepeatingDecoder):
    """See `StreamDecoder`. A stream is complete with its `message-end`; calls are told apart by their index."""

    __slots__ = ("_has_ended", "_speaking")

    garbled = "an event of the stream is no chat event"

    def __init__(self) -> None:
        super().__init__()
        self._has_ended = False
        self._speaking: dict[int, bool] = {}
        """Of each call, whether its arguments have begun."""

    @property
    def _is_complete(self) -> bool:
        return self._has_ended

    def _read(self, payload: bytes, events: list[ChatEvent]) -> None:
        if payload == DONE or self._has_ended:
            return
        event = _decode_event(payload)
        delta = event.delta or WireDelta()
        message = delta.message or WireMessage()
        index = event.index or 0
        match event.type:
            case "content-delta" | "content-start":
                if isinstance(content := message.content, WireContent):
                    _read_content(content, events)
            case "tool-plan-delta":
                if message.tool_plan:
                    events.append(ThinkingDelta(0, message.tool_plan))
            case "tool-call-start":
                self._open_call(index, message.tool_calls, events)
            case "tool-call-delta":
                if isinstance(call := message.tool_calls, WireCall):
                    self._add_arguments(index, call, events)
            case "tool-call-end":
                if self._speaking.get(index) is False:
                    self._speaking[index] = True
                    events.append(ToolCallDelta(0, index, "{}"))
                events.append(PartEnd(0))
            case "content-end":
                events.append(PartEnd(0))
            case "message-end":
                self._end(delta, events)

    def _open_call(self, index: int, call: object, events: list[ChatEvent]) -> None:
        function = call.function if isinstance(call, WireCall) else None
        if not isinstance(call, WireCall) or function is None or not function.name or index in self._speaking:
            raise Garbled("the answer calls a tool and does not say which")
        events.append(ToolCallStart(0, index, call.id or f"call_{index}", function.name))
        self._speaking[index] = False
        self._add_arguments(index, call, events)

    def _add_arguments(self, index: int, call: WireCall, events: list[ChatEvent]) -> None:
        """Cohere writes `null` for a function that takes none: its end says `{}` instead."""
        said = (call.function or WireFunction()).arguments
        if index not in self._speaking:
            raise Garbled("the stream goes on with a call that it has not begun")
        if said and (self._speaking[index] or said != NO_ARGUMENTS):
            self._speaking[index] = True
            events.append(ToolCallDelta(0, index, said))

    def _end(self, delta: WireDelta, events: list[ChatEvent]) -> None:
        if delta.error:
            raise UpstreamFailed("error in a stream")
        if (report := parse_usage(delta.usage)) is not None:
            events.append(report)
        events.append(Finish(0, finish_reason(delta.finish_reason)))
        self._has_ended = True


def _read_content(content: WireContent, events: list[ChatEvent]) -> None:
    if content.thinking:
        events.append(ThinkingDelta(0, content.thinking))
    if content.text:
        events.append(TextDelta(0, content.text))
