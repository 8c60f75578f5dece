"""Whom `auto` picks for real requests of every dialect, and what is said where nobody can do it."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from kyma.calls.asking import Asked, model_counted, who_may_answer
from kyma.catalog import Catalog, Sheets, assemble, builtin_data, read
from kyma.core.chat import CallRequest
from kyma.core.errors import InvalidRequest, KymaError
from kyma.dialects import (
    anthropic_messages,
    gemini,
    openai_chat,
    openai_completions,
    openai_embeddings,
    openai_moderations,
    openai_responses,
    rerank,
)

SHEETS: Sheets = read(builtin_data(), None)
MANY = (
    *("GROQ_API_KEY", "DEEPINFRA_API_KEY", "DASHSCOPE_API_KEY", "MOONSHOT_API_KEY", "GEMINI_API_KEY"),
    "ANTHROPIC_API_KEY",
)
ENGINES = {"local": "http://127.0.0.1:40123/v1"}

PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0xLjcK"
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
LONG = "word " * 100_000
"""Half a million bytes, about 125,000 tokens."""

Fields = dict[str, Any]


def here(*names: str, **engines: str) -> Catalog:
    environment = dict.fromkeys(names, "a-secret")
    return assemble(SHEETS, environment=environment, engines=engines, today=date(2026, 11, 21))


def said(content: object = "hello", **fields: object) -> CallRequest:
    """A chat completion request to auto."""
    body = {"model": "auto", "messages": [{"role": "user", "content": content}], **fields}
    return openai_chat.parse_request(json.dumps(body).encode())


def saw(*parts: Fields, **fields: object) -> CallRequest:
    return said([{"type": "text", "text": "what is it?"}, *parts], **fields)


IMAGE = {"type": "image_url", "image_url": {"url": PNG}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
FILE = {"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}}


def picked(request: CallRequest, catalog: Catalog) -> tuple[str, str]:
    """Whom and why."""
    resolved = who_may_answer(request, catalog).resolved
    return resolved.model.id, resolved.auto_reason


@pytest.mark.parametrize(
    ("request_", "model_id", "reason"),
    [
        (said(), "qwen-3.6-plus", "plain text"),
        (saw(IMAGE), "gemma-4-31b", "vision"),
        (saw(IMAGE, tools=TOOLS), "kimi-k2.6", "vision, tools"),
        (saw(FILE), "claude-sonnet-4-6", "documents"),
        (said(tools=TOOLS), "kimi-k2.6", "tools"),
        (said(tools=[]), "qwen-3.6-plus", "plain text"),
        (said(LONG), "gemini-3-flash", "long input"),
        (said(LONG, tools=TOOLS), "deepseek-v4-pro", "tools, long input"),
        (said(LONG * 3, tools=TOOLS), "deepseek-v4-pro", "tools, long input"),
        (said(reasoning_effort="high"), "deepseek-r1", "reasoning"),
        (said(reasoning_effort="none"), "qwen-3.6-plus", "plain text"),
        (said(response_format={"type": "json_object"}), "qwen-3.6-plus", "json"),
        (said(response_format={"type": "text"}), "qwen-3.6-plus", "plain text"),
        (said(max_tokens=60_000), "qwen-3.6-plus", "long answer"),
        (said(max_tokens=4_000), "qwen-3.6-plus", "plain text"),
    ],
)
def test_a_request_gets_whom_its_needs_call_for(request_: CallRequest, model_id: str, reason: str) -> None:
    assert picked(request_, here(*MANY)) == (model_id, reason)


def anthropic(**fields: object) -> CallRequest:
    body = {"model": "auto", "max_tokens": 500, "messages": [{"role": "user", "content": "hello"}], **fields}
    return anthropic_messages.parse_request(json.dumps(body).encode())


def google(*parts: Fields, **fields: object) -> CallRequest:
    body = {"contents": [{"role": "user", "parts": [{"text": "hello"}, *parts]}], **fields}
    return gemini.parse_request(json.dumps(body).encode(), "auto", False)


def responses(content: object = "hello", **fields: object) -> CallRequest:
    return openai_responses.parse_request(json.dumps({"model": "auto", "input": content, **fields}).encode())


BLOB = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
PAGES = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjcK"}}
NOTE = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a note"}}


@pytest.mark.parametrize(
    ("request_", "model_id", "reason"),
    [
        (anthropic(), "qwen-3.6-plus", "plain text"),
        (anthropic(tools=[{"name": "look", "input_schema": {"type": "object"}}]), "kimi-k2.6", "tools"),
        (anthropic(thinking={"type": "enabled", "budget_tokens": 1024}), "deepseek-r1", "reasoning"),
        (anthropic(thinking={"type": "disabled"}), "qwen-3.6-plus", "plain text"),
        (anthropic(messages=[{"role": "user", "content": [PAGES]}]), "claude-sonnet-4-6", "documents"),
        (anthropic(messages=[{"role": "user", "content": [NOTE]}]), "qwen-3.6-plus", "plain text"),
        (google(), "qwen-3.6-plus", "plain text"),
        (google(BLOB), "gemma-4-31b", "vision"),
        (google(generationConfig={"thinkingConfig": {"thinkingBudget": 2000}}), "deepseek-r1", "reasoning"),
        (google(generationConfig={"responseMimeType": "application/json"}), "qwen-3.6-plus", "json"),
        (responses(), "qwen-3.6-plus", "plain text"),
        (responses(tools=[{"type": "function", "name": "look", "parameters": {}}]), "kimi-k2.6", "tools"),
        (responses(reasoning={"effort": "low"}), "deepseek-r1", "reasoning"),
        (responses(text={"format": {"type": "json_object"}}), "qwen-3.6-plus", "json"),
        (openai_completions.parse_request(b'{"model":"auto","prompt":"hello"}'), "qwen-3.6-plus", "plain text"),
    ],
)
def test_the_needs_are_read_in_every_dialect(request_: CallRequest, model_id: str, reason: str) -> None:
    assert picked(request_, here(*MANY)) == (model_id, reason)


@pytest.mark.parametrize(
    ("names", "request_", "model_id"),
    [
        (("GROQ_API_KEY",), said(tools=TOOLS), "gpt-oss-120b"),
        (("DASHSCOPE_API_KEY",), saw(IMAGE), "qwen-3.6-plus"),
        (("ANTHROPIC_API_KEY",), said(tools=TOOLS), "claude-sonnet-4-6"),
        (("ANTHROPIC_API_KEY",), saw(IMAGE, tools=TOOLS), "claude-sonnet-4-6"),
        (("ANTHROPIC_API_KEY",), saw(FILE), "claude-sonnet-4-6"),
        (("GROQ_API_KEY",), said(response_format={"type": "json_object"}), "gpt-oss-120b"),
    ],
)
def test_what_is_not_served_here_is_passed_over(names: tuple[str, ...], request_: CallRequest, model_id: str) -> None:
    assert picked(request_, here(*names))[0] == model_id


def refusal(request: CallRequest, catalog: Catalog) -> KymaError:
    with pytest.raises(InvalidRequest) as caught:
        who_may_answer(request, catalog)
    return caught.value


@pytest.mark.parametrize(
    ("request_", "words", "switch"),
    [
        (saw(IMAGE), "no model here takes images; set one of ", "GEMINI_API_KEY"),
        (saw(AUDIO), "no model here takes audio", ""),
        (said(tools=TOOLS), "no model here can call tools; set one of ", "MOONSHOT_API_KEY"),
        (
            saw(IMAGE, tools=TOOLS),
            "no model here takes images and none can call tools; set one of ",
            "MOONSHOT_API_KEY",
        ),
        (said(reasoning_effort="high"), "no model here reasons; set one of ", "DEEPINFRA_API_KEY"),
        (said(LONG), "no model here has a context window for about 125009 tokens; set one of ", "GEMINI_API_KEY"),
        (said(max_tokens=10_000), "no model here answers with 10000 tokens", "DASHSCOPE_API_KEY"),
    ],
)
def test_where_nobody_can_do_it_the_need_is_named(request_: CallRequest, words: str, switch: str) -> None:
    error = refusal(request_, here(**ENGINES))
    assert (error.status, error.code, error.param) == (400, "no_model_able", "model")
    assert error.message.startswith(f"auto: {words}") and switch in error.message


def test_what_no_one_model_can_do_at_once_is_named_together() -> None:
    error = refusal(saw(IMAGE, max_tokens=60_000), here("SILICONFLOW_API_KEY"))
    assert error.message.startswith("auto: no model here does all of this at once: takes images, answers with 60000")


def test_a_document_goes_to_a_model_that_can_be_handed_it() -> None:
    assert "takes documents" in refusal(saw(FILE), here("DASHSCOPE_API_KEY", "GROQ_API_KEY")).message


def test_a_large_document_has_no_size_in_tokens() -> None:
    large = {"type": "file", "file": {"file_data": PDF + "A" * 8_000_000, "filename": "a.pdf"}}
    assert picked(saw(large), here(*MANY)) == ("claude-sonnet-4-6", "documents")


def test_what_only_its_own_dialect_can_be_told_goes_there_if_it_can() -> None:
    marked = [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]
    catalog = here("ANTHROPIC_API_KEY", "DASHSCOPE_API_KEY")
    assert picked(anthropic(system=marked), catalog) == ("claude-sonnet-4-6", "plain text")
    assert picked(said(), catalog) == ("qwen-3.6-plus", "plain text")


def wishing(**fields: object) -> Asked:
    return who_may_answer(said(**fields), here(*MANY))


def test_wishes_about_providers_and_prices_are_needs_too() -> None:
    assert wishing(provider={"only": ["groq"]}).resolved.model.id == "gpt-oss-120b"
    assert wishing(provider={"order": ["groq"], "allow_fallbacks": False}).resolved.model.id == "gpt-oss-120b"
    assert wishing(provider={"ignore": ["dashscope"]}).resolved.model.id == "kimi-k2.6"
    assert wishing(provider={"max_price": {"completion": "1"}}).resolved.model.id == "gpt-oss-120b"


@pytest.mark.parametrize("wish", [{"only": ["nobody"]}, {"order": ["nobody"], "allow_fallbacks": False}])
def test_a_wish_that_leaves_nobody_is_named(wish: dict[str, object]) -> None:
    error = refusal(said(provider=wish), here(*MANY))
    assert error.message == "auto: no model here is left by `provider`"


def test_auto_may_stand_in_a_list() -> None:
    asked = wishing(models=["gpt-oss-120b"])
    assert (asked.resolved.model.id, asked.resolved.alias) == ("qwen-3.6-plus", "auto")
    assert [other.model.id for other in asked.others] == ["gpt-oss-120b"]


def test_where_auto_finds_nobody_the_list_goes_on() -> None:
    request = said(reasoning_effort="high", models=["smollm2-135m"])
    assert picked(request, here(**ENGINES)) == ("smollm2-135m", "")


def test_auto_behind_another_is_asked_in_its_turn() -> None:
    request = openai_chat.parse_request(
        b'{"models":["gpt-oss-120b","auto"],"messages":[{"role":"user","content":"hello"}]}'
    )
    asked = who_may_answer(request, here(*MANY))
    assert (asked.resolved.model.id, asked.resolved.auto_reason) == ("gpt-oss-120b", "")
    assert [other.model.id for other in asked.others] == ["qwen-3.6-plus"]


@pytest.mark.parametrize(
    ("read", "fields", "code", "named"),
    [
        (openai_embeddings.parse_request, {"input": "a"}, "not_an_embedding_model", "gemini-embedding-001"),
        (rerank.parse_request, {"query": "a", "documents": ["b"]}, "not_a_rerank_model", "rerank-2.5"),
        (openai_moderations.parse_request, {"input": "a"}, "not_a_moderation_model", "name a moderation model"),
    ],
)
def test_auto_picks_chats_alone(read: Callable[[bytes], CallRequest], fields: Fields, code: str, named: str) -> None:
    request = read(json.dumps({"model": "auto", **fields}).encode())
    error = refusal(request, here("GEMINI_API_KEY", "VOYAGE_API_KEY"))
    assert error.code == code and error.message.startswith("auto picks chat models only") and named in error.message


def test_tokens_are_counted_as_the_picked_model_counts() -> None:
    assert model_counted(saw(IMAGE), here(*MANY)).id == "gemma-4-31b"
    assert model_counted(said(), here(*MANY)).id == "qwen-3.6-plus"
