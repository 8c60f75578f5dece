"""The report on a request on its way upstream: what was left out, and what was said another way."""

CONCEPTS = {
    "tool_choice": "tool_choice",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop_sequences": "stop",
    "thinking": "reasoning",
    "output_config.effort": "reasoning",
    "output_config.format": "output_format",
    "output_config": "reasoning",
    "service_tier": "service_tier",
    "metadata": "user",
    "tools": "tools",
}
"""Which of Kyma's concepts a field of this dialect says."""


class Outcome:
    """Paths in the customer's words, each once. Without `names` the customer's words are this dialect's own."""

    def __init__(self, names: dict[str, str] | None = None, lost: tuple[str, ...] = ()) -> None:
        self._names = names
        self.dropped: dict[str, None] = dict.fromkeys(lost)
        self.emulated: dict[str, None] = {}

    def drop(self, concept: str) -> None:
        """`concept` is a name of `Chat.names`."""
        self.dropped[self._path(concept)] = None

    def emulate(self, concept: str) -> None:
        self.emulated[self._path(concept)] = None

    def drop_field(self, field: str) -> None:
        """`field` is a path of this dialect."""
        self.dropped[self._path_of_field(field)] = None

    def emulate_field(self, field: str) -> None:
        self.emulated[self._path_of_field(field)] = None

    @property
    def report(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """`(dropped, emulated)`; what is dropped is not emulated as well."""
        return tuple(self.dropped), tuple([path for path in self.emulated if path not in self.dropped])

    def _path(self, concept: str) -> str:
        return (self._names or {}).get(concept, concept)

    def _path_of_field(self, field: str) -> str:
        return field if self._names is None else self._names.get(CONCEPTS.get(field, field), field)
