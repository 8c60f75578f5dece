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
CacheMark = Literal["5m", "1h"]
"""An explicit cache breakpoint behind a part, and for how long what lies before it is to be kept."""


class Native(msgspec.Struct, frozen=True):
    """JSON fields as they came, by name, with the dialect whose words they are.

    `headers` are request headers that belong to the dialect, for an upstream that speaks it too.
    """

    dialect: str
    fields: dict[str, msgspec.Raw]
    headers: tuple[tuple[bytes, bytes], ...] = ()


class TextPart(msgspec.Struct, frozen=True):
    text: str
    cache: CacheMark | None = None


class ImagePart(msgspec.Struct, frozen=True):
    """`url` is an http(s) address or a `data:` URL."""

    url: str
    detail: str | None = None
    cache: CacheMark | None = None


class AudioPart(msgspec.Struct, frozen=True):
    """Base64 audio and its container, e.g. `wav`."""

    data: str
    format: str


class FilePart(msgspec.Struct, frozen=True):
    """A document: `data` as a `data:` URL, or its `url`, or an upstream's `file_id`."""

    data: str | None
    file_id: str | None
    filename: str | None
    url: str | None = None
    cache: CacheMark | None = None


class ThinkingPart(msgspec.Struct, frozen=True):
    """Reasoning that the model showed; `signature` is opaque and bound to the dialect in `origin`.

    `redacted` stands for thought that its vendor keeps to itself: opaque too, and then `text` is empty.
    """

    text: str
    signature: str | None = None
    origin: str = ""
    redacted: str | None = None


class ToolCallPart(msgspec.Struct, frozen=True):
    """The assistant calls a tool; `arguments` is JSON text exactly as the model wrote it, free text for a custom tool.

    `signature` is the proof of thought that some vendors hang on a call, bound to the dialect in `origin`.
    """

    id: str
    name: str
    arguments: str
    is_custom: bool = False
    signature: str | None = None
    origin: str = ""
    cache: CacheMark | None = None


class ToolReferencePart(msgspec.Struct, frozen=True):
    """Inside a tool's result: a deferred tool that is to be offered from now on."""

    name: str


class NativePart(msgspec.Struct, frozen=True):
    """A part that only `dialect` knows; `kind` is that dialect's word for it."""

    dialect: str
    kind: str
    raw: msgspec.Raw


ResultContent = TextPart | ImagePart | AudioPart | FilePart | ToolReferencePart | NativePart


class ToolResultPart(msgspec.Struct, frozen=True):
    """What a tool answered to call `call_id`."""

    call_id: str
    content: tuple[ResultContent, ...]
    is_error: bool = False
    cache: CacheMark | None = None


Part = TextPart | ImagePart | AudioPart | FilePart | ThinkingPart | ToolCallPart | ToolResultPart | NativePart


SAID = (TextPart, ThinkingPart)
"""Parts that hold words."""


class Message(msgspec.Struct, frozen=True):
    """Roles may come in any order, `system` in the middle too. Tool results stand in messages of role `tool`."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None


class Tool(msgspec.Struct, frozen=True):
    """A function the model may call; `parameters` is its JSON schema as it came.

    A custom tool takes free text instead, `format` says of what kind. A deferred one is offered once it is referenced.
    """

    name: str
    description: str | None
    parameters: msgspec.Raw | None
    strict: bool | None = None
    is_custom: bool = False
    format: msgspec.Raw | None = None
    is_deferred: bool = False
    cache: CacheMark | None = None


class ToolChoice(msgspec.Struct, frozen=True):
    """Whether a tool must be called. `names` limits which: one name with `required` forces that tool."""

    mode: Literal["none", "auto", "required"]
    names: tuple[str, ...] = ()


class OutputFormat(msgspec.Struct, frozen=True):
    """The answer is JSON: any object, or one valid under `schema`."""

    kind: Literal["json_object", "json_schema"]
    name: str = "answer"
    schema: msgspec.Raw | None = None
    strict: bool | None = None
    description: str | None = None


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Reasoning(msgspec.Struct, frozen=True):
    """How much to think, as an effort or as tokens, and whether the thoughts are shown. None: the model's default."""

    effort: Effort | None = None
    budget_tokens: int | None = None
    is_shown: bool | None = None


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A whole request in Kyma's words. None or empty: not asked for.

    `names` has, for each concept that the request used, the customer's own path of it: keys are names of fields here,
    and for what stands inside messages and tools `cache`, `thinking`, `is_error`, `name`, `detail`, `image`, `audio`,
    `file`, `custom_tools`, `deferred_tools`, `strict`. `lost` are the paths of what no field here can hold.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_tokens: int
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: msgspec.Raw | None = None
    top_logprobs: int | None = None
    """How many alternatives a token; 0: the chosen token's own probability alone."""
    output_format: OutputFormat | None = None
    reasoning: Reasoning | None = None
    verbosity: str | None = None
    user: str | None = None
    cache_key: str | None = None
    service_tier: str | None = None
    names: dict[str, str] = {}
    lost: tuple[str, ...] = ()


class Rendered(msgspec.Struct, frozen=True):
    """A request in an upstream's words, and the customer's paths of what was left out or said another way."""

    body: bytes
    dropped: tuple[str, ...] = ()
    emulated: tuple[str, ...] = ()


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A chat to complete, as far as admission needs it. `model` is what the caller wrote: an id or an alias.

    `input_bytes` bounds the input tokens: UTF-8 bytes of everything the model reads, media left out.
    `chat()` reads the whole into Kyma's words, which is work: an upstream of the caller's own dialect is sent `native`
    and needs none of it. Whatever could be wrong with it was refused before.
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
    needs_native: bool = False
    """Something in it only an upstream of its own dialect can honour: signatures, cache marks, server tools."""
    chat: Callable[[], Chat]
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
    parts: tuple[Part, ...]
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
