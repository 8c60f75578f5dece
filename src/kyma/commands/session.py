"""What a command works on, the configuration and an open database at this version's schema, and how it fails."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError

from kyma.accounts import Accounts, UserRow
from kyma.catalog import CatalogError
from kyma.commands.running import GatewayRefused
from kyma.config import Config, ConfigError, load_config
from kyma.core.errors import KymaError
from kyma.core.ids import SystemClock
from kyma.gateway import ensure_schema, open_accounts, open_database
from kyma.local import LocalModelError
from kyma.storage.database import Database

T = TypeVar("T")

FAILURES = (ConfigError, CatalogError, GatewayRefused, KymaError, LocalModelError, OSError, DBAPIError)
"""What an operator can do something about; anything else is a bug of ours."""


def explain(error: Exception) -> str:
    """One of `FAILURES` as a line for an operator."""
    if isinstance(error, DBAPIError):
        return f"the database cannot be used: {error.orig}"
    return str(error)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's asynchronous part."""
    return asyncio.run(work)


@asynccontextmanager
async def open_session() -> AsyncIterator[tuple[Config, Database]]:
    """The database, migrated if it is an embedded one. Raises: ConfigError."""
    config = load_config()
    database = open_database(config)
    try:
        await ensure_schema(config, database)
        yield config, database
    finally:
        await database.close()


@asynccontextmanager
async def open_user(email: str) -> AsyncIterator[tuple[Config, Database, Accounts, UserRow]]:
    """An account's owner by e-mail address; empty means the operator. Raises: ConfigError when there is none."""
    async with open_session() as (config, database):
        accounts = open_accounts(config, database, SystemClock())
        try:
            address = email or config.settings.operator_email
            user = await accounts.find_user(address)
            if user is None:
                raise ConfigError(
                    f"there is no account {address}; `kyma serve` makes the operator's, "
                    "POST /v1/auth/register anybody's"
                )
            yield config, database, accounts, user
        finally:
            accounts.close()
