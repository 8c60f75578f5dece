"""Reranking, both sides: the request and answer that Cohere, Jina and most servers share, and vendors' forms of it.

Documents are given back from the customer's own request, so no vendor is asked to repeat them. Sources: the vendors'
reference pages, November 2026; see `forms`.
"""

from kyma.dialects.openai_shared import render_error
from kyma.dialects.rerank.forms import FORMS, Form
from kyma.dialects.rerank.request import parse_request
from kyma.dialects.rerank.response import render_response
from kyma.dialects.rerank.upstream import parse_response, render_request, respond, target
from kyma.dialects.rerank.wire import NAME, Ranked, RerankRequest, RerankResponse
from kyma.dialects.vendor_errors import parse_error

__all__ = [
    "FORMS",
    "NAME",
    "Form",
    "Ranked",
    "RerankRequest",
    "RerankResponse",
    "parse_error",
    "parse_request",
    "parse_response",
    "render_error",
    "render_request",
    "render_response",
    "respond",
    "target",
]
