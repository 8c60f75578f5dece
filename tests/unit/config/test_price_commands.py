"""`kyma prices` and `kyma models` as an operator runs them, on a small snapshot and on the real package's data."""

import json
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from kyma.catalog import CatalogError, assemble, builtin_data, read

from .conftest import Kyma

SNAPSHOT = Path(__file__).parents[2] / "fixtures" / "models_dev.json"
FROM_SNAPSHOT = ("--source", "models.dev", "--file", str(SNAPSHOT))
ROW = """
owned_by = "Forest"
[model.owl]
name = "Owl"
description = "A test model."
best_for = "Tests"
created = 2026-05-02
context_window = 131_072
supports = []
latency_tier = "fast"
cost_tier = "cheap"
quality_tier = "efficient"
recommended_for = []
list_price = { input = "1", output = "2", source = "tests, 2026-11", LATER }
routes = [
    { provider = "deepseek", model = "owl-1", input = "DEEPSEEK", output = "1", source = "tests, 2026-11" },
    { provider = "together", model = "forest/Owl-1", input = "0.60", output = "1.20", source = "tests, 2026-11" },
    { provider = "novita", model = "owl-1", input = "0.5", output = "1", source = "tests, 2026-11" },
]
"""


@pytest.fixture
def models(tmp_path: Path, data_dir: Path) -> Path:
    """The operator's folder of models."""
    folder = tmp_path / "config" / "models"
    folder.mkdir()
    return folder


def sell(models: Path, later: str = "", deepseek: str = "0.5") -> None:
    (models / "forest.toml").write_text(ROW.replace(", LATER", later).replace("DEEPSEEK", deepseek))


def owls(kyma: Kyma, *options: str) -> dict[str, list[tuple[str, str, str, float, bool]]]:
    """What `prices diff` tells of each route of the owl that the list knows."""
    rows = json.loads(kyma("prices", "diff", *options, "--json").out)
    return {
        row["route"]: [tuple(drift.values()) for drift in row["drifts"]]
        for row in rows
        if row["model"] == "owl" and row["listed_as"]
    }


def test_routes_that_cost_what_the_list_says_do_not_drift(kyma: Kyma, models: Path) -> None:
    """A price for prompts longer than are sold here is none of ours."""
    sell(models)
    assert owls(kyma, *FROM_SNAPSHOT) == {"deepseek/owl-1": [], "together/forest/Owl-1": []}


def test_a_route_that_costs_otherwise_is_told_with_both_figures(kyma: Kyma, models: Path) -> None:
    sell(models, deepseek="0.4")
    told = [("input", "0.4", "0.5", 25.0, True)]
    assert owls(kyma, *FROM_SNAPSHOT) == {"deepseek/owl-1": told, "together/forest/Owl-1": []}


def test_drift_fails_until_it_is_accepted(kyma: Kyma, models: Path) -> None:
    sell(models, deepseek="0.4")
    ran = kyma("prices", "diff", *FROM_SNAPSHOT)
    assert ran.code == 1
    assert re.search(r"^deepseek/owl-1 +owl +input +0.4 +0.5 +\+25.0 ! +tests, 2026-11$", ran.out, re.MULTILINE)
    assert kyma("prices", "diff", *FROM_SNAPSHOT, "--accept").code == 0


def test_long_prompts_count_where_they_are_sold(kyma: Kyma, models: Path) -> None:
    sell(models)
    file = models / "forest.toml"
    file.write_text(file.read_text().replace("131_072", "300_000"))
    parts = [drift[:3] for drift in owls(kyma, *FROM_SNAPSHOT)["deepseek/owl-1"]]
    assert parts == [("input", "0.5", "2.0"), ("output", "1.0", "4.0")]


def test_a_route_that_the_list_does_not_know_is_told_and_is_no_failure(kyma: Kyma, data_dir: Path) -> None:
    ran = kyma("prices", "diff", *FROM_SNAPSHOT)
    assert ran.code == 0
    assert "not known to models.dev" in ran.out and "dashscope/qwen3.6-plus (qwen-3.6-plus)" in ran.out


def test_the_packaged_rows_cost_what_the_real_package_says(kyma: Kyma, data_dir: Path) -> None:
    ran = kyma("prices", "diff", "--source", "genai-prices")
    assert ran.code == 0, ran.out
    assert re.search(r"^genai-prices [0-9.]+: \d\d+ routes known, 0 of them differ", ran.out, re.MULTILINE)


def test_the_real_package_is_heard_when_it_says_otherwise(kyma: Kyma, models: Path) -> None:
    """DeepSeek's peak price counts, since a route must cover what it may cost. Source: genai-prices 0.2.3."""
    sell(models)
    file = models / "forest.toml"
    file.write_text(
        file.read_text().replace('model = "owl-1", input = "0.5"', 'model = "deepseek-flash", input = "0.15"')
    )
    assert ("input", "0.15", "0.3", 100.0, True) in owls(kyma)["deepseek/deepseek-flash"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--source", "hearsay"), "there is no price list 'hearsay'; there are genai-prices, models.dev"),
        (("--source", "models.dev"), "models.dev needs --file"),
        (("--source", "models.dev", "--file", __file__), "is no api.json of models.dev"),
        (("--source", "models.dev", "--file", "/nowhere.json"), "No such file"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(kyma: Kyma, data_dir: Path, options: tuple[str, ...], said: str) -> None:
    ran = kyma("prices", "diff", *options)
    assert ran.code == 1 and said in ran.err


FILLED = {
    "owned_by": '"Forest"',
    "prefixes": '["forest"]',
    "description": '"It hoots."',
    "best_for": '"Nights"',
    "created": "2026-05-02",
    "supports": '["tools"]',
    "image_tokens": "1024",
    "latency_tier": '"fast"',
    "cost_tier": '"cheap"',
    "quality_tier": '"strong"',
    "recommended_for": '["general"]',
}


def filled(proposal: str) -> str:
    return re.sub(r"^(\w+) = TODO .*$", lambda gap: f"{gap[1]} = {FILLED[gap[1]]}", proposal, flags=re.MULTILINE)


def test_a_proposal_has_what_the_snapshot_knows_and_loads_once_its_gaps_are_filled(kyma: Kyma, models: Path) -> None:
    out = models / "proposed.toml"
    assert kyma("models", "import", "owl-1", *FROM_SNAPSHOT, "--out", str(out)).code == 0
    with pytest.raises(CatalogError, match=r"proposed.toml: Invalid value \(at line 2"):
        read(builtin_data(), models.parent)
    out.write_text(filled(out.read_text()))
    catalog = assemble(read(builtin_data(), models.parent), environment={}, engines={}, today=date(2026, 11, 22))
    owl = catalog.models["owl-1"]
    assert (owl.name, owl.context_window, owl.max_output_tokens, owl.image_tokens) == ("Owl 1", 131_072, 32_000, 1024)
    assert (owl.supports_tools, owl.supports_vision, owl.supports_structured_outputs) == (True, True, True)
    assert (owl.price.input, owl.price.output) == (2_700_000, 5_400_000), "27/20 of the dearest, for the longest prompt"


def test_a_proposed_route_says_where_its_cost_is_from(kyma: Kyma, data_dir: Path) -> None:
    proposed = tomllib.loads(filled(kyma("models", "import", "OWL-1", *FROM_SNAPSHOT).out))
    routes = proposed["model"]["owl-1"]["routes"]
    assert [(route["provider"], route["model"], route["input"]) for route in routes] == [
        ("deepseek", "owl-1", "2.0"),
        ("together", "forest/Owl-1", "0.6"),
    ]
    assert all(
        re.fullmatch(r"models\.dev, file of 20\d\d-\d\d-\d\d, 20\d\d-\d\d-\d\d", row["source"]) for row in routes
    )


def test_the_real_package_proposes_costs_and_leaves_what_models_can_do_to_a_snapshot(kyma: Kyma, models: Path) -> None:
    alone = kyma("models", "import", "kimi-k3")
    assert alone.code == 0 and "supports = TODO" in alone.out
    (models / "proposed.toml").write_text(filled(alone.out))
    catalog = assemble(read(builtin_data(), models.parent), environment={}, engines={}, today=date(2026, 11, 22))
    assert catalog.models["kimi-k3"].price.input == 4_050_000


def test_nothing_is_proposed_for_what_nobody_sells(kyma: Kyma, data_dir: Path) -> None:
    ran = kyma("models", "import", "owl-1", "wren", *FROM_SNAPSHOT)
    assert ran.code == 1 and ran.out == ""
    assert "has no price of wren at any of our providers" in ran.err


def test_a_proposal_overwrites_nothing(kyma: Kyma, models: Path) -> None:
    sell(models)
    ran = kyma("models", "import", "owl-1", *FROM_SNAPSHOT, "--out", str(models / "forest.toml"))
    assert ran.code == 1 and "File exists" in ran.err


LATER = ', later = [{ from = 2999-01-01, input = "1.5", output = "2", source = "letter of 2026-11" }]'


def test_a_price_is_explained(kyma: Kyma, models: Path) -> None:
    sell(models, LATER, deepseek="0.9")
    out = kyma("prices", "show", "owl").out
    assert "from 2999-01-01: 1.5 in, 2 out (letter of 2026-11)" in out
    assert re.search(r"^deepseek/owl-1 +0.9 +1.0 +10 % +50 % +dropped: with 27/20 above the price", out, re.MULTILINE)
    assert re.search(r"^together/forest/Owl-1 +0.6 +1.2 +40 % +40 % +serves +tests, 2026-11$", out, re.MULTILINE)


def test_lint_has_nothing_to_compare_with_before_the_first_start(kyma: Kyma, models: Path) -> None:
    sell(models, deepseek="0.9")
    ran = kyma("prices", "lint")
    assert ran.code == 0
    assert "note  owl: deepseek/owl-1 dropped: 0.9 / 1.0 with the mark-up exceeds" in ran.out
    assert "no prices were published yet" in ran.out


def test_lint_tells_what_is_new_and_what_is_announced(kyma: Kyma, models: Path, operator_key: str) -> None:
    sell(models, LATER)
    ran = kyma("prices", "lint")
    assert ran.code == 1 and "note  new: owl" in ran.out
    assert "FAIL  owl from 2999-01-01: cache_write 1.0 -> 1.5 (+50.0 %)" in ran.out
    assert kyma("prices", "lint", "--accept").code == 0
    assert kyma("prices", "lint").code == 0


def test_lint_fails_on_a_wrong_row(kyma: Kyma, models: Path) -> None:
    sell(models, deepseek="much")
    ran = kyma("prices", "lint")
    assert ran.code == 1 and "forest.toml [model.owl]: routes[0].input: 'much'" in ran.err
