"""From rows to a snapshot. Secrets and addresses come in as a mapping and today's date as an argument."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path

import msgspec

from kyma.catalog.auto import AUTO, Rule
from kyma.catalog.catalog import Catalog, Entry
from kyma.catalog.dates import day_text, epoch_s, is_past
from kyma.catalog.media import media_models
from kyma.catalog.pricing import Costed, Offer, offer
from kyma.catalog.rows import AutoRow, ModelRow, ProviderRow, SuffixRow, TierRow
from kyma.catalog.sheets import CatalogError, Sheets, quirks_of, read
from kyma.catalog.substitutes import shortcoming
from kyma.catalog.upstreams import REPLICA, provider_if_on, sources, switch_of
from kyma.core.errors import InvalidRequest
from kyma.core.model import Kind, Model, Provider, Route
from kyma.core.preferences import Preferences
from kyma.core.principal import MediaSlots, Tier
from kyma.dialects.preferences import read_provider

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


def load(
    builtin: Traversable,
    overlay: Path | None,
    *,
    environment: Mapping[str, str],
    engines: Mapping[str, str],
    today: date,
) -> Catalog:
    """The catalog as it stands here and today. Raises: CatalogError naming file, row and field."""
    sheets = read(builtin, overlay)
    return assemble(sheets, environment=environment, engines=engines, today=today)


def assemble(
    sheets: Sheets,
    *,
    environment: Mapping[str, str],
    engines: Mapping[str, str],
    today: date,
    keyed: Collection[str] = (),
) -> Catalog:
    """A snapshot from rows that were read before: cheap enough to repeat when an embedded engine comes or goes.

    `environment` holds secrets and base URLs by name; an empty one counts as absent. `engines` are the base URLs of the
    embedded ones that run, by provider; `local-2` is a replica of `local`, and serves what that does. `keyed` are
    providers that have a key from elsewhere. Raises: CatalogError.
    """
    providers: dict[str, Provider] = {}
    for provider_id, row in sheets.providers.items():
        if REPLICA.fullmatch(provider_id):
            raise CatalogError(f"{row.where}: this id is kept for a replica of an embedded model")
        for source_id in sources(provider_id, engines) or (provider_id,):
            if provider := provider_if_on(source_id, row, environment, engines, provider_id in keyed):
                providers[source_id] = provider
    offers = {model_id: offer(model_id, row, sheets.providers, today) for model_id, row in sheets.models.items()}
    entries = {
        model_id: _entry(model_id, sheets, offers[model_id], providers, today) for model_id in sorted(sheets.models)
    }
    media, media_warnings = media_models(sheets, today)
    names = _provider_names(sheets.providers)
    return Catalog(
        entries=entries,
        aliases=_aliases(sheets),
        rules=_rules(sheets),
        providers=providers,
        tiers=_tiers(sheets.tiers),
        warnings=(
            *(warning for model_id in entries for warning in offers[model_id].warnings),
            *(warning for model_id in entries for warning in _idle_substitutes(model_id, entries, offers)),
            *media_warnings,
            *(f"{row.where}: it has no slots for images" for row in sheets.tiers.values() if not row.image_concurrent),
        ),
        suffixes=_suffixes(sheets.suffixes, names),
        provider_names=names,
        media=media,
        vendors=frozenset(providers) | {key for key, row in sheets.vendors.items() if environment.get(row.key_env)},
    )


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
        status="retired" if is_past(row.retires_on, today) else row.status,
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


def _provider_names(rows: Mapping[str, ProviderRow]) -> dict[str, tuple[str, ...]]:
    """Ids and slugs; a slug may be that of several."""
    names: dict[str, tuple[str, ...]] = {provider_id: (provider_id,) for provider_id in rows}
    for provider_id, row in rows.items():
        for slug in row.slugs:
            if slug in rows or slug != slug.lower():
                raise CatalogError(f"{row.where}: slugs: {slug!r} is a provider's id, or not in lower case")
            names[slug] = (*names.get(slug, ()), provider_id)
    return names


def _suffixes(rows: Mapping[str, SuffixRow], names: Mapping[str, tuple[str, ...]]) -> dict[str, Preferences]:
    made: dict[str, Preferences] = {}
    for suffix, row in rows.items():
        try:
            made[suffix] = read_provider(row.provider)
        except InvalidRequest as error:
            raise CatalogError(f"{row.where}: provider: {error.message}") from error
        said = made[suffix]
        if unknown := [name for name in (*said.order, *said.only, *said.ignore) if name not in names]:
            raise CatalogError(f"{row.where}: provider: there is no provider {unknown[0]!r}")
    return made


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


def _aliases(sheets: Sheets) -> dict[str, tuple[str, ...]]:
    for alias, row in sheets.aliases.items():
        if alias in sheets.models:
            raise CatalogError(f"{row.where}: a model has this id")
        for target in row.targets:
            if target not in sheets.models and target not in sheets.media:
                raise CatalogError(f"{row.where}: targets: there is no model {target!r}")
        if len({target in sheets.media for target in row.targets}) > 1:
            raise CatalogError(f"{row.where}: targets: media stand with media, and texts with texts")
    return {alias: row.targets for alias, row in sheets.aliases.items()}


def _rules(sheets: Sheets) -> tuple[Rule, ...]:
    """Those of `auto` in order; the last one, and no other, holds for every request."""
    if namesake := sheets.models.get(AUTO) or sheets.aliases.get(AUTO) or sheets.media.get(AUTO):
        raise CatalogError(f"{namesake.where}: this name is kept for what auto.toml decides")
    rows = sorted(sheets.auto.values(), key=lambda row: row.rank)
    for lower, higher in pairwise(rows):
        if lower.rank == higher.rank:
            raise CatalogError(f"{higher.where}: rank: another rule has {higher.rank} too")
    rules = tuple(
        Rule(
            reason=row.reason,
            when=frozenset(row.when),
            min_input_tokens=row.min_input_tokens,
            min_output_tokens=row.min_output_tokens,
            targets=tuple(dict.fromkeys(_targets(row, sheets))),
        )
        for row in rows
    )
    for row, rule in zip(rows, rules, strict=True):
        if rule.is_last != (row is rows[-1]):
            raise CatalogError(f"{row.where}: rank: the last rule, and no other, has no conditions")
    return rules


def _targets(row: AutoRow, sheets: Sheets) -> Iterator[str]:
    """Chat models, and the targets of aliases in their place."""
    for name in row.targets:
        for target in sheets.aliases[name].targets if name in sheets.aliases else (name,):
            model = sheets.models.get(target)
            if model is None or model.kind != "chat":
                raise CatalogError(f"{row.where}: targets: {name!r} is no chat model, and no alias of chat models")
            yield target


def _tiers(rows: Mapping[str, TierRow]) -> tuple[Tier, ...]:
    numbers = [str(number) for number in range(len(rows))]
    for number, row in rows.items():
        if number not in numbers:
            raise CatalogError(f"{row.where}: tiers are numbered from 0 without a gap")
    tiers = tuple(
        Tier(
            tier=int(number),
            name=rows[number].name,
            min_deposit_usd=rows[number].min_deposit_usd,
            rpm=rows[number].rpm,
            per_model_rpm=rows[number].per_model_rpm,
            tpm=rows[number].tpm,
            max_single_request=rows[number].max_single_request,
            media=_media_slots(rows[number]),
        )
        for number in numbers
    )
    for lower, higher in pairwise(tiers):
        if higher.min_deposit_usd <= lower.min_deposit_usd:
            raise CatalogError(f"{rows[str(higher.tier)].where}: min_deposit_usd must be above tier {lower.tier}'s")
    if not tiers or tiers[0].min_deposit_usd != 0:
        raise CatalogError("tiers.toml: tier 0 is needed, with min_deposit_usd = 0")
    return tiers


def _media_slots(row: TierRow) -> MediaSlots:
    return MediaSlots(
        image_concurrent=row.image_concurrent,
        image_queue_depth_cap=row.image_queue_depth_cap,
        video_concurrent=row.video_concurrent,
        video_queue_depth_cap=row.video_queue_depth_cap,
        audio=row.audio_concurrent_per_provider,
        combined_media_concurrent=row.combined_media_concurrent,
        combined_queue_depth_cap=row.combined_queue_depth_cap,
    )
