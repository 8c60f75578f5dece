"""`kyma local`: the models that run on this machine."""

import typer

from kyma.config import load_config
from kyma.gateway import make_data_dir
from kyma.local import embed_install
from kyma.local.engines import EMBEDDING_MODULES, has_modules
from kyma.local.install import install, status

app = typer.Typer(help="The models that run on this machine.", no_args_is_help=True)

WITHOUT_EXTRA = "local embeddings need the extra `embed-local`: pip install 'kyma[embed-local]', then this again"


@app.command("install")
def install_model() -> None:
    """Fetch the demo model (97 MB), and with the extra `embed-local` the embedding model (23 MB), into the data folder
    and check them. Safe to run again."""
    data_dir = make_data_dir(load_config())
    typer.echo(f"the local model is at {install(data_dir, typer.echo)}")
    if has_modules(EMBEDDING_MODULES):
        files = embed_install.install(data_dir, typer.echo)
        typer.echo(
            f"the local embedding model is at {files.model.parent}; a running gateway takes it up when restarted"
        )
    else:
        typer.echo(WITHOUT_EXTRA)


@app.command("status")
def show_status() -> None:
    """Whether the models are installed and intact; exit 1 without the demo model or with a damaged embedding model."""
    data_dir = load_config().data_dir
    found, embedding = status(data_dir), embed_install.status(data_dir)
    for name in found.__struct_fields__:
        typer.echo(f"{name}: {getattr(found, name)}")
    for name in embedding.__struct_fields__:
        typer.echo(f"embedding_{name}: {getattr(embedding, name)}")
    is_damaged = embedding.is_installed and not embedding.is_intact
    raise typer.Exit(0 if found.is_intact and not is_damaged else 1)
