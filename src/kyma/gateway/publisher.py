"""What a running gateway works by, put together from files, keys, engines and what was found, and replaced as one.

Owns when something new is taken up, and that it is checked whole before anything is swapped. Calls under way keep what
they began with. Knows nothing of calls, accounts and HTTP.
"""

import asyncio
import logging
from collections.abc import Mapping

from kyma.catalog import Agent, Catalog, Sheets, UseCase, assemble
from kyma.config import Config
from kyma.core.ids import Clock
from kyma.credentials import Safe, Vault
from kyma.gateway.discovered import Found, with_discovered
from kyma.gateway.discovery import Lookout
from kyma.gateway.opening import today_of
from kyma.gateway.provider_secrets import given_secrets
from kyma.gateway.reloading import Files, Reloaded, check_tiers, live_changes, read_files, reread
from kyma.local.supervisor import LocalModel
from kyma.storage.database import Database
from kyma.usage.store import put_price_book

log = logging.getLogger("kyma.gateway")


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
        """Take up stored keys; put the prices on record that the first calls will pay."""
        await self.follow_keys()
        await self._put_prices(self.catalog)

    async def reload(self) -> Reloaded:
        """Read the catalog's files, `kyma.toml` and secrets anew, check all of it, then work by it.

        Raises: ConfigError or CatalogError naming file, row and field; then nothing has changed.
        """
        async with self._publishing:
            fresh, files = await asyncio.to_thread(reread, self.config)
            config, waiting = self.config.refreshed(fresh)
            changed = live_changes(self.config.settings, config.settings)
            await self._publish(config, files)
            return Reloaded.of(self.catalog, changed, waiting)

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
        catalog, secrets = self._assembled(config, files.sheets)
        check_tiers(self.catalog, catalog)
        if catalog.price_version != self.catalog.price_version:
            await self._put_prices(catalog)
            catalog, secrets = self._assembled(config, files.sheets)  # an engine may have come or gone meanwhile
        self.config, self._files = config, files
        self._vault.replace(secrets)
        self._keyed = self._vault.stored_providers
        self.catalog = catalog

    async def _put_prices(self, catalog: Catalog) -> None:
        version, book, now = catalog.price_version, catalog.price_book_json(), self._clock.now_ms()
        await self._database.write(lambda connection: put_price_book(connection, version, book, now))

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
