"""Where an answer goes. The API implements it over ASGI; a call knows no more of its customer's connection."""

from typing import Protocol

from kyma.core.errors import KymaError

HeaderList = list[tuple[bytes, bytes]]


class Outlet(Protocol):
    """One answer. After the customer has left every method returns at once and does nothing."""

    async def begin(self, headers: HeaderList) -> None:
        """Start a streamed 200."""
        ...

    async def write(self, data: bytes) -> None:
        """More of the stream; waits while a slow reader's buffers are full."""
        ...

    async def end(self, data: bytes) -> None:
        """The last of the stream."""
        ...

    async def answer(self, headers: HeaderList, body: bytes) -> None:
        """A whole 200 at once."""
        ...

    async def fail(self, error: KymaError, headers: HeaderList) -> None:
        """An error with its own status; only before `begin`."""
        ...
