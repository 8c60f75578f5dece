"""The vendor's side: a request as its body, and its 200 as vectors."""

from collections.abc import Sequence

import msgspec

from kyma.core.answer import UsageReport
from kyma.core.chat import Rendered
from kyma.core.errors import Garbled
from kyma.core.model import Quirks, Usage
from kyma.dialects.openai_embeddings.vectors import checked, read_vector, vector_of
from kyma.dialects.openai_embeddings.wire import EmbeddingRequest, EmbeddingResponse, parse_usage
from kyma.dialects.raw_fields import NULL, RawFields, encoder, raw
from kyma.dialects.vendor_errors import error_in_answer

OURS = ("idempotency_key",)
DONE_HERE = ("dimensions", "encoding_format")
"""What the answer is given here if the vendor does not take the field."""


class WireEmbedding(msgspec.Struct):
    embedding: msgspec.Raw
    index: int | None = None


class WireAnswer(msgspec.Struct):
    data: list[WireEmbedding] | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_answer_decoder = msgspec.json.Decoder(WireAnswer)


def target(upstream_model: str, is_streaming: bool) -> str:
    """Path behind the provider's base path."""
    return "/embeddings"


def render_request(request: EmbeddingRequest, upstream_model: str, quirks: Quirks) -> Rendered:
    """The body to send: the customer's, under the vendor's name of the model and with the encoding always said.

    Of the quirks `drop` alone counts; the others speak of chats.
    """
    fields: RawFields = dict(request.native.fields)
    for name in OURS:
        fields.pop(name, None)
    fields["model"] = raw(upstream_model)
    asked = [name for name in quirks.drop if fields.pop(name, NULL) != NULL]
    if "encoding_format" not in quirks.drop:
        fields["encoding_format"] = raw(request.encoding)
    emulated = tuple([name for name in asked if name in DONE_HERE])
    return Rendered(encoder.encode(fields), tuple([name for name in asked if name not in DONE_HERE]), emulated)


def parse_response(body: bytes, request: EmbeddingRequest) -> EmbeddingResponse:
    """Read a vendor's 200, whichever encoding it chose.

    Raises: Garbled unless it has one vector for each input, UpstreamError when it holds an error, Rejected when the
    customer wants more dimensions than the model has.
    """
    try:
        wire = _answer_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is no list of embeddings") from None
    if wire.error != NULL:
        raise error_in_answer(wire.error)
    found = {
        place if entry.index is None else entry.index: entry.embedding for place, entry in enumerate(wire.data or ())
    }
    if len(wire.data or ()) != request.count or found.keys() != set(range(request.count)):
        raise Garbled(f"the answer has no embedding for each of the {request.count} inputs")
    vectors = tuple([read_vector(found[index]) for index in range(request.count)])
    return checked(EmbeddingResponse(vectors, parse_usage(wire.usage)), request)


def respond(request: EmbeddingRequest, vectors: Sequence[Sequence[float]], input_tokens: int) -> EmbeddingResponse:
    """The same from vectors that were computed here. Raises: Rejected as above."""
    response = EmbeddingResponse(tuple(map(vector_of, vectors)), UsageReport(Usage(input_tokens)))
    return checked(response, request)
