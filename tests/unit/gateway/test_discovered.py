"""Which rows the models become that were found on the operator's own servers."""

from datetime import date

import msgspec
import pytest

from kyma.catalog import Catalog, Sheets, assemble, builtin_data, read
from kyma.core.model import Kind
from kyma.gateway.discovered import Found, with_discovered
from kyma.local.ollama import OllamaModel

TODAY = date(2026, 11, 21)
ENVIRONMENT = {"OLLAMA_BASE_URL": "http://127.0.0.1:11434/v1"}
SHEETS = read(builtin_data(), None)


def model(name: str, *capabilities: str, kind: Kind = "chat", family: str = "llama", window: int = 8192) -> OllamaModel:
    return OllamaModel(name, kind, family, "3.2B", TODAY, window, frozenset(("completion", *capabilities)))


def catalog(found: Found, sheets: Sheets = SHEETS) -> Catalog:
    return assemble(with_discovered(sheets, found), environment=ENVIRONMENT, engines={}, today=TODAY)


@pytest.mark.parametrize(
    ("name", "model_id", "also"),
    [
        ("llama3.2:3b", "llama3.2:3b", ()),
        ("llama3.2:latest", "llama3.2", ("llama3.2:latest", "LLAMA3.2")),
        ("hf.co/Acme/Owl-GGUF:Q4_K_M", "owl-gguf:q4_k_m", ("hf.co/acme/owl-gguf:q4_k_m", "hf.co/Acme/Owl-GGUF:Q4_K_M")),
        ("_odd name:1", "odd-name:1", ()),
    ],
)
def test_a_name_becomes_an_id_and_stays_known(name: str, model_id: str, also: tuple[str, ...]) -> None:
    made = catalog({"ollama": [model(name)]})
    assert made.models[model_id].routes[0].upstream_model == name
    assert {made.resolve(other).model.id for other in (model_id, *also)} == {model_id}


def test_it_is_free_in_every_way() -> None:
    price = catalog({"ollama": [model("llama3.2:3b")]}).models["llama3.2:3b"].price
    assert (price.input, price.output, price.cached_input, price.cache_write, price.search) == (0, 0, 0, 0, None)


def test_it_supports_what_its_server_says() -> None:
    made = catalog({"ollama": [model("seer:7b", "tools", "vision", "thinking", "insert")]}).models["seer:7b"]
    assert made.supports_tools and made.supports_vision and made.supports_reasoning and made.image_tokens > 0


def test_two_servers_with_the_same_model_are_two_sources_of_it() -> None:
    rows = dict(SHEETS.providers) | {"ollama-2": SHEETS.providers["ollama"]}
    sheets = msgspec.structs.replace(SHEETS, providers=rows)
    found = {"ollama": [model("owl:1b", window=9000)], "ollama-2": [model("owl:1b", window=4096)]}
    made = catalog(found, sheets).models["owl:1b"]
    assert [route.id for route in made.routes] == ["ollama/owl:1b", "ollama-2/owl:1b"]
    assert made.context_window == 4096


def test_two_owners_of_one_name_are_two_models() -> None:
    made = catalog({"ollama": [model("beta/owl:1b"), model("acme/owl:1b"), model("owl:1b")]})
    sources = {model.id: model.routes[0].upstream_model for model in made.offered() if "owl" in model.id}
    assert sources == {"owl:1b": "owl:1b", "acme-owl:1b": "acme/owl:1b", "beta-owl:1b": "beta/owl:1b"}


@pytest.mark.parametrize("taken", ["glm-5.1", "whisper-v3-turbo", next(iter(SHEETS.aliases))])
def test_the_catalogs_ids_and_aliases_stay_its_own(taken: str) -> None:
    assert with_discovered(SHEETS, {"ollama": [model(taken)]}).models == SHEETS.models


def test_the_catalog_is_as_it_was_where_nothing_was_found() -> None:
    assert catalog({}).price_version == assemble(SHEETS, environment={}, engines={}, today=TODAY).price_version
