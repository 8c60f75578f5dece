"""Whether a model can do what is asked of it, and is sold for it."""

from kyma.core.chat import CallRequest
from kyma.core.errors import InvalidRequest
from kyma.core.model import Kind, Model

NAMES: dict[Kind, tuple[str, str]] = {
    "chat": ("a chat model", "/v1/chat/completions"),
    "embedding": ("an embedding model", "/v1/embeddings"),
    "rerank": ("a rerank model", "/v1/rerank"),
    "moderation": ("a moderation model", "/v1/moderations"),
}
"""What models of a kind are called, and where they are asked."""


def check_abilities(request: CallRequest, model: Model) -> None:
    """Refuse what the model cannot read, rather than answer past it. Raises: InvalidRequest."""
    if request.kind != model.kind:
        raise _wrong_kind(request.kind, model)
    if request.has_token_ids and not model.takes_token_ids:
        message = f"{model.id} takes texts, not token ids; send input as a string or a list of strings"
        raise InvalidRequest(message, code="unsupported_parameter", param="input")
    if request.image_count and not model.supports_vision:
        raise InvalidRequest(f"{model.id} takes no images", code="unsupported_modality", param="messages")
    if request.has_tools and not model.supports_tools:
        raise InvalidRequest(f"{model.id} cannot call tools", code="unsupported_parameter", param="tools")
    if (request.unpriced or request.searches) and _has_route_of(request.native.dialect, model):
        _check_sold(request, model)


def is_able(request: CallRequest, model: Model) -> bool:
    """Whether `check_abilities` lets it pass."""
    try:
        check_abilities(request, model)
    except InvalidRequest:
        return False
    return True


def _has_route_of(dialect: str, model: Model) -> bool:
    """Any other route leaves vendors' own tools out, and says so."""
    return any(route.provider.dialect == dialect for route in model.routes)


def _check_sold(request: CallRequest, model: Model) -> None:
    """Refuse what its vendor would charge for and nobody here has a price, a limit or a count of."""
    if request.unpriced:
        said = f"{request.unpriced} is not sold here: its vendor charges for it without a limit or without a count"
        raise InvalidRequest(said, code="tool_not_sold", param=request.unpriced)
    if model.price.search is None:
        raise InvalidRequest(f"{model.id} is sold without searches", code="tool_not_sold", param="tools")


def _wrong_kind(asked: Kind, model: Model) -> InvalidRequest:
    (wanted, _), (found, path) = NAMES[asked], NAMES[model.kind]
    code = "not_" + wanted.replace(" ", "_")
    return InvalidRequest(f"{model.id} is {found}, not {wanted}: ask it at POST {path}", code=code, param="model")
