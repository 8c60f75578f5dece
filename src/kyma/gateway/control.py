"""How the operator's commands find the gateway on this machine, and prove that they may tell it what to do.

Whoever can read the data folder owns the gateway, so a running process leaves its address and a token of its own there,
for its owner's eyes only. The token dies with the process, and nothing but the operators' API takes it.
"""

import contextlib
import hmac
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec

FILE_NAME = "control.json"


class Control(msgspec.Struct, frozen=True):
    """Where a gateway listens on this machine, and what it takes from its operator."""

    base_url: str
    token: str

    def __repr__(self) -> str:
        return f"Control({self.base_url})"


class ControlToken:
    """The secret of one process."""

    def __init__(self) -> None:
        self._token = f"kc-{secrets.token_urlsafe(32)}"

    def matches(self, token: str) -> bool:
        """Whether this is it, in the same time for every wrong one."""
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token.encode())

    @contextlib.contextmanager
    def announced(self, data_dir: Path, base_url: str) -> Iterator[None]:
        """Tell the commands of this machine about this process for as long as the block runs.

        Of several gateways with one data folder the last to start is told about.
        """
        path = data_dir / FILE_NAME
        mine = msgspec.json.encode(Control(base_url, self._token))
        _write(path, mine)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                if path.read_bytes() == mine:
                    path.unlink()


def find_control(data_dir: Path) -> Control | None:
    """What the gateway on this data folder has left; None while none runs. One that was killed leaves it behind."""
    try:
        return msgspec.json.decode((data_dir / FILE_NAME).read_bytes(), type=Control)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, and never readable by anybody else."""
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.unlink(missing_ok=True)  # one that a crash left behind would keep its mode
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.replace(path)
