"""The report on a request on its way upstream: what was left out, and what was said another way."""

from kyma.dialects.report import Report

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


class Outcome(Report):
    """A report that can be told fields of this dialect too. Without `names` the customer's words are this dialect's."""

    def __init__(self, names: dict[str, str] | None = None, lost: tuple[str, ...] = ()) -> None:
        super().__init__(names or {}, lost)
        self._is_native = names is None

    def drop_field(self, field: str) -> None:
        """`field` is a path of this dialect."""
        self.dropped[self._path_of_field(field)] = None

    def emulate_field(self, field: str) -> None:
        self.emulated[self._path_of_field(field)] = None

    def _path_of_field(self, field: str) -> str:
        return field if self._is_native else self.names.get(CONCEPTS.get(field, field), field)
