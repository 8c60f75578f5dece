"""The events of one stream put together again: the whole answer that its source would have given to the same question.

What all dialects share. What only one of them says (`NativeDelta`) is put together by that dialect's own subclass; in
a dialect without one it is left out.
"""

from collections.abc import Iterator

import msgspec

from kyma.core.answer import (
    ChatEvent,
    ChatResponse,
    Choice,
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
from kyma.core.chat import AnswerPart, ChatRequest, Native, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled

RawFields = dict[str, msgspec.Raw]
Opening = TextDelta | RefusalDelta | ThinkingDelta | SignatureDelta | ToolCallStart | NativeDelta


class Piece:
    """A part under way: the event that opened it, the words since, its proof, and what was said natively meanwhile."""

    __slots__ = ("natives", "opening", "proof", "words")

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.words: list[str] = []
        self.proof: SignatureDelta | None = None
        self.natives: list[NativeDelta] = []

    @property
    def part(self) -> AnswerPart | None:
        """None for what only its dialect knows."""
        text = "".join(self.words)
        match self.opening:
            case TextDelta():
                return TextPart(text)
            case RefusalDelta():
                return RefusalPart(text)
            case ThinkingDelta() | SignatureDelta():
                return _thought(text, self.proof)
            case ToolCallStart(_, _, call_id, name, arguments, signature, origin):
                return ToolCallPart(call_id, name, arguments + text, signature=signature, origin=origin)
        return None


class Draft:
    """One choice so far: its pieces in runs, between which a part was said to end."""

    __slots__ = ("_open", "calls", "finish", "runs")

    def __init__(self) -> None:
        self.runs: list[list[Piece]] = [[]]
        self.calls: dict[int, Piece] = {}
        self.finish: Finish | None = None
        self._open: Piece | None = None

    @property
    def pieces(self) -> Iterator[Piece]:
        return (piece for run in self.runs for piece in run)

    def say(self, event: TextDelta | RefusalDelta | ThinkingDelta) -> None:
        """Words of one kind that follow each other are one part."""
        piece = self._open
        if piece is None or type(piece.opening) is not type(event):
            piece = self._begin(event)
        piece.words.append(event.text)

    def prove(self, event: SignatureDelta) -> None:
        """A proof closes the thought under way; without one it stands alone."""
        piece = self._open
        if piece is None or event.is_redacted or not isinstance(piece.opening, ThinkingDelta):
            piece = self._begin(event)
        piece.proof, self._open = event, None

    def call(self, event: ToolCallStart) -> None:
        self.calls[event.index] = self._begin(event)

    def add_native(self, event: NativeDelta) -> None:
        """To the part under way, or as one of its own."""
        piece = self._open or self._begin(event)
        piece.natives.append(event)

    def end_part(self) -> None:
        self._open = None
        if self.runs[-1]:
            self.runs.append([])

    def _begin(self, event: Opening) -> Piece:
        piece = self._open = Piece(event)
        self.runs[-1].append(piece)
        return piece


class Assembler:
    """Give it every event of one stream in order; once the stream has ended well, it has the `response`."""

    __slots__ = ("_drafts", "_report")

    def __init__(self) -> None:
        self._drafts: dict[int, Draft] = {}
        self._report: UsageReport | None = None

    @staticmethod
    def can_tell(request: ChatRequest) -> bool:
        """Whether a stream says all that a whole answer to `request`, a request of this dialect, would."""
        return True

    def see(self, event: ChatEvent) -> None:
        """Raises: UpstreamError when the stream has failed."""
        match event:
            case TextDelta() | RefusalDelta() | ThinkingDelta():
                self._draft(event.choice).say(event)
            case ToolCallDelta(choice, index, arguments):
                if piece := self._draft(choice).calls.get(index):
                    piece.words.append(arguments)
            case ToolCallStart():
                self._draft(event.choice).call(event)
            case SignatureDelta():
                self._draft(event.choice).prove(event)
            case PartEnd():
                self._draft(event.choice).end_part()
            case NativeDelta():
                self._draft(event.choice).add_native(event)
            case Finish():
                self._draft(event.choice).finish = event
            case UsageReport():
                self._report = event
            case StreamFailure(error):
                raise error

    @property
    def response(self) -> ChatResponse:
        """Raises: Garbled when nothing was said to have ended."""
        said = [self._choice(index, self._drafts[index]) for index in sorted(self._drafts)]
        if not said:
            raise Garbled("the answer has no choices")
        return ChatResponse(tuple(said), self._report)

    def _draft(self, choice: int) -> Draft:
        draft = self._drafts.get(choice)
        if draft is None:
            draft = self._drafts[choice] = Draft()
        return draft

    def _choice(self, index: int, draft: Draft) -> Choice:
        finish = draft.finish or Finish(index, FinishReason.STOP)
        inner, outer = self._natives(draft)
        return Choice(
            index, self._parts(draft), finish.reason, inner, outer, finish.word, finish.origin, finish.stop_sequence
        )

    def _parts(self, draft: Draft) -> tuple[AnswerPart, ...]:
        """In the order in which they came."""
        return tuple([part for piece in draft.pieces if (part := piece.part) is not None])

    def _natives(self, draft: Draft) -> tuple[Native | None, Native | None]:
        """What only the dialect knows of the message and beside it."""
        return None, None


def natives_of(draft: Draft) -> Iterator[NativeDelta]:
    """All that was said natively, in order."""
    return (native for piece in draft.pieces for native in piece.natives)


def outer_of(draft: Draft) -> RawFields:
    """The members beside the message: what is said later replaces what was said before."""
    fields: RawFields = {}
    for native in natives_of(draft):
        fields |= native.outer
    return fields


def _thought(text: str, proof: SignatureDelta | None) -> ThinkingPart:
    if proof is None:
        return ThinkingPart(text)
    if proof.is_redacted:
        return ThinkingPart(text, origin=proof.origin, redacted=proof.signature)
    return ThinkingPart(text, proof.signature, proof.origin)
