"""Whether a model can do what is asked of it, and is sold for it."""

from kyma.core.chat import CallRequest
from kyma.core.errors import InvalidRequest
from kyma.core.media import Capability, MediaModel
from kyma.core.model import Kind, Model

NAMES: dict[Kind, tuple[str, str]] = {
    "chat": ("a chat model", "/v1/chat/completions"),
    "embedding": ("an embedding model", "/v1/embeddings"),
    "rerank": ("a rerank model", "/v1/rerank"),
    "moderation": ("a moderation model", "/v1/moderations"),
}
"""What models of a kind are called, and where they are asked."""

MEDIA_NAMES: dict[Capability, str] = {
    "image_generate": "an image model",
    "image_edit": "an image model",
    "vector": "an image model",
    "video_generate": "a video model",
    "stt": "a transcription model",
    "audio-understand": "a model that answers about audio",
    "speech": "a speech model",
    "music": "a music model",
    "sfx": "a model of sound effects",
    "voice-clone": "a model that clones voices",
    "voice-design": "a model that designs voices",
    "realtime": "a realtime model",
}

NOT_SERVED = "which this version does not serve yet"
"""Said of every endpoint of media SKUs."""


def check_abilities(request: CallRequest, model: Model) -> None:
    """Refuse what the model cannot read, rather than answer past it. Raises: InvalidRequest."""
    if request.kind != model.kind:
        raise wrong_kind(request.kind, model)
    if request.has_token_ids and not model.takes_token_ids:
        message = f"{model.id} takes texts, not token ids; send input as a string or a list of strings"
        raise InvalidRequest(message, code="unsupported_parameter", param="input")
    if request.image_count and not model.supports_vision:
        raise InvalidRequest(f"{model.id} takes no images", code="unsupported_modality", param="messages")
    if request.has_tools and not model.supports_tools:
        raise InvalidRequest(f"{model.id} cannot call tools", code="unsupported_parameter", param="tools")
    if (request.unpriced or request.searches) and has_route_of(request.native.dialect, model):
        _check_sold(request, model)


def wrong_kind(asked: Kind, model: Model | MediaModel) -> InvalidRequest:
    """What is said of a model that does not do what is asked at this endpoint: where it is asked."""
    wanted, _ = NAMES[asked]
    if isinstance(model, MediaModel):
        found, place = MEDIA_NAMES[model.capability], f"POST {model.endpoint}, {NOT_SERVED}"
        if model.status == "retired":
            place = f"POST {model.endpoint}; it was retired on {model.retires_on}"
    else:
        found, place = NAMES[model.kind][0], f"POST {NAMES[model.kind][1]}"
    code = "not_" + wanted.replace(" ", "_")
    return InvalidRequest(f"{model.id} is {found}, not {wanted}: ask it at {place}", code=code, param="model")


def is_able(request: CallRequest, model: Model) -> bool:
    """Whether `check_abilities` lets it pass."""
    try:
        check_abilities(request, model)
    except InvalidRequest:
        return False
    return True


def has_route_of(dialect: str, model: Model) -> bool:
    """Whether a source speaks it. Any other route leaves vendors' own tools out, and says so."""
    return any(route.provider.dialect == dialect for route in model.routes)


def _check_sold(request: CallRequest, model: Model) -> None:
    """Refuse what its vendor would charge for and nobody here has a price, a limit or a count of."""
    if request.unpriced:
        said = f"{request.unpriced} is not sold here: its vendor charges for it without a limit or without a count"
        raise InvalidRequest(said, code="tool_not_sold", param=request.unpriced)
    if model.price.search is None:
        raise InvalidRequest(f"{model.id} is sold without searches", code="tool_not_sold", param="tools")
