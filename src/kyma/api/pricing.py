"""GET /v1/pricing: what everything in the catalog costs, whether or not it is served here."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from kyma.api.media_pricing import media_pricing, usd_per_call
from kyma.api.model_rows import media_limits, text_pricing
from kyma.api.public import public
from kyma.api.shelf import TheShelf
from kyma.core.media import MediaModel, Modality
from kyma.core.model import Model
from kyma.core.money import each_text
from kyma.core.rates import Mode, UnitRate

router = public(60, ["Discovery"])


class TextPrice(BaseModel):
    """USD per 1M tokens. The cached price is that of a token read from a cache, where the model has one."""

    id: str
    name: str
    input_per_1m: float
    output_per_1m: float
    cached_input_per_1m: float


class MediaPrice(BaseModel):
    """`usd_per_call` is for a call that asks for nothing in particular."""

    id: str
    name: str
    modality: Modality
    pricing_mode: Mode
    usd_per_call: float
    detail: dict[str, Any] = Field(description="The figures of the mode, as in a model's `pricing`, and its limits")


class PricingCatalog(BaseModel):
    object: Literal["pricing.catalog"]
    text_count: int
    media_count: int
    text: list[TextPrice]
    media: list[MediaPrice]


class CreditsPricing(BaseModel):
    """The older list of texts alone, as an array and by id."""

    object: Literal["list"]
    data: list[TextPrice]
    models: dict[str, TextPrice]


@router.get("/v1/pricing", summary="Every price")
async def get_pricing_catalog(shelf: TheShelf) -> PricingCatalog:
    """Texts and media that are not retired, each by id."""
    kept = [sku for sku in shelf.known() if sku.status != "retired"]
    text = [_text_price(sku) for sku in kept if isinstance(sku, Model)]
    media = [_media_price(sku) for sku in kept if isinstance(sku, MediaModel)]
    return PricingCatalog(
        object="pricing.catalog", text_count=len(text), media_count=len(media), text=text, media=media
    )


@router.get("/v1/credits/pricing", summary="Model pricing table")
async def get_pricing(shelf: TheShelf) -> CreditsPricing:
    """Texts alone; kept for clients that ask here. `/v1/pricing` has everything."""
    rows = [_text_price(model) for model in shelf.catalog.all() if model.status != "retired"]
    return CreditsPricing(object="list", data=rows, models={row.id: row for row in rows})


def _text_price(model: Model) -> TextPrice:
    shown = text_pricing(model)
    return TextPrice(
        id=model.id,
        name=model.name,
        input_per_1m=shown.input_per_1m,
        output_per_1m=shown.output_per_1m,
        cached_input_per_1m=shown.cached_input_per_1m,
    )


def _media_price(sku: MediaModel) -> MediaPrice:
    return MediaPrice(
        id=sku.id,
        name=sku.name,
        modality=sku.modality,
        pricing_mode=sku.rate.mode,
        usd_per_call=usd_per_call(sku),
        detail=_detail(sku),
    )


def _detail(sku: MediaModel) -> dict[str, Any]:
    figures = media_pricing(sku.rate).model_dump(exclude_unset=True, exclude={"mode", "currency"})
    return {**figures, **(_seconds(sku) if sku.rate.mode == "per-second" else _limits(sku))}


def _seconds(sku: MediaModel) -> dict[str, Any]:
    """The contract's names for what is sold by the second."""
    costs = [
        route.cost.each for route in sku.routes if isinstance(route.cost, UnitRate) and route.cost.mode == "per-second"
    ]
    return {
        "provider_cost_per_sec": float(each_text(max(costs))) if costs else None,
        "min_duration_sec": sku.limits.min_duration_s,
        "max_duration_sec": sku.limits.max_duration_s,
        "default_duration_sec": sku.limits.default_duration_s,
        "allowed_durations": list(sku.limits.durations_s) or None,
    }


def _limits(sku: MediaModel) -> dict[str, Any]:
    return media_limits(sku).model_dump(exclude_unset=True)
