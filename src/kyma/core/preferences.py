"""What a caller may say about who is to serve a request, in the words that users of OpenRouter know."""

from typing import Literal

import msgspec

from kyma.core.money import Picos

Sort = Literal["price", "latency", "throughput"]
"""One figure that decides the order of the sources, in place of their weights."""


class PriceLimit(msgspec.Struct, frozen=True):
    """The most a model may cost, in pico-dollars per token; None: no limit."""

    input: Picos | None = None
    output: Picos | None = None


class Preferences(msgspec.Struct, frozen=True):
    """Wishes of one request. Providers stand here by id; `models` are asked in turn after the request's own."""

    order: tuple[str, ...] = ()
    """Tried first, in this order; the others follow, unless `allow_fallbacks` is off."""
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sort: Sort | None = None
    max_price: PriceLimit | None = None
    allow_fallbacks: bool = True
    require_parameters: bool = False
    """Only sources that can be told everything the request says."""
    denies_data_collection: bool = False
    """Only sources that neither train on prompts nor keep them."""
    models: tuple[str, ...] = ()
