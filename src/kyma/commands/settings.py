"""`kyma config show`: every setting, its value, and where that came from."""

from dataclasses import asdict

import typer
from sqlalchemy import make_url

from kyma.config import describe, load_config

app = typer.Typer(help="The configuration.", no_args_is_help=True)


@app.callback()
def configuration() -> None:
    """kyma.toml and KYMA_* variables."""


@app.command("show")
def show() -> None:
    """Print every key of kyma.toml with its value in force, where it came from, and what it is for."""
    config = load_config()
    typer.echo(f"# folder of kyma.toml, providers.toml and models/: {config.config_dir}")
    docs = describe()
    shown = asdict(config.settings)
    if config.settings.database_url:
        shown["database_url"] = make_url(config.settings.database_url).render_as_string(hide_password=True)
    for name, value in shown.items():
        typer.echo(f"{name} = {_toml(value)}  # [{config.origins[name]}] {docs[name]}")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f'"{value}"'
