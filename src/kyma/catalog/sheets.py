"""The catalog's files as typed rows: the packaged ones and an operator's overlay of the same shape.

Owns the file format and knows nothing of which provider is on. A row of the overlay with a new id adds, one with a
known id replaces the whole row. Anything unexpected, down to a misspelt field, is a CatalogError that says where.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from kyma.core.model import Auth, DataPolicy, Discovery, Kind, Quirks
from kyma.core.upstream import Timeouts

ID = re.compile(r"[a-z0-9][a-z0-9._:\-]*")
ALIAS = re.compile(r"[a-z0-9][a-z0-9._:\-]*\*?")
"""An alias may end in a star: then it stands for every name that begins so and is no model."""
SUFFIX = re.compile(r":[a-z0-9][a-z0-9._\-]*")

Dialect = Literal["openai_chat", "anthropic_messages", "gemini", "cohere_chat", "bedrock_converse"]
Support = Literal["tools", "vision", "reasoning", "structured_outputs", "caching", "token_ids"]
Purpose = Literal[
    "general",
    "coding",
    "reasoning",
    "agent",
    "vision",
    "fast",
    "cheap",
    "long-context",
    "math",
    "multilingual",
    "balanced",
    "value",
    "writing",
    "bulk",
]
Modality = Literal["text", "image", "audio", "video", "embedding", "score"]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(gt=0)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Weight = Annotated[float, msgspec.Meta(ge=0)]
Named = dict[str, dict[str, object]]
T = TypeVar("T")
RowT = TypeVar("RowT", bound="Row")

_DEFAULT = Timeouts()


class CatalogError(Exception):
    """A catalog file is wrong; the message names file, row and field, and never a secret or an address."""


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a catalog file; `where`, its place for messages, is put in by the reader."""

    where: str


class SourcedRow(Row, frozen=True, kw_only=True):
    """A row whose facts come from somewhere, with a date."""

    source: Text


class ProviderRow(SourcedRow, frozen=True, kw_only=True):
    """An upstream. `base_url_env` names the environment variable with the address of a server of the operator's own.

    `base_url` may name variables in braces, e.g. an account, without whose values the provider is off. `dialect` is
    that of its chats; what it is taken to speak besides, on the same base path, stands in `dialects/whole.py`. `switch`
    says how an embedded engine comes to be there. `slugs` are further names that callers may know it by, those of
    OpenRouter; `weight` is that of its routes which say none.
    """

    name: str
    dialect: Dialect
    base_url: str | None = None
    base_url_env: str | None = None
    key_env: str | None = None
    key_header: Literal["authorization", "x-api-key", "api-key", "x-goog-api-key"] = "authorization"
    headers: dict[str, str] = {}
    quirks: dict[str, object] = {}
    connect_s: Seconds = _DEFAULT.connect_s
    first_byte_s: Seconds = _DEFAULT.first_byte_s
    idle_s: Seconds = _DEFAULT.idle_s
    is_local: bool = False
    cancel_stops_billing: bool = False
    switch: str | None = None
    auth: Auth = "key"
    data_policy: DataPolicy = DataPolicy()
    first_token_s: Seconds | None = None
    weight: Weight = 1.0
    slugs: tuple[str, ...] = ()
    discovery: Discovery | None = None


class PriceRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a customer pays, in USD per 1M tokens. `cached_input` left out: a tenth of `input`.

    `cache_write` left out is `input`, `cache_write_1h` left out is `cache_write`. `search` is in USD per 1,000
    searches; left out, no search is sold.
    `output` is for chats; nothing else generates any.
    """

    input: str
    cached_input: str | None = None
    cache_write: str | None = None
    cache_write_1h: str | None = None
    output: str = "0"
    search: str | None = None
    source: Text


class RouteRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source and what it charges us, as in `PriceRow`. `cached_input` left out: billed as fresh.

    `data_policy` is for a model that its provider treats otherwise than the rest.
    """

    provider: str
    model: str
    input: str
    cached_input: str | None = None
    cache_write: str | None = None
    cache_write_1h: str | None = None
    output: str = "0"
    search: str | None = None
    retires_on: date | None = None
    quirks: dict[str, object] = {}
    weight: Weight | None = None
    first_token_s: Seconds | None = None
    data_policy: DataPolicy | None = None
    source: Text


class ModelRow(Row, frozen=True, kw_only=True):
    """A text SKU. `routes` stand in order of preference; without `list_price` the dearest one makes the price.

    Only a model that says so `is_free`, so that no slip of the pen gives one away.
    """

    kind: Kind = "chat"
    name: str
    description: str
    best_for: str
    owned_by: str
    prefixes: tuple[str, ...]
    created: date
    context_window: Positive
    max_output_tokens: Positive | None = None
    supports: tuple[Support, ...]
    image_tokens: Count = 0
    input_modalities: tuple[Modality, ...] = ()
    output_modalities: tuple[Modality, ...] = ()
    supported_parameters: tuple[str, ...] = ()
    latency_tier: Literal["fast", "medium", "slow"]
    cost_tier: Literal["cheap", "balanced", "premium"]
    quality_tier: Literal["efficient", "strong", "frontier-open"]
    release_stage: Literal["stable", "preview", "limited"] = "stable"
    recommended_for: tuple[Purpose, ...]
    recommended: bool = False
    hot: bool = False
    is_free: bool = False
    retires_on: date | None = None
    quirks: dict[str, object] = {}
    list_price: PriceRow | None = None
    substitutes: tuple[str, ...] = ()
    routes: tuple[RouteRow, ...]


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One creator's models; `prefixes` are the names before a slash under which the creator's models are known."""

    owned_by: str
    prefixes: tuple[str, ...] = ()
    model: Named = {}


class AliasRow(SourcedRow, frozen=True, kw_only=True):
    """A name that stands for the first servable of `targets`."""

    targets: tuple[str, ...]


class SuffixRow(SourcedRow, frozen=True, kw_only=True):
    """What may stand behind the name of a model, and what it says for a request's own `provider`, in the same words."""

    provider: dict[str, object]


class TierRow(SourcedRow, frozen=True, kw_only=True):
    """A deposit tier; its number is the table's name."""

    name: str
    min_deposit_usd: Count
    rpm: Positive
    per_model_rpm: Positive
    tpm: Positive
    max_single_request: Positive


PATTERNS: Mapping[type[Row], re.Pattern[str]] = {AliasRow: ALIAS, SuffixRow: SUFFIX}


class Sheets(msgspec.Struct, frozen=True):
    """Every row by id, overlay applied."""

    providers: Mapping[str, ProviderRow]
    models: Mapping[str, ModelRow]
    aliases: Mapping[str, AliasRow]
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
        providers=_rows(folders, "providers.toml", ProviderRow),
        models={row_id: row for folder in folders for row_id, row in _models(folder)},
        aliases=_rows(folders, "aliases.toml", AliasRow),
        suffixes=_rows(folders, "suffixes.toml", SuffixRow),
        tiers=_rows(folders, "tiers.toml", TierRow),
    )


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


def _rows(folders: list[Traversable], file_name: str, row_type: type[RowT]) -> dict[str, RowT]:
    rows: dict[str, RowT] = {}
    for folder in folders:
        file = folder / file_name
        if file.is_file():
            named = _convert(parse(file), Named, str(file))
            rows |= {row_id: checked_row(file, row_id, row_id, fields, row_type) for row_id, fields in named.items()}
    return rows


def _models(folder: Traversable) -> Iterator[tuple[str, ModelRow]]:
    models = folder / "models"
    names: dict[str, str] = {}
    for file in sorted(models.iterdir(), key=lambda file: file.name) if models.is_dir() else ():
        if not file.name.endswith(".toml"):
            continue
        sheet = _convert(parse(file), ModelFile, str(file))
        for model_id, fields in sheet.model.items():
            if other := names.get(model_id):
                raise CatalogError(f"{file}: model.{model_id} is also in {other}")
            names[model_id] = file.name
            by_creator = {"owned_by": sheet.owned_by, "prefixes": sheet.prefixes}
            yield model_id, checked_row(file, f"model.{model_id}", model_id, by_creator | fields, ModelRow)


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


def _convert(value: object, wanted: type[T], where: str) -> T:
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        raise CatalogError(f"{where}: {error}") from error
