"""`kyma connect`: a coding agent is told to use this gateway in its own files.

These are its options. What it does is loaded when it is run: a gateway's process knows every command, and needs nothing
of what changes files and asks other gateways.
"""

import importlib
from typing import Annotated

import typer


def connect(
    agent: Annotated[str, typer.Argument(help="the agent, e.g. claude-code; without one, a list of them")] = "",
    model: Annotated[str, typer.Option(help="a model's id or alias; empty: what the gateway recommends")] = "",
    key: Annotated[str, typer.Option(help="an API key; empty: KYMA_API_KEY, else one is made for the agent")] = "",
    base_url: Annotated[str, typer.Option(help="the gateway's address; empty: that of this configuration")] = "",
    home: Annotated[str, typer.Option(help="the home whose files are changed; empty: yours")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would be changed, change nothing")] = False,
    show: Annotated[bool, typer.Option("--print", help="print the configuration, change nothing")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="put the agent's files back as they were")] = False,
    no_call: Annotated[bool, typer.Option("--no-call", help="write without a chat to see whether it works")] = False,
) -> None:
    """Tell a coding agent to use this gateway: write its configuration, make one live call, or undo it."""
    command = importlib.import_module("kyma.commands.connecting.command")
    command.execute(command.Order(agent, model, key, base_url, home, dry_run, show, undo, no_call))
