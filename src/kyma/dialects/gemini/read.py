"""A whole generateContent request in Kyma's words, with the report of what they cannot hold."""

from collections.abc import Callable
from typing import Any, TypeVar, get_args

import msgspec

from kyma.core.chat import Chat, Effort, OutputFormat, Reasoning, Tool, ToolChoice
from kyma.dialects.gemini.conversation import WireFunctionDeclaration
from kyma.dialects.gemini.schemas import json_schema
from kyma.dialects.gemini.turns import one_or_many, read_turns
from kyma.dialects.gemini.wire import EMPTY, NULL, RawFields, fields_decoder

T = TypeVar("T")

READ_APART = ("model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig")
"""Fields whose insides are looked at one by one; `model` is in the path, and what the body says of it is no matter."""

SERVICE_TIERS = {"flex": "flex", "standard": "default", "priority": "priority"}
MODES = {"MODE_UNSPECIFIED": "auto", "AUTO": "auto", "VALIDATED": "auto", "ANY": "required", "NONE": "none"}
ANY_JSON = "application/json"

_declaration_decoder = msgspec.json.Decoder(WireFunctionDeclaration)


class Taken:
    """The members of one object, taken one by one: what is never taken is lost."""

    def __init__(self, fields: RawFields, path: str, names: dict[str, str]) -> None:
        self._left = {name: value for name, value in fields.items() if value not in EMPTY}
        self._path, self._names = path, names

    def take(self, concept: str, read: Callable[[msgspec.Raw], T], field: str) -> T | None:
        """A member in Kyma's words; None if it is not there, or cannot be understood."""
        if field not in self._left:
            return None
        try:
            found = read(self._left[field])
        except (msgspec.DecodeError, ValueError, KeyError):
            return None
        del self._left[field]
        self._names[concept] = f"{self._path}{field}"
        return found

    @property
    def lost(self) -> tuple[str, ...]:
        return tuple([f"{self._path}{name}" for name in self._left])


def _as(kind: Any) -> Callable[[msgspec.Raw], Any]:
    return msgspec.json.Decoder(kind).decode


_bool, _int, _number, _text, _texts = _as(bool), _as(int), _as(float), _as(str), _as(list[str])


def read_chat(fields: RawFields, max_tokens: int) -> Chat:
    """A checked request. `max_tokens` is what holds after defaults."""
    turns = read_turns(fields["contents"], fields.get("systemInstruction", NULL))
    names = dict(turns.names)
    tools, lost_tools = _tools(fields.get("tools", NULL), names)
    choice, lost_choice = _tool_choice(fields.get("toolConfig", NULL), names)
    top = Taken({name: raw for name, raw in fields.items() if name not in READ_APART}, "", names)
    config = Taken(_object(fields.get("generationConfig", NULL)), "generationConfig.", names)
    take = config.take
    take("max_tokens", _int, "maxOutputTokens")
    names.pop("max_tokens", None)
    top_k = take("top_k", _number, "topK")
    wants_logprobs = take("top_logprobs", _bool, "responseLogprobs")
    top_logprobs = take("top_logprobs", _int, "logprobs")
    take("modalities", _only_text, "responseModalities")
    names.pop("modalities", None)
    reasoning, lost_thinking = _reasoning(take("reasoning", _object, "thinkingConfig"), names)
    return Chat(
        messages=tuple(turns.messages),
        tools=tools,
        tool_choice=choice,
        max_tokens=max_tokens,
        temperature=take("temperature", _number, "temperature"),
        top_p=take("top_p", _number, "topP"),
        top_k=None if top_k is None else int(top_k),
        stop=tuple(take("stop", _texts, "stopSequences") or ()),
        n=take("n", _int, "candidateCount") or 1,
        seed=take("seed", _int, "seed"),
        presence_penalty=take("presence_penalty", _number, "presencePenalty"),
        frequency_penalty=take("frequency_penalty", _number, "frequencyPenalty"),
        top_logprobs=(top_logprobs or 0) if wants_logprobs else None,
        output_format=_output_format(config),
        reasoning=reasoning,
        service_tier=top.take("service_tier", lambda raw: SERVICE_TIERS[_text(raw).lower()], "serviceTier"),
        names=names,
        lost=(*top.lost, *config.lost, *lost_thinking, *lost_tools, *lost_choice, *turns.lost),
    )


def _object(raw: msgspec.Raw) -> RawFields:
    return {} if raw == NULL else fields_decoder.decode(raw)


def _only_text(raw: msgspec.Raw) -> bool:
    """Raises: ValueError for answers that are to be more than text."""
    if [word.upper() for word in _texts(raw)] != ["TEXT"]:
        raise ValueError("no text answer")
    return True


def _output_format(config: Taken) -> OutputFormat | None:
    """JSON under a schema, any JSON, or (for `text/plain`) nothing asked; other kinds stay where they are."""

    def mime_type(raw: msgspec.Raw) -> str:
        if (kind := _text(raw)) not in (ANY_JSON, "text/plain"):
            raise ValueError("no output format of ours")
        return str(kind)

    kind = config.take("output_format", mime_type, "responseMimeType")
    if kind != ANY_JSON:
        return None
    schema = config.take("output_format", lambda raw: raw, "responseJsonSchema")
    if schema is None:
        schema = config.take("output_format", json_schema, "responseSchema")
    return OutputFormat("json_object") if schema is None else OutputFormat("json_schema", schema=schema)


def _reasoning(said: RawFields | None, names: dict[str, str]) -> tuple[Reasoning | None, tuple[str, ...]]:
    if said is None:
        return None, ()
    path = "generationConfig.thinkingConfig."
    config = Taken(said, path, {})
    is_shown = config.take("", _bool, "includeThoughts")
    budget = config.take("", _int, "thinkingBudget")
    effort = config.take("", _effort, "thinkingLevel")
    if budget == 0 and effort is None:
        effort, budget = "none", None
    asked = Reasoning(effort, budget if budget is not None and budget > 0 else None, is_shown)
    if asked == Reasoning():
        names.pop("reasoning", None)
        return None, config.lost
    return asked, config.lost


def _effort(raw: msgspec.Raw) -> Effort | None:
    """Raises: ValueError for a level that is no effort of ours."""
    word = _text(raw).lower()
    if word == "thinking_level_unspecified":
        return None
    if word not in get_args(Effort):
        raise ValueError("no level of thinking")
    effort: Effort = word
    return effort


def _tools(raw: msgspec.Raw, names: dict[str, str]) -> tuple[tuple[Tool, ...], tuple[str, ...]]:
    """The customer's functions; tools that Google runs are lost."""
    tools: list[Tool] = []
    lost: dict[str, None] = {}
    for tool in one_or_many(raw):
        fields = _object(tool)
        lost.update(dict.fromkeys(f"tools.{name}" for name in fields if name != "functionDeclarations"))
        for declaration in one_or_many(fields.get("functionDeclarations", NULL)):
            wire = _declaration_decoder.decode(declaration)
            known = WireFunctionDeclaration.__struct_encode_fields__
            unknown = (name for name in _object(declaration) if name not in known)
            lost.update(dict.fromkeys(f"tools.functionDeclarations.{name}" for name in unknown))
            tools.append(_tool(wire))
    if tools:
        names["tools"] = "tools.functionDeclarations"
    return tuple(tools), tuple(lost)


def _tool(wire: WireFunctionDeclaration) -> Tool:
    if wire.parameters_json_schema != NULL:
        return Tool(wire.name, wire.description, wire.parameters_json_schema)
    return Tool(wire.name, wire.description, None if wire.parameters == NULL else json_schema(wire.parameters))


def _tool_choice(raw: msgspec.Raw, names: dict[str, str]) -> tuple[ToolChoice | None, tuple[str, ...]]:
    """VALIDATED also holds calls to their schemas, which nobody else promises: that much of it is lost."""
    outer = Taken(_object(raw), "toolConfig.", {})
    calling = outer.take("", _object, "functionCallingConfig")
    if calling is None:
        return None, outer.lost
    path = "toolConfig.functionCallingConfig"
    config = Taken(calling, f"{path}.", {})
    word = config.take("", _text, "mode") or "AUTO"
    allowed = tuple(config.take("", _texts, "allowedFunctionNames") or ())
    lost = (*outer.lost, *config.lost)
    mode = MODES.get(word.upper())
    if mode is None or word.upper() == "VALIDATED":
        lost += (f"{path}.mode",)
    names["tool_choice"] = path
    match mode:
        case "required":
            return ToolChoice("required", allowed), lost
        case "none":
            return ToolChoice("none"), lost
    return ToolChoice("auto", allowed), lost
