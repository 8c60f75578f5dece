"""Starts the scripted upstream and reads what it saw. Also how a test's child process is tied to its parent."""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tests.upstream.journal import Entry

ROOT = Path(__file__).resolve().parents[2]


class UpstreamProcess:
    """A running upstream; a context manager. `base_url` ends in `/v1`, as a provider row wants it."""

    def __init__(self, port: int = 0) -> None:
        command = tethered([sys.executable, "-m", "tests.upstream", "--port", str(port)])
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port: int = json.loads(self._process.stdout.readline())["port"]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.origin}/v1"

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self, model: str | None = None) -> list[Entry]:
        """Every chat since the last reset, oldest first; of one model string if given."""
        answer = msgspec.convert(json.loads(self._ask("GET", "/_log")), dict[str, list[Entry]])
        return [entry for entry in answer["requests"] if model is None or entry.model == model]

    def stats(self) -> dict[str, int]:
        """The totals of `Journal.stats`, those by model left out."""
        totals: dict[str, int] = json.loads(self._ask("GET", "/_stats"))
        return {key: value for key, value in totals.items() if isinstance(value, int)}

    def reset(self) -> None:
        """Forget the log, the totals and what scripts remember."""
        self._ask("POST", "/_reset")

    def be_busy(self, is_busy: bool) -> None:
        """Whether `busy-at-times` answers 429 from now on."""
        self._ask("POST", "/_busy" if is_busy else "/_idle")

    def stop(self) -> None:
        """End the process; doing so twice changes nothing."""
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _ask(self, method: str, path: str) -> bytes:
        request = urllib.request.Request(f"{self.origin}{path}", method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            body: bytes = response.read()
        return body


def tethered(command: Sequence[str]) -> list[str]:
    """The same command, killed by Linux when the thread that starts it ends; elsewhere unchanged."""
    setpriv = shutil.which("setpriv")
    return [*((setpriv, "--pdeathsig", "KILL") if setpriv else ()), *command]
