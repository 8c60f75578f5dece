"""Who may answer a request: its model, the caller's own list, our substitutes; and which way it goes among sources."""

import random
import zlib
from collections.abc import Iterable, Iterator

import msgspec

from kyma.calls.abilities import check_abilities, is_able, wrong_kind
from kyma.calls.auto import pick
from kyma.calls.meter import hold_bound
from kyma.catalog import AskedElsewhere, Catalog, Resolved
from kyma.core.chat import CallRequest
from kyma.core.errors import InvalidRequest, NotFound
from kyma.core.model import Alternative, Model, Usage
from kyma.core.money import Nanos
from kyma.core.preferences import Preferences, merged
from kyma.routing import Ask, may_serve

STICKY_BYTES = 4096
"""From about a thousand tokens on vendors keep a prompt, so it pays to send the next turn to the same one."""

PREFIX_BYTES = 1024
SAID_FIRST = ("tools", "system", "systemInstruction", "instructions", "messages", "contents", "input", "prompt")
"""Fields whose beginnings stay the same from turn to turn, in any dialect."""


class Terms(msgspec.Struct, frozen=True):
    """What a caller says by headers: that no field be left out, that no substitute answer, and which program it is."""

    is_strict: bool = False
    refuses_substitutes: bool = False
    app: str = ""


PLAIN = Terms()


class Asked(msgspec.Struct, frozen=True):
    """Who is asked: a model, then those of the caller's list at their own prices, all as the caller wishes."""

    resolved: Resolved
    others: tuple[Alternative, ...] = ()
    preferences: Preferences | None = None


def who_may_answer(request: CallRequest, catalog: Catalog) -> Asked:
    """Raises: NotFound for an unknown model, InvalidRequest for what the first cannot do or costs more than allowed.

    `auto` becomes whom it picks.
    """
    try:
        listed = request.preferences.models if request.preferences is not None else ()
        resolved = catalog.resolve(request.model) if not listed else _first_of(request, catalog)
        preferences = merged(request.preferences, resolved.preferences)
        if preferences is None:
            if resolved.auto_reason:
                resolved = pick(request, catalog, resolved, _any_model)
            check_abilities(request, resolved.model)
            return Asked(resolved)
        found = [resolved, *(one for name in listed for one in _found(catalog, name))]
    except AskedElsewhere as error:
        raise wrong_kind(request.kind, error.model) from None
    if any(one.auto_reason for one in found):
        found = _picked(found, request, catalog, _by_id(preferences, catalog))
    affordable = [one for one in found if _is_within(one.model, preferences)]
    if not affordable:
        said = "no model of the request is within provider.max_price"
        raise InvalidRequest(said, code="no_model_allowed", param="provider.max_price")
    first, *others = [one for one in affordable if is_able(request, one.model)] or affordable[:1]
    check_abilities(request, first.model)
    distinct = {one.model.id: Alternative(one.model, one.model.price) for one in others if one.model is not first.model}
    return Asked(first, tuple(distinct.values()) if preferences.allow_fallbacks else (), _by_id(preferences, catalog))


def model_counted(request: CallRequest, catalog: Catalog) -> Model:
    """The model whose tokens a request is counted in. Raises: NotFound, and InvalidRequest where `auto` finds none."""
    try:
        resolved = catalog.resolve(request.model)
    except AskedElsewhere as error:
        raise wrong_kind(request.kind, error.model) from None
    return who_may_answer(request, catalog).resolved.model if resolved.auto_reason else resolved.model


def ask_of(request: CallRequest, account_id: str, asked: Asked, catalog: Catalog, terms: Terms) -> Ask:
    """What routing needs to know of the request."""
    preferences, others = asked.preferences, asked.others
    if not others and not terms.refuses_substitutes and (preferences is None or _takes_substitutes(preferences)):
        others = catalog.substitutes(asked.resolved.model.id)
    return Ask(
        account_id,
        _point(request, account_id),
        request.native.dialect if request.needs_native else None,
        preferences,
        others,
        lambda model: is_able(request, model),
    )


def hold_for(request: CallRequest, model: Model, others: Iterable[Alternative], bound: Usage) -> Nanos:
    """The most that the request can cost, whoever answers: `bound` is what `model` may use.

    Also a substitute may cost more than the model asked for, no price of which it exceeds: its window may be larger.
    """
    amount = bound.cost(model.price)
    for other in others:
        amount = max(amount, hold_bound(request, other.model, other.price).cost(other.price))
    return amount


def nobody_allowed(model: Model) -> InvalidRequest:
    """No source of `model` is one that the caller wants."""
    return InvalidRequest(
        f"no source of {model.id} is left by `provider`: loosen only, ignore, order or data_collection",
        code="no_source_allowed",
        param="provider",
    )


def _first_of(request: CallRequest, catalog: Catalog) -> Resolved:
    """The request's own model; where it has no source here, the first of the list that has one."""
    try:
        return catalog.resolve(request.model)
    except NotFound as error:
        listed = request.preferences.models if request.preferences is not None else ()
        served = (one for name in listed for one in _found(catalog, name))
        if error.code == "model_not_available" and (first := next(served, None)) is not None:
            return first
        raise


def _found(catalog: Catalog, name: str) -> Iterator[Resolved]:
    """The model of that name, if it has a source here. Raises: NotFound for a name that is nobody's."""
    try:
        yield catalog.resolve(name)
    except NotFound as error:
        if error.code != "model_not_available":
            raise


def _picked(found: list[Resolved], request: CallRequest, catalog: Catalog, preferences: Preferences) -> list[Resolved]:
    """The same with whom `auto` picks; where it finds none, the others are left. Raises: InvalidRequest if none is."""

    def is_allowed(model: Model) -> bool:
        return _is_within(model, preferences) and any(may_serve(route.provider, preferences) for route in model.routes)

    picked: list[Resolved] = []
    problem: InvalidRequest | None = None
    for one in found:
        try:
            picked.append(pick(request, catalog, one, is_allowed) if one.auto_reason else one)
        except InvalidRequest as error:
            problem = error
    if problem is not None and not picked:
        raise problem
    return picked


def _any_model(_model: Model) -> bool:
    return True


def _by_id(preferences: Preferences, catalog: Catalog) -> Preferences:
    """The same with providers by our ids; names that mean nobody here stay, so that `only` or no others than them means
    nobody."""
    order, only, ignore = (
        catalog.provider_ids(names) for names in (preferences.order, preferences.only, preferences.ignore)
    )
    order, only = order or preferences.order, only or preferences.only
    return msgspec.structs.replace(preferences, order=order, only=only, ignore=ignore)


def _is_within(model: Model, preferences: Preferences) -> bool:
    limit = preferences.max_price
    if limit is None:
        return True
    pairs = ((model.price.input, limit.input), (model.price.output, limit.output))
    return all(most is None or price <= most for price, most in pairs)


def _takes_substitutes(preferences: Preferences) -> bool:
    """A caller who says where a request may go has not asked for another model."""
    says_where = preferences.only or preferences.models or preferences.require_parameters
    return preferences.allow_fallbacks and not says_where


def _point(request: CallRequest, account_id: str) -> float:
    """Where in [0, 1) the request draws its order: by its beginning if a vendor may have kept that, else by chance."""
    if request.input_bytes < STICKY_BYTES:
        return random.random()
    fields = request.native.fields
    mark = zlib.crc32(account_id.encode())
    for name in SAID_FIRST:
        if (said := fields.get(name)) is not None:
            mark = zlib.crc32(memoryview(said)[:PREFIX_BYTES], mark)
    return mark / (1 << 32)
