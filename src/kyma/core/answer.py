"""An answer in Kyma's own words: whole, or as the events of a stream, and the bill that goes with it."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec

from kyma.core.chat import SAID, AnswerPart, Native
from kyma.core.errors import UpstreamError
from kyma.core.model import Usage
from kyma.core.money import Nanos


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    choice: int
    text: str


class RefusalDelta(msgspec.Struct, frozen=True, gc=False):
    """More of the words in which the model declines, see `RefusalPart`; such an answer ends with CONTENT_FILTER."""

    choice: int
    text: str


class ThinkingDelta(msgspec.Struct, frozen=True, gc=False):
    choice: int
    text: str


class SignatureDelta(msgspec.Struct, frozen=True, gc=False):
    """The proof of the thought that came just before, whole, bound to the dialect in `origin`.

    With `is_redacted` it is a thought of its own that its vendor keeps to itself.
    """

    choice: int
    signature: str
    origin: str
    is_redacted: bool = False


class ToolCallStart(msgspec.Struct, frozen=True, gc=False):
    """A tool call opens; `index` tells parallel calls of one choice apart."""

    choice: int
    index: int
    id: str
    name: str
    arguments: str = ""
    signature: str | None = None
    origin: str = ""


class ToolCallDelta(msgspec.Struct, frozen=True, gc=False):
    choice: int
    index: int
    arguments: str


class PartEnd(msgspec.Struct, frozen=True, gc=False):
    """The part under way is complete; text that follows is a new part. Dialects without parts need not say it."""

    choice: int


class NativeDelta(msgspec.Struct, frozen=True):
    """Delta or choice fields that only `native.dialect` knows (logprobs, annotations …).

    `delta` are members of the delta object, `outer` members beside it.
    """

    choice: int
    dialect: str
    delta: dict[str, msgspec.Raw]
    outer: dict[str, msgspec.Raw]
    text_bytes: int = 0
    """How much of it is generated text, for metering."""


class Finish(msgspec.Struct, frozen=True, gc=False):
    """Why an answer ended; `word` is how `origin`'s dialect says it where that says more than `reason`."""

    choice: int
    reason: FinishReason
    word: str | None = None
    origin: str = ""
    stop_sequence: str | None = None


class UsageReport(msgspec.Struct, frozen=True, gc=False):
    """The upstream's own count so far; a later report replaces an earlier one.

    `is_valid` is false for a report with negative, fractional or absurd figures: it is not billed.
    """

    usage: Usage
    is_valid: bool = True


class StreamFailure(msgspec.Struct, frozen=True):
    """The upstream's stream broke: an error object, broken JSON, or an end that is no end. Nothing follows it."""

    error: UpstreamError


ChatEvent = (
    TextDelta
    | RefusalDelta
    | ThinkingDelta
    | SignatureDelta
    | ToolCallStart
    | ToolCallDelta
    | PartEnd
    | NativeDelta
    | Finish
    | UsageReport
    | StreamFailure
)


class Bill(msgspec.Struct, frozen=True):
    """What a call cost and for what: the figures a dialect shows as usage. Money in nano-dollars."""

    usage: Usage
    cost: Nanos
    cache_discount: Nanos
    is_estimated: bool
    """Counted by us, because the upstream did not count or counted nonsense."""


class Choice(msgspec.Struct, frozen=True):
    """One answer: its parts, why it ended, and what only its dialect knows (in `message`, beside it in `outer`).

    `word` and `stop_sequence` as in `Finish`; `word` is in the dialect `origin`.
    """

    index: int
    parts: tuple[AnswerPart, ...]
    finish: FinishReason
    message_native: Native | None = None
    outer_native: Native | None = None
    word: str | None = None
    origin: str = ""
    stop_sequence: str | None = None


class Relay(msgspec.Struct, frozen=True):
    """Choices that a customer of `dialect` may be given as they came, `raw` to the byte; `read()` says them in ours."""

    dialect: str
    raw: msgspec.Raw
    is_blank: bool
    read: Callable[[], tuple[Choice, ...]]


class Answer(Protocol):
    """A whole answer of any kind, as far as it is metered; `report` is None when the upstream counted nothing."""

    @property
    def report(self) -> UsageReport | None: ...

    @property
    def is_blank(self) -> bool:
        """A normal end with nothing said. Not charged."""
        ...


class ChatResponse(msgspec.Struct, frozen=True):
    """A finished answer; `report` is None when the upstream counted nothing."""

    said: tuple[Choice, ...] | Relay
    report: UsageReport | None

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self.said.read() if isinstance(self.said, Relay) else self.said

    @property
    def is_blank(self) -> bool:
        """A normal end with nothing said: no text, no thought, no call, nothing native. Not charged."""
        if isinstance(self.said, Relay):
            return self.said.is_blank
        return all(map(_is_blank, self.said))


def _is_blank(choice: Choice) -> bool:
    if choice.finish is not FinishReason.STOP or choice.message_native:
        return False
    return all(isinstance(part, SAID) and not part.text.strip() for part in choice.parts)
