"""A whole Messages request in Kyma's words, with the report of what they cannot hold."""

from typing import Annotated, Literal

import msgspec

from kyma.core.chat import Chat, Effort, OutputFormat, Reasoning, ToolChoice
from kyma.dialects.anthropic_messages.blocks import WireCache
from kyma.dialects.anthropic_messages.conversation import mark_last, read_messages
from kyma.dialects.anthropic_messages.tools import Report, read_tools
from kyma.dialects.anthropic_messages.wire import EMPTY, NULL, RawFields, head

OURS = ("model", "messages", "system", "max_tokens", "stream", "idempotency_key", "tools", "cache_control")
"""Fields that Kyma itself acts on, and those that every dialect can say; what stands inside them is looked at apart."""

READ = ("tool_choice", "thinking", "output_config", "output_format", "metadata", "service_tier", "stop_sequences")
SAMPLING = ("temperature", "top_p", "top_k")
KNOWN = {*OURS, *READ, *SAMPLING}
EFFORTS: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")
NOTHING = msgspec.Raw(b"0")
TIERS = {"auto": "auto", "standard_only": "default"}
"""Anthropic's service tiers in the words of the canonical model, which are OpenAI's."""


class WireMetadata(msgspec.Struct):
    user_id: str | None = None


class WireToolChoice(msgspec.Struct):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class WireThinking(msgspec.Struct):
    type: str
    budget_tokens: Annotated[int, msgspec.Meta(ge=0, le=2**31)] | None = None
    display: str | None = None


class WireFormat(msgspec.Struct):
    type: str
    schema: msgspec.Raw = NULL


class WireOutputConfig(msgspec.Struct):
    effort: str | None = None
    format: WireFormat | None = None


_choice_decoder = msgspec.json.Decoder(WireToolChoice)
_thinking_decoder = msgspec.json.Decoder(WireThinking)
_config_decoder = msgspec.json.Decoder(WireOutputConfig)
_format_decoder = msgspec.json.Decoder(WireFormat)
_metadata_decoder = msgspec.json.Decoder(WireMetadata)
_cache_decoder = msgspec.json.Decoder(WireCache)
_texts_decoder = msgspec.json.Decoder(list[str])
_text_decoder = msgspec.json.Decoder(str)
_float_decoder = msgspec.json.Decoder(float)
_int_decoder = msgspec.json.Decoder(int)
_fields_decoder = msgspec.json.Decoder(RawFields)


def read_chat(fields: RawFields, max_tokens: int) -> Chat:
    """A checked request. A wish to have nothing said (`max_tokens` 0) becomes one token: no other dialect has it."""
    fields = {name: raw for name, raw in fields.items() if raw != NULL}
    report = Report()
    for name in fields:
        if name not in KNOWN and fields[name] not in EMPTY:
            report.lose(name)
    if fields.get("max_tokens") == NOTHING:
        report.lose("max_tokens")
    messages = read_messages(fields["messages"], fields.get("system"), report)
    if "cache_control" in fields:
        report.name("cache", "cache_control")
        messages = mark_last(messages, _cache_decoder.decode(fields["cache_control"]).ttl or "5m")
    choice, parallel = _tool_choice(fields, report)
    temperature, top_p, top_k = fields.get("temperature"), fields.get("top_p"), fields.get("top_k")
    for name in SAMPLING:
        if name in fields:
            report.name(name, name)
    return Chat(
        messages=messages,
        tools=read_tools(fields["tools"], report) if "tools" in fields else (),
        tool_choice=choice,
        parallel_tool_calls=parallel,
        max_tokens=max_tokens or 1,
        temperature=None if temperature is None else _float_decoder.decode(temperature),
        top_p=None if top_p is None else _float_decoder.decode(top_p),
        top_k=None if top_k is None else _int_decoder.decode(top_k),
        stop=_stop(fields, report),
        output_format=_output_format(fields, report),
        reasoning=_reasoning(fields, report),
        user=_user(fields, report),
        service_tier=_service_tier(fields, report),
        names=report.names,
        lost=report.lost,
    )


def _tool_choice(fields: RawFields, report: Report) -> tuple[ToolChoice | None, bool | None]:
    if "tool_choice" not in fields:
        return None, None
    choice = _choice_decoder.decode(fields["tool_choice"])
    _lose_unknown(fields["tool_choice"], WireToolChoice, "tool_choice", report)
    report.name("tool_choice", "tool_choice")
    parallel = None
    if choice.disable_parallel_tool_use is not None:
        parallel = not choice.disable_parallel_tool_use
        report.name("parallel_tool_calls", "tool_choice.disable_parallel_tool_use")
    match choice.type:
        case "tool":
            return ToolChoice("required", (choice.name or "",)), parallel
        case "any":
            return ToolChoice("required"), parallel
        case "none" | "auto":
            return ToolChoice(choice.type), parallel


def _reasoning(fields: RawFields, report: Report) -> Reasoning | None:
    """`thinking` says whether, `output_config.effort` how much. Adaptive without an effort: the model's default."""
    said, effort = [], _effort(fields, report)
    budget: int | None = None
    is_shown: bool | None = None
    if effort is not None:
        said.append("output_config.effort")
    if "thinking" in fields:
        thinking = _thinking_decoder.decode(fields["thinking"])
        _lose_unknown(fields["thinking"], WireThinking, "thinking", report)
        if thinking.type not in ("enabled", "adaptive", "disabled"):
            report.lose("thinking")
        else:
            said.insert(0, "thinking")
            is_shown = None if thinking.display is None else thinking.display != "omitted"
            budget = thinking.budget_tokens if thinking.type == "enabled" else None
            effort = "none" if thinking.type == "disabled" else effort
    if not said:
        return None
    report.name("reasoning", ", ".join(said))
    return Reasoning(effort, budget, is_shown)


def _effort(fields: RawFields, report: Report) -> Effort | None:
    if "output_config" not in fields:
        return None
    _lose_unknown(fields["output_config"], WireOutputConfig, "output_config", report)
    word = _config_decoder.decode(fields["output_config"]).effort
    effort = next((known for known in EFFORTS if known == word), None)
    if word is not None and effort is None:
        report.lose("output_config.effort")
    return effort


def _output_format(fields: RawFields, report: Report) -> OutputFormat | None:
    """`output_config.format`, and `output_format` as it was called before."""
    wanted, path = None, "output_config.format"
    if "output_config" in fields:
        wanted = _config_decoder.decode(fields["output_config"]).format
    if "output_format" in fields:
        if wanted is not None:
            report.lose("output_format")
        else:
            wanted, path = _format_decoder.decode(fields["output_format"]), "output_format"
    if wanted is None:
        return None
    if wanted.type != "json_schema" or head(wanted.schema) != b"{":
        report.lose(path)
        return None
    report.name("output_format", path)
    return OutputFormat("json_schema", schema=wanted.schema, strict=True)


def _stop(fields: RawFields, report: Report) -> tuple[str, ...]:
    if "stop_sequences" not in fields:
        return ()
    report.name("stop", "stop_sequences")
    return tuple(_texts_decoder.decode(fields["stop_sequences"]))


def _user(fields: RawFields, report: Report) -> str | None:
    if "metadata" not in fields:
        return None
    _lose_unknown(fields["metadata"], WireMetadata, "metadata", report)
    user = _metadata_decoder.decode(fields["metadata"]).user_id
    if user is not None:
        report.name("user", "metadata.user_id")
    return user


def _service_tier(fields: RawFields, report: Report) -> str | None:
    if "service_tier" not in fields:
        return None
    tier = TIERS.get(_text_decoder.decode(fields["service_tier"]))
    if tier is None:
        report.lose("service_tier")
    else:
        report.name("service_tier", "service_tier")
    return tier


def _lose_unknown(raw: msgspec.Raw, known: type[msgspec.Struct], where: str, report: Report) -> None:
    """The members of an object that Kyma has no word for."""
    for name, value in _fields_decoder.decode(raw).items():
        if name not in known.__struct_fields__ and value not in EMPTY:
            report.lose(f"{where}.{name}")
