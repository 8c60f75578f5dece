"""What a connection asks of its server."""

from typing import TYPE_CHECKING, Protocol

from kyma.core.errors import KymaError
from kyma.server.exchange import Exchange

if TYPE_CHECKING:
    from kyma.server.connection import Connection


class Host(Protocol):
    """The server as its connections use it."""

    date: bytes
    head_limit_bytes: int
    body_limit_bytes: int
    is_stopping: bool

    def opened(self, connection: "Connection") -> None: ...

    def closed(self, connection: "Connection") -> None: ...

    def start(self, exchange: Exchange) -> None:
        """Run the application for a whole request."""
        ...

    def render(self, path: str, error: KymaError) -> bytes: ...
