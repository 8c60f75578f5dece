"""A vendor's stream of GenerateContentResponses, cut anywhere, as events."""

import msgspec

from kyma.core.answer import (
    ChatEvent,
    Finish,
    FinishReason,
    NativeDelta,
    PartEnd,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallStart,
)
from kyma.core.model import Quirks
from kyma.dialects.gemini.candidates import (
    WireAnswerCall,
    WireAnswerPart,
    WireCandidate,
    finish_reason,
    invented_id,
    own_word,
)
from kyma.dialects.gemini.response import PROMPT_FEEDBACK, block_reason
from kyma.dialects.gemini.wire import NAME, NULL, UNFINISHED, parse_usage, to_raw
from kyma.dialects.sse_decoder import SseDecoder
from kyma.dialects.vendor_errors import error_in_answer


class WirePiece(msgspec.Struct, rename="camel", gc=False):
    candidates: list[WireCandidate] | None = None
    usage_metadata: msgspec.Raw = NULL
    prompt_feedback: msgspec.Raw = NULL
    response_id: str | None = None
    error: msgspec.Raw = NULL


_decode_piece = msgspec.json.Decoder(WirePiece).decode


def stream_decoder(quirks: Quirks) -> "PieceDecoder":
    """A decoder for one stream."""
    return PieceDecoder()


class CandidateState:
    """What a stream has said of one candidate."""

    __slots__ = ("calls", "has_finished", "has_spoken")

    def __init__(self) -> None:
        self.calls = 0
        self.has_spoken = False
        self.has_finished = False


class PieceDecoder(SseDecoder):
    """See `StreamDecoder`. A stream is complete once each candidate that it spoke of has finished.

    Usage comes with every piece: the first and the last are told.
    """

    __slots__ = ("_candidates", "_is_blocked", "_response_id", "_usage", "_was_told")

    garbled = "a piece of the stream is no generateContent response"

    def __init__(self) -> None:
        super().__init__()
        self._candidates: dict[int, CandidateState] = {}
        self._usage = self._was_told = NULL
        self._response_id = ""
        self._is_blocked = False

    @property
    def _is_complete(self) -> bool:
        if self._is_blocked:
            return True
        return bool(self._candidates) and all(state.has_finished for state in self._candidates.values())

    def _read(self, payload: bytes, events: list[ChatEvent]) -> None:
        piece = _decode_piece(payload)
        if piece.error is not NULL and piece.error != NULL:
            raise error_in_answer(piece.error)
        if piece.response_id and not self._response_id:
            self._response_id = piece.response_id
        for candidate in piece.candidates or ():
            self._read_candidate(candidate, events)
        if not self._candidates and piece.prompt_feedback is not NULL:
            self._read_feedback(piece.prompt_feedback, events)
        if piece.usage_metadata is not NULL:
            self._usage = piece.usage_metadata
        if self._usage is not self._was_told and (self._was_told is NULL or self._is_complete):
            self._was_told = self._usage
            if (report := parse_usage(self._usage)) is not None:
                events.append(report)

    def _read_candidate(self, candidate: WireCandidate, events: list[ChatEvent]) -> None:
        index = candidate.index or 0
        state = self._candidates.get(index)
        if state is None:
            state = self._candidates[index] = CandidateState()
        if candidate.content is not None:
            for part in candidate.content.parts or ():
                if part.text and not part.thought and part.thought_signature is None:  # nearly always
                    events.append(TextDelta(index, part.text))
                    state.has_spoken = True
                else:
                    self._read_part(index, part, state, events)
        if state.has_spoken and (beside := candidate.beside):  # about nothing said, it says nothing
            events.append(NativeDelta(index, NAME, {}, beside))
        if candidate.finish_reason is not None and candidate.finish_reason != UNFINISHED:
            reason = finish_reason(candidate.finish_reason, state.calls > 0)
            word = own_word(candidate.finish_reason, reason)
            events.append(Finish(index, reason, word, NAME if word else ""))
            state.has_finished = True

    def _read_part(self, index: int, part: WireAnswerPart, state: CandidateState, events: list[ChatEvent]) -> None:
        signature = part.thought_signature
        if part.function_call is not None:
            state.has_spoken = True
            events += (self._call(index, part.function_call, signature, state), PartEnd(index))
        elif part.text is not None:
            if part.text:
                state.has_spoken = True
                events.append((ThinkingDelta if part.thought else TextDelta)(index, part.text))
            if signature:
                events.append(SignatureDelta(index, signature, NAME))
        elif native := part.native:
            state.has_spoken = True
            events.append(NativeDelta(index, NAME, {"parts": to_raw([native])}, {}))

    def _call(self, index: int, call: WireAnswerCall, signature: str | None, state: CandidateState) -> ToolCallStart:
        position = state.calls
        state.calls += 1
        call_id = call.id or invented_id(self._response_id, index, position)
        origin = NAME if signature else ""
        return ToolCallStart(index, position, call_id, call.name, call.arguments, signature or None, origin)

    def _read_feedback(self, feedback: msgspec.Raw, events: list[ChatEvent]) -> None:
        """A prompt that was refused before the model saw it has no candidates."""
        if block_reason(feedback) is not None:
            self._is_blocked = True
            events.append(NativeDelta(0, NAME, {PROMPT_FEEDBACK: feedback}, {}))
            events.append(Finish(0, FinishReason.CONTENT_FILTER))
