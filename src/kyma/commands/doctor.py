"""`kyma doctor`: what is in order here, and what to do about what is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from kyma.commands.session import FAILURES, explain, open_session, run
from kyma.config import load_config
from kyma.core.ids import SystemClock
from kyma.credentials import Safe
from kyma.credentials.store import KeyRow
from kyma.gateway import assemble_catalog, sheets_of
from kyma.gateway.masters import read_masters
from kyma.gateway.provider_secrets import given_secrets
from kyma.ledger.verify import verify
from kyma.local import embed_install
from kyma.local.engines import EMBEDDING_MODULES, has_modules
from kyma.local.install import status
from kyma.server import listen


def doctor(
    warnings: Annotated[bool, typer.Option("--warnings", help="Name what the catalog leaves out, and why")] = False,
) -> None:
    """Check configuration, database, books, catalog, providers, local model and port; exit 1 if something is wrong."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("configuration", _configuration),
        ("database", _database),
        ("provider keys", _provider_keys),
        ("catalog", lambda: _catalog(lists_warnings=warnings)),
        ("local model", _local),
        ("local embeddings", _local_embeddings),
        ("port", _port),
    ]
    failed = 0
    for name, check in checks:
        try:
            typer.echo(f"ok    {name}: {check()}")
        except (*FAILURES, ValueError) as error:
            failed += 1
            typer.echo(f"FAIL  {name}: {explain(error)}")
    raise typer.Exit(1 if failed else 0)


def _configuration() -> str:
    config = load_config()
    changed = sum(origin != "default" for origin in config.origins.values())
    return f"{changed} settings changed, folder {config.config_dir}"


def _database() -> str:
    async def work() -> list[str]:
        async with open_session() as (_, database):
            return [str(violation) for violation in await database.read(verify)]

    violations = run(work())
    if violations:
        raise ValueError(f"the books do not balance: {violations[0]} (and {len(violations) - 1} more)")
    return "this version's schema, the books balance"


def _provider_keys() -> str:
    config = load_config()
    given = given_secrets(config, sheets_of(config).providers)

    async def work() -> tuple[list[KeyRow], list[str]]:
        async with open_session() as (config, database):
            safe = Safe(database, SystemClock(), lambda: read_masters(config))
            return await safe.operators(), await safe.unreadable()

    rows, unreadable = run(work())
    if unreadable:
        raise ValueError(f"the stored key {unreadable[0]} cannot be opened (and {len(unreadable) - 1} more)")
    on = ", ".join(sorted({row.provider_id for row in rows if row.is_on}))
    return f"{sum(map(len, given.values()))} in the environment, {len(rows)} stored" + (f" ({on})" if on else "")


def _catalog(*, lists_warnings: bool) -> str:
    catalog = assemble_catalog(load_config(), SystemClock())
    on = ", ".join(sorted(catalog.providers)) or "none but the local model; set a key such as GROQ_API_KEY"
    served = f"{len(catalog.all())} models, {len(catalog.offered())} served by providers that are on: {on}"
    if lists_warnings:
        return "\n".join([served, *(f"      {warning}" for warning in catalog.warnings)])
    return f"{served}; {len(catalog.warnings)} warnings: kyma doctor --warnings" if catalog.warnings else served


def _local() -> str:
    config = load_config()
    if not config.settings.local_enabled:
        return "switched off"
    if config.settings.local_gguf:
        if not Path(config.settings.local_gguf).expanduser().is_file():
            raise ValueError(f"there is no file {config.settings.local_gguf}")
        return f"your own file {config.settings.local_gguf}"
    found = status(config.data_dir)
    if not found.is_installed:
        return "not installed; `kyma local install` fetches it"
    if not found.is_intact:
        raise ValueError(f"{found.path} is damaged; delete it and run `kyma local install`")
    return str(found.path)


def _local_embeddings() -> str:
    config = load_config()
    if not config.settings.local_enabled:
        return "switched off"
    found = embed_install.status(config.data_dir)
    if found.is_installed and not found.is_intact:
        raise ValueError(f"{found.folder} is damaged; run `kyma local install`")
    if not has_modules(EMBEDDING_MODULES):
        return "not installed; pip install 'kyma[embed-local]', then `kyma local install`"
    return str(found.folder) if found.is_installed else "not installed; `kyma local install` fetches the model"


def _port() -> str:
    settings = load_config().settings
    try:
        listen(settings.host, settings.port).close()
    except OSError as error:
        return f"{settings.host}:{settings.port} is taken ({error.strerror}), by a running gateway or another program"
    return f"{settings.host}:{settings.port} is free"
