"""`kyma config show`: every setting, its value, and where that came from."""

from dataclasses import asdict

import typer

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
    for name, value in asdict(config.settings).items():
        typer.echo(f"{name} = {_toml(value)}  # [{config.origins[name]}] {docs[name]}")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f'"{value}"'
