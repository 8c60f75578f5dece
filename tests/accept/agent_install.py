"""The agents' programs: installed once a machine from their registries, in the versions that `requirements/` pins.

They live in `KYMA_TEST_AGENTS_DIR` or in the user's cache, in a folder named after the pins; nothing of them gets into
the project's own environment.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.tools import ensure_tools

from tests.upstream.process import ROOT

PINS = ROOT / "requirements"
NODE_PINS, PYTHON_PINS = PINS / "agents", PINS / "agents.txt"
NODE_FILES = ("package.json", "package-lock.json")
NODE_PROGRAMS = ("claude", "cline", "cn", "codex", "kilo", "openclaw", "opencode")
NODE_PACKAGES = {"node": "nodejs", "npm": "npm"}
"""Debian's packages of the programs that install them."""


class InstallFailed(Exception):
    """An agent could not be installed; the message ends with what its installer said."""


def installed_agents() -> Mapping[str, Path]:
    """The path of every agent's program by name; the first time on a machine this takes some minutes and 3 GB.

    `node` is the one that the newest agents want; Debian's is older. Raises: InstallFailed, ToolMissing.
    """
    kept = os.environ.get("KYMA_TEST_AGENTS_DIR")
    folder = (Path(kept) if kept else Path.home() / ".cache" / "kyma-test-agents") / _digest()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, install in (("node", _install_node), ("python", _install_python)):
            if not (folder / f"{name}.whole").exists():
                shutil.rmtree(folder / name, ignore_errors=True)
                (folder / name).mkdir()
                install(folder / name)
                (folder / f"{name}.whole").touch()
    programs = {name: folder / "node" / "node_modules" / ".bin" / name for name in NODE_PROGRAMS}
    return programs | {"aider": folder / "python" / "bin" / "aider", "node": _newer_node(folder / "node")}


def _digest() -> str:
    files = [*(NODE_PINS / name for name in NODE_FILES), PYTHON_PINS]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def _install_node(folder: Path) -> None:
    npm = ensure_tools(NODE_PACKAGES)["npm"]
    for name in NODE_FILES:
        shutil.copy(NODE_PINS / name, folder)
    quiet = ("--no-audit", "--no-fund", "--loglevel=error")
    _run([npm, "install", "--ignore-scripts", *quiet], folder)
    path = f"{_newer_node(folder).parent}{os.pathsep}{os.environ['PATH']}"
    _run([npm, "rebuild", *quiet], folder, {**os.environ, "PATH": path})


def _newer_node(folder: Path) -> Path:
    """A Node.js out of a package, of the machine's kind."""
    (found,) = folder.glob("node_modules/node-linux-*/bin/node")
    return found


def _install_python(folder: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    _run([uv, "venv", "-q", "--allow-existing", "--python", sys.executable, str(folder)], folder)
    python = str(folder / "bin" / "python")
    _run([uv, "pip", "install", "-q", "--python", python, "--require-hashes", "-r", str(PYTHON_PINS)], folder)


def _run(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise InstallFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}")
