"""What a gateway or a command opens first: data folder, database at this version's schema, accounts, catalog."""

import contextlib
import fcntl
import functools
import importlib
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Connection

from kyma.accounts import Accounts
from kyma.catalog import Agent, Catalog, Sheets, assemble, builtin_data, read, read_agents
from kyma.config import Config, ConfigError
from kyma.core.ids import Clock
from kyma.core.money import Nanos
from kyma.gateway.provider_secrets import given_secrets
from kyma.ledger.store import fetch_account
from kyma.storage import schema
from kyma.storage.database import Database
from kyma.storage.sqlite import Durability, SqliteDatabase


class SchemaMismatch(ConfigError):
    """The database is not of this version of Kyma."""


def open_database(config: Config) -> Database:
    """The configured database; asyncpg is imported only for a Postgres URL."""
    settings = config.settings
    if is_embedded(config):
        make_data_dir(config)
        return SqliteDatabase(config.data_dir / "kyma.db", _durability(settings.durability))
    database: Database = importlib.import_module("kyma.storage.postgres").PostgresDatabase(settings.database_url)
    return database


async def ensure_schema(config: Config, database: Database) -> None:
    """Bring an embedded database to this version; refuse a shared one that is not. Alembic loads only if it must."""
    found = await schema.current(database)
    if found == schema.head_revision():
        return
    if not is_embedded(config):
        raise SchemaMismatch(f"the database is at revision {found or 'none'}, not ours; run `kyma migrate` first")
    await migrate(database)


async def migrate(database: Database, revision: str = "head") -> None:
    """Run the migrations up to `revision`."""
    await database.write(
        lambda connection: importlib.import_module("kyma.storage.migrate").upgrade(connection, revision)
    )


def open_accounts(
    config: Config, database: Database, clock: Clock, catalog: Callable[[], Catalog] | None = None
) -> Accounts:
    """Accounts on `database`; tiers are those of `catalog` at the time, or of the files when one first matters."""
    current = catalog or functools.cache(lambda: assemble_catalog(config, clock))
    return Accounts(
        database,
        clock,
        _pepper(config),
        tier_for=lambda bought: current().tier_for_deposit(bought).tier,
        purchased=_purchased,
    )


def assemble_catalog(config: Config, clock: Clock) -> Catalog:
    """The catalog of this configuration, read afresh. Raises: CatalogError naming file and field.

    Keys in the database switch nothing on here.
    """
    sheets = sheets_of(config)
    keyed = given_secrets(config, sheets.providers).keys()
    return assemble(sheets, environment=config.secrets, engines={}, today=today_of(clock), keyed=keyed)


def sheets_of(config: Config) -> Sheets:
    """The catalog's rows, the operator's among them, read afresh. Raises: CatalogError naming file, row and field."""
    return read(builtin_data(), _overlay(config))


def agents_of(config: Config) -> Mapping[str, Agent]:
    """What there is about agents, the operator's own among them, read afresh. Raises: CatalogError."""
    return read_agents(builtin_data(), _overlay(config))


def is_embedded(config: Config) -> bool:
    """One process on SQLite, as opposed to many on Postgres."""
    return not config.settings.database_url


def make_data_dir(config: Config) -> Path:
    """The data folder, made for its owner's eyes only."""
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return config.data_dir


def made_once(config: Config, name: str, make: Callable[[], str]) -> str:
    """A secret in a file of the data folder, for its owner's eyes only; made if it is not there."""
    path = make_data_dir(config) / name
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
    return path.read_text()


@contextlib.contextmanager
def only_gateway(config: Config) -> Iterator[None]:
    """Hold the data folder: an embedded gateway takes over every lease, so there must be one at a time."""
    if not is_embedded(config):
        yield
        return
    with (make_data_dir(config) / "gateway.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"another gateway runs on {config.data_dir}; stop it or set data_dir") from None
        yield


def today_of(clock: Clock) -> date:
    """The UTC day, for routes that retire."""
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC).date()


def _overlay(config: Config) -> Path | None:
    """The folder whose catalog files add to ours, if it is there."""
    return config.config_dir if config.config_dir.is_dir() else None


def _pepper(config: Config) -> bytes:
    """The secret that token hashes depend on: `KYMA_PEPPER` for many machines, else made once in the data folder."""
    if shared := config.secret("KYMA_PEPPER"):
        return shared.encode()
    if not is_embedded(config):
        raise ConfigError("KYMA_PEPPER (or KYMA_PEPPER_FILE) must hold the secret that all gateways share")
    return made_once(config, "pepper", lambda: secrets.token_hex(32)).encode()


def _purchased(connection: Connection, account_id: str) -> Nanos:
    return fetch_account(connection, account_id).purchased


def _durability(word: str) -> Durability:
    return "normal" if word == "normal" else "full"
