"""What is announced with a date counts from that day on, and is checked the day it is written."""

from collections.abc import Sequence
from datetime import date

import pytest

from kyma.catalog import Catalog, CatalogError

from .conftest import TODAY, Here, model_file, route

DECEMBER, JANUARY = date(2026, 12, 1), date(2027, 1, 1)


def later(*days: tuple[str, str, str]) -> str:
    """The `later` of a price row: day, input, output."""
    rows = (f'{{ from = {day}, input = "{fresh}", output = "{out}", source = "of {day}" }}' for day, fresh, out in days)
    return f"later = [ {', '.join(rows)} ]"


def list_price(*days: tuple[str, str, str]) -> str:
    return f'list_price = {{ input = "1", output = "2", source = "test, 2026-11-21", {later(*days)} }}'


TWO_STEPS = list_price(("2026-12-01", "3", "4"), ("2027-01-01", "5", "6"))


@pytest.mark.parametrize(
    ("today", "prices"),
    [
        (TODAY, (1_000_000, 100_000, 2_000_000)),
        (date(2026, 11, 30), (1_000_000, 100_000, 2_000_000)),
        (DECEMBER, (3_000_000, 300_000, 4_000_000)),
        (date(2026, 12, 31), (3_000_000, 300_000, 4_000_000)),
        (JANUARY, (5_000_000, 500_000, 6_000_000)),
    ],
)
def test_the_price_in_force_is_the_last_that_has_begun(owl: Here, today: date, prices: Sequence[int]) -> None:
    price = owl(model_file(route("near"), price=TWO_STEPS), today=today).models["owl"].price
    assert (price.input, price.cached_input, price.output) == prices


def test_the_source_is_that_of_the_price_in_force(owl: Here) -> None:
    text = model_file(route("near"), price=TWO_STEPS)
    assert owl(text).models["owl"].price_source == "test, 2026-11-21"
    assert owl(text, today=DECEMBER).models["owl"].price_source == "of 2026-12-01"


def test_another_price_is_another_book(owl: Here) -> None:
    text = model_file(route("near"), price=TWO_STEPS)
    versions = {owl(text, today=day).price_version for day in (TODAY, DECEMBER, date(2026, 12, 2), JANUARY)}
    assert len(versions) == 3


def costs(catalog: Catalog) -> list[tuple[int, int, str]]:
    return [(found.cost.input, found.cost.output, found.source) for found in catalog.models["owl"].routes]


def test_what_a_route_costs_may_be_announced(owl: Here) -> None:
    text = model_file(route("near", more=f"{later(('2026-12-01', '0.6', '1.2'))}, "))
    assert costs(owl(text)) == [(500_000, 1_000_000, "test, 2026-11-21")]
    assert costs(owl(text, today=DECEMBER)) == [(600_000, 1_200_000, "of 2026-12-01")]


def test_a_route_is_dropped_on_the_day_on_which_it_costs_too_much(owl: Here) -> None:
    text = model_file(route("near", more=f"{later(('2026-12-01', '0.9', '1'))}, "), route("far"))
    assert [found.provider.id for found in owl(text).models["owl"].routes] == ["near", "far"]
    december = owl(text, today=DECEMBER)
    assert [found.provider.id for found in december.models["owl"].routes] == ["far"]
    assert "owl: near/owl-1 dropped: 0.9 / 1.0 with the mark-up exceeds the list price 1.0 / 2.0" in december.warnings


def test_without_a_list_price_the_cost_in_force_makes_it(owl: Here) -> None:
    text = model_file(route("near", more=f"{later(('2026-12-01', '1', '2'))}, "), price="")
    assert owl(text).models["owl"].price.input == 675_000
    assert owl(text, today=DECEMBER).models["owl"].price.input == 1_350_000


@pytest.mark.parametrize(
    ("price", "more", "problem"),
    [
        (list_price(("2026-12-01", "x", "4")), "", r"list_price.later\[0\].input: 'x'"),
        (list_price(("2026-12-01", "0", "0")), "", r"list_price.later\[0\]: a model must cost more than nothing"),
        (list_price(("2026-12-01", "3", "4"), ("2026-12-01", "5", "6")), "", r"list_price.later\[1\].from: 2026-12-01"),
        (list_price(("2026-12-02", "3", "4"), ("2026-12-01", "5", "6")), "", r"list_price.later\[1\].from: 2026-12-01"),
        (list_price(("2026-12-01", "3", "4")).replace("from", "form"), "", "form|from"),
        (list_price(("2026-12-01", "3", "4")), later(("2026-12-01", "0", "0")), r"routes\[0\].later\[0\].input: only"),
        (list_price(("2026-12-01", "3", "4")), later(("2026-12-01", "-1", "0")), r"routes\[0\].later\[0\].input: '-1'"),
    ],
)
def test_what_will_not_do_on_its_day_is_refused_today(owl: Here, price: str, more: str, problem: str) -> None:
    row = route("near", more=f"{more}, " if more else "")
    with pytest.raises(CatalogError, match=rf"models/forest.toml \[model.owl\].*{problem}"):
        owl(model_file(row, price=price))
