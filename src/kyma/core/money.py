"""Money as integers: nano-dollars for amounts, pico-dollars per unit for prices. The only file that rounds.

A request costs `ceil(sum(units * price) / 1000)` nano-dollars, rounded once, up. No float enters or leaves a sum.
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import msgspec

Nanos = int
"""An amount in 1e-9 USD; fits a signed 64-bit column (about 9.2 billion dollars)."""

Picos = int
"""A unit price in 1e-12 USD: one dollar per million tokens is 1,000,000 picos a token."""

NANOS_PER_USD = 1_000_000_000
PICOS_PER_NANO = 1_000
NANOS_PER_CENT = 10_000_000
MAX_NANOS = 2**63 - 1
WHOLE_PRICE = 10_000
"""All of a price, in hundredths of a percent."""

MARKUP_NUMERATOR, MARKUP_DENOMINATOR = 27, 20


class Hold(msgspec.Struct, frozen=True):
    """Proof that a call is paid for; the transport sends nothing upstream without one.

    `amount` is what was set aside, in nano-dollars; `lease_id` names the durable lease it was taken from.
    """

    request_id: str
    account_id: str
    lease_id: str
    amount: Nanos


def cost_nanos(items: Iterable[tuple[int, Picos]]) -> Nanos:
    """What `units x price` pairs cost together, rounded up once."""
    return rounded_up(sum(units * price for units, price in items))


def rounded_up(picos: Picos) -> Nanos:
    """A whole request's sum of units times prices as an amount: the one rounding of a charge, up."""
    return -(-picos // PICOS_PER_NANO)


def prorated(price: Picos, units: int, per: int) -> Nanos:
    """What `units` cost at a price for each `per` of them, as milliseconds at a price a second; rounded up once."""
    return -(-price * units // (per * PICOS_PER_NANO))


def usd_to_nanos(text: str) -> Nanos:
    """`"0.50"` -> 500_000_000, exactly. Raises: ValueError if it is no amount, or finer than a nano-dollar."""
    return _exact(text, NANOS_PER_USD, "nano-dollars")


def per_million_to_picos(text: str) -> Picos:
    """A price written as USD per 1M tokens (`"0.2025"`) as picos per token. Raises: ValueError unless exact."""
    return _exact(text, 1_000_000, "pico-dollars a token")


def per_thousand_to_picos(text: str) -> Picos:
    """A price written as USD per 1,000 (`"10"`) as picos each. Raises: ValueError unless exact."""
    return _exact(text, 1_000_000_000, "pico-dollars each")


def each_to_picos(text: str) -> Picos:
    """A price written as USD for one (`"0.0945"`) as picos. Raises: ValueError unless exact."""
    return _exact(text, NANOS_PER_USD * PICOS_PER_NANO, "pico-dollars each")


def percent_to_share(text: str) -> int:
    """`"5"` -> 500 hundredths of a percent, exactly. Raises: ValueError unless 0 to 100 with at most two decimals."""
    share = _exact(text, WHOLE_PRICE // 100, "hundredths of a percent")
    if share > WHOLE_PRICE:
        raise ValueError(f"{text!r} is more than the whole price")
    return share


def percent_text(share: int) -> str:
    """Hundredths of a percent as percent: 10_000 -> `100`, 550 -> `5.5`."""
    whole, rest = divmod(share, WHOLE_PRICE // 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".")


def with_markup(cost: Picos) -> Picos:
    """A provider's unit cost with the contract's mark-up of 27/20, rounded up to a whole pico-dollar."""
    return -(-cost * MARKUP_NUMERATOR // MARKUP_DENOMINATOR)


def share_of(price: Picos, share: int) -> Picos:
    """A part of a unit price, in hundredths of a percent, rounded up to a whole pico-dollar."""
    return -(-price * share // WHOLE_PRICE)


def usd_text(nanos: Nanos) -> str:
    """The exact decimal dollars of an amount, shortest form: 350_000 -> `0.00035`."""
    if 0 <= nanos < NANOS_PER_USD:  # what nearly every call costs
        return f"0.{str(NANOS_PER_USD + nanos)[1:].rstrip('0') or '0'}"
    sign = "-" if nanos < 0 else ""
    whole, rest = divmod(abs(nanos), NANOS_PER_USD)
    fraction = str(NANOS_PER_USD + rest)[1:].rstrip("0")  # the leading 1 keeps the zeros; a format would cost more
    return f"{sign}{whole}.{fraction or '0'}"


def picos_text(picos: Picos) -> str:
    """The exact decimal dollars of pico-dollars: 1_350_000 -> `0.00000135`."""
    whole, rest = divmod(picos, NANOS_PER_USD * PICOS_PER_NANO)
    fraction = f"{rest:012d}".rstrip("0")
    return f"{whole}.{fraction or '0'}"


def usd_number(nanos: Nanos) -> msgspec.Raw:
    """An amount as a JSON number that reads back to exactly the same nano-dollars."""
    return msgspec.Raw(usd_text(nanos).encode())


def usd_float(nanos: Nanos) -> float:
    """The nearest double, for JSON writers that know no raw numbers; exact below 8,388,608 dollars. Display only."""
    return float(usd_text(nanos))


def per_million_text(picos: Picos) -> str:
    """A unit price as USD per 1M tokens: 202_500 -> `0.2025`."""
    return _decimal(picos, 6)


def each_text(picos: Picos) -> str:
    """A unit price as USD for one: 94_500_000_000 -> `0.0945`."""
    return _decimal(picos, 12)


def per_thousand_text(picos: Picos) -> str:
    """A unit price as USD per 1,000: 13_500_000_000 -> `13.5`."""
    return usd_text(picos).removesuffix(".0")  # a thousand times picos are as many dollars as picos are nanos


def _decimal(amount: int, places: int) -> str:
    whole, rest = divmod(amount, 10**places)
    fraction = f"{rest:0{places}d}".rstrip("0")
    return f"{whole}.{fraction or '0'}"


def _exact(text: str, scale: int, unit: str) -> int:
    try:
        amount = Decimal(text) * scale
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount in dollars") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{text!r} is not an amount of zero or more dollars")
    if amount != amount.to_integral_value():
        raise ValueError(f"{text!r} is finer than whole {unit}")
    if amount > MAX_NANOS:
        raise ValueError(f"{text!r} is larger than the books can hold")
    return int(amount)
