"""What price-exact checks of media: a rate of any mode, read from text, and what something made costs by it."""

import math
from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Literal

from kyma.core.money import Picos, each_to_picos, per_million_to_picos, per_thousand_to_picos
from kyma.core.rates import Made, MegapixelRate, QualityRate, Rate, TokenRate, UnitRate

FLAT: tuple[Literal["per-image", "per-video", "per-song", "per-call"], ...] = (
    *("per-image", "per-video"),
    *("per-song", "per-call"),
)
QUALITIES = ("low", "medium", "high")
NANOS_PER_USD = 10**9


def check_media(dice: Random, wrong: list[str]) -> Fraction:
    """One thing made at one price; by how much its cost was rounded, in nano-dollars."""
    made = Made(
        count=dice.randrange(1, 11),
        quality=dice.choice(("", *QUALITIES)),
        width=dice.randrange(1, 4096),
        height=dice.randrange(1, 4096),
        duration_ms=dice.randrange(10 ** dice.randrange(1, 8)),
        characters=dice.randrange(1, 10 ** dice.randrange(1, 6)),
        text_input=dice.randrange(10**6),
        media_input=dice.randrange(10**6),
        text_output=dice.randrange(10**6),
        media_output=dice.randrange(10**6),
    )
    rate, usd = dice.choice((_flat, _second, _minute, _char, _quality, _megapixel, _token))(dice, made)
    cost, exact = rate.cost(made), usd * NANOS_PER_USD
    if cost != math.ceil(exact):
        wrong.append(f"{made} at {rate} costs {exact}, not {cost}")
    return cost - exact


def _flat(dice: Random, made: Made) -> tuple[Rate, Fraction]:
    each, usd = _price(dice, each_to_picos, 12)
    return UnitRate(dice.choice(FLAT), each), usd * made.count


def _second(dice: Random, made: Made) -> tuple[Rate, Fraction]:
    each, usd = _price(dice, each_to_picos, 12)
    return UnitRate("per-second", each), usd * Fraction(made.duration_ms, 1_000)


def _minute(dice: Random, made: Made) -> tuple[Rate, Fraction]:
    each, usd = _price(dice, each_to_picos, 12)
    return UnitRate("per-minute", each), usd * max(1, math.ceil(Fraction(made.duration_ms, 60_000)))


def _char(dice: Random, made: Made) -> tuple[Rate, Fraction]:
    each, usd = _price(dice, per_thousand_to_picos, 9)
    return UnitRate("per-char", each), usd * Fraction(made.characters, 1_000)


def _quality(dice: Random, made: Made) -> tuple[Rate, Fraction]:
    usual = {quality: _price(dice, each_to_picos, 12) for quality in QUALITIES}
    larger = {quality: _price(dice, each_to_picos, 12) for quality in QUALITIES}
    most = dice.randrange(4096**2)
    rate = QualityRate(
        each={quality: each for quality, (each, _) in usual.items()},
        default="medium",
        larger={quality: each for quality, (each, _) in larger.items()},
        larger_than_pixels=most,
    )
    prices = larger if made.width * made.height > most else usual
    return rate, prices[made.quality or "medium"][1] * made.count


def _megapixel(dice: Random, made: Made) -> tuple[Rate, Fraction]:
    (first, usd), (further, more) = _price(dice, each_to_picos, 12), _price(dice, each_to_picos, 12)
    megapixels = max(1, math.floor(Fraction(made.width * made.height, 1_000_000) + Fraction(1, 2)))
    return MegapixelRate(first, further), (usd + more * (megapixels - 1)) * made.count


def _token(dice: Random, made: Made) -> tuple[Rate, Fraction]:
    prices = [_price(dice, per_million_to_picos, 6) for _ in range(4)]
    counts = (made.text_input, made.media_input, made.text_output, made.media_output)
    usd = sum((price * count for (_, price), count in zip(prices, counts, strict=True)), Fraction(0))
    picos = [each for each, _ in prices]
    return TokenRate(picos[0], picos[1], picos[2], picos[3]), usd / 1_000_000


def _price(dice: Random, reading: Callable[[str], Picos], places: int) -> tuple[Picos, Fraction]:
    """A price in USD as read from text with at most so many decimals, and as it is."""
    decimals = dice.randrange(1, places + 1)
    text = f"{dice.randrange(100)}.{dice.randrange(10**decimals):0{decimals}d}"
    return reading(text), Fraction(text)
