"""The deposit tiers, typed here from the contract's matrix."""

import pytest

from kyma.catalog import CatalogError
from kyma.core.money import NANOS_PER_USD
from kyma.core.principal import Tier

from .conftest import Here, model_file

TIER = 'name = "T"\nmin_deposit_usd = {}\nrpm = 1\nper_model_rpm = 1\ntpm = 1\nmax_single_request = 1\nsource = "t"\n'


def test_the_five_tiers_are_the_contracts(here: Here) -> None:
    assert here().tiers == (
        Tier(0, "Tier 0", 0, 30, 25, 200_000, 200_000),
        Tier(1, "Tier 1", 5, 60, 40, 500_000, 500_000),
        Tier(2, "Tier 2", 50, 120, 80, 2_000_000, 1_000_000),
        Tier(3, "Tier 3", 250, 200, 150, 5_000_000, 3_000_000),
        Tier(4, "Tier 4", 1000, 300, 200, 10_000_000, 10_000_000),
    )


def test_a_tier_is_found_by_its_number(here: Here) -> None:
    assert here().tier(3).min_deposit_usd == 250


@pytest.mark.parametrize("number", [-1, 5])
def test_another_number_is_no_tier(here: Here, number: int) -> None:
    with pytest.raises(LookupError):
        here().tier(number)


@pytest.mark.parametrize(
    ("deposit", "number"),
    [
        (-1, 0),
        (0, 0),
        (5 * NANOS_PER_USD - 1, 0),
        (5 * NANOS_PER_USD, 1),
        (999 * NANOS_PER_USD, 3),
        (1000 * NANOS_PER_USD, 4),
        (10**6 * NANOS_PER_USD, 4),
    ],
)
def test_a_deposit_reaches_the_highest_tier_it_covers(here: Here, deposit: int, number: int) -> None:
    assert here().tier_for_deposit(deposit).tier == number


def test_an_overlay_changes_a_tier(owl: Here) -> None:
    assert owl(model_file(), tiers="[4]\n" + TIER.format(2000)).tier(4).min_deposit_usd == 2000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[6]\n" + TIER.format(9000), "without a gap"),
        ("[x]\n" + TIER.format(9000), "without a gap"),
        ("[4]\n" + TIER.format(250), "min_deposit_usd must be above tier 3's"),
        ("[0]\n" + TIER.format(1), "min_deposit_usd = 0"),
        ("[4]\n" + TIER.format(-1), "min_deposit_usd"),
    ],
)
def test_tiers_are_a_rising_row_from_zero(owl: Here, text: str, problem: str) -> None:
    with pytest.raises(CatalogError, match=problem):
        owl(model_file(), tiers=text)
