"""What is said to an account whose credit does not cover a request."""

from collections.abc import Iterable, Iterator

from kyma.calls.meter import hold_bound
from kyma.core.chat import CallRequest
from kyma.core.errors import InsufficientCredits, KymaError
from kyma.core.model import Alternative, Price, Usage
from kyma.core.money import PICOS_PER_NANO, Nanos, usd_text
from kyma.ledger import CreditShort


def too_little(error: CreditShort, request: CallRequest, offers: Iterable[Alternative]) -> KymaError:
    """402 with the figures a caller needs to act: balance, hold, and the largest `max_tokens` that would fit.

    `offers` are all who may answer: what is set aside must cover each of them.
    """
    affordable = min(_affordable(error.available, request, offers), default=0)
    hint, remedy = "even a single output token would not fit", "lower max_tokens"
    if not request.max_tokens:
        hint, remedy = "nothing is generated, so all of it is input", "send less at once"
    elif affordable:
        hint = f"max_tokens of at most {affordable} would fit"
    return InsufficientCredits(
        f"insufficient credits: this request needs ${usd_text(error.needed)} set aside, "
        f"${usd_text(max(0, error.available))} of your balance of ${usd_text(error.posted)} is free; {hint}. "
        f"Add credits, or {remedy}."
    )


def affordable_max_tokens(available: Nanos, bound: Usage, price: Price, n: int) -> int:
    """The largest `max_tokens` whose hold `available` covers; 0 when none does."""
    others = bound.picos(price) - bound.output * price.output
    left = available * PICOS_PER_NANO - others
    return max(0, left // (price.output * n)) if price.output else 0


def _affordable(available: Nanos, request: CallRequest, offers: Iterable[Alternative]) -> Iterator[int]:
    """For each whose price depends on it, or that is too dear whatever it is."""
    for offer in offers:
        bound = hold_bound(request, offer.model, offer.price)
        if offer.price.output or bound.cost(offer.price) > available:
            yield affordable_max_tokens(available, bound, offer.price, request.n)
