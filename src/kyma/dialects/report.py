"""What a request loses on its way upstream, and what is said another way: paths in the customer's words, each once."""


class Report:
    """`names` gives the customer's path of each concept of `Chat`; a concept without one is named as it is."""

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

    def path(self, concept: str) -> str:
        return self.names.get(concept, concept)

    @property
    def both(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """`(dropped, emulated)`; what is dropped is not emulated as well."""
        return tuple(self.dropped), tuple([path for path in self.emulated if path not in self.dropped])
