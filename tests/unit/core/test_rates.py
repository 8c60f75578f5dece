"""What a rate makes of what was made."""

import pytest

from kyma.core.rates import Made, MegapixelRate, QualityRate, Rate, TokenRate, UnitRate


@pytest.mark.parametrize(
    ("rate", "made", "cost"),
    [
        (UnitRate("per-second", 1_000_001), Made(duration_ms=1_000), 1_001),
        (UnitRate("per-second", 1_000_001), Made(duration_ms=999), 1_000),
        (UnitRate("per-second", 1), Made(duration_ms=1), 1),
        (UnitRate("per-char", 1), Made(characters=1_001), 2),
        (UnitRate("per-minute", 1_001), Made(duration_ms=60_001), 3),
        (UnitRate("per-image", 999), Made(count=2), 2),
        (QualityRate({"low": 1}, "low"), Made(count=1_001), 2),
        (MegapixelRate(1_000, 1), Made(width=1_500, height=1_000), 2),
        (TokenRate(1, 10, 100, 1_000), Made(text_input=1, media_input=1, text_output=1, media_output=1), 2),
    ],
)
def test_what_was_made_is_rounded_up_once(rate: Rate, made: Made, cost: int) -> None:
    assert rate.cost(made) == cost


@pytest.mark.parametrize(
    "rate",
    [
        UnitRate("per-call", 7),
        QualityRate({"low": 1, "high": 2}, "low", {"low": 3, "high": 4}, 100),
        MegapixelRate(5, 6),
        TokenRate(1, 2, 3, 4),
    ],
)
def test_a_rate_at_its_own_prices_is_itself(rate: Rate) -> None:
    assert rate.at(rate.prices()) == rate


def test_a_quality_that_is_not_sold_has_no_price() -> None:
    with pytest.raises(KeyError):
        QualityRate({"low": 1}, "low").cost(Made(quality="ultra"))
