"""The composition root: the only module that names concrete adapters, stores and servers."""

import asyncio
import contextlib
import fcntl
import importlib
import logging
import os
import secrets
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from kyma.accounts import Accounts
from kyma.calls import Calls, CallSettings, PumpSettings, Settled, Upstream, apply_settled
from kyma.catalog import Catalog, Sheets, assemble, builtin_data, read
from kyma.config import Config, ConfigError, Settings
from kyma.core.ids import Clock, SystemClock, new_id
from kyma.core.model import Provider
from kyma.core.money import Nanos, usd_to_nanos
from kyma.core.principal import Principal, Tier
from kyma.identity import Registration
from kyma.ledger import Ledger, LedgerSettings
from kyma.ledger.spool import Spool
from kyma.ledger.store import fetch_account
from kyma.limits import Limits
from kyma.local.supervisor import LocalModel
from kyma.routing import Health
from kyma.storage import schema
from kyma.storage.database import Database
from kyma.storage.sqlite import Durability, SqliteDatabase
from kyma.storage.writer import GroupWriter
from kyma.transport import HttpClient
from kyma.usage.store import put_price_book

log = logging.getLogger("kyma.gateway")

LOCAL = "local"
"""The provider id of the embedded model."""

UNLIMITED = 2**40
NO_LIMITS = tuple(Tier(n, f"Tier {n}", 0, UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED) for n in range(5))
FLUSH_LAST_USED_S = 60.0
LAST_COMMIT_S = 10.0


class SchemaMismatch(ConfigError):
    """The database is not of this version of Kyma."""


class Gateway:
    """Everything a request handler may call. Made by `open_gateway`."""

    def __init__(self, config: Config, database: Database, clock: Clock) -> None:
        self.config = config
        self.settings: Settings = config.settings
        self.database = database
        self.clock = clock
        self._sheets: Sheets = read(builtin_data(), _overlay(config.config_dir))
        self.local: LocalModel | None = None
        self._secrets: dict[str, str] = {}
        self.catalog: Catalog = self._assemble()
        self.limits = Limits(clock)
        self.ledger = Ledger(
            database,
            clock,
            new_id("gw"),
            LedgerSettings(
                lease_share="all" if is_embedded(config) else "clamp",
                lease_ttl_s=self.settings.lease_ttl_s,
                idle_return_s=self.settings.lease_idle_s,
            ),
        )
        self.writer: GroupWriter[Settled, bool] = GroupWriter(database, apply_settled)
        self.accounts = open_accounts(config, database, clock, self.catalog)
        self.registration = Registration(database, clock, self.accounts, usd_to_nanos(self.settings.signup_credit_usd))
        self.client = HttpClient()
        self.calls = Calls(
            catalog=lambda: self.catalog,
            tier_of=self.tier_of,
            limits=self.limits,
            ledger=self.ledger,
            upstream=Upstream(self.client, self._secrets),
            health=Health(clock),
            writer=self.writer,
            clock=clock,
            settings=_call_settings(self.settings),
        )
        self._spool = Spool(config.data_dir / "unsettled.json", Settled)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def base_url(self) -> str:
        return self.config.base_url

    def tier_of(self, principal: Principal) -> Tier:
        """The tier whose limits apply; one without limits when the operator has switched them off."""
        if self.settings.limits_enabled:
            return self.catalog.tier(principal.tier)
        return NO_LIMITS[principal.tier]

    def why_not_ready(self) -> list[str]:
        """What keeps this gateway from taking calls; empty when nothing does."""
        reasons = []
        if self.writer.is_stalled:
            reasons.append("the database does not take settlements")
        if self.calls.is_draining:
            reasons.append("shutting down")
        return reasons

    async def start(self) -> None:
        """Replay what a crash left, claim the ledger, start the background work."""
        for item in self._spool.read():
            await self.writer.submit(item)
        self._spool.clear()
        if is_embedded(self.config):
            await self.ledger.take_over()
        await self._publish_prices()
        for work in (self.ledger.keep(), self.calls.tend(), self._flush_last_used()):
            self.spawn(work)

    async def start_local(self, local: LocalModel) -> None:
        """Start the embedded model; it joins the catalog when it is ready and leaves it when it is not."""
        self.local = local
        await local.start()
        self.spawn(self._follow_local(local))

    async def stop(self) -> None:
        """Let calls end, settle every one, give leases back, stop what was started."""
        self.calls.start_draining()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        unsettled = await self.writer.close(LAST_COMMIT_S)
        if unsettled:
            self._spool.write(unsettled)
            log.error("%d settlements could not be stored; they wait in %s", len(unsettled), self._spool.path)
        else:
            await self.ledger.return_all()
        with contextlib.suppress(Exception):
            await self.accounts.flush_last_used()
        if self.local is not None:
            await self.local.stop()
        await self.client.close()
        self.accounts.close()
        await self.database.close()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run background work for the life of the gateway; its failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work ended: %r", error)

    async def _publish_prices(self) -> None:
        version, book, now = self.catalog.price_version, self.catalog.price_book_json(), self.clock.now_ms()
        await self.database.write(lambda connection: put_price_book(connection, version, book, now))

    async def _flush_last_used(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_LAST_USED_S)
            try:
                await self.accounts.flush_last_used()
            except Exception as error:
                log.warning("last use of keys not stored, tried again later: %r", error)

    async def _follow_local(self, local: LocalModel) -> None:
        while True:
            self.catalog = self._assemble()
            await local.wait_changed()

    def _assemble(self) -> Catalog:
        local_url = self.local.base_url if self.local and self.local.state in ("ready", "restarting") else None
        catalog = assemble(
            self._sheets,
            environment=self.config.secrets,
            local_base_url=local_url,
            today=_today(self.clock),
        )
        self._secrets.clear()
        self._secrets.update(_secrets(self.config, catalog.providers.values()))
        if self.local is not None:
            self._secrets[LOCAL] = self.local.api_key
        return catalog


@asynccontextmanager
async def open_gateway(config: Config, clock: Clock | None = None) -> AsyncIterator[Gateway]:
    """A started gateway; stopped, with every call settled, when the block ends.

    Raises: ConfigError when another gateway runs on the data folder, or the schema is another version's.
    """
    with _only_gateway(config):
        database = open_database(config)
        try:
            await ensure_schema(config, database)
            gateway = Gateway(config, database, clock or SystemClock())
            await gateway.start()
        except BaseException:
            await database.close()
            raise
        try:
            yield gateway
        finally:
            await gateway.stop()


def open_database(config: Config) -> Database:
    """The configured database; asyncpg is imported only for a Postgres URL."""
    settings = config.settings
    if is_embedded(config):
        make_data_dir(config)
        return SqliteDatabase(config.data_dir / "kyma.db", _durability(settings.durability))
    database: Database = importlib.import_module("kyma.storage.postgres").PostgresDatabase(settings.database_url)
    return database


def open_accounts(config: Config, database: Database, clock: Clock, catalog: Catalog | None = None) -> Accounts:
    """Accounts on `database`; tiers come from `catalog`, or from the packaged one where no tier matters."""
    known = catalog or assemble_catalog(config, clock)
    return Accounts(
        database,
        clock,
        _pepper(config),
        tier_for=lambda bought: known.tier_for_deposit(bought).tier,
        purchased=_purchased,
    )


def assemble_catalog(config: Config, clock: Clock, local_base_url: str | None = None) -> Catalog:
    """The catalog of this configuration, read afresh. Raises: CatalogError naming file and field."""
    sheets = read(builtin_data(), _overlay(config.config_dir))
    return assemble(sheets, environment=config.secrets, local_base_url=local_base_url, today=_today(clock))


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


def is_embedded(config: Config) -> bool:
    """One process on SQLite, as opposed to many on Postgres."""
    return not config.settings.database_url


def make_data_dir(config: Config) -> Path:
    """The data folder, made for its owner's eyes only."""
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return config.data_dir


@contextlib.contextmanager
def _only_gateway(config: Config) -> Iterator[None]:
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


def _today(clock: Clock) -> date:
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC).date()


def _overlay(config_dir: Path) -> Path | None:
    return config_dir if config_dir.is_dir() else None


def _pepper(config: Config) -> bytes:
    """The secret that token hashes depend on: `KYMA_PEPPER` for many machines, else made once in the data folder."""
    if shared := config.secret("KYMA_PEPPER"):
        return shared.encode()
    if not is_embedded(config):
        raise ConfigError("KYMA_PEPPER (or KYMA_PEPPER_FILE) must hold the secret that all gateways share")
    path = make_data_dir(config) / "pepper"
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
    return path.read_text().encode()


def _secrets(config: Config, providers: Iterable[Provider]) -> dict[str, str]:
    named = {provider.id: config.secret(provider.key_env) for provider in providers if provider.key_env}
    return {provider_id: secret for provider_id, secret in named.items() if secret}


def _purchased(connection: Connection, account_id: str) -> Nanos:
    return fetch_account(connection, account_id).purchased


def _durability(word: str) -> Durability:
    return "normal" if word == "normal" else "full"


def _call_settings(settings: Settings) -> CallSettings:
    pump = PumpSettings(settings.keep_alive_s, settings.slow_reader_s, settings.abandoned_drain_s)
    return CallSettings(pump, settings.max_live_calls)
