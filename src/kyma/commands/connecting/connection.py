"""An agent's connection: its files as they were before, what was put into them, and how both are undone.

What is kept lies in the data folder for its owner's eyes only: the files before may hold keys of others, and what was
put holds ours.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from kyma.catalog import Agent, AgentFile, Blanks, file_text
from kyma.commands.connecting import disk
from kyma.commands.connecting.changes import Change, planned, put_all, undo_all
from kyma.commands.connecting.forms import Unreadable, form_of


class Kept(msgspec.Struct, frozen=True):
    """One file: as it was (None: there was none), the hash of what was written, and the changes between the two."""

    path: str
    number: int
    before: bytes | None
    mode: int | None
    written_sha256: str
    changes: tuple[Change, ...]
    made_folders: tuple[str, ...] = ()


class Connection(msgspec.Struct, frozen=True):
    """What `kyma connect` did for one agent. `key_id` is that of a key made for it, `token` the key in the files."""

    agent: str
    origin: str
    model: str
    token: str
    key_id: str | None
    files: tuple[Kept, ...]


class Draft(msgspec.Struct, frozen=True):
    """A file as it is now (None: there is none), as it was without us, and as it will be."""

    path: Path
    number: int
    now: bytes | None
    base: bytes | None
    text: str
    changes: list[Change]


class Undone(msgspec.Struct, frozen=True):
    """How one file was undone, in words; `kept` are values that somebody else has changed since."""

    path: str
    how: str
    kept: list[str]


def path_of(data_dir: Path, agent_id: str) -> Path:
    """Where the connection of an agent is kept."""
    return data_dir / "agents" / f"{agent_id}.json"


def load(data_dir: Path, agent_id: str) -> Connection | None:
    """The connection of an agent, if there is one. Raises: Unreadable."""
    path = path_of(data_dir, agent_id)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Connection)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise Unreadable(f"{path}: {error}") from error


def drafts(
    agent: Agent, blanks: Blanks, home: Path, environment: Mapping[str, str], earlier: Connection | None
) -> Iterator[Draft]:
    """What would be written. An earlier connection is undone first, in memory. Raises: Unreadable naming the file."""
    before = {(kept.path, kept.number): kept for kept in earlier.files} if earlier else {}
    for number, file in enumerate(agent.files):
        path = disk.locate(file, home, environment)
        if path is None:
            continue
        now = path.read_bytes() if path.exists() else None
        try:
            kept = before.get((str(path), number))
            base = _without(file, kept, now)[0] if kept else now
            yield _draft(path, number, file, blanks, now, base)
        except (Unreadable, UnicodeDecodeError) as error:
            raise Unreadable(f"{path}: {error}. Nothing was changed") from error


def keep(drafts: Sequence[Draft], earlier: Connection | None) -> tuple[Kept, ...]:
    """What has to be kept for the undo. What an earlier connection remembers of modes and folders goes on."""
    before = {(kept.path, kept.number): kept for kept in earlier.files} if earlier else {}
    return tuple(_kept(draft, before.get((str(draft.path), draft.number))) for draft in drafts)


def write(drafts: Sequence[Draft]) -> None:
    """Write the files; what is kept of them must be saved before, so that whatever was written can be undone."""
    for draft in drafts:
        disk.write(draft.path, draft.text.encode())


def save(data_dir: Path, connection: Connection) -> None:
    """Remember a connection for `undo`."""
    disk.write(path_of(data_dir, connection.agent), msgspec.json.format(msgspec.json.encode(connection)))


def forget(data_dir: Path, agent_id: str) -> None:
    """The connection is undone."""
    path_of(data_dir, agent_id).unlink(missing_ok=True)


def undo(agent: Agent, connection: Connection) -> list[Undone]:
    """Every file as it was before, to the byte where nobody has touched it since, else value by value.

    Raises: Unreadable, before anything is written, for a file that can no longer be read.
    """
    planned_undo = [(kept, *_undone(agent, kept)) for kept in connection.files]
    for kept, content, _ in planned_undo:
        path = Path(kept.path)
        if content is not None:
            disk.write(path, content, kept.mode)
        elif path.exists():
            disk.remove(path, kept.made_folders)
    return [report for _, _, report in planned_undo]


def _kept(draft: Draft, old: Kept | None) -> Kept:
    mode = disk.mode_of(draft.path) if draft.now is not None else None
    return Kept(
        path=str(draft.path),
        number=draft.number,
        before=draft.base,
        mode=old.mode if old else mode,
        written_sha256=disk.digest(draft.text.encode()),
        changes=tuple(draft.changes),
        made_folders=old.made_folders if old else tuple(map(str, disk.missing_folders(draft.path))),
    )


def _undone(agent: Agent, kept: Kept) -> tuple[bytes | None, Undone]:
    path = Path(kept.path)
    if not path.exists():
        return None, Undone(kept.path, "was gone already", [])
    now = path.read_bytes()
    try:
        content, others = _without(agent.files[kept.number], kept, now)
    except (Unreadable, UnicodeDecodeError, IndexError) as error:
        raise Unreadable(f"{kept.path} was changed and cannot be read any more: {error}. Nothing was undone") from error
    if disk.digest(now) == kept.written_sha256:
        how = "is as it was" if content is not None else "is gone, as it was"
    else:
        how = "has been changed since, so only our values were taken out"
    return content, Undone(kept.path, how, others)


def _without(file: AgentFile, kept: Kept, now: bytes | None) -> tuple[bytes | None, list[str]]:
    """The content without us, None where no file is left; and what somebody else has changed of ours."""
    if now is None:
        return None, []
    if disk.digest(now) == kept.written_sha256:
        return kept.before, []
    form = form_of(file)
    text, others = undo_all(form, now.decode(), kept.changes)
    if kept.before is None and not form.read(text):
        return None, others
    return text.encode(), others


def _draft(path: Path, number: int, file: AgentFile, blanks: Blanks, now: bytes | None, base: bytes | None) -> Draft:
    form, fresh = form_of(file), file_text(file, blanks)
    if base is None or not base.strip():
        return Draft(path, number, now, base, fresh, planned(file, form.read(fresh)))
    text, changes = put_all(form, file, base.decode(), form.read(fresh))
    return Draft(path, number, now, base, text, changes)
