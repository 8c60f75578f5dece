"""Who may answer in place of whom: what can do as much and costs the caller no more."""

import pytest

from kyma.catalog import Catalog
from kyma.core.model import Price

from .conftest import MODEL, Here, route

NEEDS = ('"tools"', '"reasoning"', '"structured_outputs"', '"token_ids"')
TIERS = ("efficient", "strong", "frontier-open")


def model(model_id: str, *routes: str, price: str = "1 / 2", supports: str = "", more: str = "") -> str:
    """One model's table; `price` is input and output, searches third."""
    said = dict(zip(("input", "output", "search"), price.split(" / "), strict=False))
    listed = ", ".join(f'{field} = "{figure}"' for field, figure in said.items())
    return (
        f'[model."{model_id}"]\n{MODEL.replace("supports = []", f"supports = [{supports}]")}\n{more}\n'
        f'list_price = {{ {listed}, source = "test, 2026-11-21" }}\nroutes = [{", ".join(routes)}]\n'
    )


def forest(*models: str) -> str:
    return 'owned_by = "Forest"\n' + "".join(models)


ASKED = model("asked", route("near"), more='substitutes = ["other"]')


def idle(catalog: Catalog) -> list[str]:
    return [warning for warning in catalog.warnings if "substitute" in warning]


def test_a_substitute_has_the_sources_that_fit_the_price_of_the_one_asked(owl: Here) -> None:
    cheap, dear = route("near", "0.7", "1.4"), route("far", "0.8", "1.4")
    catalog = owl(forest(ASKED, model("other", cheap, dear, price="9 / 9")))
    (substitute,) = catalog.substitutes("asked")
    assert substitute.model.id == "other"
    assert [found.id for found in substitute.model.routes] == ["near/owl-1"]
    assert len(catalog.models["other"].routes) == 2
    assert idle(catalog) == []


def test_the_lower_price_is_charged(owl: Here) -> None:
    catalog = owl(forest(ASKED, model("other", route("near", "0.5", "0.5"), price="3 / 1")))
    (substitute,) = catalog.substitutes("asked")
    assert substitute.price == Price(
        input=1_000_000, cached_input=100_000, cache_write=1_000_000, output=1_000_000, cache_write_1h=1_000_000
    )


def test_only_sources_that_are_on_here_serve(owl: Here) -> None:
    text = forest(ASKED, model("other", route("near"), route("far")))
    (substitute,) = owl(text, environment={"FAR_KEY": "f"}).substitutes("asked")
    assert [found.provider.id for found in substitute.model.routes] == ["far"]


def test_a_substitute_whose_sources_are_off_is_none_here_and_no_mistake(owl: Here) -> None:
    catalog = owl(forest(ASKED, model("other", route("far"))), environment={"NEAR_KEY": "n"})
    assert (catalog.substitutes("asked"), idle(catalog)) == ((), [])


def test_substitutes_come_in_the_order_of_the_row(owl: Here) -> None:
    asked = model("asked", route("near"), more='substitutes = ["b", "a"]')
    catalog = owl(forest(asked, model("a", route("near")), model("b", route("near"))))
    assert [found.model.id for found in catalog.substitutes("asked")] == ["b", "a"]


@pytest.mark.parametrize(
    "dear",
    [
        route("near", "0.8", "1"),
        route("near", "0.5", "1.5"),
        route("near", "0.5", "1", 'cache_write = "0.8", '),
        route("near", "0.5", "1", 'cache_write_1h = "0.8", '),
        route("near", "0.5", "1", 'search = "1", '),
    ],
    ids=["input", "output", "cache_write", "cache_write_1h", "search"],
)
def test_a_source_that_is_dearer_in_one_component_never_serves(owl: Here, dear: str) -> None:
    price = 'cache_write = "9", cache_write_1h = "9", search = "9", '
    other = model("other", dear, price="9 / 9").replace('output = "9", ', f'output = "9", {price}')
    catalog = owl(forest(ASKED, other))
    assert catalog.substitutes("asked") == ()
    assert idle(catalog) == ["asked: substitute other never serves: every source of it is too dear"]


@pytest.mark.parametrize("ability", NEEDS)
def test_a_model_that_can_do_less_never_serves(owl: Here, ability: str) -> None:
    asked = model("asked", route("near"), supports=ability, more='substitutes = ["other"]')
    catalog = owl(forest(asked, model("other", route("near"))))
    assert catalog.substitutes("asked") == ()
    assert len(idle(catalog)) == 1


@pytest.mark.parametrize("ability", NEEDS)
def test_a_model_that_can_do_more_serves(owl: Here, ability: str) -> None:
    catalog = owl(forest(ASKED, model("other", route("near"), supports=ability)))
    assert len(catalog.substitutes("asked")) == 1


@pytest.mark.parametrize(
    ("asked_more", "other_more", "why"),
    [
        ("", "context_window = 999", "context_window is 999, less than 1000"),
        ("max_output_tokens = 9", "max_output_tokens = 8", "max_output_tokens is 8, less than 9"),
        ("", "max_output_tokens = 8", "max_output_tokens is 8, less than unlimited"),
        ('input_modalities = ["text", "audio"]', "", "input_modalities lack audio"),
    ],
)
def test_a_smaller_model_never_serves(owl: Here, asked_more: str, other_more: str, why: str) -> None:
    asked = model("asked", route("near"), more=f'{asked_more}\nsubstitutes = ["other"]')
    other = model("other", route("near"), more="" if "context" in other_more else other_more)
    if "context" in other_more:
        other = other.replace("context_window = 1000", other_more)
    catalog = owl(forest(asked, other))
    assert catalog.substitutes("asked") == ()
    assert idle(catalog) == [f"asked: substitute other never serves: {why}"]


def test_without_a_limit_on_output_it_serves_whom_has_one(owl: Here) -> None:
    asked = model("asked", route("near"), more='max_output_tokens = 9\nsubstitutes = ["other"]')
    assert len(owl(forest(asked, model("other", route("near")))).substitutes("asked")) == 1


@pytest.mark.parametrize(("tokens", "served"), [(1000, 1), (1001, 0)])
def test_images_must_not_cost_more_tokens(owl: Here, tokens: int, served: int) -> None:
    seeing = 'substitutes = ["other"]\nimage_tokens = 1000'
    asked = model("asked", route("near"), supports='"vision"', more=seeing)
    other = model("other", route("near"), supports='"vision"', more=f"image_tokens = {tokens}")
    assert len(owl(forest(asked, other)).substitutes("asked")) == served


def test_who_sells_searches_is_replaced_by_whom_sells_them(owl: Here) -> None:
    asked = model("asked", route("near"), price="1 / 2 / 10", more='substitutes = ["other"]')
    assert owl(forest(asked, model("other", route("near")))).substitutes("asked") == ()
    selling = model("other", route("near", more='search = "5", '), price="1 / 2 / 7")
    (substitute,) = owl(forest(asked, selling)).substitutes("asked")
    assert substitute.price.search == 7_000_000_000


def test_a_retired_substitute_never_serves(owl: Here) -> None:
    catalog = owl(forest(ASKED, model("other", route("near"), more="retires_on = 2026-11-20")))
    assert idle(catalog) == ["asked: substitute other never serves: it has no source"]


def test_an_unknown_model_has_no_substitutes(here: Here) -> None:
    with pytest.raises(KeyError):
        here().substitutes("nonsense")


CHOSEN = {
    "claude-opus-4-7": ["claude-sonnet-4-6"],
    "deepseek-r1": ["deepseek-v4-flash", "deepseek-v3", "gpt-oss-120b"],
    "deepseek-v3": ["deepseek-v4-flash"],
    "glm-5.1": ["deepseek-v4-pro"],
    "gpt-oss-120b": ["deepseek-v4-flash"],
    "llama-3.3-70b": ["deepseek-v3"],
    "minimax-m2.5": ["minimax-m2.7", "deepseek-v4-flash"],
    "minimax-m2.7": ["deepseek-v4-flash"],
    "qwen-3-32b": ["gpt-oss-120b", "deepseek-v4-flash"],
    "qwen-3-coder": ["deepseek-v3"],
}
KEYS = ("ANTHROPIC_API_KEY", "DEEPINFRA_API_KEY")


def test_the_packaged_substitutes_all_can_serve(here: Here) -> None:
    catalog = here(*KEYS)
    assert idle(catalog) == []
    chosen = {key: [found.model.id for found in catalog.substitutes(key)] for key in catalog.models}
    assert {key: found for key, found in chosen.items() if found} == CHOSEN


def test_they_are_of_no_lower_tier(here: Here) -> None:
    models = here().models
    for asked, others in CHOSEN.items():
        for other in others:
            assert TIERS.index(models[other].quality_tier) >= TIERS.index(models[asked].quality_tier), (asked, other)


def test_a_packaged_substitute_costs_what_is_cheaper(here: Here) -> None:
    (instead_of_llama,) = here(*KEYS).substitutes("llama-3.3-70b")
    assert (instead_of_llama.price.input, instead_of_llama.price.output) == (810_000, 1_188_000)
    (instead_of_glm,) = here(*KEYS).substitutes("glm-5.1")
    assert (instead_of_glm.price.cached_input, instead_of_glm.price.output) == (189_000, 4_698_000)
