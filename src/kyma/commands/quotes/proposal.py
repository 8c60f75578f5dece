"""Rows of new models as a price list has them, to be read and filled in by somebody: a text of our form.

What no list knows is a bare word that is no TOML, so that the catalog does not load before each gap is filled.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from kyma.commands.quotes.listing import Cost, Listing, PriceList
from kyma.core.money import per_million_text

GAP = "TODO"

_ILLEGAL = re.compile(r"[^a-z0-9._:\-]+")


class Wanted(msgspec.Struct, frozen=True):
    """A model by the name it was asked for, and who sells it."""

    name: str
    sold: Sequence[tuple[str, Listing]]


def find(name: str, prices: PriceList, abilities: PriceList | None) -> Wanted:
    """Who sells it, by the last part of the ids, in any case; what it can do is from `abilities`, if given."""
    known = [
        (provider_id, listing if abilities is None else _richer(provider_id, listing, name, abilities))
        for provider_id, listing in prices.every()
        if _short(listing.model) == _short(name) and listing.cost and listing.cost.input
    ]
    return Wanted(name, known)


def proposal(wanted: Sequence[Wanted], source: str, today: date) -> str:
    """One file with a row for each model that somebody sells."""
    head = [
        f"# Proposed from {source}, {today}. Nobody has read it yet: fill every {GAP}, or it does not load.",
        f"owned_by = {GAP}  # the models' creator; a file is for one",
        f"prefixes = {GAP}  # names that may stand before a model's with a slash, e.g. the creator's on Hugging Face",
    ]
    return "\n".join([*head, *(line for model in wanted for line in _row(model, f"{source}, {today}"))]) + "\n"


def _richer(provider_id: str, listing: Listing, name: str, abilities: PriceList) -> Listing:
    """With what `abilities` says of the model there; if it has not that one, of the same model anywhere."""
    found = abilities.find(provider_id, listing.model, 0) or next(
        (other for _, other in abilities.every() if _short(other.model) == _short(name)), None
    )
    if found is None:
        return listing
    return msgspec.structs.replace(
        found, model=listing.model, cost=listing.cost, context_window=listing.context_window or found.context_window
    )


def _row(wanted: Wanted, source: str) -> Iterator[str]:
    listings = [listing for _, listing in wanted.sold]
    first = max(listings, key=_facts)
    windows = [listing.context_window for listing in listings if listing.context_window]
    yield ""
    yield f"[model.{_text(_ILLEGAL.sub('-', _short(wanted.name)).lstrip('._:-'))}]"
    if not first.cost or not first.cost.output:
        yield f"kind = {GAP}  # its output costs nothing: embedding, rerank or moderation?"
    yield f"name = {_text(first.name) if first.name else GAP}"
    yield f"description = {GAP}  # a sentence: what it is"
    yield f"best_for = {GAP}  # a few words"
    yield f"created = {first.created or GAP}{'' if first.created else '  # the day of its release'}"
    yield f"context_window = {min(windows) if windows else GAP}"
    if first.max_output_tokens:
        yield f"max_output_tokens = {first.max_output_tokens}"
    if first.supports is None:
        yield f"supports = {GAP}  # of tools, vision, reasoning, structured_outputs, caching"
    else:
        yield f"supports = {json.dumps(list(first.supports))}"
    if first.sees_images:
        yield f"image_tokens = {GAP}  # the most that one image can cost as input"
    yield f"latency_tier = {GAP}  # fast, medium or slow"
    yield f"cost_tier = {GAP}  # cheap, balanced or premium"
    yield f"quality_tier = {GAP}  # efficient, strong or frontier-open"
    yield f'recommended_for = {GAP}  # e.g. ["coding"], or []'
    yield "# No list_price: the dearest route with the mark-up of 27/20 makes it."
    yield "# Ids and costs are the list's, at the dearest hour and length of prompt: check them at each vendor."
    yield "routes = ["
    for provider_id, listing in wanted.sold:
        if listing.cost:
            yield f"    {_route(provider_id, listing.model, listing.cost, source)},"
    yield "]"


def _facts(listing: Listing) -> int:
    """How much is known."""
    said = (listing.supports, listing.created, listing.max_output_tokens, listing.context_window, listing.name)
    return sum(fact is not None for fact in said)


def _route(provider_id: str, model: str, cost: Cost, source: str) -> str:
    figures = {part: getattr(cost, part) for part in ("input", "cached_input", "cache_write", "cache_write_1h")}
    figures["output"] = cost.output or None
    costs = {part: per_million_text(figure) for part, figure in figures.items() if figure is not None}
    fields = {"provider": provider_id, "model": model, **costs, "source": source}
    return f"{{ {', '.join(f'{name} = {_text(text)}' for name, text in fields.items())} }}"


def _short(name: str) -> str:
    return name.lower().rpartition("/")[2]


def _text(value: str) -> str:
    """A TOML string; JSON's are of the same form."""
    return json.dumps(value, ensure_ascii=False)
