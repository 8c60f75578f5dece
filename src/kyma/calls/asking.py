"""Who may answer a request: its model, the caller's own list, our substitutes; and which way it goes among sources."""

import random
import zlib
from collections.abc import Iterator

import msgspec

from kyma.calls.abilities import check_abilities, is_able
from kyma.catalog import Catalog, Resolved
from kyma.core.chat import CallRequest
from kyma.core.errors import InvalidRequest, NotFound
from kyma.core.model import Alternative, Model
from kyma.core.preferences import Preferences
from kyma.routing import Ask

STICKY_BYTES = 4096
"""From about a thousand tokens on vendors keep a prompt, so it pays to send the next turn to the same one."""

PREFIX_BYTES = 1024
SAID_FIRST = ("tools", "system", "systemInstruction", "instructions", "messages", "contents", "input", "prompt")
"""Fields whose beginnings stay the same from turn to turn, in any dialect."""


class Terms(msgspec.Struct, frozen=True):
    """What a caller demands by headers: `is_strict` that no field be left out, and that no substitute answer."""

    is_strict: bool = False
    refuses_substitutes: bool = False


PLAIN = Terms()


def who_may_answer(request: CallRequest, catalog: Catalog) -> tuple[Resolved, tuple[Alternative, ...]]:
    """The model to ask, and those of the caller's own list that may be asked after it, each at its own price.

    Raises: NotFound for an unknown model, InvalidRequest for what the first cannot do or costs more than allowed.
    """
    preferences = request.preferences
    if preferences is None or not (preferences.models or preferences.max_price):
        resolved = catalog.resolve(request.model)
        check_abilities(request, resolved.model)
        return resolved, ()
    listed = dict.fromkeys((request.model, *preferences.models))
    found = [one for name in listed for one in _found(catalog, name, is_only=len(listed) == 1)]
    affordable = [one for one in found if _is_within(one.model, preferences)]
    if not affordable:
        reason, param = (
            ("is within provider.max_price", "provider.max_price") if found else ("is served here", "models")
        )
        raise InvalidRequest(f"no model of the request {reason}", code="no_model_allowed", param=param)
    first, *others = [one for one in affordable if is_able(request, one.model)] or affordable[:1]
    check_abilities(request, first.model)
    distinct = {one.model.id: Alternative(one.model, one.model.price) for one in others}
    distinct.pop(first.model.id, None)
    return first, tuple(distinct.values()) if preferences.allow_fallbacks else ()


def ask_of(
    request: CallRequest,
    account_id: str,
    model: Model,
    others: tuple[Alternative, ...],
    catalog: Catalog,
    terms: Terms,
) -> Ask:
    """What routing needs to know of the request."""
    preferences = request.preferences
    if not others and not terms.refuses_substitutes and (preferences is None or _takes_substitutes(preferences)):
        others = catalog.substitutes(model.id)
    return Ask(
        account_id,
        _point(request, account_id),
        request.native.dialect if request.needs_native else None,
        preferences,
        others,
        lambda model: is_able(request, model),
    )


def nobody_allowed(model: Model) -> InvalidRequest:
    """No source of `model` is one that the caller wants."""
    return InvalidRequest(
        f"no source of {model.id} is left by `provider`: loosen only, ignore, order or data_collection",
        code="no_source_allowed",
        param="provider",
    )


def _found(catalog: Catalog, name: str, *, is_only: bool) -> Iterator[Resolved]:
    """The model of that name; one of several may be without a source here."""
    try:
        yield catalog.resolve(name)
    except NotFound as error:
        if is_only or error.code != "model_not_available":
            raise


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
