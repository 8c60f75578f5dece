"""`kyma credits`: give credit, see what is left."""

from typing import Annotated

import typer

from kyma.commands.session import open_user, run
from kyma.config import ConfigError
from kyma.core.ids import SystemClock, new_id
from kyma.core.money import usd_text, usd_to_nanos
from kyma.ledger.store import fetch_account, grant

app = typer.Typer(help="Give credit and see what is left.", no_args_is_help=True)

Email = Annotated[str, typer.Option(help="Whose account; empty: the operator's")]


@app.command("grant")
def grant_credit(
    usd: Annotated[str, typer.Option(help="Amount in dollars, e.g. 25 or 0.50")],
    email: Email = "",
    reference: Annotated[str, typer.Option(help="The same reference never grants twice; empty: a new one")] = "",
) -> None:
    """Give an account credit, out of the operator's promotional expense."""
    try:
        amount = usd_to_nanos(usd)
    except ValueError as error:
        raise ConfigError(f"--usd: {error}") from None
    if amount == 0:
        raise ConfigError("--usd: grant more than nothing")

    async def work() -> tuple[bool, int]:
        async with open_user(email) as (_, database, _, user):
            now, ref_id = SystemClock().now_ms(), reference or new_id("grant")
            is_new = await database.write(
                lambda connection: grant(connection, user.account_id, amount, "grant", "command", ref_id, now)
            )
            row = await database.read(lambda connection: fetch_account(connection, user.account_id))
            return is_new, row.posted

    is_new, posted = run(work())
    typer.echo(f"{'granted' if is_new else 'was granted before:'} ${usd_text(amount)}; balance ${usd_text(posted)}")


@app.command("balance")
def show_balance(email: Email = "") -> None:
    """Print an account's balance in dollars, exactly."""

    async def work() -> int:
        async with open_user(email) as (_, database, _, user):
            row = await database.read(lambda connection: fetch_account(connection, user.account_id))
            return row.posted

    typer.echo(usd_text(run(work())))
