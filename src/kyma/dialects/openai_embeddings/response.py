"""The customer's side of an answer, and errors in OpenAI's envelope."""

import msgspec

from kyma.core.answer import Bill
from kyma.dialects.base import Reply
from kyma.dialects.openai_embeddings.vectors import render_vector
from kyma.dialects.openai_embeddings.wire import EmbeddingRequest, EmbeddingResponse
from kyma.dialects.openai_shared import InputUsageOut, render_input_usage
from kyma.dialects.raw_fields import encoder


class EmbeddingOut(msgspec.Struct):
    object: str
    index: int
    embedding: msgspec.Raw


class ListOut(msgspec.Struct):
    object: str
    data: list[EmbeddingOut]
    model: str
    usage: InputUsageOut


def render_response(response: EmbeddingResponse, reply: Reply, bill: Bill, request: EmbeddingRequest) -> bytes:
    """The list of embeddings, each in the encoding and with the dimensions that were asked for."""
    data = [
        EmbeddingOut("embedding", index, render_vector(vector, request.encoding, request.dimensions))
        for index, vector in enumerate(response.vectors)
    ]
    return encoder.encode(ListOut("list", data, reply.model_id, render_input_usage(bill)))
