"""Cohere embed v2, the vendors' side: an OpenAI embeddings request in its words, and its 200 as vectors.

Floats are asked for whatever the customer wants: base64 and dimensions that the model has no word for are made here.
Source: cohere-python's v2 types, August 2026; docs.cohere.com/reference/embed, November 2026.
"""

import msgspec

from kyma.core.answer import UsageReport
from kyma.core.chat import Rendered
from kyma.core.errors import Garbled
from kyma.core.model import Quirks, Usage
from kyma.dialects.cohere_chat import parse_error
from kyma.dialects.openai_embeddings import EmbeddingRequest, EmbeddingResponse
from kyma.dialects.openai_embeddings.vectors import checked, read_vector
from kyma.dialects.openai_embeddings.wire import MAX_TOKENS
from kyma.dialects.raw_fields import NULL, RawFields, encoder, raw

__all__ = ["NAME", "parse_error", "parse_response", "render_request", "target"]

NAME = "cohere_embed"
UNDERSTOOD = ("model", "input", "encoding_format", "dimensions", "input_type", "idempotency_key")
EXTRAS = ("truncate", "max_tokens", "priority")
"""Fields of its own that travel as they come."""

INPUT_TYPES = {b'"query"': raw("search_query"), b'"document"': raw("search_document")}
"""Voyage's words for what the texts are, in Cohere's."""
UNTOLD = raw("search_document")
"""Cohere must be told what the texts are; most that are embedded are to be found."""
SHORTER = (256, 512, 1024, 1536)
"""Dimensions that embed-v4 can be asked for."""


class WireEmbeddings(msgspec.Struct):
    float: list[msgspec.Raw] | None = None


class WireBilled(msgspec.Struct):
    input_tokens: float | None = None


class WireMeta(msgspec.Struct):
    """Figures that its schema calls numbers."""

    billed_units: WireBilled | None = None


class WireAnswer(msgspec.Struct):
    embeddings: WireEmbeddings | None = None
    meta: msgspec.Raw = NULL


_answer_decoder = msgspec.json.Decoder(WireAnswer)
_meta_decoder = msgspec.json.Decoder(WireMeta | None)


def target(upstream_model: str, is_streaming: bool) -> str:
    """Path behind the provider's base path."""
    return "/embed"


def render_request(request: EmbeddingRequest, upstream_model: str, quirks: Quirks) -> Rendered:
    """The body to send. A text that is too long is refused unless `truncate` says otherwise, as OpenAI does it.

    Of the quirks `drop` alone counts; `output_dimension` stands there for models that know one length only.
    """
    given = request.native.fields
    fields: RawFields = {
        "model": raw(upstream_model),
        "texts": raw(request.texts),
        "input_type": _input_type(given.get("input_type", NULL)),
        "embedding_types": raw(["float"]),
        "truncate": raw("NONE"),
    }
    dropped, emulated = [], []
    if request.encoding != "float":
        emulated.append("encoding_format")
    if request.dimensions in SHORTER and "output_dimension" not in quirks.drop:
        fields["output_dimension"] = raw(request.dimensions)
    elif request.dimensions is not None:
        emulated.append("dimensions")
    for name, value in given.items():
        if name in UNDERSTOOD or value == NULL:
            continue
        if name in EXTRAS and name not in quirks.drop:
            fields[name] = value
        else:
            dropped.append(name)
    return Rendered(encoder.encode(fields), tuple(dropped), tuple(emulated))


def parse_response(body: bytes, request: EmbeddingRequest) -> EmbeddingResponse:
    """Read a vendor's 200. Raises: Garbled unless it has one vector for each input, Rejected as OpenAI's."""
    try:
        wire = _answer_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is no list of embeddings") from None
    found = wire.embeddings.float if wire.embeddings is not None else None
    if found is None or len(found) != request.count:
        raise Garbled(f"the answer has no embedding for each of the {request.count} inputs")
    vectors = tuple(map(read_vector, found))
    return checked(EmbeddingResponse(vectors, _counted(wire.meta)), request)


def _input_type(given: msgspec.Raw) -> msgspec.Raw:
    said = bytes(memoryview(given))
    return UNTOLD if given == NULL else INPUT_TYPES.get(said, given)


def _counted(meta: msgspec.Raw) -> UsageReport | None:
    """What Cohere charges for; None when it does not say."""
    try:
        wire = _meta_decoder.decode(meta)
    except msgspec.DecodeError:
        return UsageReport(Usage(), is_valid=False)
    tokens = wire.billed_units.input_tokens if wire and wire.billed_units else None
    if tokens is None:
        return None
    is_valid = 0 <= tokens < MAX_TOKENS and tokens == int(tokens)
    return UsageReport(Usage(int(tokens)) if is_valid else Usage(), is_valid)
