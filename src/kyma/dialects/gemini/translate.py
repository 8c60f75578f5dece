"""A chat of another dialect as a generateContent body, with the report on what that leaves out or says another way."""

from typing import Any

import msgspec

from kyma.core.chat import Chat, Effort, Reasoning, Rendered, Tool
from kyma.core.model import Quirks
from kyma.dialects.deferred import due_tools
from kyma.dialects.gemini.translate_turns import TurnWriter
from kyma.dialects.gemini.wire import EFFORTS, encoder, is_gemini_3
from kyma.dialects.report import Report
from kyma.dialects.schemas import FREE_TEXT

UNSAYABLE = ("logit_bias", "user", "cache_key", "verbosity", "top_logprobs", "name", "strict", "cache")
"""Concepts without words here. Log probabilities are never asked for: no other dialect could be told them."""
MAX_STOPS = 5
SERVICE_TIERS = {"flex": "flex", "default": "standard", "priority": "priority"}
GO_ON = "(The conversation goes on.)"
"""Stands for a conversation in which nothing was said: there must be something."""

LEVELS: tuple[Effort, ...] = ("minimal", "low", "medium", "high")
"""What every Gemini 3 takes, unless its row says otherwise; thinking is never quite off there."""
BUDGETS = {"none": 0, "minimal": 512, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 32768}
"""Gemini 2.5 takes tokens. Source: ai.google.dev, OpenAI compatibility and thinking pages, November 2026."""
FLASH_BUDGET, PRO_BUDGET, LEAST_PRO_BUDGET = 24576, 32768, 128
THOUGHTLESS = ("gemma", "gemini-1", "gemini-2.0")

COMPOSERS = ("$ref", "anyOf", "oneOf", "allOf", "additionalProperties", "patternProperties")

_any_decoder = msgspec.json.Decoder()


def translate(chat: Chat, upstream_model: str, quirks: Quirks) -> Rendered:
    """The whole body and its report."""
    report = Report(chat.names, chat.lost)
    for concept in UNSAYABLE:
        report.drop_if_asked(concept)
    if chat.parallel_tool_calls is False:
        report.drop("parallel_tool_calls")
    turns = TurnWriter(is_gemini_3(upstream_model), "id" not in quirks.drop_message_fields)
    turns.write(chat.messages)
    config = _config(chat, upstream_model, quirks, report)
    instruction = _output_format(chat, upstream_model, quirks, config, report)
    system = [*turns.system, instruction] if instruction else turns.system
    body: dict[str, Any] = {}
    if not turns.contents:
        turns.contents.append({"role": "user", "parts": [{"text": text} for text in system or [GO_ON]]})
        report.emulate("messages")
    elif system:
        body["systemInstruction"] = {"parts": [{"text": text} for text in system]}
    body["contents"] = turns.contents
    tools = _tools(chat, report)
    if tools:
        body["tools"] = [{"functionDeclarations": tools}]
        if choice := _tool_choice(chat, quirks, report):
            body["toolConfig"] = {"functionCallingConfig": choice}
    body["generationConfig"] = config
    if chat.service_tier in SERVICE_TIERS and "serviceTier" not in quirks.drop:
        body["serviceTier"] = SERVICE_TIERS[chat.service_tier]
    elif chat.service_tier not in (None, "auto"):
        report.drop("service_tier")
    for concept in turns.dropped:
        report.drop(concept)
    for concept in turns.emulated:
        report.emulate(concept)
    return Rendered(encoder.encode(body | quirks.force), *report.both)


def _config(chat: Chat, model: str, quirks: Quirks, report: Report) -> dict[str, Any]:
    """Everything of `generationConfig` but the form of the answer."""
    candidates = chat.n if chat.n > 1 and not quirks.n_must_be_one else None
    if chat.n > 1 and candidates is None:
        report.drop("n")
    if len(chat.stop) > MAX_STOPS:
        report.drop("stop")
    said = (
        ("max_tokens", "maxOutputTokens", chat.max_tokens),
        ("temperature", "temperature", chat.temperature),
        ("top_p", "topP", chat.top_p),
        ("top_k", "topK", chat.top_k),
        ("stop", "stopSequences", chat.stop[:MAX_STOPS] or None),
        ("n", "candidateCount", candidates),
        ("seed", "seed", chat.seed),
        ("presence_penalty", "presencePenalty", chat.presence_penalty),
        ("frequency_penalty", "frequencyPenalty", chat.frequency_penalty),
        ("reasoning", "thinkingConfig", _thinking(chat.reasoning, model, quirks, report)),
    )
    return report.keep(said, quirks.drop)


def _thinking(asked: Reasoning | None, model: str, quirks: Quirks, report: Report) -> dict[str, Any] | None:
    """Levels for Gemini 3 and later, budgets for 2.5; the thoughts are shown unless that is not wanted."""
    if asked is None:
        return None
    name = model.rpartition("/")[2]
    if name.startswith(THOUGHTLESS):
        report.drop("reasoning")
        return None
    config: dict[str, Any] = {}
    if asked.effort != "none" and asked.is_shown is not False:
        config["includeThoughts"] = True
    if name.startswith("gemini-2"):
        config |= _budget(asked, name, report)
    elif asked.effort is not None or asked.budget_tokens is not None:
        effort = asked.effort or _effort_of(asked.budget_tokens or 0)
        level = _nearest(effort, [word for word in EFFORTS if word in (quirks.efforts or LEVELS)])
        if level != asked.effort:
            report.emulate("reasoning")
        config["thinkingLevel"] = level.upper()
    return config


def _budget(asked: Reasoning, name: str, report: Report) -> dict[str, int]:
    is_pro = "pro" in name
    budget = asked.budget_tokens
    if budget is None:
        if asked.effort is None:
            return {}
        budget = BUDGETS[asked.effort]
        report.emulate("reasoning")
    taken = min(max(budget, LEAST_PRO_BUDGET if is_pro else 0), PRO_BUDGET if is_pro else FLASH_BUDGET)
    if taken != asked.budget_tokens:
        report.emulate("reasoning")
    return {"thinkingBudget": taken}


def _effort_of(budget_tokens: int) -> Effort:
    return "low" if budget_tokens <= 2048 else "medium" if budget_tokens <= 12288 else "high"


def _nearest(effort: Effort, taken: list[Effort]) -> Effort:
    """Of two as near, the higher."""
    wanted = EFFORTS.index(effort)
    return min(taken, key=lambda word: (abs(EFFORTS.index(word) - wanted), -EFFORTS.index(word)))


def _output_format(chat: Chat, model: str, quirks: Quirks, config: dict[str, Any], report: Report) -> str:
    """Ask for JSON; returns the words that ask for it instead, where the model cannot be made to.

    Before Gemini 3 a request with tools and a JSON answer is refused. Source: API error text, 2025 to 2026.
    """
    wanted = chat.output_format
    if wanted is None:
        return ""
    schema = wanted.schema
    is_taken = not chat.tools or is_gemini_3(model)
    if is_taken:
        config["responseMimeType"] = "application/json"
        if schema is None:
            return ""
        if quirks.json_schema:
            config["responseJsonSchema"] = schema
            return ""
    report.emulate("output_format")
    asked = "" if schema is None else f", that is valid under this JSON schema:\n{bytes(schema).decode()}"
    return f"Answer with one JSON object and nothing else{asked}"


def _tools(chat: Chat, report: Report) -> list[dict[str, Any]]:
    """Function declarations; deferred tools only once they were referenced, custom ones with one string to fill in."""
    due = due_tools(chat, report)
    if any(tool.is_custom for tool in chat.tools):
        report.emulate("custom_tools")
    return [_declaration(tool) for tool in due]


def _declaration(tool: Tool) -> dict[str, Any]:
    declaration: dict[str, Any] = {"name": tool.name}
    if tool.description:
        declaration["description"] = tool.description
    if tool.is_custom:
        declaration["parametersJsonSchema"] = FREE_TEXT
    elif tool.parameters is not None and _has_properties(tool.parameters):
        declaration["parametersJsonSchema"] = tool.parameters
    return declaration


def _has_properties(schema: msgspec.Raw) -> bool:
    """An object without any is refused as parameters and left out."""
    value = _any_decoder.decode(schema)
    return isinstance(value, dict) and bool(value.get("properties") or any(value.get(word) for word in COMPOSERS))


def _tool_choice(chat: Chat, quirks: Quirks, report: Report) -> dict[str, Any] | None:
    """VALIDATED is the mode in which a choice left open can be limited to some functions."""
    choice = chat.tool_choice
    if choice is None:
        return None
    form = "named" if choice.mode == "required" and choice.names else choice.mode
    if form not in quirks.tool_choices:
        report.drop("tool_choice")
        return {"mode": "AUTO"} if "auto" in quirks.tool_choices else None
    modes = {"none": "NONE", "auto": "VALIDATED" if choice.names else "AUTO", "required": "ANY"}
    config: dict[str, Any] = {"mode": modes[choice.mode]}
    if choice.names and choice.mode != "none":
        config["allowedFunctionNames"] = choice.names
    return config
