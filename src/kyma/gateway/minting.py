"""Access tokens for the providers that want minted ones."""

import importlib
from collections.abc import Iterable
from types import ModuleType
from typing import Protocol

from kyma.config import Config, ConfigError
from kyma.core.model import Provider
from kyma.credentials import Vault

SERVICE_ACCOUNT = "GOOGLE_VERTEX_SERVICE_ACCOUNT"
"""The variable that may hold a service account's key itself; its `…_FILE` twin names a file."""


class Tokens(Protocol):
    async def keep(self) -> None:
        """Mint and renew for as long as the gateway runs."""
        ...


def google_tokens(config: Config, vault: Vault, providers: Iterable[Provider]) -> Tokens | None:
    """What keeps tokens in `vault` for those of `providers` that want Google's; None if no one does.

    Raises: ConfigError where the extra that mints them is not installed.
    """
    wanting = [provider.id for provider in providers if provider.auth == "google"]
    if not wanting:
        return None

    def hand_over(token: str | None) -> None:
        for provider_id in wanting:
            vault.put_minted(provider_id, token)

    tokens = _module().GoogleTokens(config.secret(SERVICE_ACCOUNT), hand_over)
    for provider_id in wanting:
        vault.watch_minted(provider_id, tokens.refused)
    kept: Tokens = tokens
    return kept


def _module() -> ModuleType:
    try:
        return importlib.import_module("kyma.credentials.google")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"GOOGLE_VERTEX_PROJECT is set, but the module {error.name} is missing: pip install 'kyma[vertex]'"
        ) from None
