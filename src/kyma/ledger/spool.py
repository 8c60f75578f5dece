"""A file that keeps what could not be committed before the process had to end, until the next start replays it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Spool(Generic[T]):
    """Items of one msgspec type in one JSON file. Replaying an item twice must be a no-op."""

    def __init__(self, path: Path, item_type: type[T]) -> None:
        self.path = path
        self._decoder: msgspec.json.Decoder[list[T]] = msgspec.json.Decoder(list[item_type])  # type: ignore[valid-type]

    def write(self, items: Sequence[T]) -> None:
        """Add items to what is kept; on return they survive a power cut."""
        if not items:
            return
        temporary = self.path.with_name(self.path.name + ".new")
        with open(temporary, "wb") as file:
            file.write(msgspec.json.encode([*self.read(), *items]))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path)
        self._sync_folder()

    def read(self) -> list[T]:
        """What is kept, oldest first. Raises: msgspec.DecodeError for a file that is not ours; it is left alone."""
        try:
            return self._decoder.decode(self.path.read_bytes())
        except FileNotFoundError:
            return []

    def clear(self) -> None:
        """Forget what is kept, once all of it is committed."""
        self.path.unlink(missing_ok=True)
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
