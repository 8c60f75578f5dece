"""Where a setting comes from, and what is said when it is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kyma.config import LIVE, Config, ConfigError, Settings, describe, load_config

Load = Callable[..., Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Reads this text of `kyma.toml` (none: no file) and these `KYMA_*` variables."""

    def loaded(text: str | None = None, **variables: str) -> Config:
        if text is not None:
            (tmp_path / "kyma.toml").write_text(text)
        return load_config({"KYMA_CONFIG_DIR": str(tmp_path), **variables})

    return loaded


def test_without_a_file_every_setting_has_its_default(load: Load) -> None:
    config = load()
    assert config.settings == Settings()
    assert set(config.origins.values()) == {"default"}


def test_the_file_sets(load: Load, tmp_path: Path) -> None:
    config = load('port = 9000\nlocal_enabled = false\nkeep_alive_s = 2\noperator_grant_usd = "5"')
    settings = config.settings
    assert (settings.port, settings.local_enabled, settings.keep_alive_s) == (9000, False, 2.0)
    assert isinstance(settings.keep_alive_s, float)
    assert config.origins["port"] == str(tmp_path / "kyma.toml")
    assert config.origins["host"] == "default"


def test_the_environment_beats_the_file(load: Load) -> None:
    config = load('port = 9000\nhost = "0.0.0.0"', KYMA_PORT="9001")
    assert (config.settings.port, config.settings.host) == (9001, "0.0.0.0")
    assert config.origins["port"] == "KYMA_PORT"


@pytest.mark.parametrize(
    ("written", "meant"), [("true", True), ("1", True), ("YES", True), ("false", False), ("0", False), ("no", False)]
)
def test_switches_are_written_in_words(load: Load, written: str, meant: bool) -> None:
    assert load(KYMA_LIMITS_ENABLED=written).settings.limits_enabled is meant


def test_an_unknown_key_is_an_error_that_names_file_and_key(load: Load, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kyma config show") as caught:
        load("prot = 9000")
    assert str(caught.value).startswith(f"{tmp_path / 'kyma.toml'}: unknown key 'prot'")


def test_a_table_is_an_unknown_key_too(load: Load) -> None:
    with pytest.raises(ConfigError, match="unknown key 'server'"):
        load("[server]\nport = 1")


def test_variables_that_are_no_settings_are_left_alone(load: Load) -> None:
    assert load(KYMA_PEPPER="p", KYMA_SOMETHING="x", GROQ_API_KEY="k").settings == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('port = "many"', "port must be a whole number, not 'many'"),
        ("port = 80.5", "port must be a whole number, not 80.5"),
        ("port = true", "port must be a whole number, not True"),
        ("port = [1]", "port must be a whole number, not [1]"),
        ("port = 70000", "port must be between 0 and 65535, not 70000"),
        ('local_enabled = "perhaps"', "local_enabled must be true or false, not 'perhaps'"),
        ("local_enabled = 1", "local_enabled must be true or false, not 1"),
        ('keep_alive_s = "soon"', "keep_alive_s must be a number, not 'soon'"),
        ('durability = "none"', "durability must be full or normal, not 'none'"),
        ('log_level = "loud"', "log_level must be debug, info, warning or error, not 'loud'"),
        ('operator_grant_usd = "-5"', "operator_grant_usd must be an amount in dollars, as a text, not '-5'"),
        ('signup_credit_usd = "free"', "signup_credit_usd must be an amount in dollars, as a text, not 'free'"),
        ('low_balance_usd = "0.0000000001"', "low_balance_usd must be an amount in dollars"),
        ('byok_fee_percent = "101"', "byok_fee_percent must be a percentage from 0 to 100"),
        ('database_url = "mysql://x"', "database_url must be a postgresql+asyncpg:// address"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_file_key_and_value(
    load: Load, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert str(caught.value).startswith(f"{tmp_path / 'kyma.toml'}: {said}")


def test_a_wrong_variable_is_an_error_that_names_it(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"^KYMA_PORT: port must be a whole number, not 'x'"):
        load(KYMA_PORT="x")


@pytest.mark.parametrize(
    "name",
    [
        *("header_timeout_s", "body_timeout_s", "keep_alive_s", "slow_reader_s", "abandoned_drain_s", "shutdown_s"),
        *("lease_ttl_s", "lease_idle_s", "body_limit_bytes", "header_limit_bytes", "max_live_calls"),
        *("local_context_tokens", "local_parallel", "local_replicas", "ollama_refresh_s"),
    ],
)
@pytest.mark.parametrize("value", ["-1", "nan", "inf"])
def test_a_duration_or_a_size_is_a_sane_number(load: Load, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^KYMA_{name.upper()}: {name} must be "):
        load(**{f"KYMA_{name.upper()}": value})


def test_broken_toml_is_an_error_that_names_the_file(load: Load, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load("port = = 1")
    assert str(caught.value).startswith(f"{tmp_path / 'kyma.toml'}: ")


def test_a_file_that_is_no_text_is_an_error_that_names_it(load: Load, tmp_path: Path) -> None:
    (tmp_path / "kyma.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"kyma\.toml"):
        load()


def test_a_tilde_in_the_data_folder_is_the_home(load: Load) -> None:
    assert load('data_dir = "~/kyma"').data_dir == Path.home() / "kyma"


def test_the_current_folder_is_the_config_folder_if_it_holds_our_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config({"XDG_CONFIG_HOME": "/x"}).config_dir == Path("/x/kyma")
    (tmp_path / "providers.toml").touch()
    assert load_config({"XDG_CONFIG_HOME": "/x"}).config_dir == tmp_path


def test_every_setting_says_what_it_is_for() -> None:
    assert set(describe()) == set(Settings.__dataclass_fields__)
    assert all(describe().values())


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("box.example", "http://box.example:8000"),
    ],
)
def test_the_address_for_programs_on_this_machine(load: Load, host: str, address: str) -> None:
    assert load(KYMA_HOST=host, KYMA_PUBLIC_URL="https://kyma.example").local_url == address


def test_a_refreshed_configuration_takes_what_can_change_while_it_runs(load: Load, tmp_path: Path) -> None:
    running = load("max_live_calls = 5\nport = 9000\nlease_ttl_s = 9")
    config, waiting = running.refreshed(load('max_live_calls = 7\nport = 9001\nlow_balance_usd = "3"'))
    settings = config.settings
    assert (settings.max_live_calls, settings.low_balance_usd) == (7, "3")
    assert (settings.port, settings.lease_ttl_s, waiting) == (9000, 9.0, ("port", "lease_ttl_s"))
    assert config.origins["low_balance_usd"] == config.origins["port"] == str(tmp_path / "kyma.toml")


def test_port_0_stays_the_port_that_was_found(load: Load) -> None:
    running = load(KYMA_PORT="0").listening_on(4321)
    config, waiting = running.refreshed(load(KYMA_PORT="0"))
    assert (config.settings.port, waiting) == (4321, ())


def test_settings_that_can_change_are_settings() -> None:
    assert set(LIVE) < set(Settings.__dataclass_fields__)


def test_an_address_with_a_password_is_not_repeated(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load('database_url = "mysql://me:hunter2@db"')
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"KYMA_HOST": "::1", "KYMA_PORT": "80"}, "http://[::1]:80"),
        ({"KYMA_PUBLIC_URL": "https://kyma.example/"}, "https://kyma.example"),
    ],
)
def test_the_address_to_tell_people(load: Load, settings: dict[str, str], address: str) -> None:
    assert load(**settings).base_url == address
