"""What a request loses on its way upstream, and what is said another way: paths in the customer's words, each once."""

from collections.abc import Collection, Iterable
from typing import Any


def note(names: dict[str, str], concept: str, path: str) -> None:
    """The customer said `concept` at `path`, maybe not there alone."""
    known = names.get(concept)
    if known is None:
        names[concept] = path
    elif path not in known.split(", "):
        names[concept] = f"{known}, {path}"


def gather(*told: dict[str, str]) -> dict[str, str]:
    """The places of each concept, from the readers of several parts of a request."""
    names: dict[str, str] = {}
    for part in told:
        for concept, paths in part.items():
            if concept not in names:
                names[concept] = paths
                continue
            for path in paths.split(", "):
                note(names, concept, path)
    return names


class Report:
    """`names` gives the customer's paths of each concept of `Chat`; a concept without any is named as it is."""

    def __init__(self, names: dict[str, str], lost: tuple[str, ...] = ()) -> None:
        self.names = names
        self.dropped: dict[str, None] = dict.fromkeys(lost)
        self.emulated: dict[str, None] = {}

    def drop(self, concept: str) -> None:
        """`concept` is left out."""
        self.dropped[self.path(concept)] = None

    def drop_if_asked(self, concept: str) -> None:
        """`concept` would be left out, had it been asked for."""
        if concept in self.names:
            self.drop(concept)

    def emulate(self, concept: str) -> None:
        """`concept` is said another way."""
        self.emulated[self.path(concept)] = None

    def keep(self, said: Iterable[tuple[str, str, object]], refused: Collection[str]) -> dict[str, Any]:
        """The fields that say something, of concept, field and value; one that the vendor refuses is left out."""
        fields: dict[str, Any] = {}
        for concept, field, value in said:
            if value is None:
                continue
            if field in refused:
                self.drop(concept)
            else:
                fields[field] = value
        return fields

    def path(self, concept: str) -> str:
        return self.names.get(concept, concept)

    @property
    def both(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """`(dropped, emulated)`; what is dropped is not emulated as well."""
        if not self.dropped and not self.emulated:
            return (), ()
        dropped = _each(self.dropped)
        return tuple(dropped), tuple([path for path in _each(self.emulated) if path not in dropped])


def _each(paths: dict[str, None]) -> dict[str, None]:
    """Concepts that were said in several places, by place."""
    return dict.fromkeys([path for listed in paths for path in listed.split(", ")])
