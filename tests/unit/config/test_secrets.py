"""Secrets come from a variable, or from the file that its `_FILE` twin names, and from nowhere else."""

from pathlib import Path

import pytest

from kyma.catalog.rows import ProviderRow
from kyma.config import Config, ConfigError, load_config
from kyma.core.model import Auth
from kyma.gateway.provider_secrets import given_secrets


def load(folder: Path, **variables: str) -> Config:
    return load_config({"KYMA_CONFIG_DIR": str(folder), **variables})


def test_a_secret_comes_from_its_variable(tmp_path: Path) -> None:
    assert load(tmp_path, GROQ_API_KEY="k").secret("GROQ_API_KEY") == "k"


def test_a_secret_comes_from_the_file_that_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "groq").write_text("  from-file\n")
    config = load(tmp_path, GROQ_API_KEY_FILE=str(tmp_path / "groq"))
    assert config.secret("GROQ_API_KEY") == "from-file"
    assert config.secrets["GROQ_API_KEY"] == "from-file"
    assert config.secrets.get("GROQ_API_KEY") == "from-file"


def test_the_variable_itself_comes_first(tmp_path: Path) -> None:
    (tmp_path / "groq").write_text("from-file")
    config = load(tmp_path, GROQ_API_KEY="k", GROQ_API_KEY_FILE=str(tmp_path / "groq"))
    assert config.secret("GROQ_API_KEY") == "k"


@pytest.mark.parametrize("variables", [{}, {"GROQ_API_KEY": ""}])
def test_a_secret_that_is_not_there_is_none(tmp_path: Path, variables: dict[str, str]) -> None:
    config = load(tmp_path, **variables)
    assert config.secret("GROQ_API_KEY") is None
    assert "GROQ_API_KEY" not in config.secrets


def test_an_empty_file_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "groq").write_text("\n")
    assert load(tmp_path, GROQ_API_KEY_FILE=str(tmp_path / "groq")).secret("GROQ_API_KEY") is None


def test_a_file_that_cannot_be_read_is_an_error_that_names_variable_and_file(tmp_path: Path) -> None:
    config = load(tmp_path, GROQ_API_KEY_FILE=str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=r"^GROQ_API_KEY_FILE: cannot read .*nowhere"):
        config.secret("GROQ_API_KEY")


def test_a_file_of_bytes_is_an_error_that_names_variable_and_file(tmp_path: Path) -> None:
    (tmp_path / "groq").write_bytes(b"\xff\xfe")
    config = load(tmp_path, GROQ_API_KEY_FILE=str(tmp_path / "groq"))
    with pytest.raises(ConfigError, match=r"^GROQ_API_KEY_FILE: cannot read .*groq"):
        config.secret("GROQ_API_KEY")


def test_secrets_are_not_in_the_settings(tmp_path: Path) -> None:
    config = load(tmp_path, GROQ_API_KEY="sk-secret", KYMA_PEPPER="pepper-secret")
    assert "secret" not in repr(config.settings)


def test_a_provider_may_have_several_keys(tmp_path: Path) -> None:
    config = load(tmp_path, GROQ_API_KEY="a", GROQ_API_KEY_10="d", GROQ_API_KEY_2="b", GROQ_API_KEY_3="c")
    assert config.keys("GROQ_API_KEY") == ("a", "b", "c", "d")


def test_a_file_holds_a_key_a_line(tmp_path: Path) -> None:
    (tmp_path / "first").write_text("# of the team\na\n\n  b \r\n")
    (tmp_path / "second").write_text("c\na\n")
    files = {"GROQ_API_KEY_FILE": str(tmp_path / "first"), "GROQ_API_KEY_2_FILE": str(tmp_path / "second")}
    assert load(tmp_path, **files).keys("GROQ_API_KEY") == ("a", "b", "c")


def test_a_variable_beats_its_own_file_only(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a\nb")
    files = {"GROQ_API_KEY_FILE": str(tmp_path / "keys"), "GROQ_API_KEY_2_FILE": str(tmp_path / "keys")}
    assert load(tmp_path, GROQ_API_KEY="x", **files).keys("GROQ_API_KEY") == ("x", "a", "b")


@pytest.mark.parametrize("name", ["GROQ_API_KEYS", "GROQ_API_KEY_X", "MY_GROQ_API_KEY", "GROQ_API_KEY_2_OLD"])
def test_other_variables_are_no_keys_of_a_provider(tmp_path: Path, name: str) -> None:
    assert load(tmp_path, **{name: "k"}).keys("GROQ_API_KEY") == ()


def given(config: Config, auth: Auth) -> dict[str, tuple[str, ...]]:
    row = ProviderRow(where="tests", source="tests", name="A", dialect="openai_chat", key_env="A_KEY", auth=auth)
    return given_secrets(config, {"a": row})


def test_an_aws_key_is_one_secret_of_two_or_three_lines(tmp_path: Path) -> None:
    pair = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
    assert given(load(tmp_path, **pair), "aws") == {"a": ("id\nsecret",)}
    assert given(load(tmp_path, **pair, AWS_SESSION_TOKEN="token"), "aws") == {"a": ("id\nsecret\ntoken",)}
    assert given(load(tmp_path, AWS_ACCESS_KEY_ID="id"), "aws") == {}


def test_an_aws_bearer_token_comes_before_a_pair(tmp_path: Path) -> None:
    both = load(tmp_path, A_KEY="t", AWS_ACCESS_KEY_ID="id", AWS_SECRET_ACCESS_KEY="secret")
    assert given(both, "aws") == {"a": ("t", "id\nsecret")}


def test_what_mints_googles_tokens_is_no_key(tmp_path: Path) -> None:
    assert given(load(tmp_path, A_KEY="service account"), "google") == {}
    assert given(load(tmp_path, A_KEY="k"), "key") == {"a": ("k",)}
