"""Events as a customer's stream of GenerateContentResponses, each a whole one with the new parts.

Google's SDKs take a turn for broken, and forget it, if any piece has no candidate or a candidate no part: so every
piece has one, at least an empty text. A comment would be parsed as JSON, so there are none. Source: python-genai and
js-genai, August 2026.
"""

from typing import Any

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
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
)
from kyma.core.chat import ChatRequest
from kyma.core.errors import KymaError
from kyma.dialects.base import Reply
from kyma.dialects.gemini.errors import render_error
from kyma.dialects.gemini.response import PROMPT_FEEDBACK, ending, render_call, render_usage, signed
from kyma.dialects.gemini.wire import FINISH_WORDS, MALFORMED_CALL, NAME, encoder

TEXT_START = b'data: {"candidates":[{"content":{"parts":[{"text":'
TEXT_END = b'}],"role":"model"},"index":0}],'
SILENCE = {"text": ""}

_encode = encoder.encode
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def stream_encoder(request: ChatRequest, reply: Reply) -> "PieceEncoder":
    """An encoder for one stream."""
    return PieceEncoder(reply)


class PendingCall:
    """A call whose arguments are still coming: here it can only be said whole."""

    __slots__ = ("arguments", "start")

    def __init__(self, start: ToolCallStart) -> None:
        self.start = start
        self.arguments = [start.arguments]

    def part(self, is_whole: bool) -> dict[str, Any] | None:
        """The call as a part; None if its arguments are no JSON object (yet). No arguments may still come."""
        arguments = "".join(self.arguments)
        if not is_whole and not arguments.rstrip().endswith("}"):
            return None
        start = self.start
        return render_call(start.id, start.name, arguments, start.signature, start.origin)


class PieceEncoder:
    """See `StreamEncoder`. How it ended and what it cost stand in the last piece, so a broken stream has neither."""

    __slots__ = ("_calls", "_feedback", "_finishes", "_malformed", "_reply", "_text_tail")

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._text_tail = b""
        self._calls: dict[tuple[int, int], PendingCall] = {}
        self._finishes: dict[int, Finish] = {}
        self._malformed: set[int] = set()
        self._feedback: msgspec.Raw | None = None

    def encode(self, event: ChatEvent) -> bytes:
        if type(event) is TextDelta and event.choice == 0 and not self._calls:  # nearly all there is
            if not self._text_tail:
                self._text_tail = TEXT_END + ending(self._reply) + b"}\n\n"
            return TEXT_START + _encode(event.text) + self._text_tail
        match event:
            case TextDelta(choice, text) | RefusalDelta(choice, text):
                return self._after_calls(choice, {"text": text})
            case ThinkingDelta(choice, text):
                return self._after_calls(choice, {"text": text, "thought": True})
            case SignatureDelta(choice, signature, origin, is_redacted):
                return self._after_calls(choice, signed(signature, origin, is_redacted))
            case ToolCallStart(choice, index):
                said = self._say_calls(choice)
                self._calls[choice, index] = PendingCall(event)
                return said
            case ToolCallDelta(choice, index, arguments):
                if call := self._calls.get((choice, index)):
                    call.arguments.append(arguments)
            case PartEnd(choice):
                return self._say_calls(choice)
            case NativeDelta(choice, dialect, delta, outer) if dialect == NAME:
                return self._native(choice, delta, outer)
            case Finish(choice, reason):
                self._finishes[choice] = event
                return self._say_calls(choice, is_whole=True, is_cut=reason is FinishReason.LENGTH)
        return b""

    def end(self, bill: Bill) -> bytes:
        late = b"".join([self._say_calls(choice, is_whole=True) for choice in {choice for choice, _ in self._calls}])
        usage = render_usage(bill)
        if self._feedback is not None:
            return late + self._piece({"promptFeedback": self._feedback, "usageMetadata": usage})
        finishes = self._finishes or {0: Finish(0, FinishReason.STOP)}
        content = {"parts": [SILENCE], "role": "model"}
        last = [
            {"content": content, "finishReason": self._word(finish), "index": choice}
            for choice, finish in finishes.items()
        ]
        return late + self._piece({"candidates": last, "usageMetadata": usage})

    def error(self, error: KymaError) -> bytes:
        return b"data: " + render_error(error) + b"\n\n"

    def keep_alive(self) -> bytes:
        return self._parts(0, [SILENCE])

    def _word(self, finish: Finish) -> str:
        if finish.choice in self._malformed:
            return MALFORMED_CALL
        return finish.word if finish.word and finish.origin == NAME else FINISH_WORDS[finish.reason]

    def _after_calls(self, choice: int, part: dict[str, Any]) -> bytes:
        return self._say_calls(choice) + self._parts(choice, [part])

    def _say_calls(self, choice: int, is_whole: bool = False, is_cut: bool = False) -> bytes:
        """The calls of a choice that are complete, in their order; `is_whole` when nothing more can come.

        One that never becomes a JSON object is not said, and unless the answer `is_cut`, it makes it malformed.
        """
        if not self._calls:
            return b""
        parts: list[Any] = []
        for key in [key for key in self._calls if key[0] == choice]:
            part = self._calls[key].part(is_whole)
            if part is not None:
                parts.append(part)
            elif not is_whole:
                break
            elif not is_cut:
                self._malformed.add(choice)
            del self._calls[key]
        return self._parts(choice, parts) if parts else b""

    def _native(self, choice: int, delta: dict[str, msgspec.Raw], outer: dict[str, msgspec.Raw]) -> bytes:
        if PROMPT_FEEDBACK in delta:
            self._feedback = delta[PROMPT_FEEDBACK]
            return b""
        parts = _list_decoder.decode(delta["parts"]) if "parts" in delta else [SILENCE]
        return self._say_calls(choice) + self._parts(choice, parts, outer)

    def _parts(self, choice: int, parts: list[Any], beside: dict[str, msgspec.Raw] | None = None) -> bytes:
        content = {"parts": parts, "role": "model"}
        return self._piece({"candidates": [{"content": content, "index": choice, **(beside or {})}]})

    def _piece(self, members: dict[str, Any]) -> bytes:
        """One event; a line break between the tokens of JSON that only travels would end it early."""
        payload = _encode(members)[:-1] + b"," + ending(self._reply) + b"}"
        if b"\n" in payload or b"\r" in payload:
            payload = msgspec.json.format(payload, indent=-1)
        return b"data: " + payload + b"\n\n"
