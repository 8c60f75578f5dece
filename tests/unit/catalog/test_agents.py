"""The texts for agents: complete, filled in right, and refused with file and field where they are wrong."""

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from kyma.catalog import (
    Blanks,
    Catalog,
    CatalogError,
    Sheets,
    base_url_for,
    builtin_data,
    file_text,
    fill,
    picks,
    read_agents,
    read_use_cases,
)
from kyma.core.errors import NotFound

from .conftest import Here

AGENTS = read_agents(builtin_data(), None)
USE_CASES = read_use_cases(builtin_data())
FILES = [(agent_id, number) for agent_id, agent in AGENTS.items() for number in range(len(agent.files))]
READERS: Mapping[str, Callable[[str], Any]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": YAML(typ="safe", pure=True).load,
}

GOOD = """
name = "Owl"
dialect = "openai_chat"
base = "v1"
models = [{ alias = "best", reason = "It hoots" }]
source = "test, 2026-11-21"
[[files]]
folders = ["$OWL_HOME", "~/.owl"]
names = ["owl.json"]
format = "json"
text = '{"key": "{{key}}", "size": {{context_window}}}'
"""


def blanks(**others: str) -> Blanks:
    texts = {"origin": "http://[::1]:8000", "base_url": "http://[::1]:8000/v1", "key": "ky-1", "model": "best"}
    return Blanks(
        **(texts | {"small_model": "fast"} | others),
        context_window=1000,
        max_output_tokens=100,
        small_context_window=500,
        small_max_output_tokens=50,
    )


@pytest.mark.parametrize(("agent_id", "number"), FILES)
def test_a_text_is_a_file_of_its_form_whatever_is_filled_in(agent_id: str, number: int) -> None:
    file = AGENTS[agent_id].files[number]
    key = "ky-\"quoted\" 'too' \\ ü \t end"
    text = file_text(file, blanks(key=key))
    content = READERS[file.format](text)
    assert content
    assert ("{{key}}" in file.text) == (repr(key)[1:-1] in repr(content))


def test_every_alias_that_is_recommended_is_an_alias(sheets: Sheets) -> None:
    named = {choice.alias for agent in AGENTS.values() for choice in agent.models}
    named |= {choice.alias for use_case in USE_CASES.values() for choice in use_case.models}
    named |= {alias for agent in AGENTS.values() for alias in agent.small_models}
    assert named <= sheets.aliases.keys()


def test_the_contracts_agents_and_use_cases_are_there() -> None:
    contract = {"cline", "roo-code", "openclaw", "claude-code", "aider", "opencode", "cursor", "kilo-code"}
    assert contract | {"codex", "continue"} == AGENTS.keys()
    wanted = {"coding", "reasoning", "general", "agent", "vision", "long-context", "cheap", "fast"}
    assert wanted == USE_CASES.keys()


def test_only_who_writes_no_file_has_nothing_but_steps() -> None:
    assert [agent_id for agent_id, agent in AGENTS.items() if not agent.files] == ["cursor"]
    assert AGENTS["cursor"].steps


def test_the_address_has_v1_where_the_agent_wants_it() -> None:
    ends = {
        agent_id: base_url_for(agent, "http://kyma").removeprefix("http://kyma") for agent_id, agent in AGENTS.items()
    }
    assert ends.pop("claude-code") == ""
    assert set(ends.values()) == {"/v1"}


def test_the_first_choice_that_can_be_served_is_picked(here: Here) -> None:
    catalog: Catalog = here("ANTHROPIC_API_KEY")
    found = picks(AGENTS["codex"].models, catalog)
    assert [(pick.choice.alias, pick.resolved.model.id) for pick in found][:1] == [("code", "claude-sonnet-4-6")]


def test_where_nothing_can_be_served_it_is_told(here: Here) -> None:
    with pytest.raises(NotFound, match="alias 'code'"):
        picks(AGENTS["codex"].models, here())


def test_steps_are_filled_in() -> None:
    assert "http://[::1]:8000/v1" in fill(AGENTS["cursor"].steps[1], blanks())


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('name = "Owl"', "name = 1", "name"),
        ('name = "Owl"', "", "name"),
        ('name = "Owl"', 'name = "Owl"\nwings = 2', "wings"),
        ('dialect = "openai_chat"', 'dialect = "hoots"', "dialect"),
        ('base = "v1"', 'base = "v2"', "base"),
        ('models = [{ alias = "best", reason = "It hoots" }]', "models = []", "models"),
        (', reason = "It hoots"', "", r"models\[0\]"),
        ('source = "test, 2026-11-21"', 'source = ""', "source"),
        ('format = "json"', 'format = "ini"', r"files\[0\].format"),
        ('folders = ["$OWL_HOME", "~/.owl"]', 'folders = ["$OWL_HOME"]', r"files\[0\].folders"),
        ('names = ["owl.json"]', "names = []", r"files\[0\].names"),
        ('names = ["owl.json"]', 'names = ["owl.json"]\nlists = ["a"]', r"files\[0\].lists"),
        ("{{key}}", "{{kee}}", r"files\[0\].text: there is no blank 'kee'"),
        ("{{context_window}}", "{{key}}", r"files\[0\].text"),
        ('format = "json"', 'format = "toml"', r"files\[0\].text"),
    ],
)
def test_a_wrong_row_names_file_and_field(
    overlay: Callable[[Mapping[str, str]], Path], old: str, new: str, field: str
) -> None:
    assert old in GOOD
    with pytest.raises(CatalogError, match=rf"owl\.toml.*{field}"):
        read_agents(builtin_data(), overlay({"agents/owl.toml": GOOD.replace(old, new)}))


def test_an_operators_row_adds_an_agent_or_takes_the_place_of_one(
    overlay: Callable[[Mapping[str, str]], Path],
) -> None:
    both = read_agents(builtin_data(), overlay({"agents/owl.toml": GOOD, "agents/codex.toml": GOOD}))
    assert both.keys() == {*AGENTS, "owl"}
    assert both["codex"].name == "Owl"
