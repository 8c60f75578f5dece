"""OpenAI embeddings, both sides: customers' requests and answers, vendors' requests and answers.

A request keeps the raw JSON of every field, and vectors that have the form the customer asked for are given back to the
byte. Source: openai-python 3.52 types, which asks for base64 by itself.
"""

from kyma.dialects.openai_embeddings.request import parse_request
from kyma.dialects.openai_embeddings.response import render_response
from kyma.dialects.openai_embeddings.upstream import parse_response, render_request, respond, target
from kyma.dialects.openai_embeddings.wire import NAME, EmbeddingRequest, EmbeddingResponse
from kyma.dialects.openai_shared import render_error
from kyma.dialects.vendor_errors import parse_error

__all__ = [
    "NAME",
    "EmbeddingRequest",
    "EmbeddingResponse",
    "parse_error",
    "parse_request",
    "parse_response",
    "render_error",
    "render_request",
    "render_response",
    "respond",
    "target",
]
