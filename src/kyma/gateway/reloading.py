"""Configuration read anew beside a running gateway: what is read, what must hold, what to tell the operator."""

from collections.abc import Mapping

import msgspec

from kyma.catalog import Agent, Catalog, CatalogError, Sheets, UseCase, builtin_data, read_use_cases
from kyma.config import LIVE, Config, Settings, load_config
from kyma.gateway.opening import agents_of, sheets_of


class Files(msgspec.Struct, frozen=True):
    """The catalog's files as they were at one time, the operator's among them."""

    sheets: Sheets
    agents: Mapping[str, Agent]
    use_cases: Mapping[str, UseCase]


class Reloaded(msgspec.Struct, frozen=True):
    """What runs after a reload: names of settings that changed, and of those that wait for a restart."""

    models: int
    offered: int
    providers: tuple[str, ...]
    price_version: str
    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, catalog: Catalog, changed: tuple[str, ...], needs_restart: tuple[str, ...]) -> "Reloaded":
        """What there is to tell about `catalog`."""
        return cls(
            len(catalog.all()),
            len(catalog.offered()),
            tuple(sorted(catalog.providers)),
            catalog.price_version,
            changed,
            needs_restart,
            catalog.warnings,
        )

    def in_words(self) -> str:
        """One line for a log and a terminal."""
        parts = [
            f"reloaded: {self.offered} of {self.models} models available, prices {self.price_version}",
            f"providers: {', '.join(self.providers) or 'none'}",
        ]
        if self.changed:
            parts.append(f"settings taken up: {', '.join(self.changed)}")
        if self.needs_restart:
            parts.append(f"these wait for a restart: {', '.join(self.needs_restart)}")
        return "; ".join([*parts, f"{len(self.warnings)} warnings of the catalog"] if self.warnings else parts)


def read_files(config: Config) -> Files:
    """Every file of the catalog, checked. Raises: CatalogError naming file, row and field."""
    return Files(sheets_of(config), agents_of(config), read_use_cases(builtin_data()))


def reread(running: Config) -> tuple[Config, Files]:
    """`kyma.toml` and the catalog's files as they are now. Raises: ConfigError, CatalogError."""
    fresh = load_config(running.environment)
    return fresh, read_files(fresh)


def live_changes(before: Settings, after: Settings) -> tuple[str, ...]:
    """The settings that differ, of those that need no restart."""
    return tuple(name for name in LIVE if getattr(before, name) != getattr(after, name))


def check_tiers(running: Catalog, fresh: Catalog) -> None:
    """Accounts may stand in any tier of the running catalog. Raises: CatalogError when one is gone."""
    if len(fresh.tiers) < len(running.tiers):
        raise CatalogError(f"tiers.toml: tier {len(fresh.tiers)} is gone; fewer tiers than before need a restart")
