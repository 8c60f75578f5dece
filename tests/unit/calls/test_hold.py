"""What is set aside covers whatever a call can come to, and 402 names the largest `max_tokens` that fits."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kyma.calls.calls import affordable_max_tokens
from kyma.calls.meter import hold_bound
from kyma.core.chat import ChatRequest
from kyma.core.model import Price, Usage
from tests.unit.calls.rows import PLAIN_PRICE, chat, model

picos = st.integers(0, 100_000_000)


@st.composite
def fair_prices(draw: st.DrawFn) -> Price:
    """Prices as the catalog has them: what is read from a cache costs no more than what is fresh."""
    fresh = draw(picos)
    return Price(input=fresh, cached_input=draw(st.integers(0, fresh)), cache_write=draw(picos), output=draw(picos))


requests = st.builds(
    chat,
    max_tokens=st.integers(1, 20_000),
    n=st.integers(1, 8),
    input_bytes=st.integers(0, 100_000),
    image_count=st.integers(0, 4),
)


@settings(deadline=None)
@given(request=requests, price=fair_prices(), data=st.data())
def test_the_hold_covers_every_usage_within_limits(request: ChatRequest, price: Price, data: st.DataObject) -> None:
    """A token of input is at least a byte, and an answer has no more than `max_tokens` and the model allow."""
    served = model(price=price, image_tokens=500)
    most_input = request.input_bytes + request.image_count * served.image_tokens
    cached = data.draw(st.integers(0, most_input), "cached")
    written = data.draw(st.integers(0, most_input - cached), "written")
    fresh = data.draw(st.integers(0, most_input - cached - written), "fresh")
    output = data.draw(st.integers(0, request.n * min(request.max_tokens, 8_000)), "output")
    usage = Usage(fresh, cached, written, output)
    assert hold_bound(request, served).cost(price) >= usage.cost(price)


@settings(deadline=None)
@given(
    request=requests,
    price=fair_prices().filter(lambda price: price.output > 0),
    available=st.integers(0, 10**10),
)
def test_the_affordable_max_tokens_is_the_largest_that_fits(request: ChatRequest, price: Price, available: int) -> None:
    served = model(price=price, context_window=10**18, max_output_tokens=None)
    affordable = affordable_max_tokens(available, hold_bound(request, served), served, request.n)

    def needed(max_tokens: int) -> int:
        again = chat(max_tokens=max_tokens, n=request.n, input_bytes=request.input_bytes)
        return hold_bound(again, served).cost(price)

    if affordable:
        assert needed(affordable) <= available
    assert needed(affordable + 1) > available


def test_the_affordable_max_tokens_is_exact_at_its_boundary() -> None:
    bound = hold_bound(chat(input_bytes=40, max_tokens=1_000), model(price=PLAIN_PRICE))
    served = model(price=PLAIN_PRICE)
    assert affordable_max_tokens(40_000 + 2_000 * 17, bound, served, 1) == 17
    assert affordable_max_tokens(40_000 + 2_000 * 17 - 1, bound, served, 1) == 16
    assert affordable_max_tokens(40_000 + 2_000 * 17, bound, served, 2) == 8


def test_nothing_is_affordable_when_the_input_alone_is_too_dear() -> None:
    bound = hold_bound(chat(input_bytes=40), model(price=PLAIN_PRICE))
    assert affordable_max_tokens(40_000, bound, model(price=PLAIN_PRICE), 1) == 0
    assert affordable_max_tokens(-5, bound, model(price=PLAIN_PRICE), 1) == 0


def test_no_more_is_set_aside_than_the_model_can_say() -> None:
    assert hold_bound(chat(max_tokens=1_000_000), model()).output == 8_000
