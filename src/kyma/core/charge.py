"""How a charge comes about: units that were used, at prices from a price book, rounded up once."""

import functools
from collections.abc import Iterator
from typing import Protocol

import msgspec

from kyma.core.model import Price
from kyma.core.money import Picos


class Charged(Protocol):
    """What is recorded of a call's units, in disjoint buckets, and of the price they were sold at."""

    @property
    def model(self) -> str: ...
    @property
    def asked_model(self) -> str: ...
    @property
    def price_share(self) -> int: ...
    @property
    def input_tokens(self) -> int: ...
    @property
    def cached_input_tokens(self) -> int: ...
    @property
    def cache_write_tokens(self) -> int: ...
    @property
    def cache_write_1h_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def searches(self) -> int: ...


class _Listed(msgspec.Struct):
    input: Picos
    cached_input: Picos
    cache_write: Picos
    output: Picos
    cache_write_1h: Picos | None = None
    """None in a book from before there was such a bucket: what was written then is in the other."""
    search: Picos | None = None


class PriceBook:
    """A published price book, from its JSON; a model's prices are read when they are first asked for."""

    def __init__(self, prices: str) -> None:
        self._rows = msgspec.json.decode(prices, type=dict[str, msgspec.Raw])
        self._listed: dict[str, Price] = {}

    def price_of(self, charged: Charged) -> Price | None:
        """What a unit of the call was sold at; None where the book does not say."""
        names = [name for name in (charged.model, charged.asked_model) if name]
        if any(name not in self._rows for name in names):
            return None
        return functools.reduce(Price.cheaper, map(self._price, names)).share(charged.price_share)

    def _price(self, name: str) -> Price:
        if (price := self._listed.get(name)) is None:
            one = msgspec.json.decode(self._rows[name], type=_Listed)
            hour = one.cache_write_1h or 0
            price = Price(one.input, one.cached_input, one.cache_write, one.output, hour, one.search)
            self._listed[name] = price
        return price


def charge_lines(charged: Charged, price: Price) -> Iterator[tuple[str, int, Picos]]:
    """Each bucket by its column's name, its units, and what one of them costs."""
    yield "input_tokens", charged.input_tokens, price.input
    yield "cached_input_tokens", charged.cached_input_tokens, price.cached_input
    yield "cache_write_tokens", charged.cache_write_tokens, price.cache_write
    yield "cache_write_1h_tokens", charged.cache_write_1h_tokens, price.cache_write_1h
    yield "output_tokens", charged.output_tokens, price.output
    yield "searches", charged.searches, price.search or 0
