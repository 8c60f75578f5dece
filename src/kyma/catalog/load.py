"""From rows to a snapshot. Secrets and addresses come in as a mapping and today's date as an argument."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path

from kyma.catalog.auto import AUTO, Rule
from kyma.catalog.catalog import Catalog
from kyma.catalog.media import media_models
from kyma.catalog.rows import AutoRow, ProviderRow, SuffixRow, TierRow
from kyma.catalog.sheets import CatalogError, Sheets, read
from kyma.catalog.texts import text_models
from kyma.catalog.upstreams import REPLICA, provider_if_on, sources
from kyma.core.errors import InvalidRequest
from kyma.core.model import Provider
from kyma.core.preferences import Preferences
from kyma.core.principal import MediaSlots, Tier
from kyma.dialects.preferences import read_provider


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
    entries, text_warnings = text_models(sheets, providers, today)
    media, media_warnings = media_models(sheets, today)
    names = _provider_names(sheets.providers)
    return Catalog(
        entries=entries,
        aliases=_aliases(sheets),
        rules=_rules(sheets),
        providers=providers,
        tiers=_tiers(sheets.tiers),
        warnings=(
            *text_warnings,
            *media_warnings,
            *(f"{row.where}: it has no slots for images" for row in sheets.tiers.values() if not row.image_concurrent),
        ),
        suffixes=_suffixes(sheets.suffixes, names),
        provider_names=names,
        media=media,
        vendors=frozenset(providers) | {key for key, row in sheets.vendors.items() if environment.get(row.key_env)},
    )


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
