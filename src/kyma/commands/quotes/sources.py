"""Which price lists there are, what our providers are called there, and how each is opened."""

import importlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec

from kyma.catalog import CatalogError, builtin_data
from kyma.catalog.rows import SourcedRow
from kyma.catalog.sheets import read_rows
from kyma.commands.quotes.listing import PriceList
from kyma.commands.quotes.models_dev import ModelsDev

MODELS_DEV = "models.dev"


class PriceListRow(SourcedRow, frozen=True, kw_only=True):
    """`providers` are that list's ids of providers by ours."""

    providers: dict[str, str]


class Opened(msgspec.Struct, frozen=True):
    """A price list, and the providers that it has: its ids by ours."""

    prices: PriceList
    names: Mapping[str, str]


def open_source(source: str, file: Path | None, today: date) -> Opened:
    """A price list by its name. Raises: CatalogError if there is none, or what it needs is missing."""
    rows = read_rows([builtin_data()], "price_lists.toml", PriceListRow)
    if source not in rows:
        raise CatalogError(f"there is no price list {source!r}; there are {', '.join(rows)}")
    names = rows[source].providers
    if source == MODELS_DEV:
        if file is None:
            raise CatalogError(f"{MODELS_DEV} needs --file: a copy of its api.json")
        return Opened(ModelsDev(names, file), names)
    try:
        module = importlib.import_module("kyma.commands.quotes.genai")
    except ModuleNotFoundError as error:
        raise CatalogError(f"{source} is not installed ({error.name}): pip install 'kyma[prices]'") from None
    prices: PriceList = module.GenaiPrices(names, today)
    return Opened(prices, names)
