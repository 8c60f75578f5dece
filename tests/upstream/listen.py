"""A listener that takes connections in batches; uvloop alone takes one a loop turn and starves newcomers."""

import asyncio
import socket
from collections.abc import Callable

BATCH = 64
BACKLOG = 4096


def open_listener(port: int) -> socket.socket:
    """A non-blocking listening socket on 127.0.0.1; port 0 takes a free one."""
    listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    listener.setblocking(False)
    return listener


class Acceptor:
    """Hands every connection of `listener` to a protocol from `make`, until `close`."""

    def __init__(self, listener: socket.socket, make: Callable[[], asyncio.Protocol]) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._make = make
        self._pending: set[asyncio.Task[tuple[asyncio.Transport, asyncio.Protocol]]] = set()
        self._loop.add_reader(listener, self._on_ready)

    def close(self) -> None:
        """Take no more connections; the open ones live on."""
        self._loop.remove_reader(self._listener)
        self._listener.close()

    def _on_ready(self) -> None:
        for _ in range(BATCH):
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            accepted.setblocking(False)
            task = self._loop.create_task(self._loop.connect_accepted_socket(self._make, accepted))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)
