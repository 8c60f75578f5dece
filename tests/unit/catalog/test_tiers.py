"""The deposit tiers, typed here from the contract's matrix."""

import pytest

from kyma.catalog import CatalogError
from kyma.core.money import NANOS_PER_USD
from kyma.core.principal import AudioPools, MediaSlots, Tier

from .conftest import Here, model_file

Pools = tuple[int, int, int, int, int]
TIER = 'name = "T"\nmin_deposit_usd = {}\nrpm = 1\nper_model_rpm = 1\ntpm = 1\nmax_single_request = 1\nsource = "t"\n'
TIER += "image_concurrent = 1\nimage_queue_depth_cap = 1\nvideo_concurrent = 1\nvideo_queue_depth_cap = 1\n"
TIER += "audio_concurrent_per_provider = {{ groq = 1 }}\n"


def test_the_five_tiers_are_the_contracts(here: Here) -> None:
    assert here().tiers == (
        Tier(0, "Tier 0", 0, 30, 25, 200_000, 200_000, slots(2, 6, 0, 0, (1, 2, 1, 1, 1))),
        Tier(1, "Tier 1", 5, 60, 40, 500_000, 500_000, slots(10, 30, 4, 12, (4, 6, 2, 4, 4))),
        Tier(2, "Tier 2", 50, 120, 80, 2_000_000, 1_000_000, slots(20, 60, 8, 24, (8, 12, 4, 8, 8))),
        Tier(3, "Tier 3", 250, 200, 150, 5_000_000, 3_000_000, slots(28, 84, 10, 30, (12, 18, 6, 12, 12))),
        Tier(
            *(4, "Tier 4", 1000, 300, 200, 10_000_000, 10_000_000),
            slots(38, 0, 38, 0, (25, 30, 10, 20, 15), combined_media_concurrent=38, combined_queue_depth_cap=114),
        ),
    )


def slots(images: int, image_queue: int, videos: int, video_queue: int, audio: Pools, **combined: int) -> MediaSlots:
    return MediaSlots(
        image_concurrent=images,
        image_queue_depth_cap=image_queue,
        video_concurrent=videos,
        video_queue_depth_cap=video_queue,
        audio=AudioPools(*audio),
        **combined,
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
        ("[4]\n" + TIER.format(2000).replace("groq", "grok"), "grok.*audio_concurrent_per_provider"),
    ],
)
def test_tiers_are_a_rising_row_from_zero(owl: Here, text: str, problem: str) -> None:
    with pytest.raises(CatalogError, match=problem):
        owl(model_file(), tiers=text)
