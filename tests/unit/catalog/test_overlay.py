"""An operator's own folder: what adds, what replaces, how a new model is priced."""

from pathlib import Path

import msgspec
import pytest

from kyma.catalog import AskedElsewhere, CatalogError, builtin_data, read
from kyma.core.errors import NotFound
from kyma.core.model import Price

from .conftest import LIST_PRICE, PROVIDERS, Here, model_file, route

NEAR, FAR, SHED = route("near"), route("far", "0.6", "0.9"), route("shed", "0", "0")


def test_a_new_model_is_added(owl: Here) -> None:
    catalog = owl(model_file(NEAR))
    assert catalog.resolve("forest/owl").model.name == "Owl"
    assert "gpt-oss-120b" in catalog.models


def test_a_known_id_replaces_the_whole_row(owl: Here) -> None:
    model = owl(model_file(NEAR, model_id="gpt-oss-120b")).models["gpt-oss-120b"]
    assert (model.owned_by, model.price.input, len(model.routes)) == ("Forest", 1_000_000, 1)


def test_a_known_provider_is_replaced(owl: Here) -> None:
    row = PROVIDERS + PROVIDERS.split("[far]")[0].replace("[near]", "[groq]")
    catalog = owl(model_file(NEAR), providers=row)
    assert catalog.providers["groq"].origin.host == "near.example"


def test_an_alias_can_be_added(owl: Here) -> None:
    aliases = '[night]\ntargets = ["owl"]\nsource = "test, 2026-11-21"\n'
    assert owl(model_file(NEAR), aliases=aliases).resolve("night").model.id == "owl"


def test_a_new_model_costs_its_dearest_route_with_the_mark_up(owl: Here) -> None:
    model = owl(model_file(NEAR, FAR, price="")).models["owl"]
    assert model.price == Price(810_000, 810_000, 810_000, 1_350_000, 810_000)


def test_searches_cost_what_the_dearest_route_that_sells_them_charges_with_the_mark_up(owl: Here) -> None:
    searching = route("far", more='search = "10", ')
    assert owl(model_file(NEAR, searching, price="")).models["owl"].price.search == 13_500_000_000
    assert owl(model_file(NEAR, FAR, price="")).models["owl"].price.search is None


def test_searches_are_sold_at_the_listed_price_alone(owl: Here) -> None:
    searching = route("near", more='search = "10", ')
    assert owl(model_file(searching)).models["owl"].price.search is None
    listed = LIST_PRICE.replace('output = "2"', 'output = "2", search = "13.5"')
    found = owl(model_file(searching, price=listed)).models["owl"]
    assert (found.price.search, len(found.routes)) == (13_500_000_000, 1)


def test_a_route_whose_searches_cost_more_than_theirs_are_sold_for_is_dropped(owl: Here) -> None:
    listed = LIST_PRICE.replace('output = "2"', 'output = "2", search = "13.49"')
    catalog = owl(model_file(route("near", more='search = "10", '), FAR, price=listed))
    assert [found.provider.id for found in catalog.models["owl"].routes] == ["far"]
    cost, price = "0.5 / 1.0 and 10 for 1,000 searches", "1.0 / 2.0 and 13.49 for 1,000 searches"
    assert f"owl: near/owl-1 dropped: {cost} with the mark-up exceeds the list price {price}" in catalog.warnings


@pytest.mark.parametrize("bucket", ["cache_write", "cache_write_1h"])
def test_a_route_whose_cache_costs_more_than_it_is_sold_for_is_dropped(owl: Here, bucket: str) -> None:
    catalog = owl(model_file(route("near", more=f'{bucket} = "0.75", '), FAR, price=LIST_PRICE))
    assert [found.provider.id for found in catalog.models["owl"].routes] == ["far"]
    (warning,) = (said for said in catalog.warnings if said.startswith("owl: near/owl-1 dropped: 0.5 / 1.0, "))
    assert "to 0.75 into the cache with the mark-up exceeds" in warning


def test_the_mark_up_is_rounded_up_to_a_whole_pico_dollar(owl: Here) -> None:
    assert owl(model_file(route("near", "0.000001", "1"), price="")).models["owl"].price.input == 2


def test_an_unlisted_price_counts_providers_that_are_off(owl: Here) -> None:
    model = owl(model_file(NEAR, FAR, price=""), environment={"NEAR_KEY": "n"}).models["owl"]
    assert (model.price.input, len(model.routes)) == (810_000, 1)


def test_an_unlisted_price_leaves_out_a_route_that_ended(owl: Here) -> None:
    ended = route("far", "9", "9", "retires_on = 2026-01-01, ")
    assert owl(model_file(NEAR, ended, price="")).models["owl"].price.input == 675_000


def test_a_local_server_may_cost_nothing_if_a_price_is_listed(owl: Here) -> None:
    catalog = owl(model_file(SHED), environment={"SHED_URL": "http://127.0.0.1:9/v1"})
    assert [found.cost.input for found in catalog.resolve("owl").model.routes] == [0]


@pytest.mark.parametrize(
    "price",
    [
        "",
        'list_price = { input = "0", output = "2", source = "t" }',
        'list_price = { input = "1", output = "0", source = "t" }',
    ],
)
def test_nothing_is_sold_for_nothing(owl: Here, price: str) -> None:
    with pytest.raises(CatalogError, match="more than nothing"):
        owl(model_file(SHED, price=price))


def test_a_model_without_price_and_route_is_refused(owl: Here) -> None:
    with pytest.raises(CatalogError, match="list_price"):
        owl(model_file(price=""))


def test_a_cached_price_is_a_tenth_unless_it_is_typed(owl: Here) -> None:
    typed = 'list_price = { input = "1", cached_input = "0.3", output = "2", source = "t" }'
    assert owl(model_file(NEAR)).models["owl"].price.cached_input == 100_000
    assert owl(model_file(NEAR, price=typed)).models["owl"].price.cached_input == 300_000


def test_quirks_of_provider_model_and_route_are_joined(owl: Here) -> None:
    providers = PROVIDERS.replace(
        'key_env = "NEAR_KEY"', 'key_env = "NEAR_KEY"\nquirks = { drop = ["seed"], min_temperature = 0.1 }'
    )
    text = model_file(
        route("near", more='quirks = { drop = ["user"], min_temperature = 0.3 }, '),
        FAR,
        more='quirks = { drop = ["top_k"], min_temperature = 0.2, force = { think = { on = true } } }',
    )
    near, far = owl(text, providers=providers).models["owl"].routes
    assert (near.provider.quirks.drop, near.provider.quirks.min_temperature) == (("seed", "top_k", "user"), 0.3)
    assert (far.provider.quirks.drop, far.provider.quirks.min_temperature) == (("top_k",), 0.2)
    assert near.provider.quirks.force == {"think": msgspec.Raw(b'{"on":true}')}


def test_headers_are_lower_case_bytes(owl: Here) -> None:
    providers = PROVIDERS.replace('key_env = "NEAR_KEY"', 'key_env = "NEAR_KEY"\nheaders = { X-Team = "owls" }')
    assert owl(model_file(NEAR), providers=providers).providers["near"].headers == ((b"x-team", b"owls"),)


def test_other_files_may_lie_in_the_folder(owl: Here) -> None:
    assert owl(model_file(NEAR), kyma="port = 1").models["owl"].routes


def test_an_overlay_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="absent"):
        read(builtin_data(), tmp_path / "absent")


def test_a_change_of_one_price_changes_the_version(owl: Here, here: Here) -> None:
    assert owl(model_file(NEAR)).price_version != here().price_version


def test_an_alias_with_a_star_stands_for_names_that_begin_so(owl: Here) -> None:
    aliases = '["claude-*"]\ntargets = ["owl"]\nsource = "test, 2026-11-21"\n'
    found = owl(model_file(NEAR), aliases=aliases).resolve("Claude-Opus-9")
    assert (found.model.id, found.alias) == ("owl", "claude-*")


@pytest.mark.parametrize("name", ["claude-\0", "claude-\n", "claude-" + "x" * 250])
def test_a_star_stands_for_no_name_that_could_not_be_kept_with_the_call(owl: Here, name: str) -> None:
    aliases = '["claude-*"]\ntargets = ["owl"]\nsource = "test, 2026-11-21"\n'
    with pytest.raises(NotFound):
        owl(model_file(NEAR), aliases=aliases).resolve(name)


@pytest.mark.parametrize("name", ["gpt-image-2", "openai/gpt-image-2"])
def test_a_media_sku_is_not_replaced_by_a_star(owl: Here, name: str) -> None:
    aliases = "".join(f'["{star}"]\ntargets = ["owl"]\nsource = "test, 2026-11-21"\n' for star in ("gpt-*", "openai*"))
    with pytest.raises(AskedElsewhere):
        owl(model_file(NEAR), aliases=aliases).resolve(name)


def test_a_known_model_is_not_replaced_by_a_star(owl: Here) -> None:
    aliases = '["claude-*"]\ntargets = ["owl"]\nsource = "test, 2026-11-21"\n'
    with pytest.raises(NotFound, match="has no source here"):
        owl(model_file(NEAR), aliases=aliases).resolve("claude-sonnet-4-6")
