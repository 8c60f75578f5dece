"""price-exact: every price path against rational arithmetic.

A case is a request, from its usage to its bill, and something made at a rate of media.
"""

import math
from fractions import Fraction
from random import Random

import msgspec

from kyma.calls.meter import Meter, Outcome, hold_bound, input_bound
from kyma.core.answer import UsageReport
from kyma.core.chat import Chat, ChatRequest, Native
from kyma.core.model import Model, Price, Quirks, Usage
from kyma.core.money import (
    cost_nanos,
    per_million_to_picos,
    per_thousand_to_picos,
    usd_number,
    usd_text,
    usd_to_nanos,
    with_markup,
)
from kyma.dialects.anthropic_messages.wire import UsageTally
from kyma.dialects.openai_chat.wire import parse_usage
from tests.accept.price_media import check_media
from tests.accept.suite import Figure, Run, Suite, told, zero

TOKENS = ("input", "cached_input", "cache_write", "output", "cache_write_1h")
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
        counts = _counts(dice)
        for report in (_said_by_openai(dice, counts), _said_by_anthropic(counts)):
            rounding = _check_bill(report, price, _exact(report, counts, exact_price), wrong)
            largest = max(largest, rounding)
        largest = max(largest, check_media(dice, wrong))
        _check_amounts(dice, wrong)
        _check_hold(dice, price, uncovered)
    return [
        zero("differences from rational arithmetic", wrong),
        Figure("largest rounding", f"{float(largest):.4f}", "nano-dollars, under 1", 0 <= largest < 1),
        zero("holds that do not cover their request", uncovered),
        told("cases", run.size),
    ]


def _price(dice: Random) -> tuple[Price, dict[str, Fraction]]:
    """A price list as read from text, and the same as nano-dollars a unit."""
    texts = {name: _price_text(dice) for name in TOKENS} | {"search": _price_text(dice)}
    picos = {name: per_million_to_picos(texts[name]) for name in TOKENS}
    picos["search"] = per_thousand_to_picos(texts["search"])
    exact = {name: Fraction(text) * (10**9 if name == "search" else 10**6) for name, text in texts.items()}
    if dice.random() < 0.5:  # a price of our own: cost and mark-up
        picos = {name: with_markup(cost) for name, cost in picos.items()}
        exact = {name: Fraction(math.ceil(cost * Fraction("1.35"))) for name, cost in exact.items()}
    return Price(**picos), {name: value / 1000 for name, value in exact.items()}


def _price_text(dice: Random) -> str:
    """USD per million tokens with up to six decimals."""
    decimals = dice.randrange(7)
    return f"{dice.randrange(10 ** dice.randrange(1, 4))}.{dice.randrange(10**6):06d}"[: decimals - 6 or None].rstrip(
        "."
    )


def _counts(dice: Random) -> dict[str, int]:
    """Units in disjoint buckets."""
    counts = {name: dice.randrange(10 ** dice.randrange(1, 7)) for name in TOKENS}
    return counts | {"search": dice.randrange(10 ** dice.randrange(1, 3))}


def _said_by_openai(dice: Random, counts: dict[str, int]) -> UsageReport:
    """Cached and written tokens inside the prompt; of hours and searches nothing is said."""
    fresh, cached, written, output = (counts[name] for name in ("input", "cached_input", "cache_write", "output"))
    wire = {
        "prompt_tokens": fresh + cached + written,
        "completion_tokens": output,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": dice.randrange(output + 1)},
    }
    report = parse_usage(msgspec.Raw(msgspec.json.encode(wire)), Quirks())
    assert report is not None
    return report


def _said_by_anthropic(counts: dict[str, int]) -> UsageReport:
    """Cached and written tokens beside the input, those written for an hour among the written ones."""
    minutes, hour = counts["cache_write"], counts["cache_write_1h"]
    wire = {
        "input_tokens": counts["input"],
        "cache_read_input_tokens": counts["cached_input"],
        "cache_creation_input_tokens": minutes + hour,
        "cache_creation": {"ephemeral_5m_input_tokens": minutes, "ephemeral_1h_input_tokens": hour},
        "output_tokens": counts["output"],
        "server_tool_use": {"web_search_requests": counts["search"], "web_fetch_requests": 0},
    }
    report = UsageTally().see(msgspec.Raw(msgspec.json.encode(wire)))
    assert report is not None
    return report


def _exact(report: UsageReport, counts: dict[str, int], price: dict[str, Fraction]) -> Fraction:
    """What was said costs so much, unrounded, in nano-dollars."""
    untold = () if report.usage.cache_write_1h or report.usage.searches else ("cache_write_1h", "search")
    return sum((count * price[name] for name, count in counts.items() if name not in untold), Fraction(0))


def _check_bill(report: UsageReport, price: Price, exact: Fraction, wrong: list[str]) -> Fraction:
    """The bill of a finished call; how much was rounded."""
    meter = Meter(_request(64, 100), model_at(price))
    meter.see(report)
    bill = meter.bill(Outcome.FINISHED, price)
    if bill.cost != math.ceil(exact):
        wrong.append(f"{report} at {price} costs {exact}, billed {bill.cost}")
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
    """What is set aside covers whatever the request may use, up to all that it could read, say and look up."""
    if price.cached_input > price.input:
        return
    keeps_an_hour, searches = dice.random() < 0.5, dice.choice((0, 0, dice.randrange(10)))
    request = _request(dice.randrange(1, 10**4), dice.randrange(1, 10**5), keeps_an_hour, searches)
    model = model_at(price)
    held = hold_bound(request, model).cost(price)
    most = input_bound(request, model)
    share = dice.choice((0.0, 1.0, dice.random()))
    written = int(most * share)
    cached = dice.randrange(most - written + 1)
    hour = int(written * dice.choice((0.0, 1.0, dice.random()))) if keeps_an_hour else 0
    output, searched = dice.randrange(request.max_tokens + 1), dice.randrange(searches + 1)
    if dice.random() < 0.5:
        output, searched = request.max_tokens, searches
    fresh = most - written - cached
    usage = Usage(fresh, cached, written - hour, output, cache_write_1h=hour, searches=searched)
    if usage.cost(price) > held:
        uncovered.append(f"{usage} at {price} costs {usage.cost(price)}, held {held}")


def _dollars_on_the_wire(nanos: int) -> Fraction:
    return Fraction(bytes(usd_number(nanos)).decode())


def _request(input_bytes: int, max_tokens: int, keeps_an_hour: bool = False, searches: int = 0) -> ChatRequest:
    return ChatRequest(
        model="m",
        chat=lambda: Chat(messages=(), max_tokens=1),
        max_tokens=max_tokens,
        is_streaming=True,
        native=Native("openai_chat", {}),
        input_bytes=input_bytes,
        keeps_an_hour=keeps_an_hour,
        searches=searches,
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
        status="stable",
        recommended_for=(),
        recommended=False,
        hot=False,
        retires_on=None,
        routes=(),
    )


SUITE = Suite("price-exact", "cases", quick=30_000, full=1_000_000, for_mutants=5_000, run=run)
