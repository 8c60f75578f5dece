"""A chat on its way into another dialect: the fields so far, and the report on what the new words leave out or bend."""

from typing import Any

import msgspec

from kyma.core.chat import Chat

_encoder = msgspec.json.Encoder()


class Translation:
    """The fields so far, each with the customer's path of it, and the report."""

    def __init__(self, chat: Chat) -> None:
        self.names = chat.names
        self.fields: dict[str, msgspec.Raw] = {}
        self.paths: dict[str, str] = {}
        self.dropped: dict[str, None] = dict.fromkeys(chat.lost)
        self.emulated: dict[str, None] = {}

    def put(self, field: str, value: Any, concept: str) -> None:
        """Say `concept` in `field`, unless it was not asked for."""
        if value is not None:
            self.fields[field] = value if isinstance(value, msgspec.Raw) else msgspec.Raw(_encoder.encode(value))
            self.paths[field] = self.names.get(concept, concept)

    def drop(self, concept: str) -> None:
        """Report that `concept` is left out, if it was asked for."""
        if concept in self.names:
            self.dropped[self.names[concept]] = None

    def emulate(self, concept: str) -> None:
        """Report that `concept` is said another way."""
        self.emulated[self.names.get(concept, concept)] = None

    @property
    def report(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """`(dropped, emulated)`, the customer's paths; what is dropped is not emulated as well."""
        return tuple(self.dropped), tuple(path for path in self.emulated if path not in self.dropped)
