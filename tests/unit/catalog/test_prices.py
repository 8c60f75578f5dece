"""Every list price, typed here from the contract's price list and not read from the data."""

import re

import pytest

from kyma.catalog import Sheets
from kyma.core.model import Price
from kyma.core.money import with_markup

from .conftest import Here

# USD per 1M tokens as pico-dollars a token: input, cached input, cache write, output. A row without a cached price in
# the contract has a tenth of its input price.
CONTRACT = {
    "glm-4.7-flash": (81_000, 8_100, 81_000, 540_000),
    "gemma-4-31b": (189_000, 18_900, 189_000, 540_000),
    "deepseek-v4-flash": (189_000, 19_000, 189_000, 378_000),
    "gpt-oss-120b": (202_500, 20_250, 202_500, 810_000),
    "glm-4.5-air": (175_500, 17_550, 175_500, 1_147_500),
    "qwen-3-32b": (392_000, 39_200, 392_000, 810_000),
    "minimax-m2.5": (405_000, 40_500, 405_000, 1_620_000),
    "minimax-m2.7": (405_000, 40_500, 405_000, 1_620_000),
    "deepseek-v3": (810_000, 81_000, 810_000, 2_295_000),
    "llama-3.3-70b": (1_188_000, 118_800, 1_188_000, 1_188_000),
    "qwen-3-coder": (675_000, 67_500, 675_000, 2_160_000),
    "deepseek-r1": (675_000, 67_500, 675_000, 2_903_000),
    "kimi-k2.6": (1_282_500, 128_250, 1_282_500, 5_400_000),
    "kimi-k2.5": (675_000, 67_500, 675_000, 3_780_000),
    "qwen-3.6-plus": (675_000, 67_500, 675_000, 4_050_000),
    "deepseek-v4-pro": (2_349_000, 235_000, 2_349_000, 4_698_000),
    "claude-opus-4-7": (6_750_000, 675_000, 8_437_500, 33_750_000),
    "claude-sonnet-4-6": (4_050_000, 405_000, 5_062_500, 20_250_000),
    "gemini-2.5-flash": (405_000, 40_500, 405_000, 3_375_000),
    "gemini-3-flash": (675_000, 67_500, 675_000, 4_050_000),
    "glm-5.1": (1_890_000, 189_000, 1_890_000, 5_940_000),
    "qwen-3.7-max": (3_375_000, 337_500, 3_375_000, 10_125_000),
    "qwen3.8-flash": (202_500, 20_250, 202_500, 634_500),
    "glm-5.2": (1_890_000, 189_000, 1_890_000, 5_940_000),
    "gemini-3.5-flash-lite": (405_000, 40_500, 405_000, 3_375_000),
    "gpt-4o-mini": (202_500, 20_250, 202_500, 810_000),
    "smollm2-135m": (10_000, 1_000, 10_000, 20_000),
}

HOUR = {"claude-opus-4-7": 13_500_000, "claude-sonnet-4-6": 8_100_000}
"""Models whose cache can be written for an hour at a price of its own."""


@pytest.mark.parametrize("model_id", CONTRACT)
def test_a_model_costs_what_the_contract_says(here: Here, model_id: str) -> None:
    fresh, cached, written, output = CONTRACT[model_id]
    hour = HOUR.get(model_id, written)
    assert here().models[model_id].price == Price(fresh, cached, written, output, cache_write_1h=hour, search=None)


@pytest.mark.parametrize("model_id", HOUR)
def test_an_hour_of_cache_costs_twice_the_input_and_minutes_a_quarter_more(here: Here, model_id: str) -> None:
    """Source: Anthropic's page on prompt caching."""
    price = here().models[model_id].price
    assert (price.cache_write_1h, price.cache_write * 4) == (price.input * 2, price.input * 5)


def test_no_route_of_such_a_model_charges_more_for_the_hour_than_its_price_covers(here: Here) -> None:
    models = here("ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", "DEEPINFRA_API_KEY").models
    pairs = [(route, models[model_id].price) for model_id in HOUR for route in models[model_id].routes]
    assert len(pairs) == 6
    assert [route.id for route, price in pairs if with_markup(route.cost.cache_write_1h) > price.cache_write_1h] == []


def test_the_catalog_holds_the_contracts_chats_and_no_other(here: Here) -> None:
    assert {model.id for model in here().all() if model.kind == "chat"} == set(CONTRACT)


WHOLE = {
    "all-minilm-l6-v2": 10_000,
    "all-minilm-l6-v2-rerank": 10_000,
    "bge-m3": 13_500,
    "embed-v4.0": 162_000,
    "gemini-embedding-001": 202_500,
    "omni-moderation-latest": 0,
    "qwen-3-embedding-8b": 13_500,
    "qwen-3-reranker-8b": 270_000,
    "rerank-2.5": 67_500,
    "rerank-2.5-lite": 27_000,
    "rerank-v3.5": 0,
    "text-embedding-3-large": 175_500,
    "text-embedding-3-small": 27_000,
    "voyage-4": 81_000,
    "voyage-4-lite": 27_000,
}
"""Pico-dollars a token read: the dearest source's cost by 27/20, but for the two that cost nothing to run.

Cohere charges for reranking by the search.
"""


def test_what_generates_nothing_costs_its_input_alone(here: Here) -> None:
    others = [model for model in here().all() if model.kind != "chat"]
    assert {model.id: model.price.input for model in others} == WHOLE
    assert {model.price.output for model in others} == {0}


def test_a_rerank_may_cost_by_the_search(here: Here) -> None:
    model = here("COHERE_API_KEY").models["rerank-v3.5"]
    assert (model.price.input, model.price.search) == (0, 2_700_000_000)
    assert [route.cost.search for route in model.routes] == [2_000_000_000]


def test_which_providers_are_on_moves_no_price(here: Here) -> None:
    assert here().price_version == here("GROQ_API_KEY", "DEEPINFRA_API_KEY").price_version


def test_the_price_book_lists_every_model_in_picos(here: Here) -> None:
    book = here().price_book_json()
    glm = '"cache_write":1890000,"cache_write_1h":1890000,"cached_input":189000,"input":1890000,"output":5940000'
    assert f'"glm-5.1":{{{glm},"search":null}}' in book
    assert all(f'"{model_id}":' in book for model_id in CONTRACT)


def test_every_figure_has_a_source_with_a_date(sheets: Sheets) -> None:
    sources = [provider.source for provider in sheets.providers.values()]
    for model in sheets.models.values():
        assert model.list_price is not None or model.kind != "chat"
        sources += [model.list_price.source] if model.list_price else []
        sources += [route.source for route in model.routes]
    for made in sheets.media.values():
        sources += [made.list_price.source] if made.list_price else []
        sources += [route.source for route in made.routes]
    sources += [vendor.source for vendor in sheets.vendors.values()]
    sources += [row.source for row in (*sheets.aliases.values(), *sheets.suffixes.values(), *sheets.tiers.values())]
    assert [source for source in sources if not re.search(r"20\d\d-\d\d", source)] == []
