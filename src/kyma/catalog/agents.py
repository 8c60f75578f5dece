"""How coding agents are told to use this gateway: a file each in `kyma/data/agents`, texts with blanks to fill in.

Owns the form of those files and how blanks are filled, which `kyma connect` and the API share. Knows the data folders
and nobody's home: what is in a user's own files is not its business.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from kyma.catalog.catalog import Catalog, Resolved
from kyma.catalog.rows import Positive, SourcedRow, Text
from kyma.catalog.sheets import CatalogError, checked_row, parse, read_rows, toml_files
from kyma.core.errors import NotFound

KEY_BLANK = "YOUR_KYMA_API_KEY"
"""What stands for the key wherever a text is shown to somebody whose key is not known."""

Format = Literal["json", "toml", "yaml"]
AgentDialect = Literal["openai_chat", "openai_responses", "anthropic_messages"]

_BLANK = re.compile(r"\{\{(\w+)\}\}")


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alias to ask for, and why."""

    alias: Text
    reason: Text


Choices = Annotated[tuple[Choice, ...], msgspec.Meta(min_length=1)]


class AgentFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of an agent: its `text` as it is written where there was none.

    It lies in the first of `folders` whose variable is set (`$CODEX_HOME`), else below the home (`~/.codex`), under the
    first of `names` that is there already, else under the last. One that `needs_folder` is left alone where none of its
    folders exists. Where the file is there already, each value of `text` is put in its place. An object at a path in
    `own` (keys with dots between) is ours as a whole; of the keys on the first level `defaults` give way to what is
    there, and `lists` get items, which are told apart by their `name`.
    """

    folders: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
    names: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
    format: Format
    text: Text
    own: tuple[Text, ...] = ()
    defaults: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    needs_folder: bool = False


class Agent(SourcedRow, frozen=True, kw_only=True):
    """An agent. `base` says whether the address it wants ends in `/v1`; `steps` are what only a person can do."""

    name: Text
    dialect: AgentDialect
    base: Literal["v1", "origin"]
    models: Choices
    small_models: tuple[Text, ...] = ()
    min_context_window: Positive = 32_000
    files: tuple[AgentFile, ...] = ()
    steps: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()


class UseCase(SourcedRow, frozen=True, kw_only=True):
    """What somebody wants a model for."""

    models: Choices


class Blanks(msgspec.Struct, frozen=True):
    """What is filled in. `origin` is the gateway's address without `/v1`; `base_url` is as the agent wants it."""

    origin: str
    base_url: str
    key: str
    model: str
    small_model: str
    context_window: int
    max_output_tokens: int
    small_context_window: int
    small_max_output_tokens: int


class Pick(msgspec.Struct, frozen=True):
    """A servable model of a list of choices."""

    choice: Choice
    resolved: Resolved


def read_agents(builtin: Traversable, overlay: Path | None) -> Mapping[str, Agent]:
    """Every agent by id, an operator's own or changed ones included. Raises: CatalogError naming file and field."""
    folders = [builtin] if overlay is None else [builtin, overlay]
    return {agent_id: row for folder in folders for agent_id, row in _agents(folder)}


def read_use_cases(builtin: Traversable) -> Mapping[str, UseCase]:
    """Every use case by name. Raises: CatalogError."""
    return read_rows([builtin], "usecases.toml", UseCase)


def picks(choices: Choices, catalog: Catalog) -> list[Pick]:
    """The choices that can be served here, in order. Raises: NotFound when none can."""
    found: list[Pick] = []
    missing: NotFound | None = None
    for choice in choices:
        try:
            found.append(Pick(choice, catalog.resolve(choice.alias)))
        except NotFound as error:
            missing = missing or error
    if not found and missing:
        raise missing
    return found


def base_url_for(agent: Agent, origin: str) -> str:
    """The gateway's address in the form that the agent wants."""
    return f"{origin}/v1" if agent.base == "v1" else origin


def file_text(file: AgentFile, blanks: Blanks) -> str:
    """The file as it is written where there was none. In JSON two models that are the same one stand there once."""
    text = fill(file.text, blanks)
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n" if file.format == "json" else text


def fill(text: str, blanks: Blanks) -> str:
    """The text without blanks. Values are escaped as in JSON, which TOML's and YAML's double quotes read as well."""
    return _BLANK.sub(lambda blank: _escaped(getattr(blanks, blank[1])), text)


def _escaped(value: str | int) -> str:
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)[1:-1]


def _agents(folder: Traversable) -> Iterator[tuple[str, Agent]]:
    for file in toml_files(folder / "agents"):
        agent_id = file.name.removesuffix(".toml")
        row = checked_row(file, "agent", agent_id, parse(file), Agent)
        for number, described in enumerate(row.files):
            _check(f"{file}: files[{number}]", described)
        yield agent_id, row


_EXAMPLE = Blanks("http://[::1]:8000", "http://[::1]:8000/v1", "ky-\"'\\", "a\tb", "ü", 1000, 10, 1000, 10)


def _check(where: str, file: AgentFile) -> None:
    """What a type cannot say. YAML is read only by `kyma connect`: its reader is nothing a gateway needs."""
    if unknown := set(_BLANK.findall(file.text)) - set(Blanks.__struct_fields__):
        raise CatalogError(f"{where}.text: there is no blank {min(unknown)!r}")
    if not any(folder.startswith("~") for folder in file.folders):
        raise CatalogError(f"{where}.folders: one of them must lie in the home (~)")
    if file.lists and file.format != "yaml":
        raise CatalogError(f"{where}.lists: only a YAML file has its lists added to")
    try:
        if file.format != "yaml":
            (json.loads if file.format == "json" else tomllib.loads)(fill(file.text, _EXAMPLE))
    except ValueError as error:
        raise CatalogError(f"{where}.text: {error}") from error


__all__ = [
    "KEY_BLANK",
    "Agent",
    "AgentFile",
    "Blanks",
    "Choice",
    "Pick",
    "UseCase",
    "base_url_for",
    "file_text",
    "fill",
    "picks",
    "read_agents",
    "read_use_cases",
]
