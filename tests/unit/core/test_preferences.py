"""Whose word holds where a request and the suffix of its model both say how it is to be routed."""

from kyma.core.preferences import Preferences, PriceLimit, merged

FLOOR = Preferences(sort="price", said=frozenset({"sort"}))


def test_one_alone_holds_as_it_is() -> None:
    assert merged(None, FLOOR) is FLOOR
    assert merged(FLOOR, None) is FLOOR
    assert merged(None, None) is None


def test_each_speaks_where_the_other_is_silent() -> None:
    own = Preferences(only=("groq",), said=frozenset({"only"}))
    assert merged(own, FLOOR) == Preferences(only=("groq",), sort="price", said=frozenset({"only", "sort"}))


def test_the_requests_own_word_wins() -> None:
    own = Preferences(sort="latency", said=frozenset({"sort"}))
    assert merged(own, FLOOR) == own


def test_a_default_that_is_written_down_wins_too() -> None:
    suffix = Preferences(
        allow_fallbacks=False,
        denies_data_collection=True,
        said=frozenset({"allow_fallbacks", "denies_data_collection"}),
    )
    own = Preferences(allow_fallbacks=True, said=frozenset({"allow_fallbacks"}))
    both = merged(own, suffix)
    assert both is not None and (both.allow_fallbacks, both.denies_data_collection) == (True, True)


def test_a_field_is_taken_whole() -> None:
    own = Preferences(max_price=PriceLimit(input=1), said=frozenset({"max_price"}))
    suffix = Preferences(max_price=PriceLimit(input=5, output=5), said=frozenset({"max_price"}))
    both = merged(own, suffix)
    assert both is not None and both.max_price == PriceLimit(input=1, output=None)
