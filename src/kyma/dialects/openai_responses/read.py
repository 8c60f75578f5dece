"""A whole Responses request in Kyma's words, with the report of what they cannot hold."""

from itertools import chain
from typing import Any, TypeVar, get_args

import msgspec

from kyma.core.chat import Chat, Effort, OutputFormat, Reasoning, ToolChoice
from kyma.dialects.openai_responses.conversation import Conversation
from kyma.dialects.openai_responses.items import Item
from kyma.dialects.openai_responses.tools import Toolbox, read_tools
from kyma.dialects.openai_responses.wire import NULL, RawFields, fields_decoder
from kyma.dialects.report import gather

T = TypeVar("T")

ACTED_ON = {
    "model",
    "input",
    "instructions",
    "stream",
    "stream_options",
    "max_output_tokens",
    "tools",
    "metadata",
    "include",
    "text",
    "reasoning",
    "store",
    "background",
    "conversation",
    "previous_response_id",
    "prompt",
    "idempotency_key",
}
"""Fields that Kyma itself acts on, or that are looked into apart; every other one is mapped below or lost."""

NAMES = {"messages": "input", "max_tokens": "max_output_tokens"}
ENCRYPTED = "reasoning.encrypted_content"
EFFORTS = get_args(Effort)
FALSE, EMPTY_TEXT, NO_LOGPROBS = msgspec.Raw(b"false"), msgspec.Raw(b'""'), msgspec.Raw(b"0")


class WireFormat(msgspec.Struct):
    type: str = "text"
    name: str = "answer"
    schema: msgspec.Raw = NULL
    strict: bool | None = None
    description: str | None = None


class WireText(msgspec.Struct):
    format: WireFormat | None = None
    verbosity: str | None = None


class WireReasoningSettings(msgspec.Struct):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


class WireChoice(msgspec.Struct):
    type: str
    name: str | None = None
    namespace: str | None = None
    mode: str = "auto"
    tools: list["WireChoice"] = []


_text_decoder = msgspec.json.Decoder(WireText)
_reasoning_decoder = msgspec.json.Decoder(WireReasoningSettings)
_choice_decoder: msgspec.json.Decoder[str | WireChoice] = msgspec.json.Decoder(str | WireChoice)
_strings_decoder = msgspec.json.Decoder(list[str])
_boolean, _number, _string = msgspec.json.Decoder(bool), msgspec.json.Decoder(float), msgspec.json.Decoder(str)


class Taken:
    """The fields of a request, taken one by one: what is never taken is lost."""

    def __init__(self, fields: RawFields) -> None:
        self._left = {name: raw for name, raw in fields.items() if name not in ACTED_ON and raw != NULL}
        if self._left.get("top_logprobs") == NO_LOGPROBS:
            del self._left["top_logprobs"]
        self.names: dict[str, str] = {}
        self.lost: dict[str, None] = {}

    def take(self, concept: str, decoder: msgspec.json.Decoder[T], *fields: str) -> T | None:
        """The first of `fields` that is there; it stays lost if it cannot be understood."""
        if not self._left:
            return None
        for field in fields or (concept,):
            if field in self._left:
                try:
                    found = decoder.decode(self._left[field])
                except msgspec.DecodeError:
                    continue
                del self._left[field]
                self.names[concept] = field
                return found
        return None

    def report(self) -> dict[str, None]:
        return {**dict.fromkeys(self._left), **self.lost}


def read_chat(fields: RawFields, items: list[Item], max_tokens: int) -> Chat:
    """A checked request and its items. `max_tokens` is what holds after defaults."""
    tools = read_tools(fields, items)
    said = Conversation(tools)
    if fields.get("instructions", NULL) not in (NULL, EMPTY_TEXT):
        said.instruct(_string.decode(fields["instructions"]))
    for item in items:
        said.add(item)
    taken = Taken(fields)
    output_format, verbosity = _text(fields, taken)
    reasoning = _reasoning(fields, taken)
    tool_choice = _tool_choice(taken, tools)
    _promises(fields, taken)
    return Chat(
        messages=said.messages,
        tools=tools.tools,
        tool_choice=tool_choice,
        parallel_tool_calls=taken.take("parallel_tool_calls", _boolean),
        max_tokens=max_tokens,
        temperature=taken.take("temperature", _number),
        top_p=taken.take("top_p", _number),
        output_format=output_format,
        reasoning=reasoning,
        verbosity=verbosity,
        user=taken.take("user", _string, "safety_identifier", "user"),
        cache_key=taken.take("cache_key", _string, "prompt_cache_key"),
        service_tier=taken.take("service_tier", _string),
        names=gather(NAMES, taken.names, said.names, tools.names),
        lost=(*taken.report(), *said.lost, *tools.lost),
    )


def _text(fields: RawFields, taken: Taken) -> tuple[OutputFormat | None, str | None]:
    """How the answer is to be written: `(format, verbosity)`."""
    raw = fields.get("text", NULL)
    if raw == NULL:
        return None, None
    wire = _text_decoder.decode(raw)
    _unread("text", raw, WireText, taken)
    if wire.verbosity is not None:
        taken.names["verbosity"] = "text.verbosity"
    wanted = wire.format or WireFormat()
    if wanted.type == "text":
        return None, wire.verbosity
    if wanted.type not in ("json_object", "json_schema"):
        taken.lost["text.format"] = None
        return None, wire.verbosity
    taken.names["output_format"] = "text.format"
    if wanted.type == "json_object":
        return OutputFormat("json_object"), wire.verbosity
    schema = None if wanted.schema == NULL else wanted.schema
    return OutputFormat("json_schema", wanted.name, schema, wanted.strict, wanted.description), wire.verbosity


def _reasoning(fields: RawFields, taken: Taken) -> Reasoning | None:
    """The level of a summary is not kept, only that thoughts are to be shown."""
    raw = fields.get("reasoning", NULL)
    if raw == NULL:
        return None
    wire = _reasoning_decoder.decode(raw)
    _unread("reasoning", raw, WireReasoningSettings, taken)
    is_shown = True if wire.summary or wire.generate_summary else None
    effort: Any = wire.effort if wire.effort in EFFORTS else None
    if wire.effort is not None and effort is None:
        taken.lost["reasoning.effort"] = None
    if effort is None and is_shown is None:
        return None
    taken.names["reasoning"] = "reasoning.effort" if effort else "reasoning.summary"
    return Reasoning(effort=effort, is_shown=is_shown)


def _tool_choice(taken: Taken, tools: Toolbox) -> ToolChoice | None:
    """A choice of a tool that is not offered, a hosted one mostly, is lost."""
    choice = taken.take("tool_choice", _choice_decoder)
    match choice:
        case None:
            return None
        case "none" | "auto" | "required":
            return ToolChoice(choice)
        case WireChoice(type="allowed_tools"):
            found = [_named(tool, tools) for tool in choice.tools]
            if not all(found):
                taken.lost["tool_choice.tools"] = None
            if any(found):
                return ToolChoice("required" if choice.mode == "required" else "auto", tuple(chain(*found)))
        case WireChoice(type="function" | "custom") if names := _named(choice, tools):
            return ToolChoice("required", tuple(names))
    taken.names.pop("tool_choice", None)
    taken.lost["tool_choice"] = None
    return None


def _named(choice: WireChoice, tools: Toolbox) -> list[str]:
    """The flat names that an entry means; a whole namespace may be named."""
    if choice.type == "namespace":
        return tools.members(choice.name or "")
    flat = tools.resolve(choice.name or choice.type, choice.namespace)
    return [] if flat is None else [flat]


def _promises(fields: RawFields, taken: Taken) -> None:
    """What the caller is owed besides the answer and does not get: storage, further members of the answer."""
    if "store" in fields and fields["store"] not in (FALSE, NULL):
        taken.lost["store"] = None
    if "truncation" in fields and fields["truncation"] != NULL:
        if taken.take("truncation", _string) != "disabled":
            taken.lost["truncation"] = None
        taken.names.pop("truncation", None)
    if "include" in fields and fields["include"] != NULL:
        wanted = _strings_decoder.decode(fields["include"])
        taken.lost.update({f"include.{name}": None for name in wanted if name != ENCRYPTED})
    if "stream_options" in fields and fields["stream_options"] != NULL:
        asked = fields_decoder.decode(fields["stream_options"])
        taken.lost.update({f"stream_options.{name}": None for name, raw in asked.items() if raw not in (NULL, FALSE)})


def _unread(field: str, raw: msgspec.Raw, wire: type[msgspec.Struct], taken: Taken) -> None:
    for name, value in fields_decoder.decode(raw).items():
        if name not in wire.__struct_fields__ and value != NULL:
            taken.lost[f"{field}.{name}"] = None
