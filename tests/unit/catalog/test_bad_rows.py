"""A bad row is refused at load, and the message names the file and the field."""

import pytest

from kyma.catalog import CatalogError

from .conftest import PROVIDERS, Here, model_file, route

NEAR = route("near")
GOOD = model_file(NEAR)
FREE = 'list_price = { input = "0", source = "test, 2026-11-21" }'


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (GOOD.replace('name = "Owl"', "name = 1"), "name"),
        (GOOD.replace("latency_tier", "latencytier"), "latencytier"),
        (GOOD.replace('latency_tier = "fast"\n', ""), "latency_tier"),
        (GOOD.replace('"efficient"', '"great"'), "quality_tier"),
        (GOOD.replace("recommended_for = []", 'recommended_for = ["fun"]'), "recommended_for"),
        (GOOD.replace("supports = []", 'supports = ["magic"]'), "supports"),
        (GOOD.replace("supports = []", 'supports = ["vision"]'), "image_tokens"),
        (GOOD.replace("context_window = 1000", "context_window = 0"), "context_window"),
        (GOOD.replace("created = 2026-01-02", 'created = "soon"'), "created"),
        (GOOD.replace('list_price = { input = "1"', "list_price = { input = 1.0"), "list_price.input"),
        (GOOD.replace('list_price = { input = "1"', 'list_price = { input = "-1"'), "list_price.input"),
        (GOOD.replace('list_price = { input = "1"', 'list_price = { input = "one"'), "list_price.input"),
        (GOOD.replace('list_price = { input = "1"', 'list_price = { input = "0.0000001"'), "list_price.input"),
        (GOOD.replace('list_price = { input = "1"', 'list_price = { input = "0.000001"'), "list_price.cached_input"),
        (GOOD.replace('output = "2"', 'output = "2", cache_write_1h = "two"'), "list_price.cache_write_1h"),
        (GOOD.replace('output = "2"', 'output = "2", search = "ten"'), "list_price.search"),
        (GOOD.replace('output = "2"', 'output = "2", search = "0.0000000001"'), "list_price.search"),
        (model_file(route("near", more='search = "-1", ')), r"routes\[0\].search"),
        (GOOD.replace('output = "2", source = "test, 2026-11-21"', 'output = "2", source = ""'), "list_price.source"),
        (model_file(route("nobody")), r"routes\[0\].provider"),
        (model_file(route("near", "nan")), r"routes\[0\].input"),
        (model_file(route("near", "0")), r"routes\[0\].input"),
        (GOOD.replace('output = "2", ', ""), "must cost more than nothing"),
        (model_file(NEAR, price=FREE), "must cost more than nothing"),
        (model_file(NEAR, price=FREE, more='kind = "embedding"'), "must cost more than nothing"),
        (model_file(NEAR, more="is_free = true"), "a free model costs nothing"),
        (model_file(NEAR, more='kind = "telepathy"'), "kind"),
        (model_file(route("anthropic"), more='kind = "rerank"'), r"routes\[0\].provider: .*no rerank models"),
        (model_file(NEAR, NEAR), r"routes\[1\]"),
        (model_file(NEAR.replace("source", "sauce")), r"sauce"),
        (model_file(route("near", more="quirks = { dorp = [] }, ")), r"routes\[0\]: quirks.dorp"),
        (model_file(route("near", more="quirks = { drop = [1] }, ")), r"routes\[0\]: quirks: .*drop"),
        (model_file(NEAR, more='where = "there"'), "where"),
        (model_file(NEAR, model_id="Owl"), "lower case"),
        (model_file(NEAR, model_id="forest/owl"), "slash"),
        (model_file(NEAR, model_id="best"), "a model has this id"),
        ("nonsense", "key"),
        ("owned_by = 1", "owned_by"),
        ('[models.owl]\nname = "Owl"', "models"),
    ],
)
def test_a_bad_model_row_names_file_and_field(owl: Here, text: str, field: str) -> None:
    with pytest.raises(CatalogError, match=field) as caught:
        owl(text)
    file = "aliases.toml" if field == "a model has this id" else "models/forest.toml"
    assert file in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "right", "field"),
    [
        ('dialect = "klingon"', 'dialect = "openai_chat"', "dialect"),
        ('base_urll = "x"', 'base_url = "https://near.example/v1"', "base_urll"),
        ('base_url = "near"', 'base_url = "https://near.example/v1"', "base_url"),
        ('base_url_env = "NEAR_URL"\nbase_url = "https://n"', 'base_url = "https://near.example/v1"', "base_url_env"),
        ("", 'base_url = "https://near.example/v1"', "base_url"),
        ("", 'key_env = "NEAR_KEY"', "key_env"),
        ('key_env = "NEAR_KEY"\nkey_header = "cookie"', 'key_env = "NEAR_KEY"', "key_header"),
        ('key_env = "NEAR_KEY"\nidle_s = 0', 'key_env = "NEAR_KEY"', "idle_s"),
        ('key_env = "NEAR_KEY"\nheaders = { "X Y" = "1" }', 'key_env = "NEAR_KEY"', "headers"),
        ('key_env = "NEAR_KEY"\nheaders = { X = "a\\nb" }', 'key_env = "NEAR_KEY"', "headers"),
        ('key_env = "NEAR_KEY"\nquirks = { single_system = 1 }', 'key_env = "NEAR_KEY"', "single_system"),
    ],
)
def test_a_bad_provider_row_names_file_and_field(owl: Here, wrong: str, right: str, field: str) -> None:
    providers = PROVIDERS.replace(right, wrong, 1)
    with pytest.raises(CatalogError, match=field) as caught:
        owl(GOOD, providers=providers)
    assert "providers.toml [near]" in str(caught.value)


def test_an_alias_of_an_unknown_model_is_refused(owl: Here) -> None:
    with pytest.raises(CatalogError, match=r"aliases.toml \[night\]: targets: there is no model 'bat'"):
        owl(GOOD, aliases='[night]\ntargets = ["bat"]\nsource = "t"\n')


def test_a_model_in_two_files_of_one_folder_is_refused(owl: Here) -> None:
    with pytest.raises(CatalogError, match=r"model\.owl is also in desert\.toml"):
        owl(GOOD, **{"models/desert": GOOD})
