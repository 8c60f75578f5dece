"""Rates of media SKUs: what was made, turned into nano-dollars. Rates know no SKU, no limits and no vendor."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from kyma.core.money import Nanos, Picos, prorated, rounded_up

Mode = Literal[
    "per-image",
    "per-quality",
    "per-mp",
    "per-second",
    "per-video",
    "per-minute",
    "per-char",
    "per-song",
    "per-call",
    "per-token",
]
"""By what a SKU is sold."""

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
        match self.mode:
            case "per-second":
                return prorated(self.each, made.duration_ms, MS_PER_SECOND)
            case "per-minute":
                return rounded_up(self.each * max(1, -(-made.duration_ms // MS_PER_MINUTE)))
            case "per-char":
                return rounded_up(self.each * made.characters)
            case _:
                return rounded_up(self.each * made.count)

    def prices(self) -> Mapping[str, Picos]:
        """Each of its prices under a name of its own, for those who compare rates."""
        return {"each": self.each}

    def at(self, prices: Mapping[str, Picos]) -> "UnitRate":
        """The same rate with these prices, under the names of `prices()`."""
        return UnitRate(self.mode, prices["each"])


class QualityRate(msgspec.Struct, frozen=True, tag_field="form", tag="quality"):
    """A price an image by the quality that was asked for; one with more than `larger_than_pixels` has `larger`'s."""

    each: dict[str, Picos]
    default: str
    larger: dict[str, Picos] = {}
    larger_than_pixels: int | None = None
    mode: Literal["per-quality"] = "per-quality"

    def cost(self, made: Made) -> Nanos:
        """Raises: KeyError for a quality that is not sold."""
        is_larger = self.larger_than_pixels is not None and made.width * made.height > self.larger_than_pixels
        prices = self.larger if is_larger else self.each
        return rounded_up(prices[made.quality or self.default] * made.count)

    def prices(self) -> Mapping[str, Picos]:
        return self.each | {f"larger {quality}": price for quality, price in self.larger.items()}

    def at(self, prices: Mapping[str, Picos]) -> "QualityRate":
        return msgspec.structs.replace(
            self,
            each={quality: prices[quality] for quality in self.each},
            larger={quality: prices[f"larger {quality}"] for quality in self.larger},
        )


class MegapixelRate(msgspec.Struct, frozen=True, tag_field="form", tag="megapixel"):
    """A price for an image's first megapixel and one for each further; megapixels are rounded to the nearest whole."""

    first: Picos
    further: Picos
    mode: Literal["per-mp"] = "per-mp"

    def cost(self, made: Made) -> Nanos:
        pixels = made.width * made.height
        megapixels = max(1, (2 * pixels + PIXELS_PER_MEGAPIXEL) // (2 * PIXELS_PER_MEGAPIXEL))
        return rounded_up((self.first + self.further * (megapixels - 1)) * made.count)

    def prices(self) -> Mapping[str, Picos]:
        return {"first": self.first, "further": self.further}

    def at(self, prices: Mapping[str, Picos]) -> "MegapixelRate":
        return MegapixelRate(prices["first"], prices["further"])


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

    def prices(self) -> Mapping[str, Picos]:
        return {
            "text_input": self.text_input,
            "media_input": self.media_input,
            "text_output": self.text_output,
            "media_output": self.media_output,
        }

    def at(self, prices: Mapping[str, Picos]) -> "TokenRate":
        return TokenRate(
            text_input=prices["text_input"],
            media_input=prices["media_input"],
            text_output=prices["text_output"],
            media_output=prices["media_output"],
        )


Rate: TypeAlias = UnitRate | QualityRate | MegapixelRate | TokenRate
