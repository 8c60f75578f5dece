"""Where master keys come from, and how the data folder gets another one."""

from pathlib import Path

import pytest

from kyma.config import Config, ConfigError, load_config
from kyma.credentials.sealing import mint_master
from kyma.gateway.masters import add_master, drop_old_masters, read_masters


def config_of(folder: Path, **variables: str) -> Config:
    return load_config({"KYMA_CONFIG_DIR": str(folder), "KYMA_DATA_DIR": str(folder / "data"), **variables})


def file_of(folder: Path) -> Path:
    return folder / "data" / "master.key"


def test_an_embedded_gateway_makes_its_master_key_once(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    assert read_masters(config) is not None
    made = file_of(tmp_path).read_text()
    assert len(made) == 64 and file_of(tmp_path).stat().st_mode & 0o777 == 0o600
    read_masters(config)
    assert file_of(tmp_path).read_text() == made


def test_the_variable_comes_first_and_makes_no_file(tmp_path: Path) -> None:
    config = config_of(tmp_path, KYMA_MASTER_KEY=mint_master())
    assert read_masters(config) is not None
    assert not file_of(tmp_path).exists()


def test_on_postgres_there_is_none_without_the_variable(tmp_path: Path) -> None:
    url = "postgresql+asyncpg://db.example/kyma"
    assert read_masters(config_of(tmp_path, KYMA_DATABASE_URL=url)) is None
    assert read_masters(config_of(tmp_path, KYMA_DATABASE_URL=url, KYMA_MASTER_KEY=mint_master())) is not None


def test_a_wrong_master_key_is_named_and_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^KYMA_MASTER_KEY: ") as error:
        read_masters(config_of(tmp_path, KYMA_MASTER_KEY="swordfish"))
    assert "swordfish" not in str(error.value)


def test_a_rotation_puts_a_new_key_first_and_then_drops_the_others(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    before = read_masters(config)
    assert before is not None
    wrapped, _ = before.make("acct_1")
    assert add_master(config)
    both = read_masters(config)
    assert both is not None
    moved = both.rewrap(wrapped)
    assert moved is not None
    drop_old_masters(config)
    after = read_masters(config)
    assert after is not None
    after.open(moved)
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["master.key"]


def test_keys_in_the_variable_are_not_ours_to_rotate(tmp_path: Path) -> None:
    assert not add_master(config_of(tmp_path, KYMA_MASTER_KEY=mint_master()))
    assert not file_of(tmp_path).exists()
