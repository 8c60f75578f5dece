"""`kyma routes` and `kyma reload`: what the running gateway's sources do, and what it shall do about them."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from kyma.commands.running import LONG_S, BaseUrl, ask
from kyma.core.money import usd_text, usd_to_nanos

app = typer.Typer(help="The sources of the running gateway: how they do, what would be tried, switches, probes.")

COLUMNS = 120
NAME_COLUMNS = 36
SOURCES, EXPLAIN = "/v1/admin/routes", "/v1/admin/routes/explain"

Json = Mapping[str, Any]
AsJson = Annotated[bool, typer.Option("--json", help="Print the gateway's whole answer")]
Target = Annotated[str, typer.Argument(help="A route, as `kyma routes` shows it, or a provider's id")]


@app.callback(invoke_without_command=True)
def routes(
    context: typer.Context,
    model: Annotated[str, typer.Option(help="Only sources of this model or alias")] = "",
    provider: Annotated[str, typer.Option(help="Only sources at this provider")] = "",
    as_json: AsJson = False,
    base_url: BaseUrl = "",
) -> None:
    """Show every source: whether it is on, weight, breaker, recent calls and failures, milliseconds to the first token
    (half and 95 of 100 answers are faster), tokens a second, calls under way, last error.

    Of several gateways on one database each tells about itself.
    """
    if context.invoked_subcommand is not None:
        return
    answer = ask(base_url, "GET", SOURCES, query={"model": model, "provider": provider})
    if as_json:
        _print_json(answer)
        return
    head = ("ROUTE", "ON", "WGHT", "BREAKER", "CALLS", "BAD", "P50", "P95", "TOK/S", "BUSY", "LAST ERROR")
    _print_table(head, [_cells(row) for row in answer["data"]])
    for row in answer["providers"]:
        if row["switched_off"]:
            typer.echo(f"{row['id']} is switched off since {row['switched_off']['at']} by {row['switched_off']['by']}")
        for key in row["keys"]:
            if key["state"] != "ready":
                typer.echo(f"key {key['id']} of {row['id']} is {key['state']}{_rest_of(key)}")


@app.command("explain")
def explain(
    model: Annotated[str, typer.Argument(help="A model or an alias")],
    request: Annotated[
        str, typer.Option(help="A file with a request as JSON, in any dialect; - reads standard input")
    ] = "",
    dialect: Annotated[str, typer.Option(help="The request's dialect, e.g. anthropic, if its fields do not tell")] = "",
    as_json: AsJson = False,
    base_url: BaseUrl = "",
) -> None:
    """Show what would be tried now, in which order, and why. Nobody is called and nothing is charged."""
    if request:
        body = sys.stdin.buffer.read() if request == "-" else Path(request).read_bytes()
        answer = ask(base_url, "POST", EXPLAIN, query={"model": model, "dialect": dialect}, body=body)
    else:
        answer = ask(base_url, "GET", EXPLAIN, query={"model": model})
    if as_json:
        _print_json(answer)
        return
    typer.echo(_heading(answer))
    for number, row in enumerate(answer["candidates"], 1):
        place = f"{number}." if row["would_try"] else "-"
        typer.echo(f"{place:>3} {row['route']} (layer {row['layer']}, share {row['share']:.0%})")
        typer.echo(f"    {row['reason']}")
        for name in ("dropped", "emulated"):
            if row[name]:
                typer.echo(f"    {name}: {', '.join(row[name])}")
        if row["problem"]:
            typer.echo(f"    cannot be asked: {row['problem']}")


@app.command("probe")
def probe(
    route: Annotated[str, typer.Argument(help="One source; empty: all of --model, or every one there is")] = "",
    model: Annotated[str, typer.Option(help="All sources of this model or alias")] = "",
    as_json: AsJson = False,
    base_url: BaseUrl = "",
) -> None:
    """Call sources once, on the operator's account, even those that are off; exit 1 if one fails."""
    body = {name: value for name, value in (("route", route), ("model", model)) if value}
    answer = ask(base_url, "POST", f"{SOURCES}/probe", body=json.dumps(body).encode(), timeout_s=LONG_S)
    if as_json:
        _print_json(answer)
    else:
        cells = [
            (row["route"], row["model"], "ok" if row["ok"] else "FAIL", str(row["latency_ms"]), row["error"] or "")
            for row in answer["data"]
        ]
        _print_table(("ROUTE", "MODEL", "RESULT", "MS", "ERROR"), cells)
    raise typer.Exit(0 if all(row["ok"] for row in answer["data"]) else 1)


@app.command("on")
def switch_on(target: Target, base_url: BaseUrl = "") -> None:
    """Give a source or a provider traffic again."""
    _switch(base_url, target, is_on=True)


@app.command("off")
def switch_off(target: Target, base_url: BaseUrl = "") -> None:
    """Take a source or a provider out of service: at once, until `kyma routes on`, over restarts too."""
    _switch(base_url, target, is_on=False)


def reload(as_json: AsJson = False, base_url: BaseUrl = "") -> None:
    """Let the running gateway read catalog, kyma.toml and secrets anew; one error, and all stays as it was."""
    told = ask(base_url, "POST", "/v1/admin/reload")
    if as_json:
        _print_json(told)
        return
    typer.echo(f"reloaded: {told['offered']} of {told['models']} models available, prices {told['price_version']}")
    for name, words in (("changed", "settings taken up"), ("needs_restart", "these wait for a restart")):
        if told[name]:
            typer.echo(f"{words}: {', '.join(told[name])}")
    if told["warnings"]:
        typer.echo(f"{len(told['warnings'])} warnings of the catalog: kyma doctor --warnings")


def _switch(base_url: str, target: str, *, is_on: bool) -> None:
    body = {"route" if "/" in target else "provider": target, "on": is_on}
    ask(base_url, "POST", f"{SOURCES}/switch", body=json.dumps(body).encode())
    typer.echo(f"{target} is {'on' if is_on else 'off'}")


def _heading(answer: Json) -> str:
    parts = [answer["model"]]
    if answer["alias"]:
        why = f" ({answer['auto_reason']})" if answer["auto_reason"] else ""
        parts.append(f"asked for as {answer['alias']}{why}")
    if answer["hold"] is not None:
        held = usd_text(usd_to_nanos(f"{answer['hold']:.9f}"))
        parts += [f"about {answer['input_tokens']} tokens in", f"${held} to be set aside"]
    return ", ".join(parts)


def _rest_of(key: Json) -> str:
    left = "" if key["seconds_left"] is None else f" for {key['seconds_left']:.0f} s"
    return f"{left}: {key['reason']}" if key["reason"] else left


def _cells(row: Json) -> tuple[str, ...]:
    breaker = row["breaker"].replace("_", "-")
    if row["opens_until_s"] is not None:
        breaker += f" {row['opens_until_s']:.0f}s"
    return (
        row["route"],
        "yes" if row["is_on"] else "no",
        f"{row['weight']:.3g}",
        breaker,
        str(row["recent_calls"]),
        str(row["recent_failures"]),
        _number(row["p50_ms"]),
        _number(row["p95_ms"]),
        _number(row["tokens_per_s"]),
        str(row["in_flight"]),
        row["last_error"] or "",
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they must be, the last with what is left; no line is longer than `COLUMNS`."""
    shown = [[_cut(cells[0], NAME_COLUMNS), *cells[1:]] for cells in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for cells in shown:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        typer.echo(_cut(line.rstrip(), COLUMNS))


def _cut(text: str, columns: int) -> str:
    return text if len(text) <= columns else f"{text[: columns - 1]}…"


def _print_json(answer: object) -> None:
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
