"""`kyma connect` as a user runs it, in this process, with a home, folders and a gateway's database of its own."""

from pathlib import Path

import pytest

from tests.unit.config.conftest import data_dir, kyma, operator_key

__all__ = ["data_dir", "kyma", "operator_key"]

ELSEWHERE = ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME", "CLINE_DIR", "CLINE_DATA_DIR", "KYMA_API_KEY")
MORE_ELSEWHERE = ("CONTINUE_GLOBAL_DIR", "OPENCLAW_STATE_DIR")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; agents' variables of the caller are not seen."""
    for name in (*ELSEWHERE, *MORE_ELSEWHERE):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder
