"""An answer as a customer's SDK understood it, in words that are the same for every dialect."""

import json
from typing import Any, Protocol

import msgspec

TOOLS = ("look_up", "book")
"""What every customer offers."""


class Heard(msgspec.Struct, frozen=True):
    """`ended` is stop, length, tool_calls or refusal. `calls` are names and arguments; `usage` input and output."""

    text: str
    thought: str
    calls: tuple[tuple[str, str], ...]
    ended: str
    usage: tuple[int, int]


class Broken(Exception):
    """The SDK said that the answer broke off; `said` is what had come by then."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Customer(Protocol):
    """Asks `model` one question with the tools of `TOOLS` on offer."""

    def hear(self, model: str, *, is_streaming: bool) -> Heard:
        """The whole answer. Raises: Broken, or the SDK's own error if there was no answer at all."""
        ...

    def close(self) -> None: ...


def arguments(said: Any) -> str:
    """A call's arguments, JSON text or an object, so that two of them can be compared."""
    return json.dumps(json.loads(said) if isinstance(said, str) else said, sort_keys=True)
