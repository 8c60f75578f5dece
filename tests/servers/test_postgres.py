"""The Postgres fixture itself: it must never outlive the test run."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

OWNER = """
import time
from tests.servers.postgres import run_postgres
with run_postgres() as server:
    print(server.port, flush=True)
    time.sleep(60)
"""


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a killed owner leaves its cluster; Postgres may run as another user, who must get through to it."""
    with tempfile.TemporaryDirectory(prefix="kyma-killed-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


def test_the_server_dies_with_a_killed_owner(folder: Path) -> None:
    root = Path(__file__).parents[2]
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONPATH": str(root)}
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        port = int(owner.stdout.readline())
        assert listens(port)
        owner.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while listens(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not listens(port)
