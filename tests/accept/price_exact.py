"""price-exact: every price path against rational arithmetic. A case is a request, from its usage to its bill."""

import math
from fractions import Fraction
from random import Random

import msgspec

from kyma.calls.meter import Meter, Outcome, hold_bound
from kyma.core.chat import Chat, ChatRequest, Native
from kyma.core.model import Model, Price, Quirks, Usage
from kyma.core.money import cost_nanos, per_million_to_picos, usd_number, usd_text, usd_to_nanos, with_markup
from kyma.dialects.openai_chat.wire import parse_usage
from tests.accept.suite import Figure, Run, Suite, told, zero

NANOS_PER_USD = 10**9
DOUBLE_NANOS = 2**23 * NANOS_PER_USD
"""Beyond 2^23 dollars two neighbours among the doubles are more than a nano-dollar apart."""


def run(run: Run) -> list[Figure]:
    """Random prices, usages and amounts; all of it exact."""
    dice = run.dice()
    wrong: list[str] = []
    uncovered: list[str] = []
    largest = Fraction(0)
    for _ in range(run.size):
        price, exact_price = _price(dice)
        usage, exact = _usage(dice, exact_price)
        rounding = _check_bill(usage, price, exact, wrong)
        largest = max(largest, rounding)
        _check_amounts(dice, wrong)
        _check_hold(dice, price, uncovered)
    return [
        zero("differences from rational arithmetic", wrong),
        Figure("largest rounding", f"{float(largest):.4f}", "nano-dollars, under 1", 0 <= largest < 1),
        zero("holds that do not cover their request", uncovered),
        told("cases", run.size),
    ]


def _price(dice: Random) -> tuple[Price, dict[str, Fraction]]:
    """A price list as read from text, and the same as nano-dollars a token."""
    texts = {name: _price_text(dice) for name in ("input", "cached_input", "cache_write", "output")}
    picos = {name: per_million_to_picos(text) for name, text in texts.items()}
    if dice.random() < 0.5:  # a price of our own: cost and mark-up
        picos = {name: with_markup(cost) for name, cost in picos.items()}
        exact = {name: Fraction(math.ceil(Fraction(text) * 10**6 * Fraction("1.35"))) for name, text in texts.items()}
    else:
        exact = {name: Fraction(text) * 10**6 for name, text in texts.items()}
    return Price(**picos), {name: value / 1000 for name, value in exact.items()}


def _price_text(dice: Random) -> str:
    """USD per million tokens with up to six decimals."""
    decimals = dice.randrange(7)
    return f"{dice.randrange(10 ** dice.randrange(1, 4))}.{dice.randrange(10**6):06d}"[: decimals - 6 or None].rstrip(
        "."
    )


def _usage(dice: Random, exact_price: dict[str, Fraction]) -> tuple[bytes, Fraction]:
    """A vendor's usage object and what it costs, unrounded, in nano-dollars."""
    fresh, cached, written, output = (dice.randrange(10 ** dice.randrange(1, 7)) for _ in range(4))
    details = {"cached_tokens": cached, "cache_write_tokens": written}
    wire = {
        "prompt_tokens": fresh + cached + written,
        "completion_tokens": output,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": dice.randrange(output + 1)},
    }
    parts = {"input": fresh, "cached_input": cached, "cache_write": written, "output": output}
    return msgspec.json.encode(wire), sum((count * exact_price[name] for name, count in parts.items()), Fraction(0))


def _check_bill(wire: bytes, price: Price, exact: Fraction, wrong: list[str]) -> Fraction:
    """The bill of a finished call; how much was rounded."""
    meter = Meter(_request(64, 100), model_at(price))
    report = parse_usage(msgspec.Raw(wire), Quirks())
    assert report is not None
    meter.see(report)
    bill = meter.bill(Outcome.FINISHED, price)
    if bill.cost != math.ceil(exact):
        wrong.append(f"{wire.decode()} at {price} costs {exact}, billed {bill.cost}")
    if _dollars_on_the_wire(bill.cost) * NANOS_PER_USD != bill.cost:
        wrong.append(f"{bill.cost} nanos are shown as {usd_number(bill.cost)!r}")
    return bill.cost - exact


def _check_amounts(dice: Random, wrong: list[str]) -> None:
    """Amounts as text and as JSON, there and back; pairs of units and prices."""
    nanos = dice.randrange(10 ** dice.randrange(1, 19))
    if Fraction(usd_text(nanos)) * NANOS_PER_USD != nanos or usd_to_nanos(usd_text(nanos)) != nanos:
        wrong.append(f"{nanos} nanos are written as {usd_text(nanos)}")
    if nanos < DOUBLE_NANOS and round(Fraction(float(bytes(usd_number(nanos)))) * NANOS_PER_USD) != nanos:
        wrong.append(f"{nanos} nanos do not come back from a double")
    pairs = [(dice.randrange(10**6), dice.randrange(10**8)) for _ in range(dice.randrange(1, 6))]
    exact = sum((Fraction(units * picos, 1000) for units, picos in pairs), Fraction(0))
    if cost_nanos(pairs) != math.ceil(exact):
        wrong.append(f"{pairs} cost {exact}, not {cost_nanos(pairs)}")


def _check_hold(dice: Random, price: Price, uncovered: list[str]) -> None:
    """What is set aside covers whatever the request may use: a token of input is at least a byte."""
    if price.cached_input > price.input:
        return
    request = _request(dice.randrange(1, 10**4), dice.randrange(1, 10**5))
    held = hold_bound(request, model_at(price)).cost(price)
    size = request.input_bytes
    cached = dice.randrange(size + 1)
    written = dice.randrange(size - cached + 1)
    usage = Usage(size - cached - written, cached, written, dice.randrange(request.max_tokens + 1))
    if usage.cost(price) > held:
        uncovered.append(f"{usage} at {price} costs {usage.cost(price)}, held {held}")


def _dollars_on_the_wire(nanos: int) -> Fraction:
    return Fraction(bytes(usd_number(nanos)).decode())


def _request(input_bytes: int, max_tokens: int) -> ChatRequest:
    return ChatRequest(
        model="m",
        chat=lambda: Chat(messages=(), max_tokens=1),
        max_tokens=max_tokens,
        is_streaming=True,
        native=Native("openai_chat", {}),
        input_bytes=input_bytes,
    )


def model_at(price: Price) -> Model:
    """A model at that price, with room for any request."""
    return Model(
        id="m",
        name="M",
        description="",
        owned_by="tests",
        created=0,
        context_window=10**7,
        max_output_tokens=10**7,
        price=price,
        price_source="tests",
        best_for="",
        input_modalities=("text",),
        output_modalities=("text",),
        supported_parameters=(),
        supports_tools=False,
        supports_vision=False,
        supports_reasoning=False,
        supports_structured_outputs=False,
        supports_caching=True,
        latency_tier="fast",
        cost_tier="cheap",
        quality_tier="strong",
        release_stage="stable",
        recommended_for=(),
        recommended=False,
        hot=False,
        retires_on=None,
        routes=(),
    )


SUITE = Suite("price-exact", "cases", quick=50_000, full=1_000_000, for_mutants=5_000, run=run)
