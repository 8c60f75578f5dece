"""Settings: one optional `kyma.toml`, then `KYMA_*` in the environment. The only reader of the environment.

Files say what exists. Secrets of providers come from the environment or from files it names, never from `kyma.toml`.
"""

import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from kyma.core.money import percent_to_share, usd_to_nanos


class ConfigError(Exception):
    """A setting is unknown or wrong; the message names the file and the key."""


@dataclass(frozen=True)
class Settings:
    """Every key of `kyma.toml`. In the environment `host` is `KYMA_HOST`, and so on."""

    host: Annotated[str, "address to listen on"] = "127.0.0.1"
    port: Annotated[int, "port to listen on"] = 8000
    public_url: Annotated[str, "address that customers use, if it is not host and port"] = ""
    data_dir: Annotated[Path, "folder of database, model and secrets"] = Path("~/.local/share/kyma")
    database_url: Annotated[str, "postgresql+asyncpg://…; empty: SQLite in the data folder"] = ""
    durability: Annotated[str, "full: every commit reaches the disk; normal: a power cut may lose some"] = "full"
    local_enabled: Annotated[bool, "run the embedded local model"] = True
    local_gguf: Annotated[str, "path of your own GGUF file; empty: the small demo model"] = ""
    local_context_tokens: Annotated[int, "context of the embedded model, for each parallel request"] = 8192
    local_parallel: Annotated[int, "requests the embedded model answers at once"] = 2
    local_replicas: Annotated[int, "processes of the embedded model, each of them a source of its own"] = 1
    ollama_refresh_s: Annotated[float, "how often Ollama servers are asked which models they have; 0: never"] = 30.0
    operator_email: Annotated[str, "e-mail of the first account"] = "operator@localhost.localdomain"
    operator_grant_usd: Annotated[str, "credit granted to the first account"] = "100"
    signup_credit_usd: Annotated[str, "credit of every new account"] = "0.50"
    open_registration: Annotated[bool, "anybody who reaches the gateway may register"] = True
    low_balance_usd: Annotated[str, "below this the balance is reported as low"] = "1"
    limits_enabled: Annotated[bool, "apply the tiers' rate limits"] = True
    body_limit_bytes: Annotated[int, "largest request body"] = 10 * 1024 * 1024
    header_limit_bytes: Annotated[int, "largest request head"] = 32 * 1024
    header_timeout_s: Annotated[float, "time a client has to send a request's head"] = 10.0
    body_timeout_s: Annotated[float, "time a client has to send a request's body"] = 60.0
    keep_alive_s: Annotated[float, "silence after which a stream gets a comment"] = 10.0
    slow_reader_s: Annotated[float, "how long a stream waits for a reader who does not read"] = 60.0
    abandoned_drain_s: Annotated[float, "how long a stream without reader is read on for its usage"] = 30.0
    shutdown_s: Annotated[float, "how long a shutdown waits for open calls"] = 300.0
    max_live_calls: Annotated[int, "calls under way at once; more are told to come back"] = 20_000
    breaker_open_s: Annotated[float, "how long a failing source is left alone at first"] = 30.0
    failover_deadline_s: Annotated[float, "time after which no further source is tried"] = 120.0
    lease_ttl_s: Annotated[float, "life of a credit lease that nobody renews"] = 30.0
    lease_idle_s: Annotated[float, "idle time after which leased credit goes back"] = 10.0
    log_level: Annotated[str, "debug, info, warning or error"] = "info"
    byok_fee_percent: Annotated[str, "share of the token price for a call that a customer's own key served"] = "5"
    byok_fallback: Annotated[bool, "when a customer's own key fails, ours serves, at the full price"] = True
    security_contact: Annotated[str, "mailto:, https: or tel: of security.txt; empty: security@ your host"] = ""
    security_expires_days: Annotated[int, "how many days a copy of security.txt is good for"] = 180
    usage_retention_days: Annotated[int, "days after which rows of the request log go, their sums stay; 0: never"] = 0
    provider_keys_poll_s: Annotated[float, "how often changes of stored provider keys are looked for"] = 2.0
    uptime_flush_s: Annotated[float, "how often counts for uptime are stored; every twelfth time they are read"] = 5.0
    uptime_retention_days: Annotated[int, "days that the hourly counts for uptime are kept"] = 400
    probe_interval_s: Annotated[float, "silence after which a source is sent a small real call; 0: never"] = 0.0
    probe_budget_usd: Annotated[str, "what such calls may cost in a UTC day, all gateways together"] = "0.10"


LIVE = (
    *("signup_credit_usd", "open_registration", "low_balance_usd", "limits_enabled", "log_level"),
    *("keep_alive_s", "slow_reader_s", "abandoned_drain_s", "max_live_calls"),
)
"""Settings that a running gateway takes up at a reload; every other needs a restart."""


@dataclass(frozen=True)
class Config:
    """Settings, where each came from, and the folder whose `providers.toml` and `models/` add to the catalog."""

    settings: Settings
    origins: Mapping[str, str]
    config_dir: Path
    environment: Mapping[str, str]

    @property
    def data_dir(self) -> Path:
        return self.settings.data_dir.expanduser()

    @property
    def secrets(self) -> Mapping[str, str]:
        """Secrets and addresses of providers by variable name, those in files included."""
        return _Secrets(self)

    @property
    def base_url(self) -> str:
        """The address to tell people, without a trailing slash."""
        settings = self.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return settings.public_url.rstrip("/") or f"http://{host}:{settings.port}"

    @property
    def local_url(self) -> str:
        """The address for programs on this machine."""
        own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.host, self.settings.host)
        return f"http://{f'[{own}]' if ':' in own else own}:{self.settings.port}"

    def refreshed(self, fresh: "Config") -> tuple["Config", tuple[str, ...]]:
        """This configuration with what `fresh` says of `LIVE` settings, and the names of the others that differ."""
        mine, theirs = self.settings, fresh.settings
        changed = [item.name for item in fields(Settings) if getattr(mine, item.name) != getattr(theirs, item.name)]
        taken = {name: getattr(theirs, name) for name in changed if name in LIVE}
        origins = {**self.origins, **{name: fresh.origins[name] for name in LIVE}}
        # Port 0 is whichever port was free: it is the one that is listened on.
        waiting = tuple(name for name in changed if name not in LIVE and not (name == "port" and theirs.port == 0))
        return replace(fresh, settings=replace(mine, **taken), origins=origins), waiting

    def listening_on(self, port: int) -> "Config":
        """The same with the port that was really taken: port 0 leaves the choice to the machine."""
        return replace(self, settings=replace(self.settings, port=port))

    def keys(self, name: str) -> tuple[str, ...]:
        """Every key under that name: `name`, `name_2`, `name_3` …, or for each the file that its `_FILE` names.

        One a line; empty lines, lines that begin with `#` and repetitions are left out.
        """
        numbered = re.compile(rf"({re.escape(name)}(?:_([0-9]+))?)(?:_FILE)?")
        slots = {int(found[2] or 1): found[1] for found in map(numbered.fullmatch, self.environment) if found}
        lines = [line.strip() for _, slot in sorted(slots.items()) for line in (self.secret(slot) or "").splitlines()]
        return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))

    def secret(self, name: str) -> str | None:
        """A provider's secret: the variable `name`, or the content of the file that `name_FILE` points to."""
        if value := self.environment.get(name):
            return value
        path = self.environment.get(f"{name}_FILE")
        if not path:
            return None
        try:
            return Path(path).read_text().strip() or None
        except OSError as error:
            raise ConfigError(f"{name}_FILE: cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{name}_FILE: cannot read {path}: it is not text") from None


class _Secrets(Mapping[str, str]):
    """`Config.secret` as a mapping; a variable's `…_FILE` twin is read only when the variable is asked for."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def __getitem__(self, name: str) -> str:
        value = self._config.secret(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._config.environment)

    def __len__(self) -> int:
        return len(self._config.environment)


def describe() -> dict[str, str]:
    """What each setting is for."""
    hints = get_type_hints(Settings, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def load_config(environment: Mapping[str, str] | None = None) -> Config:
    """Read `kyma.toml` and the environment. Raises: ConfigError naming file and key."""
    environment = dict(os.environ if environment is None else environment)
    config_dir = _config_dir(environment)
    path = config_dir / "kyma.toml"
    values: dict[str, Any] = {}
    origins = {item.name: "default" for item in fields(Settings)}
    for name, value in _read(path).items():
        values[name] = _checked(name, value, str(path))
        origins[name] = str(path)
    for name in origins:
        variable = f"KYMA_{name.upper()}"
        if variable in environment:
            values[name] = _checked(name, environment[variable], variable)
            origins[name] = variable
    settings = Settings(**values)
    _check_ranges(settings, origins)
    return Config(settings, origins, config_dir, environment)


def _config_dir(environment: Mapping[str, str]) -> Path:
    """`KYMA_CONFIG_DIR`; else the current folder if it holds our files; else `~/.config/kyma`."""
    if named := environment.get("KYMA_CONFIG_DIR"):
        return Path(named).expanduser()
    here = Path.cwd()
    if any((here / name).is_file() for name in ("kyma.toml", "providers.toml")):
        return here
    return Path(environment.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "kyma"


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def _checked(name: str, value: object, where: str) -> object:
    kinds = get_type_hints(Settings)
    if name not in kinds:
        raise ConfigError(f"{where}: unknown key {name!r}; `kyma config show` lists the keys")
    kind = kinds[name]
    try:
        return _converted(kind, value)
    except ValueError:
        raise ConfigError(f"{where}: {name} must be {_noun(kind)}, not {value!r}") from None


def _converted(kind: type, value: object) -> object:
    if kind is bool:
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        if isinstance(value, bool):
            return value
        raise ValueError
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError
    if kind is int and isinstance(value, float):
        raise ValueError
    return kind(value)


def _check_ranges(settings: Settings, origins: Mapping[str, str]) -> None:
    """What a type cannot say."""
    wrong = {
        "port": None if 0 <= settings.port <= 65535 else "between 0 and 65535",
        "durability": None if settings.durability in ("full", "normal") else "full or normal",
        "database_url": None
        if not settings.database_url or settings.database_url.startswith("postgresql+asyncpg://")
        else "a postgresql+asyncpg:// address, or empty for SQLite",
        "log_level": None
        if settings.log_level in ("debug", "info", "warning", "error")
        else "debug, info, warning or error",
        **{name: _dollars(getattr(settings, name)) for name in AMOUNTS},
        "byok_fee_percent": _percent(settings.byok_fee_percent),
        "security_contact": _contact(settings.security_contact),
        **{name: None if 0 < getattr(settings, name) < math.inf else "more than 0" for name in POSITIVE},
        **{name: None if 0 <= getattr(settings, name) < math.inf else "0 or more" for name in PERIODS},
    }
    for name, needed in wrong.items():
        if needed:
            given = "" if name == "database_url" else f", not {getattr(settings, name)!r}"  # it may hold a password
            raise ConfigError(f"{origins[name]}: {name} must be {needed}{given}")


PERIODS = ("shutdown_s", "ollama_refresh_s", "probe_interval_s", "usage_retention_days")
AMOUNTS = ("operator_grant_usd", "signup_credit_usd", "low_balance_usd", "probe_budget_usd")
POSITIVE = (
    *("local_context_tokens", "local_parallel", "local_replicas", "security_expires_days"),
    *("body_limit_bytes", "header_limit_bytes", "max_live_calls"),
    *("header_timeout_s", "body_timeout_s", "keep_alive_s", "slow_reader_s", "abandoned_drain_s"),
    *("breaker_open_s", "failover_deadline_s", "lease_ttl_s", "lease_idle_s", "provider_keys_poll_s"),
    *("uptime_flush_s", "uptime_retention_days"),
)


def _dollars(text: str) -> str | None:
    try:
        usd_to_nanos(text)
    except ValueError:
        return "an amount in dollars, as a text"
    return None


def _percent(text: str) -> str | None:
    try:
        percent_to_share(text)
    except ValueError:
        return "a percentage from 0 to 100 with at most two decimals, as a text"
    return None


def _contact(text: str) -> str | None:
    """RFC 9116, 2.5.3; a line break would add a line of somebody else's to the file."""
    if not text or re.fullmatch(r"(mailto:|https://|tel:)[!-~]+", text):
        return None
    return "empty, or one address that begins with mailto:, https:// or tel:"


def _noun(kind: type) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, "a text")


__all__ = ["Config", "ConfigError", "Settings", "load_config"]
