"""`kyma keys`: make, list and revoke API keys."""

from typing import Annotated

import typer

from kyma.accounts import masked
from kyma.api.times import iso
from kyma.commands.session import open_user, run

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

Email = Annotated[str, typer.Option(help="Whose account; empty: the operator's")]


@app.command("create")
def create(email: Email = "", name: Annotated[str, typer.Option(help="What the key is for")] = "key") -> None:
    """Make a key and print it. It is shown this once."""

    async def work() -> str:
        async with open_user(email) as (_, _, accounts, user):
            return (await accounts.create_key(user.id, name)).token

    typer.echo(run(work()))


@app.command("list")
def list_keys(email: Email = "") -> None:
    """List an account's keys: id, masked key, name, when made, when last used."""

    async def work() -> None:
        async with open_user(email) as (_, _, accounts, user):
            for key in await accounts.list_keys(user.id):
                used = iso(key.last_used_at) if key.last_used_at else "never used"
                typer.echo(f"{key.id}  {masked(key.prefix)}  {key.name}  {iso(key.created_at)}  {used}")

    run(work())


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id that `kyma keys list` shows")], email: Email = ""
) -> None:
    """End a key; a running gateway refuses it within five seconds."""

    async def work() -> None:
        async with open_user(email) as (_, _, accounts, user):
            await accounts.revoke_key(user.id, key_id)

    run(work())
    typer.echo(f"{key_id} is revoked")
