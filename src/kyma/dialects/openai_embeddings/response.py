"""The customer's side of an answer, and errors in OpenAI's envelope."""

import msgspec

from kyma.core.answer import Bill
from kyma.core.money import usd_number
from kyma.dialects.base import Reply
from kyma.dialects.openai_embeddings.vectors import render_vector
from kyma.dialects.openai_embeddings.wire import EmbeddingRequest, EmbeddingResponse, encoder


class EmbeddingOut(msgspec.Struct):
    object: str
    index: int
    embedding: msgspec.Raw


class UsageOut(msgspec.Struct):
    """`usage` as OpenAI counts it, and what it cost in USD."""

    prompt_tokens: int
    total_tokens: int
    cost: msgspec.Raw


class ListOut(msgspec.Struct):
    object: str
    data: list[EmbeddingOut]
    model: str
    usage: UsageOut


def render_response(response: EmbeddingResponse, request: EmbeddingRequest, reply: Reply, bill: Bill) -> bytes:
    """The list of embeddings, each in the encoding and with the dimensions that were asked for."""
    data = [
        EmbeddingOut("embedding", index, render_vector(vector, request.encoding, request.dimensions))
        for index, vector in enumerate(response.vectors)
    ]
    tokens = bill.usage.total_input
    return encoder.encode(ListOut("list", data, reply.model_id, UsageOut(tokens, tokens, usd_number(bill.cost))))
