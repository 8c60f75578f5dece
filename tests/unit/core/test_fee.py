"""The fee for a call that the customer's own key served: a percentage, as a share of the price."""

import pytest

from kyma.core.money import WHOLE_PRICE, percent_to_share


@pytest.mark.parametrize(
    ("percent", "share"), [("5", 500), ("0", 0), ("100", WHOLE_PRICE), ("0.01", 1), ("12.5", 1250)]
)
def test_a_percentage_is_whole_hundredths(percent: str, share: int) -> None:
    assert percent_to_share(percent) == share


@pytest.mark.parametrize("percent", ["", "five", "-1", "100.01", "0.001", "nan", "inf", "5%"])
def test_what_is_no_share_is_refused(percent: str) -> None:
    with pytest.raises(ValueError):
        percent_to_share(percent)
