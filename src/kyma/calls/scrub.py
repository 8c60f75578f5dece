"""Words of vendors, made fit for customers: a customer never learns which vendor served, or failed to serve."""

import re

from kyma.core.credential import Credential
from kyma.core.errors import InvalidRequest, KymaError, NoRouteLeft, Rejected, Unsuited
from kyma.core.model import Model, Route


def caller_error(error: KymaError, model: Model, credential: Credential | None = None) -> KymaError:
    """The error to show: a vendor's refusal as the caller's own mistake, in words without names.

    `credential` is what the vendor was asked with: some quote the key that they refuse.
    """
    if isinstance(error, Rejected):
        said = error.caller_message if credential is None else credential.hidden_in(error.caller_message)
        return error.as_request_error(scrub(said, model))
    if isinstance(error, NoRouteLeft) and (fields := _untellable(error)):
        said = f"no source of {model.id} can be told {', '.join(fields)}, and the request insists on all its fields"
        return InvalidRequest(said, code=Unsuited.default_code)
    return error


def scrub(text: str, model: Model) -> str:
    """`text` without vendors' names, hosts, links or their own names for the model."""
    text = re.sub(r"https?://\S+", "", text)
    for route in model.routes:
        for name, replacement in _names(route, model):
            text = re.sub(re.escape(name), replacement, text, flags=re.IGNORECASE)
    return " ".join(text.split())


def reasons_for_operators(error: NoRouteLeft) -> str:
    """Every source's reason, for the log."""
    return "; ".join(f"{type(reason).__name__}: {reason.message}" for reason in error.reasons)


def _untellable(error: NoRouteLeft) -> tuple[str, ...]:
    """What no source could be told, if that is why none was asked: the fields that stood in the way of the first."""
    unsuited = [reason for reason in error.reasons if isinstance(reason, Unsuited)]
    return unsuited[0].fields if unsuited and len(unsuited) == len(error.reasons) else ()


def _names(route: Route, model: Model) -> list[tuple[str, str]]:
    provider = route.provider
    named = [(route.upstream_model, model.id), (provider.origin.host, "the source"), (provider.name, "the source")]
    named += [(word, "…") for word in provider.private]
    return [(name, replacement) for name, replacement in named if len(name) > 2]
