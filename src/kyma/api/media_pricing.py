"""What a media SKU costs in dollars: by its unit, in the words that clients read, and for one call as it comes."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field

from kyma.core.media import MediaModel
from kyma.core.money import Picos, each_text, per_million_text, per_thousand_text, usd_float
from kyma.core.rates import MS_PER_SECOND, Made, MegapixelRate, Mode, QualityRate, Rate, TokenRate, UnitRate

UNIT_FIELDS = {
    "per-image": "per_image_usd",
    "per-second": "per_second_usd",
    "per-video": "per_video_usd",
    "per-minute": "per_minute_usd",
    "per-song": "per_song_usd",
    "per-call": "per_call_usd",
}
TYPICAL_CHARS = 1_000


class MediaPricing(BaseModel):
    """USD. Of the figures those are there that the mode has."""

    mode: Mode
    currency: Literal["USD"]
    per_image_usd: float | None = Field(None, description="An image: of the default quality, or of a megapixel")
    per_quality_usd: dict[str, float] | None = None
    default_quality: str | None = None
    larger_than_pixels: int | None = Field(None, description="Images with more have the prices for larger ones")
    per_larger_quality_usd: dict[str, float] | None = None
    first_mp_usd: float | None = None
    extra_mp_usd: float | None = Field(None, description="Each further megapixel, to the nearest whole one")
    per_second_usd: float | None = None
    per_video_usd: float | None = None
    per_minute_usd: float | None = Field(None, description="Each begun minute, at least one")
    per_1k_chars_usd: float | None = None
    per_song_usd: float | None = None
    per_call_usd: float | None = None
    text_input_per_1m: float | None = None
    media_input_per_1m: float | None = None
    text_output_per_1m: float | None = None
    media_output_per_1m: float | None = None


def media_pricing(rate: Rate) -> MediaPricing:
    """A rate as clients read it; every figure is exact."""
    return MediaPricing.model_validate({"mode": rate.mode, "currency": "USD", **_figures(rate)})


def usd_per_call(sku: MediaModel) -> float:
    """What one call costs if it asks for nothing in particular.

    One image of a megapixel in the default quality, the default length of a clip (a second where there is none), a
    minute, 1,000 characters; for tokens a thousand each way.
    """
    limits = sku.limits
    seconds = limits.default_duration_s or limits.min_duration_s or 1
    made = Made(
        width=1_000,
        height=1_000,
        duration_ms=round(seconds * MS_PER_SECOND) if sku.rate.mode == "per-second" else 1,
        characters=TYPICAL_CHARS,
        media_input=1_000,
        media_output=1_000,
    )
    return usd_float(sku.rate.cost(made))


def _figures(rate: Rate) -> dict[str, object]:
    match rate:
        case QualityRate():
            each = _by_quality(rate.each)
            larger = {"larger_than_pixels": rate.larger_than_pixels, "per_larger_quality_usd": _by_quality(rate.larger)}
            return {
                "per_image_usd": each[rate.default],
                "per_quality_usd": each,
                "default_quality": rate.default,
                **(larger if rate.larger else {}),
            }
        case MegapixelRate():
            first = float(each_text(rate.first))
            return {"per_image_usd": first, "first_mp_usd": first, "extra_mp_usd": float(each_text(rate.further))}
        case TokenRate():
            return {
                "text_input_per_1m": float(per_million_text(rate.text_input)),
                "media_input_per_1m": float(per_million_text(rate.media_input)),
                "text_output_per_1m": float(per_million_text(rate.text_output)),
                "media_output_per_1m": float(per_million_text(rate.media_output)),
            }
        case UnitRate(mode="per-char"):
            return {"per_1k_chars_usd": float(per_thousand_text(rate.each))}
        case UnitRate():
            return {UNIT_FIELDS[rate.mode]: float(each_text(rate.each))}


def _by_quality(each: Mapping[str, Picos]) -> dict[str, float]:
    return {quality: float(each_text(picos)) for quality, picos in each.items()}
