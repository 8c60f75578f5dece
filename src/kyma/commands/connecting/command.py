"""What `kyma connect` does: an agent's files written, one chat made, both told; or undone.

What is said to an agent is data (`kyma/data/agents`); this says it to one user.
"""

from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path

import msgspec
import typer

from kyma.catalog import KEY_BLANK, Agent, base_url_for, file_text, fill
from kyma.commands.connecting import asking, connection, disk
from kyma.commands.connecting.asking import Refused
from kyma.commands.connecting.connection import Connection, Draft
from kyma.commands.connecting.forms import Unreadable
from kyma.commands.connecting.wish import Models, Wish, blanks_for, key_for, models_for
from kyma.commands.session import open_user, run
from kyma.config import Config, ConfigError, load_config
from kyma.core.errors import NotFound
from kyma.gateway import agents_of

KEY_SHOWN = 8


class Order(msgspec.Struct, frozen=True):
    """The words of the command line; empty ones are for the defaults."""

    agent: str
    model: str
    key: str
    base_url: str
    home: str
    dry_run: bool
    show: bool
    undo: bool
    no_call: bool


def execute(order: Order) -> None:
    """Do what was asked for. Raises: ConfigError; typer.Exit when a file or the gateway is not as it must be."""
    config = load_config()
    agents = agents_of(config)
    try:
        if not order.agent:
            _list(agents, config)
            return
        wish = _wish(agents, config, order)
        if order.undo:
            _undo(wish)
        elif order.show:
            _print(wish, order.model)
        elif order.dry_run:
            _show(wish, order.model)
        else:
            _connect(wish, order.model, order.no_call)
    except (Unreadable, Refused) as error:
        typer.echo(f"kyma: {error}", err=True)
        raise typer.Exit(1) from None


def _wish(agents: Mapping[str, Agent], config: Config, order: Order) -> Wish:
    agent_id = order.agent.lower()
    if agent_id not in agents:
        raise ConfigError(f"there is no agent {order.agent!r}; there are {', '.join(sorted(agents))}")
    home = order.home or config.environment.get("HOME")
    if not home:
        raise ConfigError("HOME is not set; --home names the folder of the agent's files")
    return Wish(
        agent_id=agent_id,
        agent=agents[agent_id],
        config=config,
        origin=(order.base_url or config.base_url).rstrip("/").removesuffix("/v1"),
        home=Path(home).expanduser().absolute(),
        env={} if order.home else config.environment,
        key=order.key or config.environment.get("KYMA_API_KEY", ""),
    )


def _list(agents: Mapping[str, Agent], config: Config) -> None:
    rows = [("AGENT", "CONNECTED TO", "WRITES")]
    for agent_id, agent in sorted(agents.items()):
        found = connection.load(config.data_dir, agent_id)
        place = next((f"{file.folders[-1]}/{file.names[-1]}" for file in agent.files), "nothing: steps to click")
        rows.append((agent_id, f"{found.origin} ({found.model})" if found else "-", place))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        typer.echo(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}")
    typer.echo("\nkyma connect AGENT connects one, kyma connect AGENT --undo undoes it.")


def _connect(wish: Wish, model: str, no_call: bool) -> None:
    earlier = connection.load(wish.config.data_dir, wish.agent_id)
    models = models_for(wish, model, must_answer=not no_call)
    _drafts(wish, models, KEY_BLANK, earlier)  # what cannot be written is refused before a key is made
    token, key_id = key_for(wish, earlier)
    drafts = _drafts(wish, models, token, earlier)
    kept = connection.keep(drafts, earlier)
    made = Connection(wish.agent_id, wish.origin, models.model.alias, token, key_id, kept)
    connection.save(wish.config.data_dir, made)
    connection.write(drafts)
    if earlier and earlier.key_id not in (None, key_id):
        _revoke(wish, earlier)
    is_new_key = key_id is not None and (earlier is None or earlier.key_id != key_id)
    _report(wish, models, made, is_new_key)
    if not no_call:
        _call(wish, made)
    typer.echo(f"Undo it: kyma connect {wish.agent_id} --undo")


def _drafts(wish: Wish, models: Models, token: str, earlier: Connection | None) -> list[Draft]:
    return list(connection.drafts(wish.agent, blanks_for(wish, models, token), wish.home, wish.env, earlier))


def _report(wish: Wish, models: Models, made: Connection, is_new_key: bool) -> None:
    for kept in made.files:
        typer.echo(f"{wish.agent.name}: wrote {kept.path}")
    typer.echo(f"  address  {base_url_for(wish.agent, wish.origin)}")
    typer.echo(f"  model    {models.model.alias}")
    typer.echo(f"  key      {_masked(made.token)}{f', made for it and named {wish.agent_id}' if is_new_key else ''}")
    if wish.agent.steps:
        typer.echo("What is left for you to do:")
    for number, step in enumerate(wish.agent.steps, 1):
        typer.echo(f"  {number}. {fill(step, blanks_for(wish, models, made.token))}")
    if is_new_key and not made.files:
        typer.echo(f"  The key, shown this once: {made.token}")
    for note in dict.fromkeys((*wish.agent.notes, *models.notes)):
        typer.echo(f"  note: {note}")


def _call(wish: Wish, made: Connection) -> None:
    try:
        answered = asking.chat(wish.origin, wish.agent.dialect, made.token, made.model)
    except Refused as error:
        undo = f"kyma connect {wish.agent_id} --undo"
        raise Refused(f"{wish.agent.name} is set up, but the call failed: {error}. Undo it: {undo}") from error
    typer.echo(f"It works: {answered.model} answered in {answered.latency_ms} ms")


def _undo(wish: Wish) -> None:
    made = connection.load(wish.config.data_dir, wish.agent_id)
    if made is None:
        place = connection.path_of(wish.config.data_dir, wish.agent_id)
        raise ConfigError(f"{wish.agent_id} was not connected from here: there is no {place}")
    for undone in connection.undo(wish.agent, made):
        typer.echo(f"{undone.path} {undone.how}")
        for value in undone.kept:
            typer.echo(f"  left as it is, since it is no longer what was written: {value}")
    if made.key_id is not None:
        _revoke(wish, made)
    if wish.agent.steps:
        typer.echo("What was done by hand is undone by hand.")
    connection.forget(wish.config.data_dir, wish.agent_id)


def _revoke(wish: Wish, made: Connection) -> None:
    async def work() -> None:
        async with open_user("") as (_, _, accounts, user):
            await accounts.revoke_key(user.id, made.key_id or "")

    try:
        run(work())
    except (NotFound, ConfigError) as error:
        typer.echo(f"the key {_masked(made.token)} could not be revoked: {error}")
    else:
        typer.echo(f"the key {_masked(made.token)} that was made for it is revoked")


def _print(wish: Wish, model: str) -> None:
    """Contents on stdout, where they belong on stderr."""
    models = models_for(wish, model, must_answer=False)
    blanks = blanks_for(wish, models, KEY_BLANK)
    for file in wish.agent.files:
        place = disk.locate(file, wish.home, wish.env)
        typer.echo(f"# {place or file.folders[-1]}", err=True)
        typer.echo(file_text(file, blanks), nl=False)
    for number, step in enumerate(wish.agent.steps, 1):
        typer.echo(f"{number}. {fill(step, blanks)}", err=bool(wish.agent.files))


def _show(wish: Wish, model: str) -> None:
    """The changes as a diff, with a blank for the key, also for one that an earlier connection has written."""
    earlier = connection.load(wish.config.data_dir, wish.agent_id)
    for draft in _drafts(wish, models_for(wish, model, must_answer=False), KEY_BLANK, earlier):
        now = (draft.now or b"").decode()
        before = (now.replace(earlier.token, KEY_BLANK) if earlier else now).splitlines(keepends=True)
        after = draft.text.splitlines(keepends=True)
        name = str(draft.path)
        typer.echo("".join(unified_diff(before, after, name if before else "/dev/null", name)), nl=False)


def _masked(token: str) -> str:
    """Enough of a key to know it again, and nothing of one too short to be one of ours."""
    return f"{token[:KEY_SHOWN]}…" if len(token) > 2 * KEY_SHOWN else "as given"
