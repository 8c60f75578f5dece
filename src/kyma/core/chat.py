"""A request in Kyma's own words: what every dialect is read into and written from; answers are `core.answer`.

Messages hold typed parts. What only one dialect can say travels in `native`, as the raw JSON of that dialect, and
is given back to an upstream of the same dialect unchanged.
"""

from collections.abc import Callable
from typing import ClassVar, Literal

import msgspec

from kyma.core.model import Kind
from kyma.core.preferences import Preferences

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


class RefusalPart(msgspec.Struct, frozen=True):
    """The words in which a model declines to answer, where its dialect keeps them apart from what it says."""

    text: str


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
AnswerPart = Part | RefusalPart


SAID = (TextPart, RefusalPart, ThinkingPart)
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

    `names` has, for each concept that the request used, the customer's own path of it, or several with ", " between:
    keys are names of fields here, and for what stands inside messages and tools `cache`, `thinking`, `is_error`,
    `name`, `detail`, `image`, `audio`, `file`, `custom_tools`, `deferred_tools`, `strict`. `lost` are the paths of
    what no field here can hold.
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


class CallRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request of any kind, as far as admission and metering need it.

    `model` is what the caller wrote: an id or an alias. `input_bytes` bounds the input tokens: UTF-8 bytes of
    everything the model reads, media left out; `document_bytes` are those of documents that are not plain text.
    `max_tokens` is 0 where nothing is generated.
    """

    kind: ClassVar[Kind] = "chat"
    model: str
    native: Native
    input_bytes: int
    image_count: int = 0
    readings: int = 1
    """How many texts the model reads each by itself: every one may fill its context window."""
    n: int = 1
    max_tokens: int = 0
    is_streaming: bool = False
    has_tools: bool = False
    has_token_ids: bool = False
    """It holds token ids in place of texts."""
    needs_native: bool = False
    """Something in it only an upstream of its own dialect can honour: signatures, cache marks, server tools."""
    document_bytes: int = 0
    keeps_an_hour: bool = False
    """Some of the input is to be cached for an hour, at that price."""
    searches: int = 0
    """The most searches that a vendor may make for it, each at a price."""
    least_searches: int = 0
    """How many of them a vendor that charges by the search is sure to make."""
    fetches: int = 0
    """The most pages that such a vendor may fetch for it."""
    unpriced: str = ""
    """The path of what such a vendor charges for beside tokens, without a limit or without a count; empty: nothing."""
    preferences: Preferences | None = None
    """What the caller says about who is to serve it."""


class ChatRequest(CallRequest, frozen=True, kw_only=True):
    """A chat to complete.

    `chat()` reads the whole into Kyma's words, which is work: an upstream of the caller's own dialect is sent `native`
    and needs none of it. Whatever could be wrong with it was refused before.
    """

    max_tokens: int
    is_streaming: bool
    wants_usage_chunk: bool = False
    temperature: float | None = None
    roles: frozenset[Role] = frozenset()
    """Who speaks in the messages."""
    chat: Callable[[], Chat]
