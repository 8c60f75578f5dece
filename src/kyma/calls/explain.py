"""What would become of a request, and nobody called: sources in order, what each could not be told, the hold.

The request is read, translated and forgotten.
"""

from collections.abc import Callable, Sequence

import msgspec

from kyma.calls.calls import check_abilities
from kyma.calls.meter import hold_bound, input_estimate
from kyma.catalog import Resolved
from kyma.core.chat import CallRequest, Rendered
from kyma.core.credential import Credential
from kyma.core.errors import KymaError
from kyma.core.model import Route
from kyma.core.money import Nanos
from kyma.providers.compat import adapter_for
from kyma.routing import Explained

CredentialsOf = Callable[[str], Sequence[Credential]]
"""The keys of a provider, by its id, that a call would use now."""


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


def explain_request(
    resolved: Resolved, request: CallRequest, sources: Sequence[Explained], credentials_of: CredentialsOf
) -> Explanation:
    """What a call with this request would do. Raises: InvalidRequest for what the model is refused at the door."""
    model = resolved.model
    check_abilities(request, model)
    return Explanation(
        resolved,
        tuple(_considered(source, request, credentials_of) for source in sources),
        input_estimate(request, model),
        hold_bound(request, model).cost(model.price),
    )


def _considered(source: Explained, request: CallRequest, credentials_of: CredentialsOf) -> Considered:
    try:
        rendered = _render(source.route, request, credentials_of)
    except KymaError as error:
        return Considered(source, problem=error.message)
    return Considered(source, rendered.dropped, rendered.emulated)


def _render(route: Route, request: CallRequest, credentials_of: CredentialsOf) -> Rendered:
    usable = credentials_of(route.provider.id)
    adapter = adapter_for(route.provider.dialect, request.kind)
    return adapter.build_request(route, usable[0] if usable else None, request)[1]
