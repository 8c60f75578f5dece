"""Two price books side by side: what moved, by how much, and what needs somebody's yes."""

from datetime import date

import pytest

from kyma.catalog import Sheets, assemble, builtin_data, read
from kyma.catalog.moves import books_ahead, moves, new_and_gone

from .conftest import PROVIDERS, TODAY, Overlay, model_file, route

DECEMBER = date(2026, 12, 1)


def book(fresh: int, output: int = 2_000_000, search: str = "null") -> str:
    figures = f'"cache_write":{fresh},"cache_write_1h":{fresh},"cached_input":{fresh // 10},"input":{fresh}'
    return f'{{"owl":{{{figures},"output":{output},"search":{search}}}}}'


def said(before: str, after: str) -> list[str]:
    return [str(move) for move in moves(before, after)]


def is_large(before: str, after: str) -> list[bool]:
    return [move.is_large for move in moves(before, after)]


def test_what_stays_is_no_move() -> None:
    assert said(book(1_000_000), book(1_000_000)) == []


def test_a_move_is_told_as_an_operator_types_prices() -> None:
    assert said(book(1_000_000), book(1_000_000, 2_500_000)) == ["owl: output 2.0 -> 2.5 (+25.0 %)"]


@pytest.mark.parametrize(
    ("after", "needs_a_yes"),
    [(1_200_000, False), (1_200_001, True), (800_000, False), (799_999, True), (0, True)],
)
def test_more_than_a_fifth_up_or_down_needs_a_yes(after: int, needs_a_yes: bool) -> None:
    assert is_large(book(1_000_000, 1_000_000), book(1_000_000, after)) == [needs_a_yes]


def test_what_was_free_and_costs_something_needs_a_yes() -> None:
    assert is_large(book(1_000_000, 0), book(1_000_000, 1)) == [True]


def test_what_is_sold_from_now_on_or_no_longer_is_told_and_needs_none() -> None:
    sold = book(1_000_000, search="10000000000")
    assert said(book(1_000_000), sold) == ["owl: search none -> 10"]
    assert is_large(book(1_000_000), sold) == is_large(sold, book(1_000_000)) == [False]


def test_a_model_that_is_new_or_gone_is_no_move() -> None:
    other = book(9).replace("owl", "elk")
    assert moves(book(1_000_000), other) == []
    assert new_and_gone(book(1_000_000), other) == (["elk"], ["owl"])


def test_a_book_from_before_there_was_an_hour_of_cache_is_compared_by_what_it_knows() -> None:
    old = '{"owl":{"input":1000000,"cached_input":100000,"cache_write":1000000,"output":2000000}}'
    assert said(old, book(1_000_000)) == []
    assert said(old, book(1_000_000, 1_000_000)) == ["owl: output 2.0 -> 1.0 (-50.0 %)"]


UNIT = '{"film":{"form":"unit","mode":"per-second","each":67500000000}}'


@pytest.mark.parametrize(
    ("before", "after", "told", "needs_a_yes"),
    [
        (UNIT, UNIT.replace("675", "700"), "film: each 0.0675 -> 0.07 (+3.7 %)", False),
        (UNIT, UNIT.replace("675", "900"), "film: each 0.0675 -> 0.09 (+33.3 %)", True),
        (UNIT, UNIT.replace("per-second", "per-video"), "film: mode per-second -> per-video", True),
        (
            '{"film":{"form":"quality","mode":"per-quality","default":"low","each":{"low":8100000000,"high":9}}}',
            '{"film":{"form":"quality","mode":"per-quality","default":"low","each":{"low":8200000000,"high":9}}}',
            "film: each.low 0.0081 -> 0.0082 (+1.2 %)",
            False,
        ),
        (
            UNIT,
            '{"film":{"form":"megapixel","mode":"per-mp","first":40500000000,"further":20250000000}}',
            "film: each 0.0675 -> none, first none -> 0.0405, form unit -> megapixel, "
            "further none -> 0.02025, mode per-second -> per-mp",
            True,
        ),
    ],
)
def test_rates_of_media_move_by_their_own_units(before: str, after: str, told: str, needs_a_yes: bool) -> None:
    assert said(before, after) == [told]
    assert is_large(before, after) == [needs_a_yes]


def test_a_move_is_known_again_by_its_prices_and_not_by_its_day() -> None:
    now = moves(book(1_000_000), book(2_000_000))[0]
    announced = moves(book(1_000_000), book(1_000_000), [(DECEMBER, book(2_000_000))])[0]
    other = moves(book(1_000_001), book(2_000_000))[0]
    assert (announced.starts_on, announced.id == now.id, other.id == now.id) == (DECEMBER, True, False)
    assert str(announced).startswith("owl from 2026-12-01: ")


@pytest.fixture
def announced(overlay: Overlay) -> Sheets:
    """An owl that costs 1, 2 from December on, and an elk that costs what the one of its routes that ends costs."""
    later = 'later = [{ from = 2026-12-01, input = "2", output = "2", source = "t, 2026-11" }]'
    price = f'list_price = {{ input = "1", output = "2", source = "t, 2026-11", {later} }}'
    ends = route("far", "1", "1", more="retires_on = 2026-12-24, ")
    files = {
        "providers.toml": PROVIDERS,
        "models/owl.toml": model_file(route("near"), price=price),
        "models/elk.toml": model_file(route("near"), ends, price="", model_id="elk"),
    }
    return read(builtin_data(), overlay(files))


def test_days_ahead_are_those_on_which_a_price_begins_or_the_route_that_makes_it_is_gone(announced: Sheets) -> None:
    packaged = {day for day, _ in books_ahead(read(builtin_data(), None), TODAY)}
    assert {day for day, _ in books_ahead(announced, TODAY)} - packaged == {DECEMBER, date(2026, 12, 25)}
    assert {day for day, _ in books_ahead(announced, DECEMBER)} - packaged == {date(2026, 12, 25)}


REEL = """
owned_by = "Forest"
[model.reel]
name = "Reel"
description = "A test model."
best_for = "Tests"
created = 2026-01-02
capability = "image_generate"
mode = "per-image"
latency_tier = "slow"
cost_tier = "cheap"
quality_tier = "strong"
limits = { max_count = 1 }
list_price = { usd_per_image = "0.2", source = "t", later = [\
  { from = 2027-05-01, usd_per_image = "0.3", source = "t" }] }
routes = [{ vendor = "fal", model = "reel-1", usd_per_image = "0.1", source = "t, 2026-11" }]
"""


def test_what_is_announced_of_media_moves_on_its_day_too(overlay: Overlay) -> None:
    sheets = read(builtin_data(), overlay({"media/forest.toml": REEL}))
    today = assemble(sheets, environment={}, engines={}, today=TODAY).price_book_json()
    found = moves(today, today, books_ahead(sheets, TODAY))
    assert [str(move) for move in found if move.sku == "reel"] == ["reel from 2027-05-01: each 0.2 -> 0.3 (+50.0 %)"]


def test_what_is_announced_moves_on_its_day(announced: Sheets) -> None:
    ahead = dict(books_ahead(announced, TODAY))
    december, christmas = ahead[DECEMBER], ahead[date(2026, 12, 25)]
    found = [
        move
        for move in moves(december, december, [(DECEMBER, december), (date(2026, 12, 25), christmas)])
        if move.sku in ("owl", "elk")
    ]
    assert [str(move) for move in found] == [
        "elk from 2026-12-25: cache_write 1.35 -> 0.675 (-50.0 %), cache_write_1h 1.35 -> 0.675 (-50.0 %), "
        "cached_input 1.35 -> 0.675 (-50.0 %), input 1.35 -> 0.675 (-50.0 %)"
    ]
