"""GET /v1/models: what is sold here, at which price, and what it can do. Who serves it is not said."""

from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from kyma.api.depends import CallerIfAny, TheGateway
from kyma.catalog import Catalog
from kyma.core.model import Kind, Model
from kyma.core.money import per_million_text, per_thousand_text

router = APIRouter(tags=["Models"])


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


class ModelRow(BaseModel):
    """`kind` says where it is asked. `type`, `display_name` and `created_at` are what Anthropic's clients read."""

    id: str
    kind: Kind
    object: Literal["model"]
    type: Literal["model"]
    display_name: str
    created: int
    created_at: datetime
    owned_by: str
    name: str
    description: str
    context_window: int
    context_length: int
    max_output_tokens: int | None
    best_for: str
    speed: str
    recommended: bool
    hot: bool
    input_modalities: list[str]
    output_modalities: list[str]
    supported_parameters: list[str]
    supports_tools: bool
    supports_vision: bool
    supports_reasoning: bool
    supports_structured_outputs: bool
    supports_caching: bool
    latency_tier: Literal["fast", "medium", "slow"]
    cost_tier: Literal["cheap", "balanced", "premium"]
    quality_tier: Literal["efficient", "strong", "frontier-open"]
    release_stage: Literal["stable", "preview", "limited"]
    recommended_for: list[str]
    pricing_mode: Literal["per-token"]
    pricing: Pricing
    gateway_output_limit: None
    max_tokens_passthrough: Literal[True]
    retires_on: str | None
    available: bool
    missing: list[str]
    """What would make it available here: variables to set, any one of them."""


class ModelList(BaseModel):
    object: Literal["list"]
    data: list[ModelRow]
    aliases: dict[str, str]
    has_more: Literal[False]
    first_id: str | None
    last_id: str | None


@router.get("/v1/models", summary="List all models")
async def list_models(
    gateway: TheGateway, _caller: CallerIfAny, include: Literal["available", "all"] = "available"
) -> ModelList:
    """The models this gateway can serve now; `include=all` adds those that lack a provider, with what is missing."""
    catalog = gateway.catalog
    models = catalog.all() if include == "all" else catalog.offered()
    return ModelList(
        object="list",
        data=[row(model, catalog) for model in models],
        aliases=dict(catalog.aliases),
        has_more=False,
        first_id=models[0].id if models else None,
        last_id=models[-1].id if models else None,
    )


@router.get("/v1/models/{model_id:path}", summary="One model", responses={404: {"description": "Unknown model"}})
async def get_model(gateway: TheGateway, _caller: CallerIfAny, model_id: str) -> ModelRow:
    """A model by its id or by an alias."""
    catalog = gateway.catalog
    known = catalog.models.get(model_id)
    return row(known or catalog.resolve(model_id).model, catalog)


def row(model: Model, catalog: Catalog) -> ModelRow:
    """A model as the contract shows it."""
    copied: dict[str, Any] = {name: _plain(getattr(model, name)) for name in COPIED}
    return ModelRow(
        object="model",
        type="model",
        display_name=model.name,
        created_at=datetime.fromtimestamp(model.created, UTC),
        pricing=_pricing(model),
        pricing_mode="per-token",
        context_length=model.context_window,
        speed=model.latency_tier,
        release_stage=model.release_stage,
        gateway_output_limit=None,
        max_tokens_passthrough=True,
        available=bool(model.routes),
        missing=[] if model.routes else list(catalog.missing(model.id)),
        **copied,
    )


COPIED = tuple(name for name in ModelRow.model_fields if name in Model.__struct_fields__)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _pricing(model: Model) -> Pricing:
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
