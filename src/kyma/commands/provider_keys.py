"""`kyma provider-keys`: the operator's keys of providers in the database, where they lie sealed."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from kyma.api.times import iso
from kyma.commands.session import open_session, run
from kyma.config import Config, ConfigError
from kyma.core.ids import SystemClock
from kyma.credentials import Safe
from kyma.credentials.safe import checked_key, shown
from kyma.credentials.sealing import CannotOpen
from kyma.gateway import sheets_of
from kyma.gateway.masters import add_master, drop_old_masters, read_masters
from kyma.gateway.provider_secrets import given_secrets

app = typer.Typer(help="Your keys of providers in the database, sealed.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(help="The id that `kyma provider-keys list` shows")]


@app.command("list")
def list_keys() -> None:
    """List your keys: id, provider, last four characters, on or off, where it comes from."""

    async def work() -> None:
        async with _open_safe() as (config, safe):
            for provider_id, secrets in sorted(given_secrets(config, sheets_of(config).providers).items()):
                for number, secret in enumerate(secrets, 1):
                    typer.echo(f"{provider_id}#{number}  {provider_id}  …{shown(secret)}  on  environment")
            for row in await safe.operators():
                state = "on" if row.is_on else "off"
                typer.echo(f"{row.id}  {row.provider_id}  …{row.last4}  {state}  stored {iso(row.created_at)}")

    run(work())


@app.command("add")
def add(provider: Annotated[str, typer.Argument(help="The provider's id, as in providers.toml")]) -> None:
    """Store one more key of a provider, read from standard input or asked for. A running gateway soon uses it."""

    async def work() -> str:
        async with _open_safe() as (config, safe):
            row = sheets_of(config).providers.get(provider)
            if row is None:
                raise ConfigError(f"there is no provider {provider!r}; `kyma config show` names the folder of its row")
            return (await safe.add(provider, checked_key(_ask(), row.auth))).id

    typer.echo(f"{run(work())} is stored")


@app.command("remove")
def remove(key_id: KeyId) -> None:
    """Erase a key."""
    _change(lambda safe: safe.remove(key_id))
    typer.echo(f"{key_id} is removed")


@app.command("enable")
def enable(key_id: KeyId) -> None:
    """Use a key again."""
    _change(lambda safe: safe.switch(key_id, True))
    typer.echo(f"{key_id} is on")


@app.command("disable")
def disable(key_id: KeyId) -> None:
    """Keep a key and leave it alone."""
    _change(lambda safe: safe.switch(key_id, False))
    typer.echo(f"{key_id} is off")


@app.command("rotate")
def rotate() -> None:
    """Seal everything under a new master key: the data folder gets one, KYMA_MASTER_KEY must begin with one."""

    async def work() -> tuple[int, bool]:
        async with _open_safe() as (config, safe):
            is_ours = add_master(config)
            try:
                count = await safe.rewrap()
            except CannotOpen as error:
                raise ConfigError(f"no key was moved: one of them was {error}") from None
            if is_ours:
                drop_old_masters(config)
            return count, is_ours

    count, is_ours = run(work())
    typer.echo(f"{count} data keys are under the new master key")
    if not is_ours:
        typer.echo("all but the first key of KYMA_MASTER_KEY can go")


def _change(change: Callable[[Safe], Awaitable[None]]) -> None:
    async def work() -> None:
        async with _open_safe() as (_, safe):
            await change(safe)

    run(work())


@asynccontextmanager
async def _open_safe() -> AsyncIterator[tuple[Config, Safe]]:
    async with open_session() as (config, database):
        yield config, Safe(database, SystemClock(), lambda: read_masters(config))


def _ask() -> str:
    """A secret, never from the command line: that is in the process table and in the shell's history."""
    if not sys.stdin.isatty():
        return sys.stdin.read()
    answer: str = typer.prompt("Key", hide_input=True)
    return answer
