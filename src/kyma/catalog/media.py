"""Media rows as SKUs: checked, completed by what follows from the capability, priced. No vendor is asked anything."""

import re
from collections.abc import Iterator, Mapping
from datetime import date

from kyma.catalog.dates import day_text, epoch_s, is_past
from kyma.catalog.media_pricing import MediaOffer, media_offer
from kyma.catalog.media_rows import MediaRow
from kyma.catalog.sheets import CatalogError, Sheets
from kyma.catalog.upstreams import switch_of
from kyma.core.media import Capability, Limits, MediaModel, MediaRoute, Modality

_IMAGES, _VIDEOS, _AUDIO = "/v1/images/generations", "/v1/videos/generations", "/v1/audio"
_ENDPOINTS: Mapping[Capability, str] = {
    "image_generate": _IMAGES,
    "image_edit": _IMAGES,
    "vector": _IMAGES,
    "video_generate": _VIDEOS,
    "stt": f"{_AUDIO}/transcriptions",
    "audio-understand": f"{_AUDIO}/understand",
    "speech": f"{_AUDIO}/speech",
    "music": f"{_AUDIO}/music",
    "sfx": f"{_AUDIO}/sfx",
    "voice-clone": f"{_AUDIO}/voice-clone",
    "voice-design": f"{_AUDIO}/voice-design",
}
_FLOWS: Mapping[Capability, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "image_generate": (("text",), ("image",)),
    "image_edit": (("text", "image"), ("image",)),
    "vector": (("text",), ("image",)),
    "video_generate": (("text", "image"), ("video",)),
    "stt": (("audio",), ("text",)),
    "audio-understand": (("audio", "text"), ("text",)),
    "speech": (("text",), ("audio",)),
    "music": (("text",), ("audio",)),
    "sfx": (("text",), ("audio",)),
    "voice-clone": (("audio",), ("audio",)),
    "voice-design": (("text",), ("audio",)),
    "realtime": (("audio",), ("audio",)),
}
"""What goes in and what comes out."""

_PARAMETERS: Mapping[Capability, tuple[str, ...]] = {
    "image_generate": ("prompt", "n", "size", "extra", "idempotency_key"),
    "image_edit": ("prompt", "n", "size", "extra", "idempotency_key"),
    "vector": ("prompt", "n", "size", "extra", "idempotency_key"),
    "video_generate": ("prompt", "duration", "extra", "idempotency_key"),
    "stt": ("file", "audio_url", "language", "prompt", "temperature", "response_format"),
    "audio-understand": ("file", "question", "duration_sec"),
    "speech": ("input", "voice_id", "response_format", "voice_settings", "speed"),
    "music": ("prompt", "response_format"),
    "sfx": ("prompt", "duration_seconds", "prompt_influence", "response_format"),
    "voice-clone": ("file", "name"),
    "voice-design": ("description", "name", "preview_text", "gender", "age_group"),
    "realtime": (),
}
_SIZE, _RATIO = re.compile(r"[1-9][0-9]*x[1-9][0-9]*"), re.compile(r"[1-9][0-9]*:[1-9][0-9]*")


def media_models(sheets: Sheets, today: date) -> tuple[dict[str, MediaModel], tuple[str, ...]]:
    """Every media SKU by id, and what the operator is to be warned of. Raises: CatalogError naming file and field."""
    switches = _switches(sheets)
    models: dict[str, MediaModel] = {}
    warnings: list[str] = []
    for model_id, row in sorted(sheets.media.items()):
        if model_id in sheets.models or model_id in sheets.aliases:
            raise CatalogError(f"{row.where}: a model of text or an alias has this id")
        for problem in _problems(row):
            raise CatalogError(f"{row.where}: {problem}")
        made = media_offer(model_id, row, switches.keys(), today)
        models[model_id] = _model(model_id, row, made, switches, today)
        warnings += made.warnings
    return models, tuple(warnings)


def _switches(sheets: Sheets) -> dict[str, str]:
    """What switches each vendor on, by id; providers are vendors too."""
    for vendor_id, row in sheets.vendors.items():
        if vendor_id in sheets.providers:
            raise CatalogError(f"{row.where}: a provider has this id")
    providers = {provider_id: switch_of(row) for provider_id, row in sheets.providers.items()}
    return providers | {vendor_id: row.key_env for vendor_id, row in sheets.vendors.items()}


def _problems(row: MediaRow) -> Iterator[str]:
    """What no single field's type can tell."""
    limits = row.limits
    modality = _modality(row.capability)
    inputs = row.input_modalities or _FLOWS[row.capability][0]
    if (row.pool is not None) != (modality == "audio"):
        yield "pool: audio has one, and nothing else"
    if (row.endpoint is not None) != (row.capability == "realtime"):
        yield "endpoint: a realtime row names it, for others it follows from the capability"
    if row.endpoint is not None and not row.endpoint.startswith("/v1/"):
        yield "endpoint: it begins with /v1/"
    if (row.mode == "per-quality") != bool(limits.qualities):
        yield "limits.qualities: mode per-quality has some, and no other"
    if bool(limits.qualities) != (limits.default_quality in limits.qualities):
        yield "limits.default_quality is one of limits.qualities"
    if row.larger_than_pixels is not None and row.mode != "per-quality":
        yield "larger_than_pixels: only mode per-quality prices larger images apart"
    if modality == "image" and limits.max_count is None:
        yield "limits.max_count is needed for images"
    if modality != "audio" and ("image" in inputs) != bool(limits.max_references):
        yield "limits.max_references: a SKU that takes images says how many, and no other"
    if modality == "video" and limits.default_duration_s is None:
        yield "limits.default_duration_s is needed for videos"
    yield from _range_problems(limits)


def _range_problems(limits: Limits) -> Iterator[str]:
    if limits.min_references > limits.max_references:
        yield "limits.min_references is more than limits.max_references"
    for name, pattern in (("sizes", _SIZE), ("aspect_ratios", _RATIO)):
        if wrong := [text for text in getattr(limits, name) if not pattern.fullmatch(text)]:
            yield f"limits.{name}: {wrong[0]!r} is none"
    for name in ("sizes", "aspect_ratios", "qualities", "durations_s"):
        if len(set(getattr(limits, name))) < len(getattr(limits, name)):
            yield f"limits.{name}: one stands there twice"
    least, most, usual = limits.min_duration_s, limits.max_duration_s, limits.default_duration_s
    if most is None and (least or usual or limits.durations_s):
        yield "limits.max_duration_s is needed where there are durations"
    elif most is not None and not (least or 0) <= (usual or least or 0) <= most:
        yield "limits.default_duration_s is not from min_duration_s to max_duration_s"
    if limits.durations_s and {least, usual, most} - set(limits.durations_s):
        yield "limits.durations_s: the shortest, the default and the longest are among them"


def _model(model_id: str, row: MediaRow, made: MediaOffer, switches: Mapping[str, str], today: date) -> MediaModel:
    takes, gives = _FLOWS[row.capability]
    return MediaModel(
        id=model_id,
        name=row.name,
        description=row.description,
        owned_by=row.owned_by,
        prefixes=row.prefixes,
        created=epoch_s(row.created),
        modality=_modality(row.capability),
        capability=row.capability,
        tier=row.tier,
        best_for=row.best_for,
        input_modalities=row.input_modalities or takes,
        output_modalities=row.output_modalities or gives,
        supported_parameters=row.supported_parameters or tuple(_parameters(row)),
        rate=made.rate,
        price_source=made.price_source,
        limits=row.limits,
        status="retired" if is_past(row.retires_on, today) else row.status,
        endpoint=row.endpoint or _ENDPOINTS[row.capability],
        pool=row.pool,
        latency_tier=row.latency_tier,
        cost_tier=row.cost_tier,
        quality_tier=row.quality_tier,
        recommended_for=row.recommended_for,
        recommended=row.recommended,
        hot=row.hot,
        retires_on=day_text(row.retires_on),
        routes=tuple(
            MediaRoute(
                id=route.id,
                vendor=route.vendor,
                upstream_model=route.model,
                cost=cost,
                source=route.source,
                switch=switches[route.vendor],
                retires_on=day_text(route.retires_on),
            )
            for route, cost in made.routes
        ),
    )


def _modality(capability: Capability) -> Modality:
    match _FLOWS[capability][1][0]:
        case "image":
            return "image"
        case "video":
            return "video"
        case _:
            return "audio"


def _parameters(row: MediaRow) -> Iterator[str]:
    """Those of the capability, and those that the row's limits imply."""
    yield from _PARAMETERS[row.capability]
    limits = row.limits
    implied = {
        "quality": limits.qualities,
        "image_url": limits.max_references,
        "image_urls": limits.max_references > 1,
        "lyrics": limits.max_lyrics_chars,
        "music_length_ms": row.capability == "music" and limits.max_duration_s,
    }
    yield from (name for name, is_taken in implied.items() if is_taken)
