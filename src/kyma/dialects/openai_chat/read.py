"""A whole chat completions request in Kyma's words, with the report of what they cannot hold."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from kyma.core.chat import Chat, Effort, OutputFormat, Reasoning, ToolChoice
from kyma.dialects.openai_chat.read_messages import read_messages, read_tools
from kyma.dialects.openai_chat.wire import NULL, RawFields
from kyma.dialects.report import gather

T = TypeVar("T")

OURS = (
    "model",
    "messages",
    "stream",
    "stream_options",
    "idempotency_key",
    "max_tokens",
    "max_completion_tokens",
    "tools",
)
"""Fields that Kyma itself acts on, and those that every dialect can say; what stands inside them is looked at apart."""


NEUTRAL: dict[str, Any] = {
    "store": False,
    "metadata": {},
    "modalities": ["text"],
    "logprobs": False,
    "top_logprobs": 0,
    "logit_bias": {},
    "presence_penalty": 0,
    "frequency_penalty": 0,
}
"""Values that ask for what happens anyway."""


class WireNamed(msgspec.Struct):
    name: str


class WireAllowed(msgspec.Struct):
    mode: str = "auto"
    tools: list[dict[str, Any]] = []


class WireChoice(msgspec.Struct):
    type: str
    function: WireNamed | None = None
    custom: WireNamed | None = None
    allowed_tools: WireAllowed | None = None


class WireSchema(msgspec.Struct):
    name: str = "answer"
    schema: msgspec.Raw = NULL
    strict: bool | None = None
    description: str | None = None


class WireFormat(msgspec.Struct):
    type: str
    json_schema: WireSchema | None = None


_choice_decoder = msgspec.json.Decoder(str | WireChoice)
_format_decoder = msgspec.json.Decoder(WireFormat)
_effort_decoder = msgspec.json.Decoder(Effort)
_any_decoder = msgspec.json.Decoder()


class Taken:
    """The fields of a request, taken one by one: what is never taken is lost."""

    def __init__(self, fields: RawFields) -> None:
        self._left = {name: raw for name, raw in fields.items() if name not in OURS and not _asks_nothing(name, raw)}
        self.names: dict[str, str] = {}

    def take(self, concept: str, read: Callable[[msgspec.Raw], T], *fields: str) -> T | None:
        """The first of `fields` that is there, in Kyma's words; None if none is, or none can be understood."""
        found: T | None = None
        for field in fields or (concept,):
            if field in self._left and found is None:
                try:
                    found = read(self._left[field])
                except (msgspec.DecodeError, ValueError):
                    continue
                del self._left[field]
                self.names[concept] = field
        return found

    @property
    def lost(self) -> tuple[str, ...]:
        return tuple(self._left)


def _asks_nothing(name: str, raw: msgspec.Raw) -> bool:
    """What clients send to have nothing happen is no loss."""
    return raw == NULL or (name in NEUTRAL and _any_decoder.decode(raw) == NEUTRAL[name])


def _as(kind: type[T]) -> Callable[[msgspec.Raw], T]:
    return msgspec.json.Decoder(kind).decode


_bool, _int, _float, _text = _as(bool), _as(int), _as(float), _as(str)
_texts: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder(str | list[str]).decode


def read_chat(fields: RawFields, max_tokens: int) -> Chat:
    """A checked request. `max_tokens` is what holds after defaults."""
    taken = Taken(fields)
    take = taken.take
    messages, message_names, lost = read_messages(fields["messages"])
    tools, tool_names, lost_tools = read_tools(fields.get("tools", NULL))
    stop = take("stop", _texts)
    effort = take("reasoning", _effort_decoder.decode, "reasoning_effort")
    wants_logprobs, top_logprobs = take("top_logprobs", _bool, "logprobs"), take("top_logprobs", _int)
    return Chat(
        messages=messages,
        tools=tools,
        tool_choice=take("tool_choice", _tool_choice),
        parallel_tool_calls=take("parallel_tool_calls", _bool),
        max_tokens=max_tokens,
        temperature=take("temperature", _float),
        top_p=take("top_p", _float),
        top_k=take("top_k", _int),
        stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
        n=take("n", _int) or 1,
        seed=take("seed", _int),
        presence_penalty=take("presence_penalty", _float),
        frequency_penalty=take("frequency_penalty", _float),
        logit_bias=take("logit_bias", lambda raw: raw),
        top_logprobs=(top_logprobs or 0) if wants_logprobs else None,
        output_format=take("output_format", _output_format, "response_format"),
        reasoning=Reasoning(effort=effort) if effort else None,
        verbosity=take("verbosity", _text),
        user=take("user", _text, "safety_identifier", "user"),
        cache_key=take("cache_key", _text, "prompt_cache_key"),
        service_tier=take("service_tier", _text),
        names=gather(taken.names, message_names, tool_names),
        lost=(*taken.lost, *lost, *lost_tools),
    )


def _tool_choice(raw: msgspec.Raw) -> ToolChoice:
    """Raises: ValueError for a form that is not OpenAI's."""
    choice = _choice_decoder.decode(raw)
    match choice:
        case "none" | "auto" | "required":
            return ToolChoice(choice)
        case WireChoice(function=WireNamed(name)) | WireChoice(custom=WireNamed(name)):
            return ToolChoice("required", (name,))
        case WireChoice(allowed_tools=WireAllowed(mode, tools)):
            named = [tool.get(str(tool.get("type")), tool) for tool in tools]
            names = tuple(str(tool["name"]) for tool in named if isinstance(tool, dict) and "name" in tool)
            return ToolChoice("required" if mode == "required" else "auto", names)
    raise ValueError("no tool choice of this dialect")


def _output_format(raw: msgspec.Raw) -> OutputFormat | None:
    wanted = _format_decoder.decode(raw)
    if wanted.type == "json_schema" and wanted.json_schema is not None:
        said = wanted.json_schema
        return OutputFormat(
            "json_schema", said.name, None if said.schema == NULL else said.schema, said.strict, said.description
        )
    if wanted.type == "json_object":
        return OutputFormat("json_object")
    if wanted.type == "text":
        return None
    raise ValueError("no output format of this dialect")
