"""Media rows: how one is read, what follows from it, and that a bad one is refused with file and field."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from kyma.catalog import Catalog, CatalogError, builtin_data, load
from kyma.core.media import Limits
from kyma.core.rates import MegapixelRate, QualityRate, TokenRate, UnitRate

from .conftest import TODAY

ROUTE = '{ vendor = "mill", model = "reel-1", usd_per_second = "0.1", source = "test, 2026-11-21" }'
OTHER = '{ vendor = "groq", model = "reel-1", usd_per_second = "0.2", source = "test, 2026-11-21" }'
LIMITS = "limits = { max_references = 1, max_duration_s = 10, default_duration_s = 5 }"
PRICE = 'list_price = { usd_per_second = "0.27", source = "test, 2026-11-21" }'
REEL = f"""
owned_by = "Forest"
prefixes = ["forest"]

[model.reel]
name = "Reel"
description = "A test model."
best_for = "Tests"
created = 2026-01-02
capability = "video_generate"
mode = "per-second"
latency_tier = "slow"
cost_tier = "cheap"
quality_tier = "strong"
{LIMITS}
{PRICE}
routes = [{ROUTE}, {OTHER}]
"""
VENDORS = """
[mill]
name = "Mill"
key_env = "MILL_KEY"
source = "test, 2026-11-21"
"""

Mill = Callable[..., Catalog]


@pytest.fixture
def mill(overlay: Callable[[Mapping[str, str]], Path]) -> Mill:
    """The packaged catalog, a vendor of tests and the media file given."""

    def loaded(text: str, *, vendors: str = VENDORS, today: date = TODAY, **others: str) -> Catalog:
        files = {"vendors.toml": vendors, "media/forest.toml": text}
        files |= {f"{name}.toml": content for name, content in others.items()}
        return load(builtin_data(), overlay(files), environment={}, engines={}, today=today)

    return loaded


def image(mode: str, price: str, more: str = "", limits: str = "max_count = 4") -> str:
    """A file with a model of images: its price, with that of its one route twenty 27ths of it."""
    text = REEL.replace("video_generate", "image_generate").replace("per-second", mode)
    text = text.replace(LIMITS, f"{more}\nlimits = {{ {limits} }}").replace(PRICE, "")
    return text.replace(
        f"{ROUTE}, {OTHER}", f'{{ vendor = "mill", model = "reel-1", {price}, source = "test, 2026-11" }}'
    )


def test_what_a_row_leaves_out_follows_from_its_capability(mill: Mill) -> None:
    reel = mill(REEL).media["reel"]
    assert (reel.modality, reel.endpoint, reel.pool) == ("video", "/v1/videos/generations", None)
    assert (reel.input_modalities, reel.output_modalities) == (("text", "image"), ("video",))
    assert reel.supported_parameters == ("prompt", "duration", "extra", "idempotency_key", "image_url")
    assert reel.limits == Limits(max_references=1, max_duration_s=10, default_duration_s=5)
    assert (reel.owned_by, reel.prefixes, reel.created) == ("Forest", ("forest",), 1_767_312_000)


def test_an_overlay_replaces_a_whole_row(mill: Mill) -> None:
    catalog = mill(REEL.replace("[model.reel]", '[model."kling-3-pro"]'))
    assert (catalog.media["kling-3-pro"].name, catalog.media["veo-3"].name) == ("Reel", "Veo 3")


def test_a_list_price_stands_as_typed(mill: Mill) -> None:
    reel = mill(REEL).media["reel"]
    assert (reel.rate, reel.price_source) == (UnitRate("per-second", 270_000_000_000), "test, 2026-11-21")


def test_without_one_the_dearest_route_with_the_mark_up_makes_the_price(mill: Mill) -> None:
    reel = mill(REEL.replace(PRICE, "").replace('"0.2"', '"0.3"')).media["reel"]
    assert reel.rate == UnitRate("per-second", 405_000_000_000)


def test_a_route_that_costs_more_than_the_price_allows_is_dropped_with_a_warning(mill: Mill) -> None:
    catalog = mill(REEL.replace('"0.2"', '"0.200000000001"'))
    assert [route.id for route in catalog.media["reel"].routes] == ["mill/reel-1"]
    why = "usd_per_second 0.200000000001 with the mark-up exceeds the list price"
    assert f"reel: groq/reel-1 dropped: {why}" in catalog.warnings


LATER = '"0.27", later = [{ from = 2026-11-22, usd_per_second = "0.3", source = "news, 2026-11-01" }]'


def test_an_announced_price_holds_from_its_day_on(mill: Mill) -> None:
    text = REEL.replace('"0.27"', LATER)
    assert mill(text).media["reel"].rate == UnitRate("per-second", 270_000_000_000)
    reel = mill(text, today=date(2026, 11, 22)).media["reel"]
    assert (reel.rate, reel.price_source) == (UnitRate("per-second", 300_000_000_000), "news, 2026-11-01")


def test_an_announced_cost_drops_a_route_on_its_day(mill: Mill) -> None:
    later = 'later = [{ from = 2026-11-22, usd_per_second = "0.21", source = "news, 2026-11-01" }], source'
    text = REEL.replace(ROUTE, ROUTE.replace("source", later))
    assert len(mill(text).media["reel"].routes) == 2
    catalog = mill(text, today=date(2026, 11, 22))
    assert [route.id for route in catalog.media["reel"].routes] == ["groq/reel-1"]
    assert "reel: mill/reel-1 dropped: usd_per_second 0.21 with the mark-up exceeds the list price" in catalog.warnings


def test_a_route_that_has_ended_makes_no_price(mill: Mill) -> None:
    ended = OTHER.replace("source", "retires_on = 2026-11-20, source")
    catalog = mill(REEL.replace(PRICE, "").replace(OTHER, ended))
    assert catalog.media["reel"].rate == UnitRate("per-second", 135_000_000_000)
    assert "reel: groq/reel-1 dropped: it ended on 2026-11-20" in catalog.warnings


def test_a_retired_sku_has_no_route(mill: Mill) -> None:
    catalog = mill(REEL.replace(LIMITS, f"{LIMITS}\nretires_on = 2026-11-20"))
    reel = catalog.media["reel"]
    assert (reel.status, reel.release_stage, reel.retires_on, reel.routes) == ("retired", "stable", "2026-11-20", ())
    assert "reel: not offered: it retired on 2026-11-20" in catalog.warnings


def test_a_last_day_is_one_still(mill: Mill) -> None:
    text = REEL.replace(LIMITS, f'{LIMITS}\nretires_on = 2026-11-21\nstatus = "legacy"')
    assert mill(text).media["reel"].status == "legacy"


def test_missing_names_what_has_each_vendor(mill: Mill) -> None:
    assert mill(REEL).missing("reel") == ("MILL_KEY", "GROQ_API_KEY")


def test_media_is_not_offered(mill: Mill) -> None:
    assert [model.id for model in mill(REEL).offered()] == []


def test_a_thousand_characters_are_the_unit_of_speech(mill: Mill) -> None:
    assert mill(REEL).media["eleven-v3"].rate == UnitRate("per-char", 405_000_000)


def test_a_price_by_quality_is_that_of_the_dearest_in_each(mill: Mill) -> None:
    by_quality = 'usd_per_image_by_quality = { low = "0.01", high = "0.02" }'
    more = 'usd_per_larger_image_by_quality = { low = "0.02", high = "0.04" }'
    limits = 'max_count = 1, qualities = ["low", "high"], default_quality = "low"'
    text = image("per-quality", f"{by_quality}, {more}", "larger_than_pixels = 100", limits)
    cents = 10_000_000_000
    assert mill(text).media["reel"].rate == QualityRate(
        each={"low": 27 * cents // 20, "high": 27 * cents // 10},
        default="low",
        larger={"low": 27 * cents // 10, "high": 27 * cents // 5},
        larger_than_pixels=100,
    )


def test_megapixels_have_two_prices(mill: Mill) -> None:
    text = image("per-mp", 'usd_first_megapixel = "0.03", usd_further_megapixel = "0.015"')
    assert mill(text).media["reel"].rate == MegapixelRate(40_500_000_000, 20_250_000_000)


def test_tokens_have_four_prices_a_million(mill: Mill) -> None:
    names = ("text_input", "media_input", "text_output", "media_output")
    price = ", ".join(f'usd_per_1m_{name} = "{usd}"' for name, usd in zip(names, (20, 40, 60, 80), strict=True))
    assert mill(image("per-token", price)).media["reel"].rate == TokenRate(
        27_000_000, 54_000_000, 81_000_000, 108_000_000
    )


BY_QUALITY = 'usd_per_image_by_quality = { low = "0.01" }'
QUALITIES = 'max_count = 1, qualities = ["low"], default_quality = "low"'


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (REEL.replace('name = "Reel"', "name = 1"), r"\$\.name"),
        (REEL.replace('name = "Reel"', 'name = ""'), r"\$\.name"),
        (REEL.replace("best_for", "bestfor"), "bestfor"),
        (REEL.replace("created = 2026-01-02", ""), "created"),
        (REEL.replace('"video_generate"', '"telepathy"'), "capability"),
        (REEL.replace('mode = "per-second"', 'mode = "per-mood"'), r"\$\.mode`"),
        (REEL.replace('"slow"', '"never"'), "latency_tier"),
        (REEL.replace(LIMITS, f'{LIMITS}\ntier = "best"'), r"\$\.tier"),
        (REEL.replace(LIMITS, f'{LIMITS}\nstatus = "retired"'), r"\$\.status"),
        (REEL.replace(LIMITS, f'{LIMITS}\nrecommended_for = ["fun"]'), "recommended_for"),
        (REEL.replace(LIMITS, f'{LIMITS}\ninput_modalities = ["smell"]'), "input_modalities"),
        (REEL.replace(LIMITS, f'{LIMITS}\npool = "groq"'), "pool: audio has one"),
        (REEL.replace('"video_generate"', '"music"').replace("max_references = 1, ", ""), "pool: audio has one"),
        (REEL.replace(LIMITS, f'{LIMITS}\nendpoint = "/v1/reels"'), "endpoint: a realtime row names it"),
        (REEL.replace('"video_generate"', '"realtime"\npool = "openai"'), "endpoint: a realtime row names it"),
        (REEL.replace('"video_generate"', '"realtime"\npool = "openai"\nendpoint = "v1"'), "endpoint: it begins"),
        (REEL.replace("max_duration_s = 10", "max_duration = 10"), "max_duration"),
        (REEL.replace("max_duration_s = 10", "max_duration_s = 0"), "limits.max_duration_s"),
        (REEL.replace("max_duration_s = 10", "max_duration_s = 4"), "limits.default_duration_s"),
        (REEL.replace("max_duration_s = 10, ", ""), "limits.max_duration_s"),
        (REEL.replace(", default_duration_s = 5", ""), "limits.default_duration_s"),
        (REEL.replace("max_references", "min_duration_s = 6, max_references"), "limits.default_duration_s"),
        (REEL.replace("max_references", "durations_s = [5], max_references"), "limits.durations_s"),
        (REEL.replace("max_references", "durations_s = [5, 5], max_references"), "limits.durations_s"),
        (REEL.replace("max_references", "min_references = 2, max_references"), "limits.min_references"),
        (REEL.replace("max_references = 1, ", ""), "limits.max_references"),
        (REEL.replace("max_references", 'sizes = ["big"], max_references'), "limits.sizes"),
        (REEL.replace("max_references", 'aspect_ratios = ["16x9"], max_references'), "limits.aspect_ratios"),
        (REEL.replace("max_references", 'qualities = ["low"], max_references'), "limits.qualities"),
        (REEL.replace('"0.27"', '"nothing"'), "list_price.usd_per_second"),
        (REEL.replace('"0.27"', '"-1"'), "list_price.usd_per_second"),
        (REEL.replace('"0.27"', "0.27"), "list_price.usd_per_second"),
        (REEL.replace('"0.27"', '"0"'), "list_price.usd_per_second: it must cost more than nothing"),
        (REEL.replace('"0.27"', '"0.0000000000001"'), "list_price.usd_per_second"),
        (REEL.replace('_second = "0.27"', '_minute = "0.27"'), "list_price.usd_per_second is needed"),
        (REEL.replace('"0.27"', '"0.27", usd_per_call = "1"'), "list_price.usd_per_call has no place"),
        (REEL.replace('"0.27"', LATER.replace('"0.3"', '"x"')), r"list_price.later\[0\].usd_per_second"),
        (REEL.replace('"0.27"', LATER.replace("_second", "_call")), r"list_price.later\[0\].usd_per_second is needed"),
        (REEL.replace('"0.27", source = "test, 2026-11-21"', '"0.27", source = ""'), "list_price.source"),
        (REEL.replace(PRICE, "").replace(f"{ROUTE}, {OTHER}", ""), "list_price is needed"),
        (REEL.replace(ROUTE, ROUTE.replace('"mill"', '"mil"')), r"routes\[0\].vendor: there is no vendor 'mil'"),
        (REEL.replace(ROUTE, ROUTE.replace('"0.1"', '"0"')), r"routes\[0\].usd_per_second: it must cost"),
        (REEL.replace(ROUTE, ROUTE.replace("_second", "_image")), r"routes\[0\].usd_per_image has no place"),
        (REEL.replace(ROUTE, ROUTE.replace("source", "sauce")), "sauce"),
        (REEL.replace(ROUTE, ROUTE.replace('"reel-1"', '""')), r"routes\[0\]\.model"),
        (REEL.replace(OTHER, ROUTE), r"routes\[1\]: mill/reel-1 is listed twice"),
        (REEL.replace("[model.reel]", '[model."Reel"]'), "lower case"),
        (REEL.replace("[model.reel]", '[model."gpt-oss-120b"]'), "a model of text or an alias has this id"),
        (REEL.replace("[model.reel]", '[model."best"]'), "a model of text or an alias has this id"),
        (image("per-image", 'usd_per_image = "1"', limits=""), "limits.max_count"),
        (image("per-image", 'usd_per_image = "1"', "larger_than_pixels = 5"), "larger_than_pixels"),
        (image("per-image", 'usd_per_image = "1"', limits="max_count = 1, max_references = 1"), "max_references"),
        (image("per-mp", 'usd_first_megapixel = "1"'), "usd_further_megapixel is needed"),
        (image("per-quality", BY_QUALITY), "limits.qualities"),
        (image("per-quality", BY_QUALITY, limits='max_count = 1, qualities = ["low"]'), "limits.default_quality"),
        (image("per-quality", BY_QUALITY.replace("low", "lo"), limits=QUALITIES), "one price for each"),
        (image("per-quality", BY_QUALITY.replace("0.01", "x"), limits=QUALITIES), "by_quality.low"),
        (image("per-quality", BY_QUALITY, "larger_than_pixels = 5", QUALITIES), "larger_image_by_quality is needed"),
        (image("per-token", 'usd_per_1m_text_input = "1"'), "usd_per_1m_media_input is needed"),
        ("nonsense", "key"),
        ('[media.reel]\nname = "Reel"', "unknown field `media`"),
    ],
)
def test_a_bad_media_row_names_file_and_field(mill: Mill, text: str, field: str) -> None:
    with pytest.raises(CatalogError, match=field) as caught:
        mill(text)
    assert "media/forest.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("vendors", "field"),
    [
        (VENDORS.replace("key_env", "keyenv"), "keyenv"),
        (VENDORS.replace('"test, 2026-11-21"', '""'), "source"),
        (VENDORS.replace("[mill]", "[groq]"), "a provider has this id"),
        (VENDORS.replace("[mill]", "[Mill]"), "lower case"),
    ],
)
def test_a_bad_vendor_row_names_file_and_field(mill: Mill, vendors: str, field: str) -> None:
    with pytest.raises(CatalogError, match=field) as caught:
        mill(REEL, vendors=vendors)
    assert "vendors.toml" in str(caught.value)


def test_a_media_model_in_two_files_of_one_folder_is_refused(mill: Mill) -> None:
    with pytest.raises(CatalogError, match=r"model\.reel is also in desert\.toml"):
        mill(REEL, **{"media/desert": REEL})
