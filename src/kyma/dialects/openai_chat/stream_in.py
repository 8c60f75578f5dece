"""A vendor's stream of chat completion chunks, cut anywhere, as events."""

from typing import Any

import msgspec

from kyma.core.answer import (
    ChatEvent,
    Finish,
    FinishReason,
    NativeDelta,
    RefusalDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
)
from kyma.core.errors import Garbled
from kyma.core.model import Quirks
from kyma.dialects.openai_chat.choices import MESSAGE_FIELDS, WirePart, finish_reason, read_words, split_parts
from kyma.dialects.openai_chat.wire import NAME, NULL, STOP, encoder, parse_usage
from kyma.dialects.sse_decoder import RepeatingDecoder
from kyma.dialects.thinking import Speech, say
from kyma.dialects.vendor_errors import error_in_answer

DONE = b"[DONE]"


class WireDelta(msgspec.Struct, gc=False):
    content: str | list[WirePart] | None = None
    role: msgspec.Raw = NULL
    reasoning_content: msgspec.Raw = NULL
    reasoning: msgspec.Raw = NULL
    tool_calls: msgspec.Raw = NULL
    refusal: msgspec.Raw = NULL
    annotations: msgspec.Raw = NULL
    audio: msgspec.Raw = NULL
    reasoning_details: msgspec.Raw = NULL
    function_call: msgspec.Raw = NULL


class WireChunkChoice(msgspec.Struct, gc=False):
    delta: WireDelta | None = None
    index: int = 0
    finish_reason: str | None = None
    logprobs: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL


class WireChunk(msgspec.Struct, gc=False):
    choices: list[WireChunkChoice] | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


class WireCalledFunctionDelta(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class WireCallDelta(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: WireCalledFunctionDelta | None = None


SILENCE = WireDelta()

_decode_chunk = msgspec.json.Decoder(WireChunk).decode
_calls_decoder = msgspec.json.Decoder(list[WireCallDelta])


def stream_decoder(quirks: Quirks) -> "ChunkDecoder":
    """A decoder for one stream."""
    return ChunkDecoder(quirks)


class ChoiceState:
    """What a stream has said of one choice.

    `calls` are ids by index, `nameless` the first arguments of calls whose name has not come yet.
    """

    __slots__ = ("calls", "has_finished", "has_refused", "nameless", "speech")

    def __init__(self, index: int, thinks_first: bool) -> None:
        self.speech = Speech(index, thinks_first)
        self.calls: dict[int, str] = {}
        self.nameless: dict[int, str] = {}
        self.has_finished = self.has_refused = False


class ChunkDecoder(RepeatingDecoder):
    """See `StreamDecoder`. A stream is complete once each choice that it spoke of has finished."""

    __slots__ = ("_choices", "_quirks")

    garbled = "a chunk of the stream is no chat completion chunk"

    def __init__(self, quirks: Quirks) -> None:
        super().__init__()
        self._quirks = quirks
        self._choices: dict[int, ChoiceState] = {}

    @property
    def _is_complete(self) -> bool:
        return bool(self._choices) and all(state.has_finished for state in self._choices.values())

    def _read(self, payload: bytes, events: list[ChatEvent]) -> None:
        if payload == DONE:
            return
        chunk = _decode_chunk(payload)
        if chunk.error is not NULL and chunk.error != NULL:
            raise error_in_answer(chunk.error)
        for choice in chunk.choices or ():
            state = self._choices.get(choice.index) or self._open(choice.index)
            _read_delta(choice, choice.delta or SILENCE, state, events)
            if choice.finish_reason is not None and not state.has_finished:  # some say it again beside the usage
                _finish(choice, state, events)
            if choice.usage is not NULL:
                self._report(choice.usage, events)
        if chunk.usage is not NULL:
            self._report(chunk.usage, events)

    def _open(self, index: int) -> ChoiceState:
        state = self._choices[index] = ChoiceState(index, self._quirks.thinks_first)
        return state

    def _report(self, raw: msgspec.Raw, events: list[ChatEvent]) -> None:
        if (report := parse_usage(raw, self._quirks)) is not None:
            events.append(report)


def _read_delta(choice: WireChunkChoice, delta: WireDelta, state: ChoiceState, events: list[ChatEvent]) -> None:
    index, text = choice.index, delta.content
    if delta.reasoning_content is not NULL or delta.reasoning is not NULL:
        if thought := read_words(delta.reasoning_content) or read_words(delta.reasoning):
            events.append(ThinkingDelta(index, thought))
    if text:
        if isinstance(text, list):
            speech, thought = split_parts(text)
            say(index, (thought, speech), events)
        else:
            state.speech.feed(text, events)
    if delta.tool_calls is not NULL and delta.tool_calls != NULL:
        _read_calls(index, delta.tool_calls, state, events)
    if not (
        choice.logprobs is NULL
        and delta.refusal is delta.annotations is delta.audio is delta.reasoning_details is delta.function_call is NULL
    ):
        if refusal := read_words(delta.refusal):
            state.has_refused = True
            events.append(RefusalDelta(index, refusal))
        _read_native(choice, delta, events)


def _read_calls(choice: int, raw: msgspec.Raw, state: ChoiceState, events: list[ChatEvent]) -> None:
    for position, call in enumerate(_calls_decoder.decode(raw)):
        index = position if call.index is None else call.index
        function = call.function or WireCalledFunctionDelta()
        arguments = function.arguments or ""
        if not isinstance(arguments, str):
            arguments = encoder.encode(arguments).decode()
        known = state.calls.get(index)
        if known is None or (call.id and call.id != known and function.name):
            if not (call.id or function.name or arguments):  # Workers AI closes calls so
                continue
            if known is not None:
                index = 1 + max(state.calls)
            known = state.calls[index] = call.id or f"call_{choice}_{index}"
            state.nameless[index] = ""
        if index in state.nameless:
            arguments = state.nameless.pop(index) + arguments
            if function.name:
                events.append(ToolCallStart(choice, index, known, function.name, arguments))
            else:
                state.nameless[index] = arguments
        elif arguments:
            events.append(ToolCallDelta(choice, index, arguments))


def _read_native(choice: WireChunkChoice, delta: WireDelta, events: list[ChatEvent]) -> None:
    inner = {name: raw for name in MESSAGE_FIELDS if (raw := getattr(delta, name)) != NULL}
    outer = {} if choice.logprobs == NULL else {"logprobs": choice.logprobs}
    if inner or outer:
        events.append(NativeDelta(choice.index, NAME, inner, outer))


def _finish(choice: WireChunkChoice, state: ChoiceState, events: list[ChatEvent]) -> None:
    state.speech.close(events)
    if state.nameless:
        raise Garbled("the answer calls a tool and does not say which")
    reason = finish_reason(choice.finish_reason, bool(state.calls), state.has_refused)
    word = STOP if state.has_refused and reason is FinishReason.CONTENT_FILTER else None
    events.append(Finish(choice.index, reason, word, NAME if word else ""))
    state.has_finished = True
