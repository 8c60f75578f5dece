"""Programs from the distribution: nginx to compare with, wrk to load with; npm for the suite that runs agents."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PACKAGES = {"nginx": "nginx-light", "wrk": "wrk"}
START_POLICY = Path("/usr/sbin/policy-rc.d")
FORBID_STARTS = "#!/bin/sh\nexit 101\n"


class ToolMissing(Exception):
    """A program is absent and cannot be installed from here."""


def ensure_tools(packages: Mapping[str, str] = PACKAGES) -> dict[str, str]:
    """The path of every program by name, after installing what is missing. Raises: ToolMissing."""
    missing = [package for name, package in packages.items() if _find(name) is None]
    if missing:
        _install(missing)
    return {name: _require(name) for name in packages}


def _install(packages: list[str]) -> None:
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    wish = f"this needs {' and '.join(packages)}; as root: {' '.join(command)}"
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ToolMissing(wish)
    print(f"kyma: installing {' and '.join(packages)} with apt-get", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with _services_stay_off():
        for step in (["apt-get", "update"], command):
            done = subprocess.run(step, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise ToolMissing(f"{wish}\nfailed: {done.stderr.strip()[-500:]}")


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """Debian starts a service it installs, and nginx would listen on every address: forbid that meanwhile."""
    if START_POLICY.exists():
        yield
        return
    START_POLICY.write_text(FORBID_STARTS)
    START_POLICY.chmod(0o755)
    try:
        yield
    finally:
        START_POLICY.unlink()


def _require(name: str) -> str:
    path = _find(name)
    if path is None:
        raise ToolMissing(f"{name} was installed but is on no path")
    return path


def _find(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
