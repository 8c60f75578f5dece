"""A chat in Kyma's own words: what every dialect is read into and written from.

Messages hold typed parts. What only one dialect can say travels in `native`, as the raw JSON of that dialect, and
is given back to an upstream of the same dialect unchanged.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Literal

import msgspec

from kyma.core.errors import UpstreamError
from kyma.core.model import Usage
from kyma.core.money import Nanos

Role = Literal["system", "developer", "user", "assistant", "tool"]


class Native(msgspec.Struct, frozen=True):
    """JSON fields as they came, by name, with the dialect whose words they are."""

    dialect: str
    fields: dict[str, msgspec.Raw]


class TextPart(msgspec.Struct, frozen=True):
    text: str


class ImagePart(msgspec.Struct, frozen=True):
    """`url` is an http(s) address or a `data:` URL."""

    url: str
    detail: str | None = None


class AudioPart(msgspec.Struct, frozen=True):
    """Base64 audio and its container, e.g. `wav`."""

    data: str
    format: str


class FilePart(msgspec.Struct, frozen=True):
    """A document: base64 `data` (a `data:` URL) or an upstream's `file_id`."""

    data: str | None
    file_id: str | None
    filename: str | None


class ThinkingPart(msgspec.Struct, frozen=True):
    """Reasoning that the model showed; `signature` is opaque and bound to the dialect in `origin`."""

    text: str
    signature: str | None = None
    origin: str = ""


class ToolCallPart(msgspec.Struct, frozen=True):
    """The assistant calls a tool; `arguments` is JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


class ToolResultPart(msgspec.Struct, frozen=True):
    """What a tool answered to call `call_id`."""

    call_id: str
    content: tuple["TextPart | ImagePart | AudioPart | FilePart", ...]
    is_error: bool = False


class NativePart(msgspec.Struct, frozen=True):
    """A part that only `dialect` knows."""

    dialect: str
    raw: msgspec.Raw


Part = TextPart | ImagePart | AudioPart | FilePart | ThinkingPart | ToolCallPart | ToolResultPart | NativePart


SAID = (TextPart, ThinkingPart)
"""Parts that hold words."""


class Message(msgspec.Struct, frozen=True):
    role: Role
    parts: tuple[Part, ...]
    name: str | None = None


class Tool(msgspec.Struct, frozen=True):
    """A function the model may call; `parameters` is its JSON schema as it came."""

    name: str
    description: str | None
    parameters: msgspec.Raw | None
    strict: bool | None = None


class Conversation(msgspec.Struct, frozen=True):
    """What the model is given to read and to call."""

    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A chat to complete. `model` is what the caller wrote: an id or an alias.

    `input_bytes` bounds the input tokens: UTF-8 bytes of everything the model reads, media left out.
    `conversation()` reads messages and tools into Kyma's words, which is work: an upstream of the caller's own dialect
    is sent `native` and needs none of it. Whatever could be wrong with it was refused before.
    """

    model: str
    max_tokens: int
    is_streaming: bool
    wants_usage_chunk: bool = False
    n: int = 1
    temperature: float | None = None
    roles: frozenset[Role] = frozenset()
    """Who speaks in the messages."""
    has_tools: bool = False
    conversation: Callable[[], Conversation]
    native: Native
    input_bytes: int
    image_count: int = 0


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    choice: int
    text: str


class ThinkingDelta(msgspec.Struct, frozen=True, gc=False):
    choice: int
    text: str


class ToolCallStart(msgspec.Struct, frozen=True, gc=False):
    """A tool call opens; `index` tells parallel calls of one choice apart."""

    choice: int
    index: int
    id: str
    name: str
    arguments: str = ""


class ToolCallDelta(msgspec.Struct, frozen=True, gc=False):
    choice: int
    index: int
    arguments: str


class NativeDelta(msgspec.Struct, frozen=True):
    """Delta or choice fields that only `native.dialect` knows (refusal, logprobs, annotations …).

    `delta` are members of the delta object, `outer` members beside it.
    """

    choice: int
    dialect: str
    delta: dict[str, msgspec.Raw]
    outer: dict[str, msgspec.Raw]
    text_bytes: int = 0
    """How much of it is generated text, for metering."""


class Finish(msgspec.Struct, frozen=True, gc=False):
    choice: int
    reason: FinishReason


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
    TextDelta | ThinkingDelta | ToolCallStart | ToolCallDelta | NativeDelta | Finish | UsageReport | StreamFailure
)


class Bill(msgspec.Struct, frozen=True):
    """What a call cost and for what: the figures a dialect shows as usage. Money in nano-dollars."""

    usage: Usage
    cost: Nanos
    cache_discount: Nanos
    is_estimated: bool
    """Counted by us, because the upstream did not count or counted nonsense."""


class Choice(msgspec.Struct, frozen=True):
    """One answer: its parts, why it ended, and what only its dialect knows (in `message`, beside it in `outer`)."""

    index: int
    parts: tuple[Part, ...]
    finish: FinishReason
    message_native: Native | None = None
    outer_native: Native | None = None


class Relay(msgspec.Struct, frozen=True):
    """Choices that a customer of `dialect` may be given as they came, `raw` to the byte; `read()` says them in ours."""

    dialect: str
    raw: msgspec.Raw
    is_blank: bool
    read: Callable[[], tuple[Choice, ...]]


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
