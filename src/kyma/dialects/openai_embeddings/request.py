"""A customer's embeddings request, checked."""

from typing import Annotated, NoReturn

import msgspec

from kyma.core.chat import Native
from kyma.core.errors import InvalidRequest
from kyma.dialects.json_input import decode_body
from kyma.dialects.openai_embeddings.wire import NAME, EmbeddingRequest, Encoding
from kyma.dialects.preferences import take_preferences
from kyma.dialects.raw_fields import fields_decoder

MAX_INPUTS = 2048
"""As many as OpenAI takes in one request."""
BYTES_PER_TOKEN = 4
"""What a token id counts as, so that it is held and estimated like the text it stands for."""

TokenId = Annotated[int, msgspec.Meta(ge=0, le=2**31)]
Input = str | list[str | TokenId | list[TokenId]]


class EmbeddingsBody(msgspec.Struct, kw_only=True):
    """Body of POST /v1/embeddings. Fields not listed here travel to the model unchanged."""

    model: str = ""
    input: Input
    encoding_format: Encoding | None = None
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=2**31)] | None = None
    user: str | None = None


_body_decoder = msgspec.json.Decoder(EmbeddingsBody)


def parse_request(body: bytes) -> EmbeddingRequest:
    """Read a request body. Raises: InvalidRequest naming the field."""
    wire = decode_body(_body_decoder, body)
    fields = fields_decoder.decode(body)
    model, preferences = wire.model, None
    if "provider" in fields or "models" in fields:
        model, preferences = take_preferences(fields, model)
    if not model:
        _refuse("model must name a model or an alias", "model")
    texts, token_ids = _inputs(wire.input)
    return EmbeddingRequest(
        model=model,
        preferences=preferences,
        texts=texts,
        token_ids=token_ids,
        encoding=wire.encoding_format or "float",
        dimensions=wire.dimensions,
        native=Native(NAME, fields),
        input_bytes=len(memoryview(fields["input"])) if texts else BYTES_PER_TOKEN * sum(map(len, token_ids)),
        readings=len(texts) or len(token_ids),
        has_token_ids=bool(token_ids),
    )


def _inputs(given: Input) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """`(texts, token ids)` out of the four forms of `input`; one of the two is empty."""
    if isinstance(given, str):
        given = [given]
    elif given and isinstance(given[0], int):
        given = [[part for part in given if isinstance(part, int)]] if _all_of(int, given) else given
    if not given:
        _refuse("input must hold at least one text", "input")
    if len(given) > MAX_INPUTS:
        _refuse(f"input may hold at most {MAX_INPUTS} texts; this one holds {len(given)}", "input")
    if "" in given or [] in given:
        at = next(index for index, part in enumerate(given) if not part)
        _refuse("a text to embed must not be empty", f"input.{at}" if len(given) > 1 else "input")
    texts = tuple([part for part in given if isinstance(part, str)])
    token_ids = tuple([tuple(part) for part in given if isinstance(part, list)])
    if len(given) not in (len(texts), len(token_ids)):
        _refuse("input must be a text, a list of texts, a list of token ids, or a list of such lists", "input")
    return texts, token_ids


def _all_of(kind: type, parts: list[str | int | list[int]]) -> bool:
    return all(isinstance(part, kind) for part in parts)


def _refuse(message: str, param: str) -> NoReturn:
    raise InvalidRequest(message, param=param)
