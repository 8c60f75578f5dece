"""The operator's commands. Each opens what it needs and closes it; the gateway may be running meanwhile."""

import typer

from kyma.commands import (
    connect,
    credits,
    doctor,
    keys,
    ledger,
    local,
    models,
    prices,
    provider_keys,
    routes,
    serve,
    settings,
    translate,
)

app = typer.Typer(
    name="kyma",
    help="Kyma: one key for every model, exact billing, failover nobody notices.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("migrate")(ledger.migrate_database)
app.command("doctor")(doctor.doctor)
app.command("translate")(translate.translate)
app.command("connect")(connect.connect)
app.command("reload")(routes.reload)
app.add_typer(routes.app, name="routes")
app.add_typer(prices.app, name="prices")
app.add_typer(models.app, name="models")
app.add_typer(local.app, name="local")
app.add_typer(keys.app, name="keys")
app.add_typer(provider_keys.app, name="provider-keys")
app.add_typer(credits.app, name="credits")
app.add_typer(ledger.app, name="ledger")
app.add_typer(settings.app, name="config")
