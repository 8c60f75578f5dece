"""What a call costs that the customer's own key served: a share of each unit price, rounded up once a unit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyma.core.model import Price, Usage
from kyma.core.money import percent_to_ppm, with_fee

PRICE = Price(1_000_001, 100_001, 1_250_001, 2_000_001, 2_500_001, 13_500_000_001)


@pytest.mark.parametrize(
    ("percent", "ppm"), [("5", 50_000), ("0", 0), ("100", 1_000_000), ("0.0001", 1), ("12.5", 125_000)]
)
def test_a_percentage_is_whole_millionths(percent: str, ppm: int) -> None:
    assert percent_to_ppm(percent) == ppm


@pytest.mark.parametrize("percent", ["", "five", "-1", "100.1", "0.00001", "nan", "inf", "5%"])
def test_what_is_no_share_is_refused(percent: str) -> None:
    with pytest.raises(ValueError):
        percent_to_ppm(percent)


@given(price=st.integers(0, 10**13), ppm=st.integers(0, 10**6))
def test_a_fee_is_its_share_of_the_price_rounded_up(price: int, ppm: int) -> None:
    exact = Fraction(price * ppm, 10**6)
    assert 0 <= with_fee(price, ppm) - exact < 1


def test_every_unit_price_has_the_fee() -> None:
    assert PRICE.at_fee(50_000) == Price(50_001, 5_001, 62_501, 100_001, 125_001, 675_000_001)


def test_the_whole_share_is_the_price_and_none_is_free() -> None:
    assert PRICE.at_fee(1_000_000) == PRICE
    assert Usage(10**6, 10**6, 10**6, 10**6, searches=9).cost(PRICE.at_fee(0)) == 0


def test_searches_that_are_not_sold_stay_so() -> None:
    assert Price(1, 1, 1, 1, 1).at_fee(50_000).search is None


def test_a_call_is_rounded_once_as_any_other() -> None:
    usage = Usage(input=3, output=7)
    assert usage.picos(PRICE.at_fee(50_000)) == 3 * 50_001 + 7 * 100_001
    assert usage.cost(PRICE.at_fee(50_000)) == 851
