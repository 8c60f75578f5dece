"""How a bug is planted in a copy of the code: text in place of text, and a failure when that text is gone."""

from pathlib import Path

import msgspec


class MutantLost(Exception):
    """The code has changed: what the mutant replaces is not there exactly once."""


class Edit(msgspec.Struct, frozen=True):
    """`old` stands in `file` (below `src/kyma`) exactly once."""

    file: str
    old: str
    new: str


class Mutant(msgspec.Struct, frozen=True):
    """A bug, by the suite that must find it. `(design)`: named in the design's list of planted bugs."""

    suite: str
    name: str
    edits: tuple[Edit, ...]
    times: int = 1
    """How many times the suite's usual size it takes to meet the bug for sure."""

    def plant(self, package: Path) -> None:
        """Put the bug into a copy of the package. Raises: MutantLost."""
        for edit in self.edits:
            path = package / edit.file
            text = path.read_text() if path.exists() else ""
            if (count := text.count(edit.old)) != 1:
                raise MutantLost(f"{edit.old!r} stands {count} times in {edit.file}")
            path.write_text(text.replace(edit.old, edit.new))
            compile(path.read_text(), str(path), "exec")
