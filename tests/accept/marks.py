"""Unique marks to tag texts with, and the search for them in whatever form they may have been kept.

A mark is `<stem>.<place>.<tail>`: the stem in plain letters, the same in all marks of a run; the place, which says
what was tagged; the tail in Cyrillic letters, which JSON and addresses escape. Answers say marks backwards.
"""

import sqlite3
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from string import ascii_lowercase
from urllib.parse import quote

import msgspec

CYRILLIC = "бгджзлпфцчшщэюя"
STEM_LETTERS, TAIL_LETTERS = 14, 10
SHOWN_BYTES = 60
SKIPPED = (".gguf",)


class Marks(msgspec.Struct, frozen=True):
    """The marks of one run."""

    stem: str
    tail: str

    @classmethod
    def draw(cls, dice: Random) -> "Marks":
        stem = "".join(dice.choices(ascii_lowercase, k=STEM_LETTERS))
        return cls(f"{stem}k", "".join(dice.choices(CYRILLIC, k=TAIL_LETTERS)) + "ж")

    def __call__(self, place: str) -> str:
        """The mark for what stands at `place`."""
        return f"{self.stem}.{place}.{self.tail}"

    def forms(self) -> Mapping[bytes, str]:
        """What to look for, lower-case where case does not matter, and what kind of form it is."""
        found: dict[bytes, str] = {}
        for text, said in ((self.stem, "asked"), (self.stem[::-1], "answered")):
            found |= {form: f"{said}, {kind}" for kind, form in _plain_forms(text)}
        for text, said in ((self.tail, "asked"), (self.tail[::-1], "answered")):
            found |= {form: f"{said}, {kind}" for kind, form in _foreign_forms(text)}
        return found


class Hit(msgspec.Struct, frozen=True):
    """A mark that was kept."""

    where: str
    form: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.form}: {self.text}"


def search_folder(marks: Marks, folder: Path) -> list[Hit]:
    """Every file below `folder`, names too, as bytes; SQLite databases also row by row, since pages cut texts apart."""
    hits: list[Hit] = []
    paths = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*"))}
    for name, path in paths.items():
        hits += search(marks, f"name of {name}", [name.encode()])
        if path.is_file() and path.suffix not in SKIPPED:
            hits += search(marks, name, [path.read_bytes()])
    for name, path in paths.items():  # last: a database's log may be gone once it was opened
        if path.suffix == ".db":
            hits += search(marks, f"rows of {name}", sqlite_rows(path))
    return hits


def search(marks: Marks, where: str, texts: Iterable[bytes]) -> list[Hit]:
    """The first hit of each form in each of `texts`."""
    forms = marks.forms()
    hits = []
    for text in texts:
        lower = text.lower()
        for form, kind in forms.items():
            at = lower.find(form) if form == form.lower() else text.find(form)
            if at >= 0:
                shown = text[max(0, at - SHOWN_BYTES) : at + len(form) + SHOWN_BYTES]
                hits.append(Hit(where, kind, repr(shown)))
    return hits


def sqlite_rows(path: Path) -> Iterator[bytes]:
    """Every row of every table, its schema among them."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        for table in [b"sqlite_master", *tables]:
            for row in connection.execute(f'select * from "{table.decode()}"'):
                yield b"\0".join(value if isinstance(value, bytes) else str(value).encode() for value in row)


def _plain_forms(text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode()
    yield "plain", raw
    yield "hex", raw.hex().encode()
    yield "utf-16", text.encode("utf-16-le")
    yield "token ids", ",".join(map(str, raw)).encode()
    yield "token ids, apart", ", ".join(map(str, raw)).encode()
    yield "escaped", "".join(f"\\u{ord(letter):04x}" for letter in text).encode()
    for once in _base64_forms(raw):
        yield "base64", once
        for twice in _base64_forms(once):
            yield "base64 of base64", twice


def _foreign_forms(text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode()
    yield "utf-8", raw
    yield "escaped in JSON", "".join(f"\\u{ord(letter):04x}" for letter in text).encode()
    yield "escaped in an address", quote(text).lower().encode()
    yield "escaped as bytes", repr(raw)[2:-1].encode()
    yield "utf-16", text.encode("utf-16-le")
    for form in _base64_forms(raw):
        yield "base64", form


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    """What base64 of any text that holds `raw` has in common, for each of the three ways to be aligned."""
    for shift in range(3):
        encoded = b64encode(b"\0" * shift + raw)
        inner = encoded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")
