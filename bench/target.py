"""What a load is pointed at: a proxy on loopback and the process that pays for it."""

import socket
import time
from subprocess import Popen

import msgspec

OPEN_WITHIN_S = 15.0


class Target(msgspec.Struct, frozen=True):
    """A proxy in front of the mock; `pid` is the root of its process tree, `key` what it takes as Bearer."""

    name: str
    port: int
    pid: int
    key: str = "bench"


class CannotMeasure(Exception):
    """Something the bench needs did not happen; its message says what."""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def wait_until_open(port: int, process: Popen[str] | Popen[bytes]) -> None:
    """Return when `port` takes connections. Raises: CannotMeasure if its process ends or time is up."""
    deadline = time.monotonic() + OPEN_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise CannotMeasure(f"{process.args!r} did not open port {port}")
