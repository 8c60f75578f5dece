"""`kyma connect` where things are not as they were: files of others, files that moved on, keys, wrong words."""

import json
from pathlib import Path

import pytest

from tests.unit.config.conftest import Kyma

NOBODY = ("--base-url", "http://127.0.0.1:9")
OFFLINE = ("--no-call", "--key", "ky-mine", *NOBODY)


@pytest.fixture
def codex(home: Path) -> Path:
    """A user's own file, which everybody may read."""
    path = home / ".codex" / "config.toml"
    path.parent.mkdir()
    path.write_text('# mine\nmodel = "own"\n')
    path.chmod(0o644)
    return path


def test_a_file_with_a_key_in_it_is_not_for_everybody_and_gets_its_mode_back(codex: Path, kyma: Kyma) -> None:
    kyma("connect", "codex", *OFFLINE)
    assert codex.stat().st_mode & 0o777 == 0o640
    kyma("connect", "codex", "--undo")
    assert codex.stat().st_mode & 0o777 == 0o644


def test_what_is_kept_for_undo_is_for_its_owner_only(codex: Path, kyma: Kyma, data_dir: Path) -> None:
    kyma("connect", "codex", *OFFLINE)
    kept = data_dir / "agents" / "codex.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    kyma("connect", "codex", "--undo")
    assert not kept.exists()


def test_a_folder_that_cannot_be_written_is_told_and_can_be_undone(home: Path, kyma: Kyma) -> None:
    (home / ".codex").write_text("no folder")
    ran = kyma("connect", "codex", *OFFLINE)
    assert ran.code == 1 and str(home / ".codex") in ran.err
    assert kyma("connect", "codex", "--undo").code == 0
    assert (home / ".codex").read_text() == "no folder"


def test_a_link_stays_a_link(codex: Path, kyma: Kyma, tmp_path: Path) -> None:
    behind = tmp_path / "dotfiles.toml"
    codex.rename(behind)
    codex.symlink_to(behind)
    kyma("connect", "codex", *OFFLINE)
    assert codex.is_symlink() and "ky-mine" in behind.read_text()
    kyma("connect", "codex", "--undo")
    assert codex.is_symlink() and behind.read_text() == '# mine\nmodel = "own"\n'


def test_nothing_else_is_left_in_the_folder(codex: Path, kyma: Kyma) -> None:
    kyma("connect", "codex", *OFFLINE)
    assert list(codex.parent.iterdir()) == [codex]


def test_what_others_wrote_meanwhile_survives_the_undo(codex: Path, kyma: Kyma) -> None:
    kyma("connect", "codex", *OFFLINE)
    codex.write_text(codex.read_text() + '\n[projects."/src"]\ntrust_level = "trusted"\n')
    undone = kyma("connect", "codex", "--undo")
    assert (undone.code, undone.err) == (0, "")
    assert codex.read_text() == '# mine\nmodel = "own"\n\n[projects."/src"]\ntrust_level = "trusted"\n'


def test_a_value_that_others_changed_is_left_and_told(codex: Path, kyma: Kyma) -> None:
    kyma("connect", "codex", *OFFLINE)
    codex.write_text(codex.read_text().replace('model = "code"', 'model = "newer"'))
    undone = kyma("connect", "codex", "--undo")
    assert "left as it is, since it is no longer what was written: model" in undone.out
    assert codex.read_text().strip() == '# mine\nmodel = "newer"'


def test_an_entry_of_ours_goes_with_what_others_added_to_it(home: Path, kyma: Kyma) -> None:
    """Cline writes the time of its last use there; without the rest its whole file would count as broken."""
    path = home / ".cline" / "data" / "settings" / "providers.json"
    kyma("connect", "cline", *OFFLINE)
    path.write_text(
        path.read_text().replace("2026-11-21T00", "2026-12-24T18").replace('"modes": {}', '"modes": {"a": 1}')
    )
    kyma("connect", "cline", "--undo")
    assert json.loads(path.read_text()) == {"modes": {"a": 1}}


def test_a_file_that_was_broken_meanwhile_is_not_touched(codex: Path, kyma: Kyma, data_dir: Path) -> None:
    kyma("connect", "codex", *OFFLINE)
    codex.write_text("model = ")
    undone = kyma("connect", "codex", "--undo")
    assert undone.code == 1
    assert undone.err.startswith(f"kyma: {codex} was changed and cannot be read any more: ")
    assert codex.read_text() == "model = "
    assert (data_dir / "agents" / "codex.json").exists()


def test_a_file_that_is_gone_stays_gone(codex: Path, kyma: Kyma) -> None:
    kyma("connect", "codex", *OFFLINE)
    codex.unlink()
    assert f"{codex} was gone already" in kyma("connect", "codex", "--undo").out
    assert not codex.exists()


def test_connected_anew_after_it_was_deleted_it_is_gone_again_when_undone(codex: Path, kyma: Kyma) -> None:
    kyma("connect", "codex", *OFFLINE)
    codex.unlink()
    kyma("connect", "codex", *OFFLINE)
    assert 'model = "own"' not in codex.read_text() and "ky-mine" in codex.read_text()
    kyma("connect", "codex", "--undo")
    assert not codex.exists()


@pytest.mark.parametrize(
    ("agent", "place", "text", "why"),
    [
        ("codex", ".codex/config.toml", "model = \n", "Invalid value"),
        ("claude-code", ".claude/settings.json", '{\n  "env": {\n', "line 3 is no JSON"),
        ("claude-code", ".claude/settings.json", "[1]", "there is no object in it"),
        ("claude-code", ".claude/settings.json", '{"env": {}} {}', "line 1 is no JSON"),
        ("aider", ".aider.conf.yml", "model: [\n", "while parsing"),
        ("aider", ".aider.conf.yml", "- a\n", "there is no mapping in it"),
        ("aider", ".aider.conf.yml", "{model: a}\n", "it is not written as lines of keys and values"),
        ("aider", ".aider.conf.yml", "model: [a]\n", "model is not a plain value in it"),
        ("continue", ".continue/config.yaml", "models:\n  - name: Kyma\n", "already has a Kyma"),
        ("continue", ".continue/config.yaml", "models: 1\n", "models is not a list in it"),
    ],
)
def test_a_file_that_cannot_be_changed_is_named_and_left(
    home: Path, kyma: Kyma, data_dir: Path, agent: str, place: str, text: str, why: str
) -> None:
    path = home / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    ran = kyma("connect", agent, *OFFLINE)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"kyma: {path}: ") and why in ran.err and "Nothing was changed" in ran.err
    assert path.read_text() == text
    assert not (data_dir / "agents").exists()


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_a_file_without_values_is_filled(home: Path, kyma: Kyma, text: str) -> None:
    path = home / ".aider.conf.yml"
    path.write_text(text)
    assert kyma("connect", "aider", *OFFLINE).code == 0
    assert path.read_text().startswith(text.strip())
    assert 'openai-api-key: "ky-mine"\n' in path.read_text()
    kyma("connect", "aider", "--undo")
    assert path.read_text() == text


def test_a_variable_of_the_agents_says_where_its_file_is(
    home: Path, kyma: Kyma, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(home / "elsewhere"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    for agent, place in (("codex", "elsewhere/config.toml"), ("opencode", "xdg/opencode/opencode.json")):
        assert kyma("connect", agent, *OFFLINE).code == 0
        assert (home / place).is_file()


def test_of_two_names_the_one_that_is_there_is_taken(home: Path, kyma: Kyma) -> None:
    path = home / ".config" / "opencode" / "opencode.jsonc"
    path.parent.mkdir(parents=True)
    path.write_text("{} // mine")
    kyma("connect", "opencode", *OFFLINE)
    assert '"kyma/code"' in path.read_text() and path.read_text().endswith("} // mine")
    assert not path.with_suffix(".json").exists()


def test_a_key_is_made_named_after_the_agent_and_revoked_by_the_undo(home: Path, kyma: Kyma, operator_key: str) -> None:
    connected = kyma("connect", "codex", "--no-call")
    assert "made for it and named codex" in connected.out
    token = (home / ".codex" / "config.toml").read_text().split('experimental_bearer_token = "')[1].split('"')[0]
    assert token.startswith("ky-") and token not in connected.out
    assert "  codex  " in kyma("keys", "list").out
    kyma("connect", "codex", "--no-call", "--model", "other")
    assert token in (home / ".codex" / "config.toml").read_text()
    undone = kyma("connect", "codex", "--undo")
    assert "that was made for it is revoked" in undone.out
    assert "  codex  " not in kyma("keys", "list").out


def test_no_key_is_made_for_a_file_that_cannot_be_changed(home: Path, kyma: Kyma, operator_key: str) -> None:
    (home / ".aider.conf.yml").write_text("- a\n")
    assert kyma("connect", "aider", "--no-call").code == 1
    assert len(kyma("keys", "list").out.splitlines()) == 1


def test_a_key_given_later_ends_the_one_that_was_made(home: Path, kyma: Kyma, operator_key: str) -> None:
    kyma("connect", "codex", "--no-call")
    assert "is revoked" in kyma("connect", "codex", "--no-call", "--key", operator_key).out
    assert "  codex  " not in kyma("keys", "list").out


def test_the_key_of_the_environment_is_taken(home: Path, kyma: Kyma, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KYMA_API_KEY", "ky-from-the-shell")
    kyma("connect", "aider", "--no-call", *NOBODY)
    assert "ky-from-the-shell" in (home / ".aider.conf.yml").read_text()


def test_another_gateway_needs_a_key(home: Path, kyma: Kyma, operator_key: str) -> None:
    ran = kyma("connect", "aider", "--no-call", *NOBODY)
    assert ran.code == 1 and "give --key, or set KYMA_API_KEY" in ran.err
    assert list(home.iterdir()) == []


def test_without_a_gateway_nothing_is_written(home: Path, kyma: Kyma) -> None:
    ran = kyma("connect", "aider", "--key", "ky-mine", *NOBODY)
    assert ran.code == 1
    assert ran.err.startswith("kyma: no gateway answers at http://127.0.0.1:9 ")
    assert list(home.iterdir()) == []


def test_cursor_gets_steps_and_a_key_that_is_shown_once(home: Path, kyma: Kyma, operator_key: str) -> None:
    connected = kyma("connect", "cursor", "--no-call")
    assert "1. Cursor Settings, Models, API Keys" in connected.out
    assert "The key, shown this once: ky-" in connected.out
    assert "No file can be written for Cursor" in connected.out
    assert list(home.iterdir()) == []
    assert "What was done by hand is undone by hand." in kyma("connect", "cursor", "--undo").out


def test_the_list_says_who_is_connected(home: Path, kyma: Kyma) -> None:
    kyma("connect", "codex", *OFFLINE)
    lines = {line.split()[0]: line for line in kyma("connect").out.splitlines() if line}
    assert "http://127.0.0.1:9 (code)" in lines["codex"] and "~/.codex/config.toml" in lines["codex"]
    assert lines["aider"].split()[1] == "-"


def test_an_unknown_agent_is_told_with_those_there_are(home: Path, kyma: Kyma) -> None:
    ran = kyma("connect", "emacs")
    assert ran.code == 1
    assert ran.err.startswith("kyma: there is no agent 'emacs'; there are aider, claude-code, cline, codex")


def test_what_was_not_connected_cannot_be_undone(home: Path, kyma: Kyma) -> None:
    ran = kyma("connect", "codex", "--undo")
    assert ran.code == 1 and "was not connected from here" in ran.err


def test_an_operators_own_agent_is_one_more(home: Path, kyma: Kyma, data_dir: Path) -> None:
    row = data_dir.parent / "config" / "agents" / "own.toml"
    row.parent.mkdir()
    row.write_text("""
name = "Own"
dialect = "openai_chat"
base = "v1"
models = [{ alias = "best", reason = "It is" }]
source = "tests"
[[files]]
folders = ["~"]
names = [".own.json"]
format = "json"
text = '{"url": "{{base_url}}", "key": "{{key}}"}'
""")
    assert kyma("connect", "own", *OFFLINE).code == 0
    assert '"url": "http://127.0.0.1:9/v1"' in (home / ".own.json").read_text()
