"""A SKU as `GET /v1/models` shows it. Who serves it is not said."""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from pydantic import BaseModel

from kyma.api.media_pricing import MediaPricing, media_pricing
from kyma.api.shelf import Shelf, endpoint_of
from kyma.catalog import SkuCapability, SkuModality, capability_of, modality_of
from kyma.core.media import MediaModel, PickerTier, Sku
from kyma.core.model import CostTier, Kind, LatencyTier, Model, QualityTier, ReleaseStage, Status
from kyma.core.money import per_million_text, per_thousand_text
from kyma.core.rates import Mode


class Pricing(BaseModel):
    """USD. `search_per_1k` is for 1,000 searches by the model's source; null where none is sold.

    `input` and `output` repeat the per-million figures for clients that read those names.
    """

    mode: Literal["per-token"]
    input_per_1m: float
    output_per_1m: float
    cached_input_per_1m: float
    cache_write_per_1m: float
    cache_write_1h_per_1m: float
    search_per_1k: float | None
    input: float
    output: float


class SkuRow(BaseModel):
    """What every SKU has. `type`, `display_name` and `created_at` are what Anthropic's clients read."""

    id: str
    object: Literal["model"]
    type: Literal["model"]
    display_name: str
    created: int
    created_at: datetime
    owned_by: str
    name: str
    description: str
    best_for: str
    speed: str
    recommended: bool
    hot: bool
    modality: SkuModality
    capability: SkuCapability
    endpoint: str
    input_modalities: list[Literal["text", "image", "audio", "video"]]
    output_modalities: list[Literal["text", "audio", "image", "video", "embedding", "score"]]
    supported_parameters: list[str]
    supports_tools: bool
    supports_vision: bool
    supports_reasoning: bool
    supports_structured_outputs: bool
    supports_caching: bool
    latency_tier: LatencyTier
    cost_tier: CostTier
    quality_tier: QualityTier
    tier: PickerTier | None
    """The picker's own taxonomy; texts have none."""
    release_stage: ReleaseStage
    status: Status
    """The release stage, or that it is on its way out or gone."""
    recommended_for: list[str]
    pricing_mode: Mode
    gateway_output_limit: None
    max_tokens_passthrough: Literal[True]
    retires_on: str | None
    available: bool
    missing: list[str]
    """What would make it available here: variables to set, any one of them."""


class ModelRow(SkuRow):
    """A text model. `kind` says where it is asked."""

    kind: Kind
    context_window: int
    context_length: int
    max_output_tokens: int | None
    pricing: Pricing


class MediaLimits(BaseModel):
    """What a request may ask; left out: the SKU has no such thing, or no limit of it is known."""

    sizes: list[str] | None = None
    aspect_ratios: list[str] | None = None
    resolution: str | None = None
    max_count: int | None = None
    qualities: list[str] | None = None
    default_quality: str | None = None
    min_references: int | None = None
    max_references: int | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    default_duration_s: float | None = None
    durations_s: list[int] | None = None
    max_prompt_chars: int | None = None
    max_lyrics_chars: int | None = None
    max_input_chars: int | None = None
    max_name_chars: int | None = None
    max_upload_bytes: int | None = None
    max_url_bytes: int | None = None


class MediaModelRow(SkuRow):
    """A media SKU: no context window, limits of its own. Its prices lie under names by mode."""

    pricing: MediaPricing
    limits: MediaLimits


Row = ModelRow | MediaModelRow


def row(sku: Sku, shelf: Shelf) -> Row:
    """A SKU as the contract shows it."""
    return _media_row(sku, shelf) if isinstance(sku, MediaModel) else _text_row(sku, shelf)


def _text_row(model: Model, shelf: Shelf) -> ModelRow:
    return ModelRow(
        **_common(model, shelf),
        kind=model.kind,
        context_window=model.context_window,
        context_length=model.context_window,
        max_output_tokens=model.max_output_tokens,
        supports_tools=model.supports_tools,
        supports_vision=model.supports_vision,
        supports_reasoning=model.supports_reasoning,
        supports_structured_outputs=model.supports_structured_outputs,
        supports_caching=model.supports_caching,
        tier=None,
        pricing_mode="per-token",
        pricing=text_pricing(model),
    )


def _media_row(sku: MediaModel, shelf: Shelf) -> MediaModelRow:
    return MediaModelRow(
        **_common(sku, shelf),
        supports_tools=False,
        supports_vision=False,
        supports_reasoning=False,
        supports_structured_outputs=False,
        supports_caching=False,
        tier=sku.tier,
        pricing_mode=sku.rate.mode,
        pricing=media_pricing(sku.rate),
        limits=media_limits(sku),
    )


COPIED = tuple(
    name
    for name in SkuRow.model_fields
    if name in Model.__struct_fields__ and name in MediaModel.__struct_fields__ and name != "tier"
)


def _common(sku: Sku, shelf: Shelf) -> dict[str, Any]:
    return {name: _plain(getattr(sku, name)) for name in COPIED} | {
        "object": "model",
        "type": "model",
        "display_name": sku.name,
        "created_at": datetime.fromtimestamp(sku.created, UTC),
        "speed": sku.latency_tier,
        "modality": modality_of(sku),
        "capability": capability_of(sku),
        "endpoint": endpoint_of(sku),
        "release_stage": sku.release_stage,
        "gateway_output_limit": None,
        "max_tokens_passthrough": True,
        "available": shelf.is_available(sku),
        "missing": shelf.missing(sku),
    }


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def text_pricing(model: Model) -> Pricing:
    """A text model's prices; every figure is exact."""
    price = model.price
    shown = {
        "input_per_1m": price.input,
        "output_per_1m": price.output,
        "cached_input_per_1m": price.cached_input,
        "cache_write_per_1m": price.cache_write,
        "cache_write_1h_per_1m": price.cache_write_1h,
        "input": price.input,
        "output": price.output,
    }
    search = None if price.search is None else float(per_thousand_text(price.search))
    per_million = {name: float(per_million_text(picos)) for name, picos in shown.items()}
    return Pricing(mode="per-token", search_per_1k=search, **per_million)


def media_limits(sku: MediaModel) -> MediaLimits:
    """The limits that a SKU has."""
    said = {name: _plain(value) for name, value in msgspec.structs.asdict(sku.limits).items() if value}
    return MediaLimits.model_validate(said)
