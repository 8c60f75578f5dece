"""A chat as a request body for Cohere's chat v2, its vendor's quirks applied."""

from collections.abc import Iterator
from typing import Any

from kyma.core.chat import Chat, ChatRequest, OutputFormat, Reasoning, Rendered
from kyma.core.model import Quirks
from kyma.dialects.cohere_chat.messages import write_messages
from kyma.dialects.cohere_chat.tools import offer, tool_choice
from kyma.dialects.raw_fields import encoder
from kyma.dialects.report import Report

UNSAYABLE = ("logit_bias", "user", "cache_key", "verbosity", "top_logprobs", "name", "strict", "cache")
"""Concepts without words here. Log probabilities are never asked for: no other dialect could be told them."""
MAX_STOPS, MAX_TOP_K, LEAST_TOP_P, MOST_TOP_P = 5, 500, 0.01, 0.99
BUDGETS = {"minimal": 512, "low": 1024, "medium": 8192}
"""Cohere takes tokens, or none for as many as the model likes: so from `high` on. The figures are ours."""
ANY_OBJECT = "Answer with one JSON object and nothing else."


def target(upstream_model: str, is_streaming: bool) -> str:
    """Path behind the provider's base path."""
    return "/chat"


def render_request(request: ChatRequest, upstream_model: str, quirks: Quirks) -> Rendered:
    """The body to send. Of the quirks `drop`, `force`, `tool_choices` and `json_schema` count."""
    chat = request.chat()
    report = Report(chat.names, chat.lost)
    for concept in UNSAYABLE:
        report.drop_if_asked(concept)
    if chat.parallel_tool_calls is False:
        report.drop("parallel_tool_calls")
    if chat.n > 1:
        report.drop("n")
    if chat.service_tier not in (None, "auto", "default"):
        report.drop("service_tier")
    tools = offer(chat, report)
    output_format, instruction = _output_format(chat.output_format, bool(tools), quirks, report)
    body: dict[str, Any] = {"model": upstream_model, "messages": write_messages(chat, instruction, report)}
    if request.is_streaming:
        body["stream"] = True
    said = [
        *_sampling(chat, report),
        ("tools", "tools", tools or None),
        ("tool_choice", "tool_choice", tool_choice(chat, quirks, report) if tools else None),
        ("output_format", "response_format", output_format),
        ("reasoning", "thinking", _thinking(chat.reasoning, report)),
    ]
    body |= report.keep(said, quirks.drop)
    return Rendered(encoder.encode(body | quirks.force), *report.both)


def _sampling(chat: Chat, report: Report) -> Iterator[tuple[str, str, object]]:
    """`(concept, field, value)`, each brought into the range that Cohere documents."""
    if len(chat.stop) > MAX_STOPS:
        report.drop("stop")
    yield "max_tokens", "max_tokens", chat.max_tokens
    yield "stop", "stop_sequences", chat.stop[:MAX_STOPS] or None
    yield "seed", "seed", chat.seed
    yield "temperature", "temperature", chat.temperature
    yield "top_p", "p", _within("top_p", chat.top_p, LEAST_TOP_P, MOST_TOP_P, report)
    yield "top_k", "k", _within("top_k", chat.top_k, 0, MAX_TOP_K, report)
    for penalty in ("presence_penalty", "frequency_penalty"):
        yield penalty, penalty, _within(penalty, getattr(chat, penalty), 0.0, 1.0, report)


def _within(concept: str, asked: float | None, least: float, most: float, report: Report) -> float | None:
    if asked is None or least <= asked <= most:
        return asked
    report.emulate(concept)
    return min(max(asked, least), most)


def _output_format(
    wanted: OutputFormat | None, has_tools: bool, quirks: Quirks, report: Report
) -> tuple[dict[str, Any] | None, str]:
    """`(field, words)`: JSON cannot be forced beside tools, and without a schema it must be asked for in words too."""
    if wanted is None:
        return None, ""
    schema = wanted.schema
    if not has_tools and schema is not None and quirks.json_schema:
        return {"type": "json_object", "json_schema": schema}, ""
    report.emulate("output_format")
    if schema is not None:
        words = f"{ANY_OBJECT} It is valid under this JSON schema:\n{bytes(memoryview(schema)).decode()}"
        return (None if has_tools else {"type": "json_object"}), words
    return (None if has_tools else {"type": "json_object"}), ANY_OBJECT


def _thinking(asked: Reasoning | None, report: Report) -> dict[str, Any] | None:
    if asked is None:
        return None
    if asked.effort == "none" or asked.budget_tokens == 0:
        return {"type": "disabled"}
    if asked.budget_tokens is not None:
        return {"type": "enabled", "token_budget": asked.budget_tokens}
    if asked.effort is None:
        if asked.is_shown is not True:  # thoughts are shown anyway; that they be hidden cannot be said
            report.drop_if_asked("reasoning")
        return None
    report.emulate("reasoning")
    budget = BUDGETS.get(asked.effort)
    return {"type": "enabled"} if budget is None else {"type": "enabled", "token_budget": budget}
