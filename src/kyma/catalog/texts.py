"""Text rows as models: checked, priced, with a route for every provider that is on."""

from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from kyma.catalog.catalog import Entry
from kyma.catalog.dates import day_text, epoch_s, has_ended
from kyma.catalog.pricing import Costed, Offer, offer
from kyma.catalog.rows import ModelRow
from kyma.catalog.sheets import CatalogError, Sheets, quirks_of
from kyma.catalog.substitutes import shortcoming
from kyma.catalog.upstreams import sources, switch_of
from kyma.core.model import Kind, Model, Provider, Route

_ALWAYS = ("max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "seed", "stream", "stream_options")
_BY_KIND: Mapping[Kind, tuple[str, ...]] = {
    "chat": _ALWAYS,
    "embedding": ("dimensions", "encoding_format"),
    "rerank": ("top_n", "return_documents"),
    "moderation": (),
}
_OUTPUTS: Mapping[Kind, tuple[str, ...]] = {
    "chat": ("text",),
    "embedding": ("embedding",),
    "rerank": ("score",),
    "moderation": ("score",),
}
_BY_SUPPORT = {
    "tools": ("tools", "tool_choice", "parallel_tool_calls"),
    "structured_outputs": ("response_format",),
    "reasoning": ("reasoning_effort",),
}


def text_models(sheets: Sheets, on: Mapping[str, Provider], today: date) -> tuple[dict[str, Entry], tuple[str, ...]]:
    """Every text model by id, and what the operator is to be warned of. Raises: CatalogError naming file and field."""
    offers = {model_id: offer(model_id, row, sheets.providers, today) for model_id, row in sheets.models.items()}
    entries = {model_id: _entry(model_id, sheets, offers[model_id], on, today) for model_id in sorted(sheets.models)}
    dropped = (warning for model_id in entries for warning in offers[model_id].warnings)
    idle = (warning for model_id in entries for warning in _idle_substitutes(model_id, entries, offers))
    return entries, (*dropped, *idle)


def _entry(model_id: str, sheets: Sheets, made: Offer, on: Mapping[str, Provider], today: date) -> Entry:
    row = sheets.models[model_id]
    off = (sheets.providers[route.provider] for route, _ in made.routes if not sources(route.provider, on))
    return Entry(
        model=_model(model_id, sheets, made, on, today),
        prefixes=row.prefixes,
        missing=tuple(dict.fromkeys(map(switch_of, off))),
        successor=_successor(model_id, row, sheets),
    )


def _model(model_id: str, sheets: Sheets, made: Offer, on: Mapping[str, Provider], today: date) -> Model:
    row = sheets.models[model_id]
    supports = frozenset(row.supports)
    if "vision" in supports and not row.image_tokens:
        raise CatalogError(f"{row.where}: image_tokens is needed where a model sees images")
    return Model(
        id=model_id,
        name=row.name,
        description=row.description,
        owned_by=row.owned_by,
        created=epoch_s(row.created),
        context_window=row.context_window,
        max_output_tokens=row.max_output_tokens,
        price=made.price,
        price_source=made.price_source,
        best_for=row.best_for,
        input_modalities=row.input_modalities or (("text", "image") if "vision" in supports else ("text",)),
        output_modalities=row.output_modalities or _OUTPUTS[row.kind],
        supported_parameters=row.supported_parameters or _parameters(row.kind, supports),
        supports_tools="tools" in supports,
        supports_vision="vision" in supports,
        supports_reasoning="reasoning" in supports,
        supports_structured_outputs="structured_outputs" in supports,
        supports_caching="caching" in supports,
        latency_tier=row.latency_tier,
        cost_tier=row.cost_tier,
        quality_tier=row.quality_tier,
        status="retired" if has_ended(row.retires_on, today) else row.status,
        recommended_for=row.recommended_for,
        recommended=row.recommended,
        hot=row.hot,
        retires_on=day_text(row.retires_on),
        routes=tuple(
            _route(row, sheets, costed, on[name]) for costed in made.routes for name in sources(costed[0].provider, on)
        ),
        image_tokens=row.image_tokens,
        kind=row.kind,
        substitutes=_substitutes(model_id, row, sheets),
        takes_token_ids="token_ids" in supports,
    )


def _parameters(kind: Kind, supports: frozenset[str]) -> tuple[str, ...]:
    more = tuple(name for support, names in _BY_SUPPORT.items() if support in supports for name in names)
    return _BY_KIND[kind] + more


def _route(row: ModelRow, sheets: Sheets, costed: Costed, provider: Provider) -> Route:
    route, cost = costed
    if route.data_policy is not None:
        provider = msgspec.structs.replace(provider, data_policy=route.data_policy)
    if row.quirks or route.quirks:
        quirks = quirks_of(row.where, sheets.providers[route.provider].quirks, row.quirks, route.quirks)
        provider = msgspec.structs.replace(provider, quirks=quirks)
    return Route(
        id=f"{provider.id}/{route.model}",
        provider=provider,
        upstream_model=route.model,
        cost=cost,
        source=route.source,
        retires_on=day_text(route.retires_on),
        weight=sheets.providers[route.provider].weight if route.weight is None else route.weight,
        first_token_s=route.first_token_s,
    )


def _substitutes(model_id: str, row: ModelRow, sheets: Sheets) -> tuple[str, ...]:
    for name in row.substitutes:
        other = sheets.models.get(name)
        if other is None:
            raise CatalogError(f"{row.where}: substitutes: there is no model {name!r}")
        if name == model_id or other.kind != row.kind:
            raise CatalogError(f"{row.where}: substitutes: {name} is not another model of the same kind")
    return row.substitutes


def _successor(model_id: str, row: ModelRow, sheets: Sheets) -> str | None:
    if row.successor is not None and (row.successor == model_id or row.successor not in sheets.models):
        raise CatalogError(f"{row.where}: successor: {row.successor!r} is no other model")
    return row.successor


def _idle_substitutes(model_id: str, entries: Mapping[str, Entry], offers: Mapping[str, Offer]) -> Iterator[str]:
    """Substitutes that could not serve even if every provider were on."""
    asked = entries[model_id].model
    for name in asked.substitutes:
        costs = [cost for _, cost in offers[name].routes]
        if why := shortcoming(asked, entries[name].model, costs):
            yield f"{model_id}: substitute {name} never serves: {why}"
