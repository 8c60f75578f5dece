"""What is set aside covers whatever a call can come to, and 402 names the largest `max_tokens` that fits."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyma.calls.asking import hold_for
from kyma.calls.meter import LOOKUP_TOKENS, hold_bound
from kyma.calls.shortfall import affordable_max_tokens, too_little
from kyma.core.chat import ChatRequest
from kyma.core.model import Alternative, Price, Usage
from kyma.ledger import CreditShort
from tests.unit.calls.rows import PLAIN_PRICE, PRICE, chat, model

picos = st.integers(0, 100_000_000)


@st.composite
def fair_prices(draw: st.DrawFn) -> Price:
    """Prices as the catalog has them: what is read from a cache costs no more than what is fresh."""
    fresh = draw(picos)
    cached, search = draw(st.integers(0, fresh)), draw(st.none() | picos)
    return Price(fresh, cached, draw(picos), draw(picos), cache_write_1h=draw(picos), search=search)


requests = st.builds(
    chat,
    max_tokens=st.integers(1, 20_000),
    n=st.integers(1, 8),
    input_bytes=st.integers(0, 100_000),
    image_count=st.integers(0, 4),
    keeps_an_hour=st.booleans(),
    searches=st.integers(0, 9),
)


@settings(deadline=None)
@given(request=requests, price=fair_prices(), data=st.data())
def test_the_hold_covers_every_usage_within_limits(request: ChatRequest, price: Price, data: st.DataObject) -> None:
    """A token of input is at least a byte, and an answer has no more than `max_tokens` and the model allow."""
    served = model(price=price, image_tokens=500)
    most_input = request.input_bytes + request.image_count * served.image_tokens
    cached = data.draw(st.integers(0, most_input), "cached")
    written = data.draw(st.integers(0, most_input - cached), "written")
    hour = data.draw(st.integers(0, most_input - cached - written), "hour") if request.keeps_an_hour else 0
    fresh = data.draw(st.integers(0, most_input - cached - written - hour), "fresh")
    output = data.draw(st.integers(0, request.n * min(request.max_tokens, 8_000)), "output")
    searches = data.draw(st.integers(0, request.searches), "searches")
    usage = Usage(fresh, cached, written, output, cache_write_1h=hour, searches=searches)
    assert hold_bound(request, served).cost(price) >= usage.cost(price)


@settings(deadline=None)
@given(
    request=requests,
    price=fair_prices().filter(lambda price: price.output > 0),
    available=st.integers(0, 10**10),
)
def test_the_affordable_max_tokens_is_the_largest_that_fits(request: ChatRequest, price: Price, available: int) -> None:
    served = model(price=price, context_window=10**18, max_output_tokens=None)
    affordable = affordable_max_tokens(available, hold_bound(request, served), price, request.n)

    def needed(max_tokens: int) -> int:
        again = msgspec.structs.replace(request, max_tokens=max_tokens)
        return hold_bound(again, served).cost(price)

    if affordable:
        assert needed(affordable) <= available
    assert needed(affordable + 1) > available


def test_the_affordable_max_tokens_is_exact_at_its_boundary() -> None:
    bound = hold_bound(chat(input_bytes=40, max_tokens=1_000), model(price=PLAIN_PRICE))
    assert affordable_max_tokens(40_000 + 2_000 * 17, bound, PLAIN_PRICE, 1) == 17
    assert affordable_max_tokens(40_000 + 2_000 * 17 - 1, bound, PLAIN_PRICE, 1) == 16
    assert affordable_max_tokens(40_000 + 2_000 * 17, bound, PLAIN_PRICE, 2) == 8


def test_nothing_is_affordable_when_the_input_alone_is_too_dear() -> None:
    bound = hold_bound(chat(input_bytes=40), model(price=PLAIN_PRICE))
    assert affordable_max_tokens(40_000, bound, PLAIN_PRICE, 1) == 0
    assert affordable_max_tokens(-5, bound, PLAIN_PRICE, 1) == 0


def test_an_hour_of_cache_is_set_aside_only_where_it_is_asked_for() -> None:
    for keeps_an_hour, price in ((False, PRICE.cache_write), (True, PRICE.cache_write_1h)):
        bound = hold_bound(chat(input_bytes=100, max_tokens=1, keeps_an_hour=keeps_an_hour), model())
        assert bound.picos(PRICE) == 100 * price + PRICE.output


def test_searches_are_set_aside_with_what_they_bring_into_the_input() -> None:
    """The input is read before each of the three searches and after the last, and after each so much is new."""
    served = model(context_window=1_000_000)
    bound = hold_bound(chat(input_bytes=100, searches=3), served)
    assert (bound.searches, bound.total_input) == (3, 4 * 100 + (1 + 2 + 3) * LOOKUP_TOKENS)
    assert hold_bound(chat(input_bytes=100, fetches=3), served).total_input == bound.total_input
    assert hold_bound(chat(input_bytes=100, fetches=3), served).searches == 0


def test_no_reading_is_longer_than_the_window() -> None:
    assert hold_bound(chat(input_bytes=100, searches=3), model(context_window=8_000)).total_input == 4 * 8_000


@pytest.mark.parametrize(
    ("size", "window", "tokens"),
    [
        (1, 10**9, 3_500),
        (1024, 10**9, 3_500),
        (1025, 10**9, 7_000),
        (100 * 1024, 10**9, 350_000),
        (10**8, 10**9, 600 * 3_500),
        (10**8, 200_000, 200_000),
    ],
)
def test_a_document_is_set_aside_by_its_pages(size: int, window: int, tokens: int) -> None:
    served = model(context_window=window, image_tokens=500)
    assert hold_bound(chat(input_bytes=40, document_bytes=size), served).total_input == 40 + tokens


def test_no_more_is_set_aside_than_the_model_can_say() -> None:
    assert hold_bound(chat(max_tokens=1_000_000), model()).output == 8_000


def test_what_a_substitute_with_a_larger_window_may_answer_is_set_aside() -> None:
    """Asked for more than the model itself could say, it may say all of it, and charge for that."""
    request, asked, wide = chat(max_tokens=20_000), model(), model(context_window=32_000)
    held = hold_for(request, asked, [Alternative(wide, asked.price)], hold_bound(request, asked))
    assert held == hold_bound(request, wide).cost(asked.price) > hold_bound(request, asked).cost(asked.price)


def test_what_may_be_charged_for_a_substitute_is_bound_at_the_price_that_it_is_sold_at() -> None:
    """Its own price for writing to a cache is not charged where the model asked for has none."""
    request, asked = chat(max_tokens=20_000), model(price=PLAIN_PRICE)
    offer = Alternative(model(context_window=32_000), PLAIN_PRICE)
    held = hold_for(request, asked, [offer], hold_bound(request, asked))
    assert held == Usage(input=request.input_bytes, output=20_000).cost(PLAIN_PRICE)


def test_402_names_what_fits_whoever_of_the_callers_list_answers() -> None:
    request, asked = chat(max_tokens=1_000), model(price=PLAIN_PRICE)
    dear = msgspec.structs.replace(PLAIN_PRICE, output=10 * PLAIN_PRICE.output)
    offers = [Alternative(asked, asked.price), Alternative(model(price=dear), dear)]
    needed = hold_for(request, asked, offers[1:], hold_bound(request, asked))
    available = 40_000 + 20_000 * 17
    assert (
        "max_tokens of at most 17 would fit"
        in too_little(CreditShort(needed, available, available), request, offers).message
    )
