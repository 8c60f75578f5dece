"""A vendor's stream of chat completion chunks, cut anywhere, as events."""

from typing import Any

import msgspec

from kyma.core.chat import (
    ChatEvent,
    Finish,
    NativeDelta,
    StreamFailure,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
)
from kyma.core.errors import Garbled, UpstreamError
from kyma.core.model import Quirks
from kyma.dialects.openai_chat.errors import stream_error
from kyma.dialects.openai_chat.response import MESSAGE_FIELDS, finish_reason
from kyma.dialects.openai_chat.wire import NAME, NULL, RawFields, encoder, head, parse_usage
from kyma.dialects.sse import EventTooLarge, SseParser
from kyma.dialects.thinking import ThinkSplitter

REASONING_FIELDS = ("reasoning_content", "reasoning")


class WireChunkChoice(msgspec.Struct):
    delta: RawFields | None = None
    index: int = 0
    finish_reason: str | None = None
    logprobs: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL


class WireChunk(msgspec.Struct):
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


_chunk_decoder = msgspec.json.Decoder(WireChunk)
_calls_decoder = msgspec.json.Decoder(list[WireCallDelta])
_text_decoder = msgspec.json.Decoder(str | None)


def stream_decoder(quirks: Quirks) -> "ChunkDecoder":
    """A decoder for one stream."""
    return ChunkDecoder(quirks)


class ChunkDecoder:
    """See `StreamDecoder`. A stream is complete once each choice has finished or `[DONE]` came after a finish."""

    def __init__(self, quirks: Quirks) -> None:
        self._quirks = quirks
        self._sse = SseParser()
        self._splitters: dict[int, ThinkSplitter | None] = {}
        self._open_calls: dict[tuple[int, int], str] = {}
        self._open_choices: set[int] = set()
        self._finished = False
        self._failed = False

    def feed(self, data: bytes) -> list[ChatEvent]:
        if self._failed:
            return []
        events: list[ChatEvent] = []
        try:
            for payload in self._sse.feed(data):
                self._read(payload, events)
        except UpstreamError as error:
            self._fail(error, events)
        except (msgspec.DecodeError, EventTooLarge, UnicodeDecodeError, RecursionError):
            self._fail(Garbled("a chunk of the stream is no chat completion chunk"), events)
        return events

    def close(self) -> list[ChatEvent]:
        if self._failed:
            return []
        events = [event for payload in self._sse.close() for event in self.feed(b"data: " + payload + b"\n\n")]
        if not self._failed and (not self._finished or self._open_choices):
            self._fail(Garbled("the stream ended before the answer did"), events)
        return events

    def _fail(self, error: UpstreamError, events: list[ChatEvent]) -> None:
        self._failed = True
        events.append(StreamFailure(error))

    def _read(self, payload: bytes, events: list[ChatEvent]) -> None:
        if payload == b"[DONE]":
            return
        chunk = _chunk_decoder.decode(payload)
        if chunk.error is not NULL and chunk.error != NULL:
            raise stream_error(chunk.error)
        for choice in chunk.choices or ():
            if choice.delta:
                self._read_delta(choice, choice.delta, events)
            elif choice.logprobs is not NULL and choice.logprobs != NULL:
                events.append(_native(choice, {}))
            if choice.finish_reason is not None:
                self._finish(choice, events)
            if choice.usage is not NULL:
                self._report(choice.usage, events)
        if chunk.usage is not NULL:
            self._report(chunk.usage, events)

    def _report(self, raw: msgspec.Raw, events: list[ChatEvent]) -> None:
        if (report := parse_usage(raw, self._quirks)) is not None:
            events.append(report)

    def _read_delta(self, choice: WireChunkChoice, delta: RawFields, events: list[ChatEvent]) -> None:
        index = choice.index
        self._open_choices.add(index)
        if len(delta) == 1 and "content" in delta and choice.logprobs is NULL:  # nearly every chunk there is
            if text := _text_decoder.decode(delta["content"]):
                self._speak(index, text, events)
            return
        for name in REASONING_FIELDS:
            raw = delta.get(name, NULL)
            if raw != NULL and head(raw) == b'"':
                if thought := _text_decoder.decode(raw):
                    events.append(ThinkingDelta(index, thought))
                break
        content = delta.get("content", NULL)
        if content != NULL and (text := _text_decoder.decode(content)):
            self._speak(index, text, events)
        calls = delta.get("tool_calls", NULL)
        if calls != NULL:
            self._read_calls(index, calls, events)
        if len(delta) > 1 or choice.logprobs is not NULL or content == NULL:
            native = {name: delta[name] for name in MESSAGE_FIELDS if delta.get(name, NULL) != NULL}
            if native or choice.logprobs != NULL:
                events.append(_native(choice, native))

    def _speak(self, index: int, text: str, events: list[ChatEvent]) -> None:
        """Content goes out as it is once it is clear that the answer does not start with a thought."""
        if index not in self._splitters:
            self._splitters[index] = ThinkSplitter(self._quirks.thinks_first)
        splitter = self._splitters[index]
        thought, speech = splitter.feed(text) if splitter else ("", text)
        if thought:
            events.append(ThinkingDelta(index, thought))
        if speech:
            events.append(TextDelta(index, speech))

    def _read_calls(self, choice: int, raw: msgspec.Raw, events: list[ChatEvent]) -> None:
        for position, call in enumerate(_calls_decoder.decode(raw)):
            index = position if call.index is None else call.index
            function = call.function or WireCalledFunctionDelta()
            arguments = function.arguments or ""
            if not isinstance(arguments, str):
                arguments = encoder.encode(arguments).decode()
            known = self._open_calls.get((choice, index))
            if known is None or (call.id and call.id != known and function.name):
                if known is not None:
                    index = 1 + max(n for c, n in self._open_calls if c == choice)
                call_id = call.id or f"call_{choice}_{index}"
                self._open_calls[choice, index] = call_id
                events.append(ToolCallStart(choice, index, call_id, function.name or "", arguments))
            elif arguments:
                events.append(ToolCallDelta(choice, index, arguments))

    def _finish(self, choice: WireChunkChoice, events: list[ChatEvent]) -> None:
        index = choice.index
        splitter = self._splitters.get(index)
        if splitter:
            thought, speech = splitter.close()
            if thought:
                events.append(ThinkingDelta(index, thought))
            if speech:
                events.append(TextDelta(index, speech))
        has_calls = any(owner == index for owner, _ in self._open_calls)
        events.append(Finish(index, finish_reason(choice.finish_reason, has_calls)))
        self._open_choices.discard(index)
        self._finished = True


def _native(choice: WireChunkChoice, delta: RawFields) -> NativeDelta:
    outer = {} if choice.logprobs == NULL else {"logprobs": choice.logprobs}
    text_bytes = len(memoryview(delta["refusal"])) - 2 if "refusal" in delta else 0
    return NativeDelta(choice.index, NAME, delta, outer, text_bytes)
