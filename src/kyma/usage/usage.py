"""What is kept of a call: who, which model, how much, what it cost and how it went. Never what was said."""

import msgspec

from kyma.core.money import WHOLE_PRICE, Nanos


class UsageRow(msgspec.Struct, frozen=True, gc=False):
    """One metered call, fields in the order of the table's columns.

    Units are what was billed, in disjoint buckets (`reasoning_tokens` is a part of `output_tokens`): a call that is
    not charged has zeros, so that `cost` can be computed again from units and price book.
    """

    request_id: str
    account_id: str
    user_id: str
    key_id: str
    """Empty for a session."""
    model: str
    """The one that answered; the key into the price book."""
    requested_model: str
    route: str
    layer: int
    dialect: str
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    price_version: str
    cost: Nanos
    estimated: bool
    """Units are our own count, the upstream reported none that could be used."""
    flagged: bool
    """Somebody should look: the upstream's report was invalid, or cost more than was held."""
    status: str
    http_status: int
    is_streaming: bool
    first_token_ms: int | None
    duration_ms: int
    attempts: int
    created_at: int
    """When it was settled; the charge's own day."""
    cache_write_1h_tokens: int = 0
    searches: int = 0
    """Made by the upstream for the answer. What follows `created_at` came with later schemas: a row spooled by an
    older process has none of it."""
    asked_model: str = ""
    """The model in whose place `model` answered; each unit was sold at the lower of both prices. Empty: none."""
    price_share: int = WHOLE_PRICE
    """How much of the price was charged, in hundredths of a percent: less where the customer's own key paid."""
    app: str = ""
    """The program that called, by its own headers; empty where they tell none."""
