"""Names and aliases: how a customer's `model` finds a model, and what it reads when it does not."""

import pytest

from kyma.core.errors import NotFound

from .conftest import ENGINES, Here


@pytest.mark.parametrize(
    "name",
    ["gpt-oss-120b", "GPT-OSS-120B", "openai/gpt-oss-120b", "OpenAI/GPT-OSS-120B"],
)
def test_case_and_the_creators_prefix_do_not_matter(here: Here, name: str) -> None:
    resolved = here("GROQ_API_KEY").resolve(name)
    assert (resolved.model.id, resolved.alias) == ("gpt-oss-120b", None)


def test_a_creator_is_known_by_more_than_one_prefix(here: Here) -> None:
    catalog = here("DASHSCOPE_API_KEY")
    assert catalog.resolve("alibaba/qwen-3.6-plus") == catalog.resolve("qwen/qwen-3.6-plus")


def test_another_creators_prefix_is_no_name(here: Here) -> None:
    with pytest.raises(NotFound) as caught:
        here("GROQ_API_KEY").resolve("google/gpt-oss-120b")
    assert caught.value.code == "model_not_found"


def test_an_unknown_name_answers_the_three_closest(here: Here) -> None:
    with pytest.raises(NotFound) as caught:
        here("GROQ_API_KEY").resolve("qwen-3.6-puls")
    error = caught.value
    assert (error.status, error.code, error.param) == (404, "model_not_found", "model")
    assert "'qwen-3.6-puls'" in error.message
    close = error.message.split("Closest names: ")[1].split(". ")[0].split(", ")
    assert close[0] == "qwen-3.6-plus" and len(close) == 3


def test_a_huge_name_is_not_repeated(here: Here) -> None:
    with pytest.raises(NotFound) as caught:
        here().resolve("x" * 1_000_000)
    assert len(caught.value.message) < 300


def test_an_empty_name_is_not_found(here: Here) -> None:
    with pytest.raises(NotFound):
        here("GROQ_API_KEY").resolve("")


def test_a_known_model_without_a_source_says_what_would_add_one(here: Here) -> None:
    with pytest.raises(NotFound) as caught:
        here("GROQ_API_KEY").resolve("Anthropic/Claude-Opus-4-7")
    assert (caught.value.code, caught.value.param) == ("model_not_available", "model")
    assert "'claude-opus-4-7'" in caught.value.message and "OPENROUTER_API_KEY" in caught.value.message


def test_a_retired_model_says_so(here: Here) -> None:
    with pytest.raises(NotFound, match="retired on 2026-10-20") as caught:
        here("GEMINI_API_KEY").resolve("gemini-2.5-flash")
    assert caught.value.code == "model_not_available"


ALL_KEYS = (
    *("GROQ_API_KEY", "DEEPINFRA_API_KEY", "DASHSCOPE_API_KEY", "MOONSHOT_API_KEY", "GEMINI_API_KEY"),
    *("OPENROUTER_API_KEY", "NOVITA_API_KEY"),
)


@pytest.mark.parametrize(
    ("alias", "model_id"),
    [
        ("best", "qwen-3.6-plus"),
        ("fast", "qwen-3-32b"),
        ("code", "kimi-k2.6"),
        ("agent", "kimi-k2.6"),
        ("reasoning", "deepseek-r1"),
        ("vision", "gemma-4-31b"),
        ("cheap", "glm-4.7-flash"),
        ("long-context", "gemini-3-flash"),
        ("balanced", "llama-3.3-70b"),
    ],
)
def test_an_alias_stands_for_the_contracts_model(here: Here, alias: str, model_id: str) -> None:
    catalog = here(*ALL_KEYS)
    resolved = catalog.resolve(alias)
    assert (resolved.model.id, resolved.alias) == (model_id, alias)
    assert catalog.aliases[alias] == model_id


def test_an_alias_is_found_in_any_case(here: Here) -> None:
    assert here("DASHSCOPE_API_KEY").resolve("Best").alias == "best"


def test_an_alias_falls_to_the_next_that_is_servable(here: Here) -> None:
    assert here("GROQ_API_KEY").resolve("best").model.id == "gpt-oss-120b"


def test_without_any_key_some_aliases_reach_the_embedded_model(here: Here) -> None:
    assert dict(here(engines=ENGINES).aliases) == {
        "best": "smollm2-135m",
        "fast": "smollm2-135m",
        "cheap": "smollm2-135m",
        "balanced": "smollm2-135m",
        "auto": "smollm2-135m",
    }


def test_an_alias_that_nobody_serves_is_not_available(here: Here) -> None:
    with pytest.raises(NotFound) as caught:
        here(engines=ENGINES).resolve("vision")
    assert caught.value.code == "model_not_available"


def test_a_target_of_vision_sees_and_a_target_of_agent_has_tools(here: Here) -> None:
    catalog = here(*ALL_KEYS)
    assert catalog.resolve("vision").model.supports_vision
    assert catalog.resolve("agent").model.supports_tools


@pytest.mark.parametrize("name", ["nonsense", "claude-opus-4-7", "vision", "gemini-2.5-flash"])
def test_no_message_names_an_address_a_secret_or_a_provider_in_use(here: Here, name: str) -> None:
    with pytest.raises(NotFound) as caught:
        here("GROQ_API_KEY", engines=ENGINES).resolve(name)
    message = caught.value.message.lower()
    assert not [leak for leak in ("a-secret", "127.0.0.1", "40123", "http", "groq") if leak in message]


def test_a_snapshot_cannot_be_changed(here: Here) -> None:
    catalog = here("GROQ_API_KEY")
    with pytest.raises(TypeError):
        catalog.models["gpt-oss-120b"] = catalog.models["glm-5.1"]  # type: ignore[index]
