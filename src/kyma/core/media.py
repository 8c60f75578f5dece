"""Media SKUs: what images, clips and sounds are sold for, within which limits, and who could make them.

A rate turns what was made into nano-dollars; nothing here knows how a vendor is asked for it.
"""

from typing import Literal, TypeAlias

import msgspec

from kyma.core.model import Model
from kyma.core.money import Nanos, Picos, rounded_up

Modality = Literal["image", "video", "audio"]
Capability = Literal[
    "image_generate",
    "image_edit",
    "vector",
    "video_generate",
    "stt",
    "audio-understand",
    "speech",
    "music",
    "sfx",
    "voice-clone",
    "voice-design",
    "realtime",
]
PickerTier = Literal["quality", "fast", "cheap"]
Status = Literal["stable", "preview", "limited", "legacy", "retired"]

PIXELS_PER_MEGAPIXEL = 1_000_000
MS_PER_SECOND, MS_PER_MINUTE = 1_000, 60_000


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What a job or call has made, or will at most make when it is held for. A rate reads what it needs of it."""

    count: int = 1
    """Images, clips, songs, voices or calls."""
    quality: str = ""
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    """Of each, together where there are several."""
    characters: int = 0
    """Of the spoken text, after NFC."""
    text_input: int = 0
    """Tokens, as those below."""
    media_input: int = 0
    text_output: int = 0
    media_output: int = 0


class UnitRate(msgspec.Struct, frozen=True, tag_field="form", tag="unit"):
    """One price for each unit of what was made.

    Minutes are begun ones, at least one; seconds are exact to the millisecond; a flat mode counts what was made.
    """

    mode: Literal["per-image", "per-second", "per-video", "per-minute", "per-char", "per-song", "per-call"]
    each: Picos

    def cost(self, made: Made) -> Nanos:
        """In nano-dollars, rounded up once."""
        if self.mode == "per-second":
            return rounded_up(-(-self.each * made.duration_ms // MS_PER_SECOND))
        return rounded_up(self.each * self._units(made))

    def _units(self, made: Made) -> int:
        match self.mode:
            case "per-minute":
                return max(1, -(-made.duration_ms // MS_PER_MINUTE))
            case "per-char":
                return made.characters
            case _:
                return made.count


class QualityRate(msgspec.Struct, frozen=True, tag_field="form", tag="quality"):
    """A price an image by the quality that was asked for."""

    each: dict[str, Picos]
    default: str
    mode: Literal["per-quality"] = "per-quality"

    def cost(self, made: Made) -> Nanos:
        """Raises: KeyError for a quality that is not sold."""
        return rounded_up(self.each[made.quality or self.default] * made.count)


class MegapixelRate(msgspec.Struct, frozen=True, tag_field="form", tag="megapixel"):
    """A price for an image's first megapixel and one for each further; megapixels are rounded to the nearest whole."""

    first: Picos
    further: Picos
    mode: Literal["per-mp"] = "per-mp"

    def cost(self, made: Made) -> Nanos:
        pixels = made.width * made.height
        megapixels = max(1, (2 * pixels + PIXELS_PER_MEGAPIXEL) // (2 * PIXELS_PER_MEGAPIXEL))
        return rounded_up((self.first + self.further * (megapixels - 1)) * made.count)


class TokenRate(msgspec.Struct, frozen=True, tag_field="form", tag="token"):
    """Prices a token, by direction, of text and of sound or pictures."""

    text_input: Picos
    media_input: Picos
    text_output: Picos
    media_output: Picos
    mode: Literal["per-token"] = "per-token"

    def cost(self, made: Made) -> Nanos:
        return rounded_up(
            self.text_input * made.text_input
            + self.media_input * made.media_input
            + self.text_output * made.text_output
            + self.media_output * made.media_output
        )


Rate: TypeAlias = UnitRate | QualityRate | MegapixelRate | TokenRate


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a request for a SKU may ask; None or empty: the SKU has no such thing, or no limit of it is known."""

    sizes: tuple[str, ...] = ()
    """`1024x1024`, the default first."""
    aspect_ratios: tuple[str, ...] = ()
    max_count: int | None = None
    qualities: tuple[str, ...] = ()
    min_references: int = 0
    """Images that must come with the request."""
    max_references: int = 0
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    default_duration_s: float | None = None
    durations_s: tuple[int, ...] = ()
    """The only ones, where a SKU makes no others."""
    max_prompt_chars: int | None = None
    max_lyrics_chars: int | None = None
    max_input_chars: int | None = None
    max_upload_bytes: int | None = None
    max_url_bytes: int | None = None


class MediaRoute(msgspec.Struct, frozen=True):
    """A vendor that could make it, the vendor's id for it, and what it costs us."""

    id: str
    vendor: str
    upstream_model: str
    cost: Rate
    source: str
    retires_on: str | None = None


class MediaModel(msgspec.Struct, frozen=True, kw_only=True):
    """A media SKU of the catalog. `rate` is what the customer pays, whoever makes it."""

    id: str
    name: str
    description: str
    owned_by: str
    created: int
    modality: Modality
    capability: Capability
    tier: PickerTier | None
    best_for: str
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    supported_parameters: tuple[str, ...]
    rate: Rate
    price_source: str
    limits: Limits
    status: Status
    endpoint: str
    """The path that customers ask for it at."""
    pool: str | None
    """The pool of slots that a call takes one of; audio only."""
    latency_tier: Literal["fast", "medium", "slow"]
    cost_tier: Literal["cheap", "balanced", "premium"]
    quality_tier: Literal["efficient", "strong", "frontier-open"]
    recommended_for: tuple[str, ...]
    recommended: bool
    hot: bool
    retires_on: str | None
    routes: tuple[MediaRoute, ...]


Sku: TypeAlias = Model | MediaModel
"""Anything that is sold."""
