"""`kyma local`: the model that runs on this machine."""

import typer

from kyma.config import load_config
from kyma.gateway import make_data_dir
from kyma.local.install import install, status

app = typer.Typer(help="The model that runs on this machine.", no_args_is_help=True)


@app.command("install")
def install_model() -> None:
    """Fetch the demo model (97 MB) into the data folder and check it. Safe to run again."""
    path = install(make_data_dir(load_config()), typer.echo)
    typer.echo(f"the local model is at {path}")


@app.command("status")
def show_status() -> None:
    """Whether the model is installed and intact; exit 1 if it is not."""
    found = status(load_config().data_dir)
    for name in found.__struct_fields__:
        typer.echo(f"{name}: {getattr(found, name)}")
    raise typer.Exit(0 if found.is_intact else 1)
