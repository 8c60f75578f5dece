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
    """Wishes of one request. `models` are asked in turn after the request's own.

    Providers stand here as callers name them, in lower case: `Catalog.provider_ids` knows who is meant.
    """

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
    said: frozenset[str] = frozenset()
    """Which of these fields were written down, be it with their default."""


def merged(own: Preferences | None, others: Preferences | None) -> Preferences | None:
    """What a request wishes, and `others` in each field of which it says nothing."""
    if own is None or others is None:
        return others if own is None else own
    taken = {name: getattr(others, name) for name in others.said - own.said}
    return msgspec.structs.replace(own, **taken, said=own.said | others.said)
