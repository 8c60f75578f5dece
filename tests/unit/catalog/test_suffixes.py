"""What may stand behind a model's name, and which providers a caller means."""

import pytest

from kyma.catalog import CatalogError
from kyma.core.errors import NotFound
from kyma.core.preferences import Preferences, PriceLimit

from .conftest import ENGINES, PROVIDERS, Here, model_file, route

OWL = model_file(route("near"))
FLOOR = Preferences(sort="price", said=frozenset({"sort"}))


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("gpt-oss-120b:floor", "gpt-oss-120b:floor"),
        ("GPT-OSS-120B:Floor", "gpt-oss-120b:floor"),
        ("openai/gpt-oss-120b:floor", "openai/gpt-oss-120b:floor"),
        ("best:floor", "best:floor"),
    ],
)
def test_a_suffix_stands_behind_every_name(here: Here, name: str, alias: str) -> None:
    resolved = here("GROQ_API_KEY").resolve(name)
    assert (resolved.model.id, resolved.alias, resolved.preferences) == ("gpt-oss-120b", alias, FLOOR)


def test_nitro_asks_for_throughput(here: Here) -> None:
    preferences = here("GROQ_API_KEY").resolve("gpt-oss-120b:nitro").preferences
    assert preferences is not None and preferences.sort == "throughput"


def test_a_name_without_a_suffix_wishes_nothing(here: Here) -> None:
    catalog = here("GROQ_API_KEY")
    assert catalog.resolve("gpt-oss-120b").preferences is None
    assert catalog.resolve("best").preferences is None


def test_a_model_whose_id_ends_so_is_itself(owl: Here) -> None:
    catalog = owl(OWL + model_file(route("near"), model_id="owl:floor").partition("\n")[2].partition("\n")[2])
    resolved = catalog.resolve("owl:floor")
    assert (resolved.model.id, resolved.alias, resolved.preferences) == ("owl:floor", None, None)
    assert catalog.resolve("owl:floor:nitro").alias == "owl:floor:nitro"


def test_an_id_with_a_colon_keeps_it(owl: Here) -> None:
    catalog = owl(model_file(route("near"), model_id="llama3.2:3b"))
    assert catalog.resolve("llama3.2:3b").alias is None
    assert catalog.resolve("llama3.2:3b:floor").preferences == FLOOR


def test_a_model_of_that_id_without_a_source_is_not_replaced_by_another(owl: Here) -> None:
    both = OWL + model_file(route("far"), model_id="owl:floor").partition("\n")[2].partition("\n")[2]
    with pytest.raises(NotFound) as caught:
        owl(both, environment={"NEAR_KEY": "n"}).resolve("owl:floor")
    assert caught.value.code == "model_not_available"


def test_an_alias_of_that_name_is_itself(owl: Here) -> None:
    catalog = owl(OWL, aliases='["night:floor"]\ntargets = ["owl"]\nsource = "t"\n')
    assert catalog.resolve("night:floor").preferences is None


def test_behind_an_alias_with_a_star_the_caller_reads_the_star(owl: Here) -> None:
    catalog = owl(OWL, aliases='["night-*"]\ntargets = ["owl"]\nsource = "t"\n')
    resolved = catalog.resolve("night-x-forged: 1:floor")
    assert (resolved.alias, resolved.preferences) == ("night-*:floor", FLOOR)


def test_an_unknown_suffix_is_part_of_the_name(here: Here) -> None:
    with pytest.raises(NotFound) as caught:
        here("GROQ_API_KEY").resolve("gpt-oss-120b:free")
    assert "'gpt-oss-120b:free'" in caught.value.message and "gpt-oss-120b" in caught.value.message


def test_an_unknown_name_before_a_suffix_answers_the_closest(here: Here) -> None:
    with pytest.raises(NotFound, match=r"There is no model 'gpt-oss-12b'\. Closest names: gpt-oss-120b,"):
        here("GROQ_API_KEY").resolve("gpt-oss-12b:floor")


def test_a_model_without_a_source_says_so_behind_a_suffix(here: Here) -> None:
    with pytest.raises(NotFound) as caught:
        here(engines=ENGINES).resolve("claude-opus-4-7:floor")
    assert caught.value.code == "model_not_available"


def test_an_operators_suffix_has_all_the_words_of_a_request(owl: Here) -> None:
    text = """
[":quiet"]
provider = { only = ["Near", "far"], data_collection = "deny", max_price = { prompt = "1", completion = 2 } }
source = "test, 2026-11-21"
"""
    catalog = owl(OWL, suffixes=text)
    assert catalog.resolve("owl:quiet").preferences == Preferences(
        only=("near", "far"),
        denies_data_collection=True,
        max_price=PriceLimit(input=1_000_000, output=2_000_000),
        said=frozenset({"only", "denies_data_collection", "max_price"}),
    )
    assert catalog.resolve("owl:floor").preferences == FLOOR


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('["quick"]\nprovider = { sort = "latency" }', "a suffix begins with its only colon"),
        ('[":a:b"]\nprovider = { sort = "latency" }', "a suffix begins with its only colon"),
        ('[":Quick"]\nprovider = { sort = "latency" }', "a suffix begins with its only colon"),
        ('[":quick"]\nprovider = { sort = "speed" }', "provider: sort must be one of price, latency, throughput"),
        ('[":quick"]\nprovider = { order = ["nobody"] }', "provider: there is no provider 'nobody'"),
        ('[":quick"]\nprovider = { oder = ["near"] }', "provider: there is no member oder; there are order,"),
        ('[":quick"]\nsort = "latency"', "unknown field `sort`|missing required field `provider`"),
    ],
)
def test_a_bad_suffix_names_file_and_row(owl: Here, row: str, said: str) -> None:
    with pytest.raises(CatalogError, match=said) as caught:
        owl(OWL, suffixes=f'{row}\nsource = "test, 2026-11-21"\n')
    assert "suffixes.toml [" in str(caught.value)


def test_providers_are_meant_by_id_and_by_openrouters_slug_in_any_case(here: Here) -> None:
    catalog = here()
    assert catalog.provider_ids(["DeepInfra", "GROQ"]) == ("deepinfra", "groq")
    assert catalog.provider_ids(["z-ai", "moonshotai", "alibaba"]) == ("zai", "moonshot", "dashscope")


def test_a_slug_may_mean_several(here: Here) -> None:
    assert here().provider_ids(["Google-AI-Studio", "google"]) == ("gemini", "google")


def test_an_unknown_name_means_none(here: Here) -> None:
    assert here().provider_ids(["nobody", "", "deepinfra/turbo"]) == ()


def test_a_slug_that_is_a_providers_id_is_refused(owl: Here) -> None:
    providers = PROVIDERS.replace('name = "Near"', 'name = "Near"\nslugs = ["far"]')
    with pytest.raises(CatalogError, match=r"providers.toml \[near\]: slugs: 'far'"):
        owl(OWL, providers=providers)
