"""A real gateway process for tests: its own folders, its own port on loopback, providers that are scripted upstreams.

Nothing of the caller's environment reaches it but the path and the locale, so no real provider can be on.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.gateway_catalog import ModelSpec, ProviderSpec, key_variables, write_catalog
from tests.upstream.process import ROOT, tethered

READY_WITHIN_S = 30.0
STOPPED_WITHIN_S = 20.0
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
GREETED_WITHIN_S = 5.0
SHOWN_LOG_CHARS = 4000
PASSWORD = "correct horse battery staple"
KEY = re.compile(r"\bky-[0-9A-Za-z_-]+")


class GatewayFailed(AssertionError):
    """The gateway did not do its part; the message ends with the end of its log."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(f"{message}\n{log[-SHOWN_LOG_CHARS:]}")


class GatewayProcess:
    """`python -m kyma serve` on loopback, in folder `cwd`. A context manager: entering starts it, leaving ends it.

    `env` adds `KYMA_*` settings and whatever else the process shall see. `folder` must be empty at first; a second
    GatewayProcess on the same folder finds the first one's data.
    """

    def __init__(
        self,
        folder: Path,
        providers: Sequence[ProviderSpec],
        models: Sequence[ModelSpec],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> None:
        self._cwd = cwd
        self.config_dir, self.data_dir = folder / "config", folder / "data"
        self.port = _free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._log_path = folder / "gateway.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._key = ""
        self.env = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self.env |= {
            "KYMA_CONFIG_DIR": str(self.config_dir),
            "KYMA_DATA_DIR": str(self.data_dir),
            "KYMA_HOST": "127.0.0.1",
            "KYMA_PORT": str(self.port),
            "KYMA_LOCAL_ENABLED": "false",
            "KYMA_SHUTDOWN_S": "5",
            "PYTHONUNBUFFERED": "1",
            **{name: value for provider in providers for name, value in key_variables(provider).items()},
            **(env or {}),
        }
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.write_catalog(providers, models)

    @property
    def key(self) -> str:
        """The operator's API key, as the first start printed it."""
        deadline = time.monotonic() + GREETED_WITHIN_S
        while not self._key:
            if found := KEY.search(self.log()):
                self._key = found.group()
            elif time.monotonic() > deadline:
                raise GatewayFailed("the gateway printed no key", self.log())
            else:
                time.sleep(0.02)
        return self._key

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def db_path(self) -> Path:
        """The SQLite file."""
        (path,) = self.data_dir.glob("*.db")
        return path

    def log(self) -> str:
        """Everything the process has written so far, over all its starts."""
        return self._log_path.read_text() if self._log_path.exists() else ""

    def write_catalog(self, providers: Sequence[ProviderSpec], models: Sequence[ModelSpec]) -> None:
        """Replace the overlay's providers and models; read at the next start."""
        write_catalog(self.config_dir, providers, models)

    def start(self) -> float:
        """Run it and wait for its first 200 on /healthz; the seconds from exec to there. Raises: GatewayFailed."""
        assert self._process is None, "it runs already"
        with self._log_path.open("ab") as log:
            command = tethered([sys.executable, "-m", "kyma", "serve"])
            started_at = time.monotonic()
            self._process = subprocess.Popen(command, cwd=self._cwd, env=self.env, stdout=log, stderr=subprocess.STDOUT)
        while not self._is_healthy():
            if self._process.poll() is not None:
                raise GatewayFailed(f"the gateway ended with code {self._process.returncode}", self.log())
            if time.monotonic() - started_at > READY_WITHIN_S:
                self.kill()
                raise GatewayFailed(f"no 200 on /healthz within {READY_WITHIN_S:g} s", self.log())
            time.sleep(0.002)
        return time.monotonic() - started_at

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        process = self._running()
        process.kill()
        process.wait()
        self._process = None

    def terminate(self) -> int:
        """SIGTERM, and its exit code. Raises: GatewayFailed if it does not end in time."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise GatewayFailed("SIGTERM did not end the gateway", self.log()) from None
        self._process = None
        return process.returncode

    def restart(self) -> float:
        """End it gracefully if it runs, start it on the same port and data; the seconds until it was healthy."""
        if self._process is not None:
            self.terminate()
        return self.start()

    def cli(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run `kyma …` beside it, in the same environment, with `given` as its standard input; output as text."""
        command = [sys.executable, "-m", "kyma", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.env, input=given, capture_output=True, text=True, timeout=60)

    def register(self, email: str) -> str:
        """Open an account with its sign-up credit; its API key."""
        body = json.dumps({"email": email, "password": PASSWORD}).encode()
        request = urllib.request.Request(
            f"{self.base_url}/v1/auth/register", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            key: str = json.load(response)["api_key"]
        return key

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.terminate()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it does not run"
        return self._process

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
