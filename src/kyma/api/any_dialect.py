"""A request in whatever dialect it is written, known by what it says: for operators who ask what would become of it."""

from collections.abc import Callable, Mapping

import msgspec

from kyma.core.chat import CallRequest
from kyma.core.errors import InvalidRequest
from kyma.core.model import Kind
from kyma.dialects import (
    anthropic_messages,
    gemini,
    openai_chat,
    openai_completions,
    openai_embeddings,
    openai_moderations,
    openai_responses,
    rerank,
)
from kyma.providers.translate import READERS, SHORT_NAMES

Fields = dict[str, msgspec.Raw]

TELLTALES = {
    "contents": gemini.NAME,
    "input": openai_responses.NAME,
    "prompt": openai_completions.NAME,
    "system": anthropic_messages.NAME,
    "stop_sequences": anthropic_messages.NAME,
}
"""Fields that chats of one dialect have and no others do; a message to Anthropic without one of them must be named."""

OTHER_KINDS: Mapping[Kind, Callable[[bytes], CallRequest]] = {
    "embedding": openai_embeddings.parse_request,
    "rerank": rerank.parse_request,
    "moderation": openai_moderations.parse_request,
}
"""Who reads a request to a model that does not chat."""


def model_named(body: bytes) -> str:
    """The model that a body asks for. Raises: InvalidRequest if it names none."""
    try:
        return msgspec.json.decode(_fields(body)["model"], type=str)
    except (KeyError, msgspec.ValidationError):
        raise InvalidRequest("name a model, in the request or as ?model=", param="model") from None


def read_request(body: bytes, model: str, kind: Kind, dialect: str) -> CallRequest:
    """`body` as a request to `model`, which is of that kind; `dialect` may be empty. Raises: InvalidRequest."""
    fields = _fields(body) | {"model": msgspec.Raw(msgspec.json.encode(model))}
    if read := OTHER_KINDS.get(kind):
        return read(msgspec.json.encode(fields))
    name = SHORT_NAMES.get(dialect, dialect) or _guessed(fields)
    if name not in READERS:
        raise InvalidRequest(f"dialect is one of {', '.join(READERS)}, not {dialect}", param="dialect")
    if name == gemini.NAME:  # its path says which model
        del fields["model"]
    return msgspec.structs.replace(READERS[name](msgspec.json.encode(fields)), model=model)


def _guessed(fields: Fields) -> str:
    return next((name for field, name in TELLTALES.items() if field in fields), openai_chat.NAME)


def _fields(body: bytes) -> Fields:
    try:
        return msgspec.json.decode(body, type=Fields)
    except msgspec.DecodeError:
        raise InvalidRequest("the request is not a JSON object", code="invalid_json") from None
