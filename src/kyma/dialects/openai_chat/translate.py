"""A chat of another dialect in the fields of a chat completions request, and what that costs in meaning."""

from typing import Any

import msgspec

from kyma.core.chat import Chat, OutputFormat, Reasoning, Tool, ToolChoice
from kyma.dialects.deferred import due_tools
from kyma.dialects.openai_chat.translate_messages import write_messages
from kyma.dialects.openai_chat.translation import Translation
from kyma.dialects.schemas import FREE_TEXT, NO_PARAMETERS

MAX_STOPS = 4

FIELDS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logit_bias": "logit_bias",
    "verbosity": "verbosity",
    "user": "user",
    "cache_key": "prompt_cache_key",
    "service_tier": "service_tier",
}
"""Concepts that are said as they are, and the field that says each."""

EFFORT_FROM_BUDGET = ((2048, "low"), (16384, "medium"))
"""Thinking budgets in tokens up to which an effort is meant; above, `high`."""


def translate(chat: Chat, *, returns_reasoning: bool) -> Translation:
    """`chat` in OpenAI's words. `returns_reasoning`: the vendor wants earlier thoughts back."""
    told = Translation(chat)
    offered = _offered(chat, told)
    told.put("messages", write_messages(chat, told, returns_reasoning=returns_reasoning), "messages")
    if offered:
        told.put("tools", [_tool(tool, told) for tool in offered], "tools")
        told.put("parallel_tool_calls", chat.parallel_tool_calls, "parallel_tool_calls")
        told.put("tool_choice", _choice(chat.tool_choice), "tool_choice")
    elif chat.tool_choice is not None and chat.tool_choice.mode == "required":
        told.drop_if_asked("tool_choice")
    for concept, field in FIELDS.items():
        if (value := getattr(chat, concept)) is not None:
            told.put(field, value, concept)
    if chat.n > 1:
        told.put("n", chat.n, "n")
    if chat.output_format is not None:
        told.put("response_format", _format(chat.output_format), "output_format")
    if chat.reasoning is not None:
        told.put("reasoning_effort", _effort(chat.reasoning, told), "reasoning")
    if chat.stop:
        told.put("stop", chat.stop[:MAX_STOPS], "stop")
        if len(chat.stop) > MAX_STOPS:
            told.drop_if_asked("stop")
    if chat.top_logprobs is not None:
        told.put("logprobs", True, "top_logprobs")
        told.put("top_logprobs", chat.top_logprobs or None, "top_logprobs")
    told.drop_if_asked("top_k")
    told.drop_if_asked("cache")
    return told


def _offered(chat: Chat, told: Translation) -> list[Tool]:
    """The tools to offer now: deferred ones once they were referenced, and of a subset only that."""
    if not chat.tools:
        return []
    offered, choice = due_tools(chat, told), chat.tool_choice
    if choice is not None and choice.names and (choice.mode == "auto" or len(choice.names) > 1):
        offered = [tool for tool in offered if tool.name in choice.names]
        told.emulate("tool_choice")
    return offered


def _tool(tool: Tool, told: Translation) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.is_custom:
        told.emulate("custom_tools")
        function["parameters"] = FREE_TEXT
    else:
        function["parameters"] = NO_PARAMETERS if tool.parameters is None else tool.parameters
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice | None) -> Any:
    if choice is None:
        return None
    if choice.mode == "required" and len(choice.names) == 1:
        return {"type": "function", "function": {"name": choice.names[0]}}
    return choice.mode


def _format(wanted: OutputFormat) -> dict[str, Any]:
    if wanted.kind == "json_object":
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": wanted.name, "schema": wanted.schema or msgspec.Raw(b"{}")}
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    if wanted.description is not None:
        schema["description"] = wanted.description
    return {"type": "json_schema", "json_schema": schema}


def _effort(reasoning: Reasoning, told: Translation) -> str | None:
    if reasoning.effort is not None:
        return reasoning.effort
    if reasoning.budget_tokens is None:
        if reasoning.is_shown is not True:  # thoughts are shown anyway; that they be hidden cannot be said
            told.drop_if_asked("reasoning")
        return None
    told.emulate("reasoning")
    budget = reasoning.budget_tokens
    return next((effort for most, effort in EFFORT_FROM_BUDGET if budget <= most), "high") if budget else "none"
