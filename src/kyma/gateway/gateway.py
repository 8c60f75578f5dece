"""One running gateway: everything a request handler may call, wired together."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from kyma.calls import (
    Calls,
    CallSettings,
    Explanation,
    PumpSettings,
    Settled,
    Upstream,
    apply_settled,
    explain_model,
    explain_request,
)
from kyma.catalog import (
    Catalog,
    CatalogError,
    Resolved,
    Sheets,
    assemble,
    builtin_data,
    read,
    read_agents,
    read_use_cases,
)
from kyma.config import Config, ConfigError, Settings
from kyma.core.chat import CallRequest
from kyma.core.ids import Clock, SystemClock, new_id
from kyma.core.money import percent_to_share, usd_to_nanos
from kyma.core.principal import Principal, Tier
from kyma.credentials import KeyState, Safe, Vault
from kyma.gateway.control import ControlToken
from kyma.gateway.discovered import Found, with_discovered
from kyma.gateway.discovery import Lookout
from kyma.gateway.masters import read_masters
from kyma.gateway.minting import google_tokens
from kyma.gateway.opening import (
    ensure_schema,
    is_embedded,
    only_gateway,
    open_accounts,
    open_database,
    overlay_of,
    today_of,
)
from kyma.gateway.overview import route_states
from kyma.gateway.provider_secrets import given_secrets
from kyma.gateway.reloading import Reloaded, check_tiers, live_changes, reread
from kyma.identity import Registration
from kyma.ledger import Ledger, LedgerSettings
from kyma.ledger.spool import Spool
from kyma.limits import Limits
from kyma.local.supervisor import LocalModel
from kyma.routing import BreakerSettings, Health, RouteState, Switches
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
        self.id = new_id("gw")
        self.config = config
        self.database = database
        self.clock = clock
        self.control_token = ControlToken()
        self._sheets: Sheets = read(builtin_data(), overlay_of(config.config_dir))
        self._publishing = asyncio.Lock()
        self.agents = read_agents(builtin_data(), overlay_of(config.config_dir))
        self.use_cases = read_use_cases(builtin_data())
        self.engines: dict[str, LocalModel] = {}
        self.safe = Safe(database, clock, lambda: read_masters(self.config))
        self.vault = Vault(clock, falls_back=self.settings.byok_fallback)
        self._last_change = 0
        self._found: Found = {}
        self.catalog, secrets = self._assembled(config, self._sheets)
        self.vault.replace(secrets)
        self.limits = Limits(clock)
        self.ledger = Ledger(
            database,
            clock,
            self.id,
            LedgerSettings(
                lease_share="all" if is_embedded(config) else "clamp",
                lease_ttl_s=self.settings.lease_ttl_s,
                idle_return_s=self.settings.lease_idle_s,
            ),
        )
        self.writer: GroupWriter[Settled, bool] = GroupWriter(database, apply_settled)
        self.accounts = open_accounts(config, database, clock, lambda: self.catalog)
        self.registration = Registration(database, clock, self.accounts, usd_to_nanos(self.settings.signup_credit_usd))
        self.client = HttpClient()
        self.health = Health(
            clock,
            self.vault,
            BreakerSettings(open_s=self.settings.breaker_open_s),
            deadline_s=self.settings.failover_deadline_s,
        )
        self.switches = Switches(database, clock, self.health.switch_off)
        self.calls = Calls(
            catalog=lambda: self.catalog,
            tier_of=self.tier_of,
            limits=self.limits,
            ledger=self.ledger,
            upstream=Upstream(self.client, self.health, clock),
            health=self.health,
            writer=self.writer,
            clock=clock,
            settings=_call_settings(self.settings),
        )
        self._tokens = google_tokens(config, self.vault, self.catalog.providers.values())
        self._spool = Spool(config.data_dir / "unsettled.json", Settled)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def settings(self) -> Settings:
        return self.config.settings

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

    def route_states(self) -> list[RouteState]:
        """Every source as it stands in this process."""
        return route_states(self.catalog, self.health)

    def key_states(self, provider_id: str) -> Sequence[KeyState]:
        """The keys of a provider, in their order."""
        return [state for state in self.vault.states() if state.provider_id == provider_id]

    def explain(self, resolved: Resolved, request: CallRequest | None, account_id: str) -> Explanation:
        """What would be tried for a model, or for a request to it. Raises: InvalidRequest if the model refuses it."""
        if request is None:
            return explain_model(resolved, self.catalog, self.health, account_id)
        return explain_request(request, self.catalog, self.health, account_id)

    async def start(self) -> None:
        """Replay what a crash left, claim the ledger, start the background work."""
        for item in self._spool.read():
            await self.writer.submit(item)
        self._spool.clear()
        if is_embedded(self.config):
            await self.ledger.take_over()
        read_masters(self.config)  # a wrong one is told now, not to the first who needs it
        await self.follow_keys()
        await self._put_prices(self.catalog)
        await self.switches.load()
        for work in (self.ledger.keep(), self.calls.tend(), self._flush_last_used(), self._keep_following_keys()):
            self.spawn(work)
        if not is_embedded(self.config):
            self.spawn(self.switches.follow())
        if self._tokens is not None:
            self.spawn(self._tokens.keep())
        if self.settings.ollama_refresh_s:
            self.spawn(self._discover(Lookout(self.client, lambda name: self.config.secret(name))))

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

    async def follow_keys(self) -> None:
        """Use the keys of providers as the database has them now; a provider comes on with its first one."""
        async with self._publishing:
            changes = await self.safe.changes(self._last_change)
            if changes.number <= self._last_change:
                return
            before = self.vault.stored_providers
            self.vault.take(changes)
            self._last_change = changes.number
            if self.vault.stored_providers != before:
                await self._publish(self.config, self._sheets)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run background work for the life of the gateway; its failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work ended: %r", error)

    async def reload(self) -> Reloaded:
        """Read catalog, `kyma.toml` and secrets anew, check all of it, then work by it from the next call on.

        Calls under way end as they began. Raises: ConfigError or CatalogError naming file, row and field; then nothing
        has changed.
        """
        async with self._publishing:
            try:
                fresh, sheets = await asyncio.to_thread(reread, self.config)
                config, waiting = self.config.refreshed(fresh)
                changed = live_changes(self.settings, config.settings)
                await self._publish(config, sheets)
            except (ConfigError, CatalogError) as error:
                log.error("nothing is reloaded, all stays as it was: %s", error)
                raise
        self._take_up(config.settings)
        told = Reloaded.of(self.catalog, changed, waiting)
        log.info("%s", told.in_words())
        return told

    def _take_up(self, settings: Settings) -> None:
        """Apply the settings that were handed to others at the start."""
        logging.getLogger().setLevel(settings.log_level.upper())
        self.registration.signup_nanos = usd_to_nanos(settings.signup_credit_usd)
        self.calls.apply(_call_settings(settings))

    async def _publish(self, config: Config, sheets: Sheets) -> None:
        """Work by these rows from now on; their prices are on record before anybody pays them."""
        catalog, secrets = self._assembled(config, sheets)
        check_tiers(self.catalog, catalog)
        if catalog.price_version != self.catalog.price_version:
            await self._put_prices(catalog)
            catalog, secrets = self._assembled(config, sheets)  # an engine may have come or gone meanwhile
        self.config, self._sheets = config, sheets
        self.vault.replace(secrets)
        self.catalog = catalog

    async def _put_prices(self, catalog: Catalog) -> None:
        version, book, now = catalog.price_version, catalog.price_book_json(), self.clock.now_ms()
        await self.database.write(lambda connection: put_price_book(connection, version, book, now))

    async def _flush_last_used(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_LAST_USED_S)
            try:
                await self.accounts.flush_last_used()
            except Exception as error:
                log.warning("last use of keys not stored, tried again later: %r", error)

    async def _discover(self, lookout: Lookout) -> None:
        """Offer what servers of the operator's have, as they have it; nothing is sold before its price is stored."""
        while True:
            found = await lookout.look(self.catalog.providers.values())
            if found != self._found:
                async with self._publishing:
                    before, self._found = self._found, found
                    try:
                        await self._publish(self.config, self._sheets)
                    except Exception as error:
                        self._found = before
                        log.warning("models that were found are not offered, tried again later: %r", error)
            await asyncio.sleep(self.settings.ollama_refresh_s)

    async def _keep_following_keys(self) -> None:
        while True:
            await asyncio.sleep(self.settings.provider_keys_poll_s)
            try:
                await self.follow_keys()
            except Exception as error:
                log.warning("stored keys of providers not read, tried again later: %r", error)

    async def _follow(self, engine: LocalModel) -> None:
        while True:
            async with self._publishing:
                try:
                    await self._publish(self.config, self._sheets)
                except Exception as error:
                    log.error("the catalog stays as it was: %r", error)
            await engine.wait_changed()

    def _assembled(self, config: Config, sheets: Sheets) -> tuple[Catalog, dict[str, tuple[str, ...]]]:
        """The catalog as it stands now, and the keys of its providers. Raises: CatalogError, ConfigError."""
        running = {
            provider_id: engine.base_url
            for provider_id, engine in self.engines.items()
            if engine.base_url and engine.state in ("ready", "restarting")
        }
        given = given_secrets(config, sheets.providers)
        catalog = assemble(
            with_discovered(sheets, self._found),
            environment=config.secrets,
            engines=running,
            today=today_of(self.clock),
            keyed=given.keys() | self.vault.stored_providers,
        )
        return catalog, given | {provider_id: (engine.api_key,) for provider_id, engine in self.engines.items()}


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


def _call_settings(settings: Settings) -> CallSettings:
    pump = PumpSettings(settings.keep_alive_s, settings.slow_reader_s, settings.abandoned_drain_s)
    return CallSettings(pump, settings.max_live_calls, percent_to_share(settings.byok_fee_percent))
