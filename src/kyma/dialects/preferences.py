"""The fields `provider` and `models` of a request: who is to serve it. The same words in every dialect.

They are for this gateway alone: whoever reads them takes them out, so that no vendor is told and nothing is lost. Of
OpenRouter's members those that would shut sources out by what is not known here are refused, rather than let a source
answer that the caller has ruled out. Source: OpenRouter's OpenAPI document, schema ProviderPreferences, read
2026-11-21; it takes no other members either.
"""

from collections.abc import Mapping
from typing import Any, NoReturn, get_args

import msgspec

from kyma.core.errors import InvalidRequest
from kyma.core.money import Picos, per_million_to_picos
from kyma.core.preferences import Preferences, PriceLimit, Sort
from kyma.dialects.json_input import decode_at, explain

MAX_MODELS = 16
SORTS: tuple[Sort, ...] = get_args(Sort)

_NAME_SHOWN = 80
_NULL = msgspec.Raw(b"null")


class WirePercentiles(msgspec.Struct):
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p99: float | None = None


class WireSort(msgspec.Struct):
    by: str | None = None
    partition: str | None = None


class WirePriceLimit(msgspec.Struct):
    """USD per million tokens. Nothing here has a price per request, image or audio: limits of those are always kept."""

    prompt: str | float | None = None
    completion: str | float | None = None
    request: str | float | None = None
    image: str | float | None = None
    audio: str | float | None = None


class WireProvider(msgspec.Struct):
    """The object `provider`. `preferred_…` ask for no more than an order, and get the one of the weights."""

    order: list[str] | None = None
    only: list[str] | None = None
    ignore: list[str] | None = None
    sort: str | WireSort | None = None
    max_price: WirePriceLimit | None = None
    allow_fallbacks: bool | None = None
    require_parameters: bool | None = None
    data_collection: str | None = None
    zdr: bool | None = None
    preferred_min_throughput: float | WirePercentiles | None = None
    preferred_max_latency: float | WirePercentiles | None = None
    quantizations: list[str] | None = None
    enforce_distillable_text: bool | None = None


OBJECTS: Mapping[str, type[msgspec.Struct]] = {
    "": WireProvider,
    "sort": WireSort,
    "max_price": WirePriceLimit,
    "preferred_min_throughput": WirePercentiles,
    "preferred_max_latency": WirePercentiles,
}
"""By their path inside `provider`: no other members are taken. One that is null is as good as absent."""

_any_decoder = msgspec.json.Decoder()
_models_decoder = msgspec.json.Decoder(list[str] | None)


def take_preferences(fields: dict[str, msgspec.Raw], model: str) -> tuple[str, Preferences | None]:
    """The model to ask first, and the wishes; `provider` and `models` are no longer in `fields`.

    Of `models` the first takes the place of an absent `model`. Raises: InvalidRequest naming the path.
    """
    provider, named = fields.pop("provider", _NULL), fields.pop("models", _NULL)
    said: dict[str, Any] = {}
    if named != _NULL:
        models = _models(named)
        model = model or (models[0] if models else "")
        said["models"] = tuple(dict.fromkeys(name for name in models if name != model))
    if provider != _NULL:
        said |= _said(decode_at(_any_decoder, provider, "provider"), "provider")
    return model, Preferences(**said, said=frozenset(said)) if said else None


def read_provider(members: Mapping[str, object]) -> Preferences:
    """The wishes of an object of the form of `provider`. Raises: InvalidRequest naming the path inside it."""
    said = _said(members, "")
    return Preferences(**said, said=frozenset(said))


def _models(raw: msgspec.Raw) -> list[str]:
    models = decode_at(_models_decoder, raw, "models") or []
    if len(models) > MAX_MODELS:
        raise InvalidRequest(f"models may be at most {MAX_MODELS}; these are {len(models)}", param="models")
    if "" in models:
        path = f"models.{models.index('')}"
        raise InvalidRequest(f"{path} must name a model or an alias", param=path)
    return models


def _said(members: object, where: str) -> dict[str, Any]:
    """The fields of `Preferences` that the object speaks of."""
    if isinstance(members, Mapping):
        _refuse_unknown(members, where)
    try:
        wire = msgspec.convert(members, WireProvider)
    except msgspec.ValidationError as error:
        message, inner = explain(error)
        path = _path(where, inner)
        raise InvalidRequest(f"{message} at {path}", param=path) from None
    _refuse_unknowable(wire, where)
    said = {
        "order": _names(wire.order),
        "only": _names(wire.only),
        "ignore": _names(wire.ignore),
        "sort": _sort(wire.sort, _path(where, "sort")),
        "max_price": _price_limit(wire.max_price, _path(where, "max_price")),
        "allow_fallbacks": wire.allow_fallbacks,
        "require_parameters": wire.require_parameters,
        "denies_data_collection": _denies(wire, _path(where, "data_collection")),
    }
    return {name: value for name, value in said.items() if value is not None}


def _names(given: list[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple([name.lower() for name in given])


def _sort(given: str | WireSort | None, path: str) -> Sort | None:
    if isinstance(given, WireSort):
        if given.partition not in (None, "model"):
            _cannot(
                "can only be model: the sources of one model are tried before those of the next", f"{path}.partition"
            )
        given, path = given.by, f"{path}.by"
    if given is None:
        return None
    for sort in SORTS:
        if given == sort:
            return sort
    _refuse(f"must be one of {', '.join(SORTS)}", path)


def _price_limit(given: WirePriceLimit | None, path: str) -> PriceLimit | None:
    if given is None:
        return None
    limits = {name: _picos(getattr(given, name), f"{path}.{name}") for name in given.__struct_fields__}
    return PriceLimit(limits["prompt"], limits["completion"])


def _picos(given: str | float | None, path: str) -> Picos | None:
    """A number is meant to the nearest pico-dollar a token, which is its sixth decimal."""
    if given is None:
        return None
    try:
        return per_million_to_picos(given if isinstance(given, str) else f"{given:.6f}")
    except ValueError as error:
        raise InvalidRequest(f"{path}: {error}", param=path) from None


def _denies(wire: WireProvider, path: str) -> bool | None:
    """Sources that keep nothing are the same here as those that collect nothing."""
    if wire.data_collection not in (None, "allow", "deny"):
        _refuse("must be allow or deny", path)
    if wire.data_collection is None and wire.zdr is None:
        return None
    return wire.data_collection == "deny" or bool(wire.zdr)


def _refuse_unknowable(wire: WireProvider, where: str) -> None:
    if wire.quantizations:
        _cannot("is not supported: how a source's weights are rounded is not known here", _path(where, "quantizations"))
    if wire.enforce_distillable_text:
        path = _path(where, "enforce_distillable_text")
        _cannot("is not supported: what a model's maker allows is not known here", path)


def _refuse_unknown(members: Mapping[str, object], where: str) -> None:
    for inner, wire in OBJECTS.items():
        given = members.get(inner) if inner else members
        known = wire.__struct_fields__
        if isinstance(given, Mapping) and (unknown := next((name for name in given if name not in known), None)):
            name = unknown if len(unknown) <= _NAME_SHOWN else f"{unknown[:_NAME_SHOWN]}…"
            path = _path(where, inner)
            message = f"there is no member {name}{f' in {path}' if path else ''}; there are {', '.join(known)}"
            raise InvalidRequest(message, param=_path(path, name))


def _path(where: str, inner: str) -> str:
    return f"{where}.{inner}" if where and inner else where or inner


def _cannot(said: str, path: str) -> NoReturn:
    raise InvalidRequest(f"{path} {said}", code="unsupported_parameter", param=path)


def _refuse(said: str, path: str) -> NoReturn:
    raise InvalidRequest(f"{path} {said}", param=path)
