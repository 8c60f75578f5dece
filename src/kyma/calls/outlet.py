"""Where an answer goes. The API implements it; a call knows no more of its customer's connection."""

from typing import Protocol

from kyma.core.errors import KymaError

HeaderList = list[tuple[bytes, bytes]]
HeaderLines = bytes
"""Whole header lines, each with its line end, and no line break inside a value."""


class Outlet(Protocol):
    """One answer. After the customer has left every method returns at once and does nothing."""

    async def wait_writable(self) -> None: ...

    def begin(self, lines: HeaderLines) -> None:
        """Start a streamed 200."""
        ...

    def write(self, data: bytes) -> bool:
        """More of the stream. False when a slow reader's buffers are full: `wait_writable` before more."""
        ...

    def end(self, data: bytes) -> None:
        """The last of the stream."""
        ...

    def answer(self, lines: HeaderLines, body: bytes) -> None:
        """A whole 200 at once."""
        ...

    async def fail(self, error: KymaError, headers: HeaderList) -> None:
        """An error with its own status; only before `begin`."""
        ...
