"""What is said to an account whose credit does not cover a request."""

from kyma.core.chat import CallRequest
from kyma.core.errors import InsufficientCredits, KymaError
from kyma.core.model import Model, Usage
from kyma.core.money import PICOS_PER_NANO, Nanos, usd_text
from kyma.ledger import CreditShort


def too_little(error: CreditShort, bound: Usage, model: Model, request: CallRequest) -> KymaError:
    """402 with the figures a caller needs to act: balance, hold, and the largest `max_tokens` that would fit."""
    affordable = affordable_max_tokens(error.available, bound, model, request.n)
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


def affordable_max_tokens(available: Nanos, bound: Usage, model: Model, n: int) -> int:
    """The largest `max_tokens` whose hold `available` covers; 0 when none does."""
    others = bound.picos(model.price) - bound.output * model.price.output
    left = available * PICOS_PER_NANO - others
    return max(0, left // (model.price.output * n)) if model.price.output else 0
