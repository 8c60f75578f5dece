"""A user's files on disk: where they lie, and writing them whole or not at all."""

import hashlib
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from kyma.catalog import AgentFile

OWNER_ONLY = 0o600
NOT_FOR_EVERYBODY = ~0o007


def locate(file: AgentFile, home: Path, environment: Mapping[str, str]) -> Path | None:
    """Where a file of an agent lies or shall lie; None for one whose folder must be there and is not.

    A link is followed, so that the file behind it is written and the link stays.
    """
    folders = [folder for text in file.folders if (folder := _folder(text, home, environment)) is not None]
    if file.needs_folder:
        folders = [folder for folder in folders if folder.is_dir()]
        if not folders:
            return None
    there = [folders[0] / name for name in file.names if (folders[0] / name).exists()]
    return (there[0] if there else folders[0] / file.names[-1]).resolve()


def missing_folders(path: Path) -> list[Path]:
    """The folders that have to be made for a file, outermost first."""
    return [folder for folder in reversed(path.parents) if not folder.exists()]


def write(path: Path, content: bytes, mode: int | None = None) -> None:
    """Put this content there in one step, not for everybody to read; missing folders are made.

    `mode` is set as it is; None keeps the file's own, without what everybody may.
    """
    for folder in missing_folders(path):
        folder.mkdir(mode=0o700)
    before = path.stat() if path.exists() else None
    if mode is None:
        mode = OWNER_ONLY if before is None else stat.S_IMODE(before.st_mode) & NOT_FOR_EVERYBODY
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if before is not None:
            with suppress(PermissionError):
                os.chown(temporary, before.st_uid, before.st_gid)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def remove(path: Path, made: Sequence[str]) -> None:
    """Take the file away, and those of the folders made for it that are empty."""
    path.unlink(missing_ok=True)
    for folder in reversed(made):
        with suppress(OSError):
            os.rmdir(folder)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _folder(text: str, home: Path, environment: Mapping[str, str]) -> Path | None:
    first, _, rest = text.partition("/")
    if first == "~":
        return home / rest
    value = environment.get(first.removeprefix("$"))
    return Path(value).expanduser() / rest if value else None
