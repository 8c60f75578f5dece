"""TOML files: tomlkit keeps comments, order and spacing."""

import tomllib
from collections.abc import Mapping

import tomlkit
from tomlkit.container import Container
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AbstractTable

from kyma.commands.connecting.forms import Steps, Tree, Unreadable


def read(text: str) -> Tree:
    """The content. Raises: Unreadable."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(str(error)) from error


def put(text: str, steps: Steps, value: object) -> str:
    """The text with this value there. Raises: Unreadable."""
    document = _parsed(text)
    table: Container | AbstractTable = document
    for number, step in enumerate(steps[:-1]):
        if step not in table:
            table.add(step, tomlkit.table(is_super_table=number < len(steps) - 2))
        table = _table(table, step)
    table[steps[-1]] = value
    return tomlkit.dumps(document)


def drop(text: str, steps: Steps) -> str:
    """The text without this key. Raises: Unreadable."""
    document = _parsed(text)
    table: Container | AbstractTable = document
    for step in steps[:-1]:
        table = _table(table, step)
    table.remove(steps[-1])
    return tomlkit.dumps(document)


def put_item(text: str, steps: Steps, value: Mapping[str, object]) -> str:
    """Raises: Unreadable, always: no agent keeps a list in TOML that we add to."""
    raise Unreadable("lists of TOML files are not added to")


def drop_item(text: str, steps: Steps, name: str) -> str:
    """Raises: Unreadable, always."""
    raise Unreadable("lists of TOML files are not added to")


def _parsed(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise Unreadable(str(error)) from error


def _table(table: Container | AbstractTable, step: str) -> Container | AbstractTable:
    found = table[step]
    if not isinstance(found, Container | AbstractTable):
        raise Unreadable(f"{step} is not a table that can be added to")
    return found
