"""What would become of a request, and nobody called: sources in order, what each could not be told, the hold.

The request is read, translated and forgotten.
"""

import random

import msgspec

from kyma.calls.asking import PLAIN, ask_of, hold_for, who_may_answer
from kyma.calls.meter import hold_bound, input_estimate
from kyma.catalog import Catalog, Resolved
from kyma.core.chat import CallRequest
from kyma.core.errors import KymaError
from kyma.core.money import Nanos
from kyma.providers.compat import adapter_for
from kyma.routing import Ask, Explained, Health, explain
from kyma.routing.health import Keys


class Considered(msgspec.Struct, frozen=True):
    """One source, and what it could not be told or is told another way. `problem`: why it could not be asked at all."""

    explained: Explained
    dropped: tuple[str, ...] = ()
    emulated: tuple[str, ...] = ()
    problem: str | None = None


class Explanation(msgspec.Struct, frozen=True):
    """`hold` is what would be set aside, `input_tokens` about what the model would read; None without a request."""

    resolved: Resolved
    considered: tuple[Considered, ...]
    input_tokens: int | None = None
    hold: Nanos | None = None


def explain_model(resolved: Resolved, catalog: Catalog, health: Health, account_id: str) -> Explanation:
    """What a short request with no wishes of its own would do."""
    ask = Ask(account_id, random.random(), None, resolved.preferences, catalog.substitutes(resolved.model.id))
    return Explanation(resolved, tuple(map(Considered, explain(resolved.model, health, ask))))


def explain_request(request: CallRequest, catalog: Catalog, health: Health, account_id: str) -> Explanation:
    """What a call with this request would do. Raises: InvalidRequest for what the model is refused at the door."""
    asked = who_may_answer(request, catalog)
    model = asked.resolved.model
    ask = ask_of(request, account_id, asked, catalog, PLAIN)
    return Explanation(
        asked.resolved,
        tuple(_considered(source, request, health.keys, account_id) for source in explain(model, health, ask)),
        input_estimate(request, model),
        hold_for(request, model, ask.others, hold_bound(request, model)),
    )


def _considered(source: Explained, request: CallRequest, keys: Keys, account_id: str) -> Considered:
    held = keys.held(source.route.provider.id, account_id)
    adapter = adapter_for(source.route.provider.dialect, request.kind)
    try:
        _, rendered = adapter.build_request(source.route, held[0] if held else None, request)
    except KymaError as error:
        return Considered(source, problem=error.message)
    return Considered(source, rendered.dropped, rendered.emulated)
