"""Words of vendors, made fit for customers: a customer never learns which vendor served, or failed to serve."""

import re

from kyma.core.credential import Credential
from kyma.core.errors import KymaError, NoRouteLeft, Rejected, UpstreamError
from kyma.core.model import Model, Route


def caller_error(error: KymaError, model: Model) -> KymaError:
    """The error to show: a vendor's refusal as the caller's own mistake, in words without names."""
    if isinstance(error, Rejected):
        return error.as_request_error(scrub(error.caller_message, model))
    return error


def without_key(error: UpstreamError, credential: Credential | None) -> UpstreamError:
    """The same error, whose words do not repeat the key: some vendors quote what they refuse."""
    if isinstance(error, Rejected) and credential is not None:
        error.caller_message = credential.hidden_in(error.caller_message)
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


def _names(route: Route, model: Model) -> list[tuple[str, str]]:
    provider = route.provider
    named = [(route.upstream_model, model.id), (provider.origin.host, "the source"), (provider.name, "the source")]
    return [(name, replacement) for name, replacement in named if len(name) > 2]
