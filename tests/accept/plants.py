"""Proof that the search finds what is there: a mark planted in every form and in every kind of place."""

import json
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from tests.accept.marks import Marks, search_folder

FORMS: Mapping[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "in capitals": lambda text: text.upper().encode(),
    "JSON": lambda text: json.dumps({"content": text}).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"content": text})).encode(),
    "every letter escaped": lambda text: "".join(f"\\u{ord(letter):04X}" for letter in text).encode(),
    "an address": lambda text: quote(text).encode(),
    "an exception's text": lambda text: repr(ValueError(text.encode())).encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "utf-16": lambda text: text.encode("utf-16-le"),
    **{f"base64 at {n}": lambda text, n=n: b64encode(b"." * n + text.encode() + b"!") for n in range(3)},  # type: ignore[misc]
    "base64 of base64": lambda text: b64encode(b"x" + b64encode(text.encode())),
    "token ids in JSON": lambda text: json.dumps([*text.encode()], separators=(",", ":")).encode(),
    "token ids as printed": lambda text: repr((*text.encode(),)).encode(),
    "backwards": lambda text: text[::-1].encode(),
    "backwards in base64": lambda text: b64encode(text[::-1].encode()),
    "without its stem": lambda text: json.dumps(text.rpartition(".")[2]).encode(),
    "without its tail": lambda text: text.partition(".")[0].encode(),
}


def missed(marks: Marks, folder: Path) -> list[str]:
    """Plants, each alone in an empty folder, that the search does not find. `folder` is full of marks afterwards."""
    text = marks("plant")
    found: list[str] = []
    for form, write in FORMS.items():
        below = folder / form / "deep" / "down"
        below.mkdir(parents=True)
        (below / "file.bin").write_bytes(b"\0" * 5000 + b"before " + write(text) + b" behind" + b"\0" * 5000)
        found += [] if search_folder(marks, folder / form) else [f"a file with {form}"]
    named = folder / "named"
    named.mkdir()
    (named / f"{marks.stem}.tmp").touch()
    found += [] if search_folder(marks, named) else ["a file's name"]
    return found + _missed_in_sqlite(marks, folder / "sqlite")


def _missed_in_sqlite(marks: Marks, folder: Path) -> list[str]:
    """A row that is only in the log of an open database, and one that lies across pages of a closed one."""
    folder.mkdir()
    text = marks("plant")
    with closing(sqlite3.connect(folder / "books.db")) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table said (what)")
        connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.execute("insert into said values (?)", (text,))
        connection.commit()
        in_log = any(hit.where == "books.db-wal" for hit in search_folder(marks, folder))
        connection.execute("delete from said")
        connection.execute("insert into said values (?)", ("." * 4050 + text * 300,))
        connection.commit()
    in_rows = any(hit.where == "rows of books.db" for hit in search_folder(marks, folder))
    return ([] if in_log else ["a row in the log"]) + ([] if in_rows else ["a long row"])
