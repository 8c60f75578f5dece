"""One running gateway: everything a request handler may call, wired together."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from kyma.calls import (
    Calls,
    CallSettings,
    Explanation,
    Prober,
    PumpSettings,
    Settled,
    Upstream,
    apply_settled,
    explain_model,
    explain_request,
)
from kyma.catalog import Agent, Catalog, CatalogError, Resolved, UseCase
from kyma.config import Config, ConfigError, Settings
from kyma.core.chat import CallRequest
from kyma.core.ids import Clock, SystemClock, new_id
from kyma.core.money import percent_to_share, usd_to_nanos
from kyma.core.principal import Principal, Tier
from kyma.core.tally import Tallies
from kyma.credentials import KeyState, Safe, Vault
from kyma.gateway.background import Background
from kyma.gateway.control import ControlToken
from kyma.gateway.discovery import Lookout
from kyma.gateway.masters import read_masters
from kyma.gateway.minting import google_tokens
from kyma.gateway.opening import (
    ensure_schema,
    is_embedded,
    only_gateway,
    open_accounts,
    open_database,
)
from kyma.gateway.overview import out_of_service, route_states
from kyma.gateway.publisher import Publisher
from kyma.gateway.reloading import Reloaded
from kyma.gateway.standing import Board, Sight
from kyma.gateway.unlimited import NO_LIMITS
from kyma.identity import Registration
from kyma.ledger import Ledger, LedgerSettings
from kyma.ledger.spool import Spool
from kyma.limits import Limits
from kyma.local.supervisor import LocalModel
from kyma.routing import BreakerSettings, Health, RouteState, Switches
from kyma.storage.database import Database
from kyma.storage.writer import GroupWriter
from kyma.transport import HttpClient
from kyma.uptime import ProbeBudget, Uptime
from kyma.usage import Apps
from kyma.usage.rankings import Rankings
from kyma.usage.summing import Summing

log = logging.getLogger("kyma.gateway")

LOCAL, LOCAL_EMBED = "local", "local-embed"
"""The provider ids of the embedded chat model and of the embedded embedding model."""

FLUSH_LAST_USED_S = 60.0
LAST_COMMIT_S = 10.0


class Gateway:
    """Everything a request handler may call. Made by `open_gateway`."""

    def __init__(self, config: Config, database: Database, clock: Clock) -> None:
        self.id = new_id("gw")
        self.database = database
        self.clock = clock
        self.control_token = ControlToken()
        self.engines: dict[str, LocalModel] = {}
        self.safe = Safe(database, clock, lambda: read_masters(self.config))
        self.vault = Vault(clock, falls_back=config.settings.byok_fallback)
        self.publisher = Publisher(config, database, clock, self.safe, self.vault, self.engines)
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
        self.tallies = Tallies()
        self.uptime = Uptime(database, clock, self.tallies, self.settings.uptime_retention_days)
        self.board = Board(clock, self._sight)
        self.health = Health(
            clock,
            self.vault,
            BreakerSettings(open_s=self.settings.breaker_open_s),
            deadline_s=self.settings.failover_deadline_s,
            tallies=self.tallies,
        )
        self.switches = Switches(database, clock, self.health.switch_off)
        self.calls = Calls(
            catalog=lambda: self.publisher.catalog,
            tier_of=self.tier_of,
            limits=self.limits,
            ledger=self.ledger,
            upstream=Upstream(self.client, self.health, clock),
            health=self.health,
            writer=self.writer,
            tallies=self.tallies,
            clock=clock,
            settings=_call_settings(self.settings),
        )
        self.apps = Apps(clock)
        self.rankings = Rankings(database, clock)
        self._summing = Summing(database, clock, self.settings.usage_retention_days)
        self._tokens = google_tokens(config, self.vault, self.catalog.providers.values())
        self._spool = Spool(config.data_dir / "unsettled.json", Settled)
        self.background = Background()

    @property
    def config(self) -> Config:
        return self.publisher.config

    @property
    def catalog(self) -> Catalog:
        return self.publisher.catalog

    @property
    def agents(self) -> Mapping[str, Agent]:
        return self.publisher.agents

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        return self.publisher.use_cases

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
        await self.publisher.start()
        await self.switches.load()
        for work in self._work():
            self.background.spawn(work)

    async def start_engine(self, provider_id: str, engine: LocalModel) -> None:
        """Start an embedded model; it joins the catalog when it is ready and leaves it when it is not."""
        self.engines[provider_id] = engine
        await engine.start()
        self.background.spawn(self.publisher.keep_following(engine))

    async def stop(self) -> None:
        """Let calls end, settle every one, give leases back, stop what was started."""
        self.calls.start_draining()
        await self.background.stop()
        unsettled = await self.writer.close(LAST_COMMIT_S)
        if unsettled:
            self._spool.write(unsettled)
            log.error("%d settlements could not be stored; they wait in %s", len(unsettled), self._spool.path)
        else:
            await self.ledger.return_all()
        for last_words in (self.accounts.flush_last_used, self.uptime.flush):
            with contextlib.suppress(Exception):
                await last_words()
        await asyncio.gather(*(engine.stop() for engine in self.engines.values()))
        await self.client.close()
        self.accounts.close()
        await self.database.close()

    async def reload(self, *, accept_prices: bool = False) -> Reloaded:
        """Read catalog, agents, `kyma.toml` and secrets anew, check all of it, then work by it from the next call on.

        Calls under way end as they began. Raises: ConfigError or CatalogError naming file, row and field, PricesMoved
        for great moves of list prices unless they are accepted; then nothing has changed.
        """
        try:
            told = await self.publisher.reload(accept_prices=accept_prices)
        except (ConfigError, CatalogError) as error:
            log.error("nothing is reloaded, all stays as it was: %s", error)
            raise
        self._take_up(self.settings)
        log.info("%s", told.in_words())
        return told

    def _work(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What goes on in the background, by the settings."""
        settings = self.settings
        yield self.ledger.keep()
        yield self.calls.tend()
        yield self._flush_last_used()
        yield self._summing.keep()
        yield self.publisher.keep_following_keys()
        yield self.publisher.keep_following_days()
        yield self.uptime.keep(settings.uptime_flush_s)
        yield self.board.keep()
        if settings.probe_interval_s:
            yield self._prober().keep(settings.probe_interval_s)
        if not is_embedded(self.config):
            yield self.switches.follow()
        if self._tokens is not None:
            yield self._tokens.keep()
        if settings.ollama_refresh_s:
            yield self.publisher.keep_discovering(Lookout(self.client, lambda name: self.config.secret(name)))

    def _prober(self) -> Prober:
        settings = self.settings
        budget = usd_to_nanos(settings.probe_budget_usd)
        return Prober(
            calls=self.calls,
            catalog=lambda: self.catalog,
            health=self.health,
            vault=self.vault,
            budget=ProbeBudget(self.database, self.clock, settings.probe_interval_s, budget),
            tallies=self.tallies,
            operator=self.accounts.operator,
            clock=self.clock,
        )

    def _sight(self) -> Sight:
        return Sight(
            models=self.catalog.offered(),
            recent=self.uptime.recent(),
            is_out=out_of_service(self.health, self.vault),
            is_draining=self.calls.is_draining,
            is_full=self.calls.live_count >= self.settings.max_live_calls,
            is_stalled=self.writer.is_stalled,
        )

    def _take_up(self, settings: Settings) -> None:
        """Apply the settings that were handed to others at the start."""
        logging.getLogger().setLevel(settings.log_level.upper())
        self.registration.signup_nanos = usd_to_nanos(settings.signup_credit_usd)
        self.calls.apply(_call_settings(settings))

    async def _flush_last_used(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_LAST_USED_S)
            try:
                await self.accounts.flush_last_used()
            except Exception as error:
                log.warning("last use of keys not stored, tried again later: %r", error)


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
