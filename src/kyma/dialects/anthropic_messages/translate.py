"""A chat of any dialect as a Messages request: the fields beside the messages, and what becomes of each wish."""

from typing import Any

import msgspec

from kyma.core.chat import Chat, Effort, Tool
from kyma.core.model import Quirks
from kyma.dialects.anthropic_messages.outcome import Outcome
from kyma.dialects.anthropic_messages.turns import Turns, cache_control, limit_marks
from kyma.dialects.anthropic_messages.wire import RawFields, to_raw
from kyma.dialects.schemas import FREE_TEXT, closed, of_object

UNSAYABLE = (
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "top_logprobs",
    "verbosity",
    "cache_key",
)
"""Wishes that this dialect has no word for."""

PENALTIES = ("presence_penalty", "frequency_penalty")
MAX_TEMPERATURE = 1.0
TIERS = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}
EFFORT_WORDS: dict[Effort, str] = {"minimal": "low"}
BUDGETS = ((4_096, "low"), (16_384, "medium"))
"""Up to how many tokens of thought an effort stands for; more is `high`."""

ANY_OBJECT = "Answer with one JSON object, and nothing else."

_any_decoder = msgspec.json.Decoder()


def translate(chat: Chat, quirks: Quirks, outcome: Outcome) -> RawFields:
    """Every field but `model`, `max_tokens` and `stream`."""
    turns = Turns(chat, quirks, outcome)
    fields: dict[str, Any] = {}
    tools = _tools(chat, outcome)
    system = [*turns.system, *_instructions(chat, outcome)]
    limit_marks([*tools, *system, *(block for turn in turns.turns for block in turn["content"])])
    if system:
        fields["system"] = system
    fields["messages"] = turns.turns
    if tools:
        fields["tools"] = tools
    forced = _choose(chat, fields, outcome)
    thinks = _reason(chat, fields, forced, outcome)
    _sample(chat, fields, thinks, outcome)
    if chat.output_format is not None and chat.output_format.schema is not None:
        schema = closed(_any_decoder.decode(chat.output_format.schema))
        fields.setdefault("output_config", {})["format"] = {"type": "json_schema", "schema": schema}
    if stop := [text for text in chat.stop if text.strip()]:
        fields["stop_sequences"] = stop
    if len(stop) < len(chat.stop):
        outcome.drop("stop")
    if chat.user is not None:
        fields["metadata"] = {"user_id": chat.user}
    if chat.service_tier is not None:
        if chat.service_tier in TIERS:
            fields["service_tier"] = TIERS[chat.service_tier]
        else:
            outcome.drop("service_tier")
    for concept in UNSAYABLE:
        if (asked := getattr(chat, concept)) is not None and not (concept in PENALTIES and asked == 0):
            outcome.drop(concept)
    if chat.n != 1:
        outcome.drop("n")
    return {name: to_raw(value) for name, value in fields.items()}


def say_schema(schema: msgspec.Raw) -> str:
    """A wish for an answer under a schema, as words."""
    said = bytes(schema).decode()
    return f"Answer with one JSON object, and nothing else, that is valid under this JSON schema:\n{said}"


def _instructions(chat: Chat, outcome: Outcome) -> list[dict[str, Any]]:
    if chat.output_format is None or chat.output_format.schema is not None:
        return []
    outcome.emulate("output_format")
    return [{"type": "text", "text": ANY_OBJECT}]


def _tools(chat: Chat, outcome: Outcome) -> list[dict[str, Any]]:
    """The tools that may be called: a subset in the tool choice leaves the others out."""
    wanted = chat.tool_choice.names if chat.tool_choice is not None else ()
    offered = [tool for tool in chat.tools if not wanted or tool.name in wanted]
    if len(wanted) > 1 or (wanted and chat.tool_choice is not None and chat.tool_choice.mode != "required"):
        outcome.emulate("tool_choice")
    elif wanted:
        offered = list(chat.tools)
    all_deferred = all(tool.is_deferred for tool in offered)
    return [_tool(tool, all_deferred, outcome) for tool in offered]


def _tool(tool: Tool, all_deferred: bool, outcome: Outcome) -> dict[str, Any]:
    said: dict[str, Any] = {"name": tool.name}
    description = tool.description
    if tool.is_custom:
        outcome.emulate("custom_tools")
        said["input_schema"] = FREE_TEXT
        if tool.format is not None:
            description = f"{description or ''}\nThe input has this format: {bytes(tool.format).decode()}".strip()
    else:
        said["input_schema"] = of_object(tool.parameters)
        if tool.strict:
            said["strict"] = True
    if description:
        said["description"] = description
    if tool.is_deferred:
        if all_deferred:  # one tool at least must be there from the start
            outcome.emulate("deferred_tools")
        else:
            said["defer_loading"] = True
    if tool.cache is not None:
        said["cache_control"] = cache_control(tool.cache)
    return said


def _choose(chat: Chat, fields: dict[str, Any], outcome: Outcome) -> bool:
    """Whether a tool must be called. Without tools there is nothing to choose from."""
    choice, parallel = chat.tool_choice, chat.parallel_tool_calls
    if "tools" not in fields:
        if choice is not None and choice.mode == "required":
            outcome.drop("tool_choice")
        return False
    said: dict[str, Any] | None = None
    if choice is not None:
        match choice.mode:
            case "required" if len(choice.names) == 1:
                said = {"type": "tool", "name": choice.names[0]}
            case "required":
                said = {"type": "any"}
            case _:
                said = {"type": choice.mode}
    if parallel is False:
        said = said or {"type": "auto"}
        if said["type"] != "none":
            said["disable_parallel_tool_use"] = True
    if said is not None:
        fields["tool_choice"] = said
    return choice is not None and choice.mode == "required"


def _reason(chat: Chat, fields: dict[str, Any], is_forced: bool, outcome: Outcome) -> bool:
    """Whether the model is asked to think. A forced tool forbids it: then only the effort is said.

    Source: Anthropic's page on extended thinking, November 2026; models from 4.6 on think adaptively, and those from
    Opus 4.7 on take no budget.
    """
    wanted = chat.reasoning
    if wanted is None:
        return False
    effort = wanted.effort
    if effort == "none" or (effort is None and wanted.budget_tokens == 0):
        return False
    word: str | None = EFFORT_WORDS.get(effort, effort) if effort is not None else None
    if effort is None and wanted.budget_tokens is not None and wanted.budget_tokens > 0:
        budget = wanted.budget_tokens
        word = next((name for limit, name in BUDGETS if budget <= limit), "high")
    if word != effort or is_forced:
        outcome.emulate("reasoning")
    if word is not None:
        fields["output_config"] = {"effort": word}
    if is_forced:
        return False
    fields["thinking"] = {"type": "adaptive", "display": "omitted" if wanted.is_shown is False else "summarized"}
    return True


def _sample(chat: Chat, fields: dict[str, Any], thinks: bool, outcome: Outcome) -> None:
    """Sampling is refused beside thinking, and so is `top_p` beside `temperature` (Claude since 4.5)."""
    for concept in ("temperature", "top_p", "top_k"):
        value = getattr(chat, concept)
        if value is None:
            continue
        if (thinks and not (concept == "temperature" and value == 1)) or (
            concept == "top_p" and "temperature" in fields
        ):
            outcome.drop(concept)
        elif concept == "temperature" and value > MAX_TEMPERATURE:
            fields[concept] = MAX_TEMPERATURE
            outcome.emulate(concept)
        else:
            fields[concept] = value
