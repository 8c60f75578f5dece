"""Models that were found on the operator's own servers, as rows beside the catalog's: free, and gone when they are."""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from kyma.catalog import Sheets
from kyma.catalog.auto import AUTO
from kyma.catalog.rows import ID, AliasRow, ModelRow, PriceRow, RouteRow, Support
from kyma.local.ollama import OllamaModel

Found = Mapping[str, Sequence[OllamaModel]]
"""Models by the id of the provider that has them."""

SOURCE = "found on the operator's own server"
LATEST = ":latest"
IMAGE_TOKENS = 4096
"""An image's part in the estimate for rate limits; what one really costs, Ollama does not say. The model is free."""

SUPPORTS: Mapping[str, Support] = {"tools": "tools", "vision": "vision", "thinking": "reasoning"}
"""Ollama's capabilities in the catalog's words."""

_ILLEGAL = re.compile(r"[^a-z0-9._:\-]+")


def with_discovered(sheets: Sheets, found: Found) -> Sheets:
    """`sheets` and a free model for each one that was found, which another server may have too.

    The catalog's word goes first: a found model keeps out of the way of its ids and aliases, and what one of its rows
    already sells through that provider is not given away beside it.
    """
    sold = {(route.provider, _full(route.model)) for row in sheets.models.values() for route in row.routes}
    taken = {AUTO, *sheets.models, *sheets.media, *sheets.aliases}
    rows: dict[str, ModelRow] = {}
    aliases: dict[str, AliasRow] = {}
    for name, served in _by_name(found).items():
        if any((provider_id, _full(name)) in sold for provider_id in served):
            continue
        model_id, prefixes = _id(name)
        if model_id in rows:
            model_id, prefixes = _legal(_short(name)), ()
        if not ID.fullmatch(model_id) or model_id in rows or model_id in taken:
            continue
        rows[model_id] = _row(name, prefixes, served)
        full = model_id + LATEST
        if name.endswith(LATEST) and full not in taken:
            aliases[full] = AliasRow(where=SOURCE, source=SOURCE, targets=(model_id,))
    aliases = {alias: row for alias, row in aliases.items() if alias not in rows}
    return msgspec.structs.replace(sheets, models={**sheets.models, **rows}, aliases={**sheets.aliases, **aliases})


def _by_name(found: Found) -> dict[str, dict[str, OllamaModel]]:
    """Name, provider, model; the servers' own library first, since its names have no owner before them."""
    names = {model.name for models in found.values() for model in models}
    return {
        name: {provider_id: model for provider_id, models in found.items() for model in models if model.name == name}
        for name in sorted(names, key=lambda name: (name.count("/"), name))
    }


def _full(name: str) -> str:
    """With the tag that Ollama takes for granted."""
    return name if ":" in name.rpartition("/")[2] else name + LATEST


def _short(name: str) -> str:
    return name.lower().removesuffix(LATEST)


def _id(name: str) -> tuple[str, tuple[str, ...]]:
    """`hf.co/Acme/Owl:Q4` is `owl:q4`, also known with its owner before it."""
    owner, _, own = _short(name).rpartition("/")
    return _legal(own), (owner,) if owner else ()


def _legal(name: str) -> str:
    return _ILLEGAL.sub("-", name).lstrip("._:-")


def _row(name: str, prefixes: tuple[str, ...], served: Mapping[str, OllamaModel]) -> ModelRow:
    model = next(iter(served.values()))
    return ModelRow(
        where=f"{SOURCE} [{name}]",
        kind=model.kind,
        name=name,
        description=" ".join(["On the operator's own machine:", *_said(model)]) + ".",
        best_for="Work that stays in the house",
        owned_by=model.family or "Ollama",
        prefixes=prefixes,
        created=model.modified_on,
        context_window=min(found.context_window for found in served.values()),
        supports=tuple(_supports(model)),
        image_tokens=IMAGE_TOKENS if "vision" in model.capabilities else 0,
        latency_tier="medium",
        cost_tier="cheap",
        quality_tier="efficient",
        recommended_for=(),
        is_free=True,
        list_price=PriceRow(input="0", output="0", source=SOURCE),
        routes=tuple(
            RouteRow(provider=provider_id, model=name, input="0", output="0", source=SOURCE) for provider_id in served
        ),
    )


def _said(model: OllamaModel) -> Iterator[str]:
    yield model.size or "a model"
    if model.size:
        yield "parameters"
    if model.family:
        yield f"of the {model.family} family"


def _supports(model: OllamaModel) -> Iterator[Support]:
    if model.kind != "chat":
        return
    yield "structured_outputs"  # of every model, since the server holds the sampling to the schema
    yield from (support for word, support in SUPPORTS.items() if word in model.capabilities)
