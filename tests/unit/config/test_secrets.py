"""Secrets come from a variable, or from the file that its `_FILE` twin names, and from nowhere else."""

from pathlib import Path

import pytest

from kyma.config import Config, ConfigError, load_config


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
