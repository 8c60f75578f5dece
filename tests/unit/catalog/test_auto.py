"""The rules of `auto` as data: their order, whom they name, which rows are refused; and its names."""

import re
from pathlib import Path

import pytest

from kyma.catalog import CatalogError, Needs, Sheets
from kyma.core.errors import NotFound
from kyma.core.preferences import Preferences

from .conftest import ENGINES, Here, model_file, route

PAGE = Path(__file__).resolve().parents[3] / "docs" / "routing.md"
GOOD = model_file(route("near"))
RULE = '[night]\nrank = 50\nwhen = ["tools"]\ntargets = ["owl"]\nreason = "night"\nsource = "test, 2026-11-22"\n'


def test_an_operators_rule_finds_its_place_by_its_rank(owl: Here) -> None:
    catalog = owl(GOOD, auto=RULE)
    asked = catalog.auto(Needs(frozenset(("tools", "images"))))
    assert (asked.reason, asked.models[0].id, asked.models[1].id) == ("night", "owl", "kimi-k2.6")
    assert catalog.auto(Needs(frozenset(("images",)))).reason == "vision"


def test_a_rule_of_a_known_name_takes_its_place(owl: Here) -> None:
    plain = '[plain]\nrank = 10\ntargets = ["owl"]\nreason = "ours"\nsource = "t"\n'
    with pytest.raises(CatalogError, match=r"auto.toml \[plain\]: rank: the last rule, and no other, has no condition"):
        owl(GOOD, auto=plain)
    assert owl(GOOD, auto=plain.replace("10", "10_000")).resolve("auto").model.id == "owl"


@pytest.mark.parametrize(
    ("wrong", "right", "field"),
    [
        ("rank = 0", "rank = 50", "rank"),
        ("rank = 100", "rank = 50", "rank: another rule has 100 too"),
        ("rank = 20_000", "rank = 50", "rank: the last rule, and no other, has no conditions"),
        ("", "rank = 50\n", "rank"),
        ('when = ["taste"]', 'when = ["tools"]', r"when\[0\]"),
        ('wehn = ["tools"]', 'when = ["tools"]', "wehn"),
        ("", 'when = ["tools"]\n', "rank: the last rule, and no other, has no conditions"),
        ("min_input_tokens = -1", 'when = ["tools"]', "min_input_tokens"),
        ("targets = []", 'targets = ["owl"]', "targets"),
        ('targets = ["bat"]', 'targets = ["owl"]', "targets: 'bat' is no chat model, and no alias of chat models"),
        ('targets = ["rerank-2.5"]', 'targets = ["owl"]', "targets: 'rerank-2.5' is no chat model"),
        ('targets = ["auto"]', 'targets = ["owl"]', "targets: 'auto' is no chat model"),
        ('reason = "a\\r\\nx-forged: 1"', 'reason = "night"', "reason"),
        ('reason = ""', 'reason = "night"', "reason"),
        ("", 'source = "test, 2026-11-22"\n', "source"),
    ],
)
def test_a_bad_rule_names_file_and_field(owl: Here, wrong: str, right: str, field: str) -> None:
    assert right in RULE
    with pytest.raises(CatalogError, match=field) as caught:
        owl(GOOD, auto=RULE.replace(right, wrong))
    assert "auto.toml [" in str(caught.value)


def test_no_model_and_no_alias_is_called_auto(owl: Here) -> None:
    kept = "this name is kept for what auto.toml decides"
    with pytest.raises(CatalogError, match=rf"forest.toml \[model.auto\]: {kept}"):
        owl(model_file(route("near"), model_id="auto"))
    with pytest.raises(CatalogError, match=rf"aliases.toml \[auto\]: {kept}"):
        owl(GOOD, aliases='[auto]\ntargets = ["owl"]\nsource = "t"\n')


@pytest.mark.parametrize("name", ["auto", "AUTO", "kyma/auto", "openrouter/auto", "OpenRouter/Auto"])
def test_auto_has_three_names_in_any_case_and_one_alias(here: Here, name: str) -> None:
    resolved = here("GROQ_API_KEY").resolve(name)
    assert (resolved.model.id, resolved.alias, resolved.auto_reason) == ("gpt-oss-120b", "auto", "plain text")


def test_a_suffix_stands_behind_auto(here: Here) -> None:
    resolved = here("GROQ_API_KEY").resolve("openrouter/auto:floor")
    assert (resolved.alias, resolved.auto_reason) == ("auto:floor", "plain text")
    assert resolved.preferences == Preferences(sort="price", said=frozenset({"sort"}))


def test_no_other_name_has_a_reason(here: Here) -> None:
    catalog = here("GROQ_API_KEY")
    assert [catalog.resolve(name).auto_reason for name in ("best", "gpt-oss-120b", "fast:floor")] == ["", "", ""]


def test_auto_stands_among_the_aliases_with_whom_a_plain_request_gets(here: Here) -> None:
    assert here("DASHSCOPE_API_KEY").aliases["auto"] == "qwen-3.6-plus"
    assert "auto" not in here().aliases


def test_where_nothing_is_served_auto_is_not_available(here: Here) -> None:
    with pytest.raises(NotFound) as caught:
        here().resolve("auto")
    assert caught.value.code == "model_not_available"


def test_the_embedded_model_comes_after_every_other(here: Here) -> None:
    catalog = here("DEEPINFRA_API_KEY", engines=ENGINES)
    served = [model.id for model in catalog.auto(Needs()).models if model.routes]
    assert served[-1] == "smollm2-135m" and len(served) > 5


def test_a_model_that_no_rule_names_can_be_picked(owl: Here) -> None:
    assert owl(GOOD).resolve("auto").model.id == "owl"


def test_the_same_needs_are_told_the_same(here: Here) -> None:
    needs = Needs(frozenset(("json", "tools", "images", "reasoning")), 200_000, 40_000)
    first, second = here("GROQ_API_KEY").auto(needs), here("GROQ_API_KEY").auto(needs)
    assert first == second and first.reason == "vision, tools"


def test_every_chat_model_is_there_once(here: Here, sheets: Sheets) -> None:
    models = [model.id for model in here().auto(Needs(frozenset(("tools",)))).models]
    assert sorted(models) == sorted(name for name, row in sheets.models.items() if row.kind == "chat")


def test_the_rule_of_the_page_holds_where_it_says(owl: Here) -> None:
    (rule,) = re.findall(r"```toml\n(\[contracts\].*?)```", PAGE.read_text(), re.S)
    catalog = owl(GOOD, auto=rule)
    asked = catalog.auto(Needs(frozenset(("documents",)), 20_000))
    assert (asked.reason, asked.models[0].id) == ("contracts", "claude-opus-4-7")
    assert catalog.auto(Needs(frozenset(("documents",)), 19_999)).reason == "documents"


def test_the_page_has_every_reason_in_the_order_of_the_rules(sheets: Sheets) -> None:
    rows = sorted(sheets.auto.values(), key=lambda row: row.rank)
    table = PAGE.read_text().split("## Auto")[1].split("## Suffixes")[0]
    assert re.findall(r"^\| `([a-z, ]+)` \|", table, re.M) == [row.reason for row in rows]


def test_behind_the_rules_stand_the_best_then_the_longest(owl: Here) -> None:
    plain = '[plain]\nrank = 10_000\ntargets = ["owl"]\nreason = "ours"\nsource = "t"\n'
    models = [model.id for model in owl(GOOD, auto=plain).auto(Needs()).models]
    assert models[:4] == ["owl", "claude-opus-4-7", "claude-sonnet-4-6", "deepseek-v4-pro"]
    assert models.index("deepseek-v4-flash") < models.index("deepseek-r1") < models.index("glm-4.7-flash")
