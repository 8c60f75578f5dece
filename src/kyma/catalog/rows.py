"""What stands in a row of each of the catalog's files, as types: fields, words and the forms of ids.

Owns the file format; who reads the files, and what becomes of the rows, is not its business.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec

from kyma.catalog.auto import Need
from kyma.core.model import Auth, CostTier, DataPolicy, Discovery, Kind, LatencyTier, QualityTier
from kyma.core.principal import AudioPools
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
RowStatus = Literal["stable", "preview", "limited", "legacy"]
"""`retired` follows from `retires_on`."""
Modality = Literal["text", "image", "audio", "video", "embedding", "score"]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Words = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z ,-]{0,59}$")]
"""What may stand in a response header as it is."""
Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(gt=0)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Weight = Annotated[float, msgspec.Meta(ge=0)]
Named = dict[str, dict[str, object]]
"""The tables of a file by their names, not looked into yet."""

_DEFAULT = Timeouts()


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


class UnitPrices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD per 1M tokens, as texts. `cache_write` left out is `input`, `cache_write_1h` left out is `cache_write`.

    `search` is in USD per 1,000 searches; left out, there is none. `output` is for chats; nothing else generates any.
    """

    input: str
    cached_input: str | None = None
    cache_write: str | None = None
    cache_write_1h: str | None = None
    output: str = "0"
    search: str | None = None
    source: Text


class LaterPrices(UnitPrices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The prices `from` a day on (UTC), all of them: what is left out is left out as in a first row."""

    starts_on: date = msgspec.field(name="from")


class PriceRow(UnitPrices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a customer pays. `cached_input` left out: a tenth of `input`. `later` announces what it will be."""

    later: tuple[LaterPrices, ...] = ()


class RouteRow(UnitPrices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source and what it charges us, now and `later`. `cached_input` left out: billed as fresh.

    `data_policy` is for a model that its provider treats otherwise than the rest.
    """

    provider: str
    model: str
    later: tuple[LaterPrices, ...] = ()
    retires_on: date | None = None
    quirks: dict[str, object] = {}
    weight: Weight | None = None
    first_token_s: Seconds | None = None
    data_policy: DataPolicy | None = None

    @property
    def id(self) -> str:
        """`provider/model`, for operators and logs."""
        return f"{self.provider}/{self.model}"


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
    latency_tier: LatencyTier
    cost_tier: CostTier
    quality_tier: QualityTier
    status: RowStatus = "stable"
    recommended_for: tuple[Purpose, ...]
    recommended: bool = False
    hot: bool = False
    is_free: bool = False
    retires_on: date | None = None
    quirks: dict[str, object] = {}
    list_price: PriceRow | None = None
    substitutes: tuple[str, ...] = ()
    successor: str | None = None
    """What to ask for once it is retired."""
    routes: tuple[RouteRow, ...]


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One creator's models, of text or of media; `prefixes` are names before a slash under which they are known too."""

    owned_by: str
    prefixes: tuple[str, ...] = ()
    model: Named = {}


class AliasRow(SourcedRow, frozen=True, kw_only=True):
    """A name that stands for the first servable of `targets`."""

    targets: tuple[str, ...]


class AutoRow(SourcedRow, frozen=True, kw_only=True):
    """Whom `auto` picks, `targets` being models or aliases, for requests that need all of `when` and are so long.

    The lowest `rank` whose conditions hold decides. `reason` is told to the caller.
    """

    rank: Positive
    when: tuple[Need, ...] = ()
    min_input_tokens: Count = 0
    min_output_tokens: Count = 0
    targets: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    reason: Words


class SuffixRow(SourcedRow, frozen=True, kw_only=True):
    """What may stand behind the name of a model, and what it says for a request's own `provider`, in the same words."""

    provider: dict[str, object]


class TierRow(SourcedRow, frozen=True, kw_only=True):
    """A deposit tier; its number is the table's name. Slots that it says nothing of are none."""

    name: str
    min_deposit_usd: Count
    rpm: Positive
    per_model_rpm: Positive
    tpm: Positive
    max_single_request: Positive
    image_concurrent: Count = 0
    image_queue_depth_cap: Count = 0
    video_concurrent: Count = 0
    video_queue_depth_cap: Count = 0
    audio_concurrent_per_provider: AudioPools = AudioPools()
    combined_media_concurrent: Count | None = None
    combined_queue_depth_cap: Count | None = None


PATTERNS: Mapping[type[Row], re.Pattern[str]] = {AliasRow: ALIAS, SuffixRow: SUFFIX}
