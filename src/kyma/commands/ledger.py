"""`kyma ledger verify` and `kyma migrate`: do the books agree, and are the tables this version's."""

import typer

from kyma.commands.session import open_session, run
from kyma.config import load_config
from kyma.gateway import migrate, open_database
from kyma.ledger.verify import verify

app = typer.Typer(help="The books.", no_args_is_help=True)


@app.callback()
def books() -> None:
    """The books: double entry, in whole nano-dollars."""


@app.command("verify")
def verify_ledger() -> None:
    """Check every equation of the ledger and recompute every charge; exit 1 if one does not hold."""

    async def work() -> list[str]:
        async with open_session() as (_, database):
            return [str(violation) for violation in await database.read(verify)]

    violations = run(work())
    for line in violations:
        typer.echo(line)
    typer.echo(f"{len(violations)} violations" if violations else "the books balance to the nano-dollar")
    raise typer.Exit(1 if violations else 0)


def migrate_database() -> None:
    """Bring the database to this version's tables. Safe to run again."""

    async def work() -> None:
        database = open_database(load_config())
        try:
            await migrate(database)
        finally:
            await database.close()

    run(work())
    typer.echo("the database is at this version's schema")
