"""A snapshot of models.dev's `api.json`, given as a file. Nothing is fetched.

Source: https://github.com/anomalyco/models.dev, packages/core/src/schema.ts of 2026-07-02: USD per 1M tokens;
`context_over_200k` and `tiers` are prices of long prompts.
"""

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from kyma.catalog import CatalogError
from kyma.catalog.rows import Support
from kyma.commands.quotes.listing import Cost, Listing
from kyma.core.money import Picos, per_million_rounded_up

LONG = 200_000
ANY_LENGTH = sys.maxsize
_MONTH = len("2026-01")


class _Figures(msgspec.Struct, frozen=True):
    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None


class _Size(msgspec.Struct, frozen=True):
    size: int = 0


class _Tier(_Figures, frozen=True):
    tier: _Size = _Size()


class _Prices(_Figures, frozen=True):
    context_over_200k: _Figures | None = None
    tiers: tuple[_Tier, ...] = ()


class _Limit(msgspec.Struct, frozen=True):
    context: int = 0
    output: int = 0


class _Modalities(msgspec.Struct, frozen=True):
    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()


class _Model(msgspec.Struct, frozen=True):
    id: str
    name: str = ""
    reasoning: bool = False
    tool_call: bool | dict[str, object] = False
    structured_output: bool = False
    release_date: str = ""
    modalities: _Modalities = _Modalities()
    limit: _Limit = _Limit()
    cost: _Prices | None = None


class _Provider(msgspec.Struct, frozen=True):
    models: dict[str, _Model] = {}


class ModelsDev:
    """`names` are their ids of our providers. Raises: CatalogError if the file is no such snapshot."""

    def __init__(self, names: Mapping[str, str], file: Path) -> None:
        self._names = names
        try:
            self._providers = msgspec.json.decode(file.read_bytes(), type=dict[str, _Provider])
        except msgspec.DecodeError as error:
            raise CatalogError(f"{file} is no api.json of models.dev: {error}") from None
        self.label = f"models.dev, file of {datetime.fromtimestamp(file.stat().st_mtime, UTC).date()}"

    def find(self, provider_id: str, model: str, longest: int) -> Listing | None:
        theirs = self._providers.get(self._names.get(provider_id, ""), _Provider())
        found = theirs.models.get(model)
        return None if found is None else _listing(found, longest)

    def every(self) -> Iterator[tuple[str, Listing]]:
        seen: set[str] = set()
        for provider_id, name in self._names.items():
            if name in self._providers and name not in seen:
                seen.add(name)
                yield from (
                    (provider_id, _listing(model, ANY_LENGTH)) for model in self._providers[name].models.values()
                )


def _listing(model: _Model, longest: int) -> Listing:
    return Listing(
        model=model.id,
        name=model.name or None,
        cost=_cost(model.cost, longest) if model.cost else None,
        context_window=model.limit.context or None,
        max_output_tokens=model.limit.output or None,
        created=_day(model.release_date),
        supports=tuple(_supports(model)),
        sees_images="image" in model.modalities.input,
    )


def _cost(prices: _Prices, longest: int) -> Cost | None:
    lengths: list[_Figures] = [prices, *(tier for tier in prices.tiers if tier.tier.size < longest)]
    if prices.context_over_200k and longest > LONG:
        lengths.append(prices.context_over_200k)
    fresh = _dearest([one.input for one in lengths])
    if fresh is None:
        return None
    return Cost(
        input=fresh,
        output=_dearest([one.output for one in lengths]) or 0,
        cached_input=_dearest([one.cache_read for one in lengths]),
        cache_write=_dearest([one.cache_write for one in lengths]),
    )


def _dearest(figures: list[Decimal | None]) -> Picos | None:
    return max((per_million_rounded_up(figure) for figure in figures if figure is not None), default=None)


def _supports(model: _Model) -> Iterator[Support]:
    if model.tool_call:
        yield "tools"
    if "image" in model.modalities.input:
        yield "vision"
    if model.reasoning:
        yield "reasoning"
    if model.structured_output:
        yield "structured_outputs"
    if model.cost and model.cost.cache_read is not None:
        yield "caching"


def _day(text: str) -> date | None:
    """`2026-01` is its first day."""
    try:
        return date.fromisoformat(f"{text}-01" if len(text) == _MONTH else text)
    except ValueError:
        return None
