"""What the three forms of configuration files have in common, and which module is about which."""

import importlib
from collections.abc import Mapping
from typing import Any, Protocol, cast

from kyma.catalog import AgentFile

Tree = dict[str, Any]
"""A file's content as plain values: objects, lists, texts, numbers."""

Steps = tuple[str, ...]
"""The keys from the first level to a value."""


class Unreadable(Exception):
    """A file is not what its name says, or cannot be changed without touching what is not ours."""


class Form(Protocol):
    """A module that changes one value of a text and leaves every other character as it is."""

    def read(self, text: str) -> Tree:
        """The content. Raises: Unreadable."""
        ...

    def put(self, text: str, steps: Steps, value: object) -> str:
        """The text with this value there; objects on the way are made. Raises: Unreadable."""
        ...

    def drop(self, text: str, steps: Steps) -> str:
        """The text without this key, which is there. Raises: Unreadable."""
        ...

    def put_item(self, text: str, steps: Steps, value: Mapping[str, object]) -> str:
        """The text with this object as the first item of a list. Raises: Unreadable."""
        ...

    def drop_item(self, text: str, steps: Steps, name: str) -> str:
        """The text without the item of that name, which is there. Raises: Unreadable."""
        ...


def form_of(file: AgentFile) -> Form:
    """The module for a file. Each is loaded only when it is needed: a gateway needs none of the libraries."""
    return cast(Form, importlib.import_module(f"kyma.commands.connecting.{file.format}_form"))


def nested(steps: Steps, value: object) -> object:
    """The value below objects of these keys."""
    for step in reversed(steps):
        value = {step: value}
    return value
