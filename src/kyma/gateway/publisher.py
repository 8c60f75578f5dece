"""What a running gateway works by, put together from files, keys, engines and what was found, and replaced as one.

Owns when something new is taken up, and that it is checked whole before anything is swapped. Calls under way keep what
they began with. Knows nothing of calls, accounts and HTTP.
"""

import asyncio
import logging
from collections.abc import Mapping

from kyma.catalog import Agent, Catalog, Sheets, UseCase, assemble
from kyma.catalog.moves import PricesMoved, moves
from kyma.config import Config
from kyma.core.ids import DAY_MS, Clock
from kyma.credentials import Safe, Vault
from kyma.gateway.discovered import Found, with_discovered
from kyma.gateway.discovery import Lookout
from kyma.gateway.opening import today_of
from kyma.gateway.prices import accept, compare
from kyma.gateway.provider_secrets import given_secrets
from kyma.gateway.reloading import Files, Reloaded, check_tiers, live_changes, read_files, reread
from kyma.local.supervisor import LocalModel
from kyma.storage.database import Database
from kyma.usage.book_store import release_prices

log = logging.getLogger("kyma.gateway")

DAY_POLL_S = 60.0
"""How often the day is looked at: a machine that slept through midnight has its new prices within that."""


class Publisher:
    """Holds the current configuration and catalog, and puts the keys that go with them into `vault`.

    `engines` are the embedded models by provider; who starts one adds it there, then lets it be followed.
    Raises: ConfigError or CatalogError at once when the files are wrong.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        clock: Clock,
        safe: Safe,
        vault: Vault,
        engines: Mapping[str, LocalModel],
    ) -> None:
        self._database = database
        self._clock = clock
        self._safe = safe
        self._vault = vault
        self._engines = engines
        self._publishing = asyncio.Lock()
        self._last_change = 0
        self._keyed: frozenset[str] = frozenset()
        self._found: Found = {}
        self._day = today_of(clock)
        self._files = read_files(config)
        self.config = config
        self.catalog, secrets = self._assembled(config, self._files.sheets)
        vault.replace(secrets)

    @property
    def agents(self) -> Mapping[str, Agent]:
        """What is written for each agent, by its id."""
        return self._files.agents

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """What models are wanted for, by name."""
        return self._files.use_cases

    async def start(self) -> None:
        """Take up stored keys; put the prices on record that the first calls will pay.

        Great moves of prices that nobody accepted are told and not refused: a gateway that does not start at night
        because of a price harms more than a price that is as somebody wrote it.
        """
        await self.follow_keys()
        compared = await compare(self._database, self.catalog, self._files.sheets, today_of(self._clock))
        for move in compared.unaccepted if compared else ():
            log.warning("a list price moves a lot and nobody said `kyma prices lint --accept`: %s", move)
        await self._put_prices(self.catalog)

    async def reload(self, *, accept_prices: bool = False) -> Reloaded:
        """Read the catalog's files, `kyma.toml` and secrets anew, check all of it, then work by it.

        Raises: ConfigError or CatalogError naming file, row and field, PricesMoved for great moves of prices unless
        they are accepted; then nothing has changed.
        """
        async with self._publishing:
            fresh, files = await asyncio.to_thread(reread, self.config)
            config, waiting = self.config.refreshed(fresh)
            changed = live_changes(self.config.settings, config.settings)
            catalog, _ = self._assembled(config, files.sheets)
            today, book = today_of(self._clock), self.catalog.price_book_json()
            compared = await compare(self._database, catalog, files.sheets, today, book)
            large = compared.unaccepted if compared else ()
            if large and not accept_prices:
                raise PricesMoved(large)
            await self._publish(config, files)
            await accept(self._database, large, self._clock.now_ms())
            return Reloaded.of(self.catalog, changed, waiting)

    async def follow_day(self) -> None:
        """Sell by what the rows say of today: prices that were announced for it, routes and models that have ended."""
        async with self._publishing:
            if today_of(self._clock) != self._day:
                before = self.catalog.price_book_json()
                await self._publish(self.config, self._files)
                for move in moves(before, self.catalog.price_book_json()):
                    log.info("a new day, a new price: %s", move)

    async def keep_following_days(self) -> None:
        """Take up each new day (UTC) as it begins, for as long as the gateway runs."""
        while True:
            try:
                await self.follow_day()
            except Exception as error:
                log.error("the catalog stays as it was yesterday, tried again soon: %r", error)
            await asyncio.sleep(min(_ms_to_midnight(self._clock) / 1000, DAY_POLL_S))

    async def follow_keys(self) -> None:
        """Use the keys of providers as the database has them now; a provider comes on with its first one."""
        async with self._publishing:
            changes = await self._safe.changes(self._last_change)
            if changes.number > self._last_change:
                self._vault.take(changes)
                self._last_change = changes.number
            if self._vault.stored_providers != self._keyed:  # also when the last attempt to publish them failed
                await self._publish(self.config, self._files)

    async def keep_following_keys(self) -> None:
        """Use the keys that others put into the database, for as long as the gateway runs."""
        while True:
            await asyncio.sleep(self.config.settings.provider_keys_poll_s)
            try:
                await self.follow_keys()
            except Exception as error:
                log.warning("stored keys of providers not read, tried again later: %r", error)

    async def keep_discovering(self, lookout: Lookout) -> None:
        """Offer what servers of the operator's have, as they have it; nothing is sold before its price is stored."""
        while True:
            found = await lookout.look(self.catalog.providers.values())
            if found != self._found:
                async with self._publishing:
                    before, self._found = self._found, found
                    try:
                        await self._publish(self.config, self._files)
                    except Exception as error:
                        self._found = before
                        log.warning("models that were found are not offered, tried again later: %r", error)
            await asyncio.sleep(self.config.settings.ollama_refresh_s)

    async def keep_following(self, engine: LocalModel) -> None:
        """Sell what an embedded model serves while it is ready, and nothing of it otherwise."""
        while True:
            async with self._publishing:
                try:
                    await self._publish(self.config, self._files)
                except Exception as error:
                    log.error("the catalog stays as it was: %r", error)
            await engine.wait_changed()

    async def _publish(self, config: Config, files: Files) -> None:
        """Work by these from now on; their prices are on record before anybody pays them."""
        day = today_of(self._clock)
        catalog, secrets = self._assembled(config, files.sheets)
        check_tiers(self.catalog, catalog)
        if catalog.price_version != self.catalog.price_version:
            await self._put_prices(catalog)
            catalog, secrets = self._assembled(config, files.sheets)  # an engine may have come or gone meanwhile
        self.config, self._files, self._day = config, files, day
        self._vault.replace(secrets)
        self._keyed = self._vault.stored_providers
        self.catalog = catalog

    async def _put_prices(self, catalog: Catalog) -> None:
        version, book, now = catalog.price_version, catalog.price_book_json(), self._clock.now_ms()
        await self._database.write(lambda connection: release_prices(connection, version, book, now))

    def _assembled(self, config: Config, sheets: Sheets) -> tuple[Catalog, dict[str, tuple[str, ...]]]:
        """The catalog as it stands now, and the keys of its providers. Raises: CatalogError, ConfigError."""
        running = {
            provider_id: engine.base_url
            for provider_id, engine in self._engines.items()
            if engine.base_url and engine.state in ("ready", "restarting")
        }
        given = given_secrets(config, sheets.providers)
        catalog = assemble(
            with_discovered(sheets, self._found),
            environment=config.secrets,
            engines=running,
            today=today_of(self._clock),
            keyed=given.keys() | self._vault.stored_providers,
        )
        return catalog, given | {provider_id: (engine.api_key,) for provider_id, engine in self._engines.items()}


def _ms_to_midnight(clock: Clock) -> int:
    """To the first millisecond of the next day, UTC."""
    return DAY_MS - clock.now_ms() % DAY_MS
