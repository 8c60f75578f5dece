"""One running gateway: everything a request handler may call, wired together."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from kyma.calls import Calls, CallSettings, PumpSettings, Settled, Upstream, apply_settled
from kyma.catalog import Catalog, Sheets, assemble, builtin_data, read, read_agents, read_use_cases
from kyma.config import Config, Settings
from kyma.core.ids import Clock, SystemClock, new_id
from kyma.core.model import Provider
from kyma.core.money import usd_to_nanos
from kyma.core.principal import Principal, Tier
from kyma.credentials import Vault
from kyma.gateway.opening import (
    ensure_schema,
    is_embedded,
    only_gateway,
    open_accounts,
    open_database,
    overlay_of,
    today_of,
)
from kyma.identity import Registration
from kyma.ledger import Ledger, LedgerSettings
from kyma.ledger.spool import Spool
from kyma.limits import Limits
from kyma.local.supervisor import LocalModel
from kyma.routing import Health
from kyma.storage.database import Database
from kyma.storage.writer import GroupWriter
from kyma.transport import HttpClient
from kyma.usage.store import put_price_book

log = logging.getLogger("kyma.gateway")

LOCAL, LOCAL_EMBED = "local", "local-embed"
"""The provider ids of the embedded chat model and of the embedded embedding model."""

UNLIMITED = 10**9
NO_LIMITS = tuple(Tier(n, f"Tier {n}", 0, UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED) for n in range(5))
FLUSH_LAST_USED_S = 60.0
LAST_COMMIT_S = 10.0


class Gateway:
    """Everything a request handler may call. Made by `open_gateway`."""

    def __init__(self, config: Config, database: Database, clock: Clock) -> None:
        self.config = config
        self.settings: Settings = config.settings
        self.database = database
        self.clock = clock
        self._sheets: Sheets = read(builtin_data(), overlay_of(config.config_dir))
        self.agents = read_agents(builtin_data(), overlay_of(config.config_dir))
        self.use_cases = read_use_cases(builtin_data())
        self.engines: dict[str, LocalModel] = {}
        self.vault = Vault()
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
            upstream=Upstream(self.client, self.vault),
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

    async def start_engine(self, provider_id: str, engine: LocalModel) -> None:
        """Start an embedded model; it joins the catalog when it is ready and leaves it when it is not."""
        self.engines[provider_id] = engine
        await engine.start()
        self.spawn(self._follow(engine))

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
        await asyncio.gather(*(engine.stop() for engine in self.engines.values()))
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

    async def _follow(self, engine: LocalModel) -> None:
        while True:
            self.catalog = self._assemble()
            await engine.wait_changed()

    def _assemble(self) -> Catalog:
        running = {
            provider_id: engine.base_url
            for provider_id, engine in self.engines.items()
            if engine.base_url and engine.state in ("ready", "restarting")
        }
        catalog = assemble(
            self._sheets,
            environment=self.config.secrets,
            engines=running,
            today=today_of(self.clock),
        )
        engines = {provider_id: [engine.api_key] for provider_id, engine in self.engines.items()}
        self.vault.replace(_secrets(self.config, catalog.providers.values()) | engines)
        return catalog


@asynccontextmanager
async def open_gateway(config: Config, clock: Clock | None = None) -> AsyncIterator[Gateway]:
    """A started gateway; stopped, with every call settled, when the block ends.

    Raises: ConfigError when another gateway runs on the data folder, or the schema is another version's.
    """
    with only_gateway(config):
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


def _secrets(config: Config, providers: Iterable[Provider]) -> dict[str, list[str]]:
    named = {provider.id: config.secret(provider.key_env) for provider in providers if provider.key_env}
    return {provider_id: [secret] for provider_id, secret in named.items() if secret}


def _call_settings(settings: Settings) -> CallSettings:
    pump = PumpSettings(settings.keep_alive_s, settings.slow_reader_s, settings.abandoned_drain_s)
    return CallSettings(pump, settings.max_live_calls)
