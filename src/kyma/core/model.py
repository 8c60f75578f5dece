"""The catalog's row types: what is sold, who serves it, at what cost, and how each vendor differs."""

from typing import Literal

import msgspec

from kyma.core.money import Nanos, Picos, rounded_up, share_of
from kyma.core.upstream import Origin, Timeouts

Kind = Literal["chat", "embedding", "rerank", "moderation"]
"""What is asked of a model: a request of one kind and a model of another do not go together."""

Status = Literal["stable", "preview", "limited", "legacy", "retired"]
"""How far one may build on a SKU. Legacy ones are served, and have successors; retired ones are past their last day."""

ReleaseStage = Literal["stable", "preview", "limited"]
"""The contract's words, which say nothing of a SKU's end."""

LatencyTier = Literal["fast", "medium", "slow"]
CostTier = Literal["cheap", "balanced", "premium"]
QualityTier = Literal["efficient", "strong", "frontier-open"]


class Quirks(msgspec.Struct, frozen=True):
    """How one provider's wire form departs from its dialect, as data. Defaults are the dialect's own behaviour."""

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    roles_developer: bool = False
    """Takes role `developer`; otherwise it is sent as `system`."""
    drop: tuple[str, ...] = ()
    """Request fields the provider answers with 400."""
    drop_message_fields: tuple[str, ...] = ()
    """Message fields the provider answers with 400, e.g. `name`."""
    force: dict[str, msgspec.Raw] = {}
    """Fields always sent with this value, e.g. what switches a separate reasoning field on."""
    stream_options: bool = True
    """Takes `stream_options.include_usage`; if not, it reports usage unasked."""
    string_tool_content: bool = False
    """Tool results must be a plain string."""
    single_system: bool = False
    """Takes one system message only; several are joined."""
    default_system: str = ""
    """Sent when the request has no system message."""
    thinks_first: bool = False
    """The template has opened `<think>` already: content is reasoning until `</think>`."""
    reasoning_outside_output: bool = False
    """`completion_tokens` leaves reasoning tokens out: add them."""
    n_must_be_one: bool = False
    min_temperature: float = 0.0
    tool_choices: tuple[Literal["none", "auto", "required", "named"], ...] = ("none", "auto", "required", "named")
    """Forms of `tool_choice` it takes; another is sent as `auto`, and with none the field is left out."""
    efforts: tuple[str, ...] = ()
    """Values of `reasoning_effort` it takes, weakest first; another becomes the nearest. Empty: any."""
    json_schema: bool = True
    """Takes `response_format` json_schema; otherwise json_object, with the schema said in a system message."""
    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    """The message field in which earlier reasoning is given back."""
    reasoning_required: bool = False
    """Every earlier assistant message must carry that field, even empty."""
    rerank_form: Literal["jina", "cohere", "voyage", "tei"] = "jina"
    """Whose words its rerank requests are in."""
    target: str = ""
    """The path in place of the dialect's; a model that it names as `{model}` is left out of the body."""
    stream_target: str = ""
    """The same for streams."""
    drop_headers: tuple[str, ...] = ()
    """Request headers of the dialect that the provider answers with 400."""

    @property
    def limits_messages(self) -> bool:
        """Takes fewer forms of message than the dialect has, the role `developer` aside."""
        return bool(
            self.string_tool_content
            or self.single_system
            or self.default_system
            or self.reasoning_required
            or self.drop_message_fields
            or self.reasoning_field != "reasoning_content"
        )


Auth = Literal["key", "aws", "google"]
"""How a provider wants to be told who calls: a key in a header, a SigV4 signature, a minted access token."""

Discovery = Literal["ollama"]
"""Whose words a server is asked in for the models that it has."""


class DataPolicy(msgspec.Struct, frozen=True):
    """What a provider does with prompts by default; None: it does not say."""

    trains: bool | None = None
    retains_days: int | None = None

    @property
    def collects_nothing(self) -> bool:
        return self.trains is False and self.retains_days == 0


class Provider(msgspec.Struct, frozen=True):
    """An upstream: where it is, how to authenticate, which dialect it speaks."""

    id: str
    name: str
    dialect: str
    origin: Origin
    base_path: str
    key_env: str | None
    key_header: Literal["authorization", "x-api-key", "api-key", "x-goog-api-key"]
    headers: tuple[tuple[bytes, bytes], ...]
    quirks: Quirks
    timeouts: Timeouts
    is_local: bool
    cancel_stops_billing: bool
    """Dropping the connection ends generation and its charge; otherwise an abandoned stream is drained."""
    source: str
    auth: Auth = "key"
    data_policy: DataPolicy = DataPolicy()
    first_token_s: float | None = None
    """How long its first token may take while another source is left; None: three times its own 95th percentile."""
    discovery: Discovery | None = None
    """How it is asked which models it has, which then are offered besides the catalog's; None: it is not asked."""
    private: tuple[str, ...] = ()
    """Parts of its address that name the operator, e.g. an account or a project: nobody else reads them."""


class Price(msgspec.Struct, frozen=True):
    """Unit prices in pico-dollars per token.

    `cache_write` is for input kept a few minutes (or as long as the vendor sees fit), `cache_write_1h` for an hour.
    `search` is for one search that the vendor makes for an answer; None: searches are not sold.
    """

    input: Picos
    cached_input: Picos
    cache_write: Picos
    output: Picos
    cache_write_1h: Picos
    search: Picos | None = None

    def share(self, share: int) -> "Price":
        """A part of each component, in hundredths of a percent, rounded up to whole pico-dollars."""
        return Price(
            input=share_of(self.input, share),
            cached_input=share_of(self.cached_input, share),
            cache_write=share_of(self.cache_write, share),
            output=share_of(self.output, share),
            cache_write_1h=share_of(self.cache_write_1h, share),
            search=None if self.search is None else share_of(self.search, share),
        )

    def cheaper(self, other: "Price") -> "Price":
        """The lower of both in each component; what one of them gives away is free."""
        free = self.search is None or other.search is None
        return Price(
            input=min(self.input, other.input),
            cached_input=min(self.cached_input, other.cached_input),
            cache_write=min(self.cache_write, other.cache_write),
            output=min(self.output, other.output),
            cache_write_1h=min(self.cache_write_1h, other.cache_write_1h),
            search=None if free else min(self.search or 0, other.search or 0),
        )


class Usage(msgspec.Struct, frozen=True):
    """Tokens in disjoint, non-negative buckets; `reasoning` is the part of `output` that was thought.

    `searches` and `fetches` are what the vendor looked up for the answer; only searches have a price.
    """

    input: int = 0
    """Fresh input: neither read from a cache nor written to one."""
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    cache_write_1h: int = 0
    searches: int = 0
    fetches: int = 0

    @property
    def total_input(self) -> int:
        return self.input + self.cached_input + self.cache_write + self.cache_write_1h

    @property
    def total_written(self) -> int:
        return self.cache_write + self.cache_write_1h

    @property
    def total(self) -> int:
        return self.total_input + self.output

    def cost(self, price: Price) -> Nanos:
        """What this usage costs at `price`, rounded up once."""
        return rounded_up(self.picos(price))

    def picos(self, price: Price) -> Picos:
        """The same before it is rounded, in pico-dollars. A search that is not sold costs nothing."""
        return (
            self.input * price.input
            + self.cached_input * price.cached_input
            + self.cache_write * price.cache_write
            + self.output * price.output
            + self.cache_write_1h * price.cache_write_1h
            + self.searches * (price.search or 0)
        )

    def cache_discount(self, price: Price) -> Nanos:
        """What reading from the cache saved against the fresh input price."""
        if not self.cached_input:
            return 0
        return self.cached_input * max(0, price.input - price.cached_input) // 1000


class Route(msgspec.Struct, frozen=True):
    """One source of a model: a provider, its own id for the model, and what it costs us."""

    id: str
    """`provider/upstream-model`, for operators and logs; models served by the same source share it, and its health."""
    provider: Provider
    upstream_model: str
    cost: Price
    source: str
    retires_on: str | None = None
    weight: float = 1.0
    """Its share among the sources of the model before health, latency and price; 0: only when no other answers."""
    first_token_s: float | None = None
    """As of its provider, for this model alone."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A text SKU of the catalog. `price` is what the customer pays, whoever serves it.

    `context_window` is for one text where a request may hold several.
    """

    id: str
    name: str
    description: str
    owned_by: str
    created: int
    context_window: int
    max_output_tokens: int | None
    price: Price
    price_source: str
    best_for: str
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    supported_parameters: tuple[str, ...]
    supports_tools: bool
    supports_vision: bool
    supports_reasoning: bool
    supports_structured_outputs: bool
    supports_caching: bool
    latency_tier: LatencyTier
    cost_tier: CostTier
    quality_tier: QualityTier
    status: Status
    recommended_for: tuple[str, ...]
    recommended: bool
    hot: bool
    retires_on: str | None
    routes: tuple[Route, ...]
    image_tokens: int = 0
    """The most tokens one image can cost as input; 0 where the model takes none."""
    kind: Kind = "chat"
    substitutes: tuple[str, ...] = ()
    """Models of the same class that may answer in its place when none of its sources can."""
    takes_token_ids: bool = False
    """Customers may send ids of its own tokenizer in place of texts."""

    @property
    def release_stage(self) -> ReleaseStage:
        return release_stage(self.status)


class Alternative(msgspec.Struct, frozen=True, eq=False):
    """A model that may answer in place of another, with the routes that may do so here, and what is charged then."""

    model: Model
    price: Price


def release_stage(status: Status) -> ReleaseStage:
    """A status in the contract's words."""
    return "stable" if status == "legacy" or status == "retired" else status
