"""What stands in a row of `media/*.toml` and of `vendors.toml`, as types.

Prices are decimal strings in USD, and the field's name says for how much. What becomes of a row is not its business.
"""

from collections.abc import Mapping
from datetime import date

import msgspec

from kyma.catalog.rows import (
    Modality,
    Positive,
    Purpose,
    Row,
    RowStatus,
    SourcedRow,
    Text,
)
from kyma.core.media import Capability, Limits, PickerTier, Pool
from kyma.core.model import CostTier, LatencyTier, QualityTier
from kyma.core.rates import Mode

PRICES: Mapping[Mode, tuple[str, ...]] = {
    "per-image": ("usd_per_image",),
    "per-quality": ("usd_per_image_by_quality",),
    "per-mp": ("usd_first_megapixel", "usd_further_megapixel"),
    "per-second": ("usd_per_second",),
    "per-video": ("usd_per_video",),
    "per-minute": ("usd_per_minute",),
    "per-char": ("usd_per_1k_chars",),
    "per-song": ("usd_per_song",),
    "per-call": ("usd_per_call",),
    "per-token": (
        "usd_per_1m_text_input",
        "usd_per_1m_media_input",
        "usd_per_1m_text_output",
        "usd_per_1m_media_output",
    ),
}
"""The fields that price a mode: a price or a route of that mode has these and no others of them."""

LARGER = "usd_per_larger_image_by_quality"
"""One more of mode per-quality, where a row says `larger_than_pixels`."""


class VendorRow(SourcedRow, frozen=True, kw_only=True):
    """A vendor of media that serves no text; one that does is a provider, and has no row here."""

    name: Text
    key_env: Text


class MediaPrices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices in USD, as texts. Which of the fields there are, the row's mode says."""

    usd_per_image: str | None = None
    usd_per_image_by_quality: dict[str, str] | None = None
    usd_per_larger_image_by_quality: dict[str, str] | None = None
    usd_first_megapixel: str | None = None
    usd_further_megapixel: str | None = None
    usd_per_second: str | None = None
    usd_per_video: str | None = None
    usd_per_minute: str | None = None
    usd_per_1k_chars: str | None = None
    usd_per_song: str | None = None
    usd_per_call: str | None = None
    usd_per_1m_text_input: str | None = None
    usd_per_1m_media_input: str | None = None
    usd_per_1m_text_output: str | None = None
    usd_per_1m_media_output: str | None = None
    source: Text


class LaterMediaPrices(MediaPrices, frozen=True, kw_only=True):
    """The prices `from` a day on (UTC), all of them."""

    starts_on: date = msgspec.field(name="from")


class MediaPriceRow(MediaPrices, frozen=True, kw_only=True):
    """What a customer pays. `later` announces what it will be."""

    later: tuple[LaterMediaPrices, ...] = ()


class MediaRouteRow(MediaPrices, frozen=True, kw_only=True):
    """A vendor, or a provider, and what it charges us now and `later`, in the row's mode whatever the vendor's own."""

    vendor: str
    model: Text
    later: tuple[LaterMediaPrices, ...] = ()
    retires_on: date | None = None

    @property
    def id(self) -> str:
        """`vendor/model`, for operators and logs."""
        return f"{self.vendor}/{self.model}"


class MediaRow(Row, frozen=True, kw_only=True):
    """A media SKU. `routes` stand in order of preference; without `list_price` the dearest one makes the price.

    Modality, endpoint and what goes in and comes out follow from `capability` where the row does not say otherwise;
    only a realtime row names its `endpoint`. `pool` is for audio.
    """

    name: Text
    description: Text
    best_for: Text
    owned_by: str
    prefixes: tuple[str, ...]
    created: date
    capability: Capability
    tier: PickerTier | None = None
    mode: Mode
    larger_than_pixels: Positive | None = None
    limits: Limits = Limits()
    input_modalities: tuple[Modality, ...] = ()
    output_modalities: tuple[Modality, ...] = ()
    supported_parameters: tuple[str, ...] = ()
    endpoint: str | None = None
    pool: Pool | None = None
    latency_tier: LatencyTier
    cost_tier: CostTier
    quality_tier: QualityTier
    status: RowStatus = "stable"
    recommended_for: tuple[Purpose, ...] = ()
    recommended: bool = False
    hot: bool = False
    retires_on: date | None = None
    list_price: MediaPriceRow | None = None
    routes: tuple[MediaRouteRow, ...]
