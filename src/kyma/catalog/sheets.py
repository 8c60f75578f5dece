"""The catalog's files, read as typed rows: the packaged ones and an operator's overlay of the same shape.

Knows nothing of which provider is on. A row of the overlay with a new id adds, one with a known id replaces the whole
row. Anything unexpected, down to a misspelt field, is a CatalogError that says where.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

import msgspec

from kyma.catalog.media_rows import MediaRow, VendorRow
from kyma.catalog.rows import (
    ID,
    PATTERNS,
    AliasRow,
    AutoRow,
    ModelFile,
    ModelRow,
    Named,
    ProviderRow,
    Row,
    SuffixRow,
    TierRow,
)
from kyma.core.model import Quirks

T = TypeVar("T")
RowT = TypeVar("RowT", bound=Row)


class CatalogError(Exception):
    """A catalog file is wrong; the message names file, row and field, and never a secret or an address."""


class Sheets(msgspec.Struct, frozen=True):
    """Every row by id, overlay applied."""

    providers: Mapping[str, ProviderRow]
    models: Mapping[str, ModelRow]
    vendors: Mapping[str, VendorRow]
    """Those that make media and serve no text."""
    media: Mapping[str, MediaRow]
    aliases: Mapping[str, AliasRow]
    auto: Mapping[str, AutoRow]
    suffixes: Mapping[str, SuffixRow]
    tiers: Mapping[str, TierRow]


def builtin_data() -> Traversable:
    """The catalog that is installed with Kyma."""
    return files("kyma") / "data"


def read(builtin: Traversable, overlay: Path | None) -> Sheets:
    """The rows of both folders; other files may lie beside. Raises: CatalogError naming file, row and field."""
    if overlay is not None and not overlay.is_dir():
        raise CatalogError(f"the catalog overlay {overlay} is not a folder")
    folders = [builtin] if overlay is None else [builtin, overlay]
    return Sheets(
        providers=read_rows(folders, "providers.toml", ProviderRow),
        models=_by_creators(folders, "models", ModelRow),
        vendors=read_rows(folders, "vendors.toml", VendorRow),
        media=_by_creators(folders, "media", MediaRow),
        aliases=read_rows(folders, "aliases.toml", AliasRow),
        auto=read_rows(folders, "auto.toml", AutoRow),
        suffixes=read_rows(folders, "suffixes.toml", SuffixRow),
        tiers=read_rows(folders, "tiers.toml", TierRow),
    )


def read_rows(folders: Iterable[Traversable], file_name: str, row_type: type[RowT]) -> dict[str, RowT]:
    """The rows by id of a file that may lie in any of `folders`; the last word wins. Raises: CatalogError."""
    rows: dict[str, RowT] = {}
    for folder in folders:
        file = folder / file_name
        if file.is_file():
            named = _convert(parse(file), Named, str(file))
            rows |= {row_id: checked_row(file, row_id, row_id, fields, row_type) for row_id, fields in named.items()}
    return rows


def _by_creators(folders: Iterable[Traversable], sub_folder: str, row_type: type[RowT]) -> dict[str, RowT]:
    return {row_id: row for folder in folders for row_id, row in _of_creators(folder / sub_folder, row_type)}


def _of_creators(folder: Traversable, row_type: type[RowT]) -> Iterator[tuple[str, RowT]]:
    names: dict[str, str] = {}
    for file in toml_files(folder):
        sheet = _convert(parse(file), ModelFile, str(file))
        for model_id, fields in sheet.model.items():
            if other := names.get(model_id):
                raise CatalogError(f"{file}: model.{model_id} is also in {other}")
            names[model_id] = file.name
            by_creator = {"owned_by": sheet.owned_by, "prefixes": sheet.prefixes}
            yield model_id, checked_row(file, f"model.{model_id}", model_id, by_creator | fields, row_type)


def toml_files(folder: Traversable) -> list[Traversable]:
    """The TOML files of a folder that need not be there, by name."""
    found = (file for file in folder.iterdir() if file.name.endswith(".toml")) if folder.is_dir() else ()
    return sorted(found, key=lambda file: file.name)


def parse(file: Traversable) -> dict[str, object]:
    """A file of the catalog as TOML. Raises: CatalogError naming it."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise CatalogError(f"{file}: {error}") from error


def checked_row(file: Traversable, table: str, row_id: str, fields: dict[str, object], row_type: type[RowT]) -> RowT:
    """A table of a file as a row of its type. Raises: CatalogError naming file, table and field."""
    where = f"{file} [{table}]"
    if not PATTERNS.get(row_type, ID).fullmatch(row_id):  # ids stand in response headers as they are
        begins = "a suffix begins with its only colon and" if row_type is SuffixRow else "an id"
        raise CatalogError(f"{where}: {begins} is lower case: letters, digits and . _ : - only, and has no slash")
    if "where" in fields:
        raise CatalogError(f"{where}: Object contains unknown field `where`")
    return _convert(fields | {"where": where}, row_type, where)


def quirks_of(where: str, *layers: Mapping[str, object]) -> Quirks:
    """One set of quirks from provider, model and route: the last word wins, fields to drop add up."""
    merged: dict[str, object] = {}
    for layer in layers:
        if unknown := layer.keys() - set(Quirks.__struct_fields__):
            raise CatalogError(f"{where}: quirks.{min(unknown)} is not a quirk")
        for field, value in layer.items():
            adds = field in ("drop", "drop_message_fields") and isinstance(value, list)
            merged[field] = [*_list(merged.get(field)), *_list(value)] if adds else value
    if isinstance(forced := merged.get("force"), dict):
        merged["force"] = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in forced.items()}
    return _convert(merged, Quirks, f"{where}: quirks")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _convert(value: object, wanted: type[T], where: str) -> T:
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        raise CatalogError(f"{where}: {error}") from error
