"""What `kyma connect` writes for each agent, and that undoing it gives back every byte."""

import shutil
from pathlib import Path

import pytest

from kyma.catalog import builtin_data, read_agents
from kyma.commands.connecting.forms import form_of
from tests.unit.commands.golden_files import FILES, GOLDEN
from tests.unit.config.conftest import Kyma

TO_NOBODY = ("--no-call", "--key", "ky-golden", "--base-url", "http://127.0.0.1:9")
AGENTS = sorted(FILES)
PLACES = [(agent, place, name) for agent in AGENTS for place, name in FILES[agent].items()]
SECRET = "ky-golden"


def stand(home: Path, agent: str) -> None:
    """The files as a user has them."""
    for place, name in FILES[agent].items():
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(GOLDEN / agent / f"{name}.before", home / place)


def everything(home: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in home.rglob("*")}


def test_every_agent_is_shown() -> None:
    assert AGENTS == sorted(read_agents(builtin_data(), None))
    assert {path.name for path in GOLDEN.iterdir()} == {*AGENTS}


def test_who_reads_no_file_gets_steps(home: Path, kyma: Kyma) -> None:
    assert kyma("connect", "cursor", *TO_NOBODY).out == (GOLDEN / "cursor" / "steps.said").read_text()
    assert everything(home) == {}


@pytest.mark.parametrize("agent", AGENTS)
def test_an_empty_home_gets_the_texts_and_is_empty_again(home: Path, kyma: Kyma, agent: str) -> None:
    for place in FILES[agent]:
        if "Code/User" in place:  # which must be there
            (home / place).parent.mkdir(parents=True)
    before = everything(home)
    connected = kyma("connect", agent, *TO_NOBODY)
    assert (connected.code, connected.err) == (0, "")
    for place, name in FILES[agent].items():
        assert (home / place).read_text() == (GOLDEN / agent / f"{name}.fresh").read_text()
        assert (home / place).stat().st_mode & 0o777 == 0o600
    assert SECRET not in connected.out
    assert kyma("connect", agent, "--undo").code == 0
    assert everything(home) == before


@pytest.mark.parametrize("agent", AGENTS)
def test_a_users_own_files_keep_the_rest_and_come_back_to_the_byte(home: Path, kyma: Kyma, agent: str) -> None:
    stand(home, agent)
    before = everything(home)
    assert kyma("connect", agent, *TO_NOBODY).code == 0
    for place, name in FILES[agent].items():
        assert (home / place).read_text() == (GOLDEN / agent / f"{name}.after").read_text()
    assert kyma("connect", agent, "--undo").code == 0
    assert everything(home) == before


@pytest.mark.parametrize(("agent", "place", "name"), PLACES)
def test_undone_value_by_value_the_content_is_the_users(
    home: Path, kyma: Kyma, agent: str, place: str, name: str
) -> None:
    """The file was touched meanwhile, if only by a blank line."""
    stand(home, agent)
    assert kyma("connect", agent, *TO_NOBODY).code == 0
    with (home / place).open("a") as file:
        file.write("\n")
    undone = kyma("connect", agent, "--undo")
    assert undone.code == 0
    assert f"{home / place} has been changed since, so only our values were taken out" in undone.out
    row = read_agents(builtin_data(), None)[agent].files[list(FILES[agent]).index(place)]
    before, after = (GOLDEN / agent / f"{name}.before").read_text(), (home / place).read_text()
    assert form_of(row).read(after) == form_of(row).read(before)
    assert len(after.splitlines()) <= len(before.splitlines()) + 2


@pytest.mark.parametrize("agent", AGENTS)
def test_connecting_again_changes_nothing_and_undoes_to_the_first_state(home: Path, kyma: Kyma, agent: str) -> None:
    stand(home, agent)
    before = everything(home)
    kyma("connect", agent, *TO_NOBODY)
    once = everything(home)
    kyma("connect", agent, "--model", "other", *TO_NOBODY)
    assert kyma("connect", agent, *TO_NOBODY).code == 0
    assert everything(home) == once
    kyma("connect", agent, "--undo")
    assert everything(home) == before


def test_what_is_printed_is_what_is_written(home: Path, kyma: Kyma) -> None:
    printed = kyma("connect", "codex", "--print", "--base-url", "http://127.0.0.1:9").out
    golden = (GOLDEN / "codex" / "config.fresh").read_text()
    assert printed == golden.replace(SECRET, "YOUR_KYMA_API_KEY")


def test_a_dry_run_shows_the_changes_and_makes_none(home: Path, kyma: Kyma) -> None:
    stand(home, "codex")
    before = everything(home)
    shown = kyma("connect", "codex", "--dry-run", *TO_NOBODY).out
    assert '+experimental_bearer_token = "YOUR_KYMA_API_KEY"' in shown
    assert '-model = "gpt-6.1-sol"   # the one I like' in shown
    assert SECRET not in shown
    assert everything(home) == before


def test_the_key_of_an_earlier_connection_is_not_shown_either(home: Path, kyma: Kyma) -> None:
    kyma("connect", "codex", *TO_NOBODY)
    assert SECRET not in kyma("connect", "codex", "--dry-run", "--model", "other", *TO_NOBODY).out


def test_golden_files_are_those_that_are_tested() -> None:
    endings = ("before", "after", "fresh")
    expected = {GOLDEN / agent / f"{name}.{ending}" for agent, _, name in PLACES for ending in endings}
    assert {path for path in GOLDEN.rglob("*") if path.is_file()} == expected | {GOLDEN / "cursor" / "steps.said"}


def test_a_copy_of_a_home_is_told_apart(home: Path, kyma: Kyma, tmp_path: Path) -> None:
    """`--home` names another one, in which variables of this one say nothing."""
    other = tmp_path / "other"
    shutil.copytree(home, other)
    assert kyma("connect", "codex", "--home", str(other), *TO_NOBODY).code == 0
    assert (other / ".codex" / "config.toml").exists()
    assert not (home / ".codex").exists()
