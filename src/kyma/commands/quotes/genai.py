"""The data that the package genai-prices brings along (extra `prices`). Nothing is fetched.

Source: https://github.com/pydantic/genai-prices, 2026-11-22: the last price whose condition holds counts; tiers are by
length of the prompt, for all of it.
"""

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.metadata import version

from genai_prices.data import providers
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

from kyma.commands.quotes.listing import Cost, Listing
from kyma.core.money import Picos, per_million_rounded_up

HALF_HOURS = 48
ANY_LENGTH = sys.maxsize


class GenaiPrices:
    """As of `today`; `names` are their ids of our providers."""

    def __init__(self, names: Mapping[str, str], today: date) -> None:
        self._names = names
        self._providers = {provider.id: provider for provider in providers}
        midnight = datetime.combine(today, time(), UTC)
        self._times = [midnight + timedelta(minutes=30 * number) for number in range(HALF_HOURS)]
        self.label = f"genai-prices {version('genai-prices')}"

    def find(self, provider_id: str, model: str, longest: int) -> Listing | None:
        theirs = self._providers.get(self._names.get(provider_id, ""))
        found = theirs.find_model(model) if theirs else None
        return self._listing(found, longest) if found else None

    def every(self) -> Iterator[tuple[str, Listing]]:
        seen: set[str] = set()
        for provider_id, name in self._names.items():
            if name in self._providers and name not in seen:
                seen.add(name)
                yield from ((provider_id, self._listing(model, ANY_LENGTH)) for model in self._providers[name].models)

    def _listing(self, model: ModelInfo, longest: int) -> Listing:
        cost = self._cost(model, longest)
        return Listing(model=model.id, name=model.name, cost=cost, context_window=model.context_window)

    def _cost(self, model: ModelInfo, longest: int) -> Cost | None:
        if not model.prices:
            return None
        prices = [model.get_prices(moment) for moment in self._times]
        fresh = _dearest(prices, "input_mtok", longest)
        if fresh is None:
            return None
        return Cost(
            input=fresh,
            output=_dearest(prices, "output_mtok", longest) or 0,
            cached_input=_dearest(prices, "cache_read_mtok", longest),
            cache_write=_dearest(prices, "cache_write_mtok", longest),
            cache_write_1h=_dearest(prices, "cache_write_1h_mtok", longest),
        )


def _dearest(prices: list[ModelPrice], unit: str, longest: int) -> Picos | None:
    said = [price for prices_then in prices if (price := getattr(prices_then, unit, None)) is not None]
    return max((per_million_rounded_up(figure) for price in said for figure in _figures(price, longest)), default=None)


def _figures(price: Decimal | TieredPrices, longest: int) -> list[Decimal]:
    if isinstance(price, TieredPrices):
        return [price.base, *(tier.price for tier in price.tiers if tier.start < longest)]
    return [price]
