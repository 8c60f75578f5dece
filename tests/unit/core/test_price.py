"""The lower of two prices."""

from kyma.core.model import Price

DEAR = Price(input=9, cached_input=1, cache_write=9, output=20, cache_write_1h=10, search=7)
CHEAP = Price(input=3, cached_input=2, cache_write=3, output=30, cache_write_1h=3, search=8)


def test_each_component_is_the_lower_one() -> None:
    lower = Price(input=3, cached_input=1, cache_write=3, output=20, cache_write_1h=3, search=7)
    assert DEAR.cheaper(CHEAP) == CHEAP.cheaper(DEAR) == lower


def test_what_one_of_them_does_not_sell_costs_nothing() -> None:
    unsold = Price(input=3, cached_input=2, cache_write=3, output=30, cache_write_1h=3)
    assert DEAR.cheaper(unsold).search is None
    assert unsold.cheaper(DEAR).search is None
