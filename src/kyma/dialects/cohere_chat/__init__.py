"""Cohere chat v2, the vendors' side: no customer speaks it.

Source: cohere-python's v2 types, August 2026; docs.cohere.com (chat, tool use, reasoning), November 2026.
"""

from kyma.dialects.cohere_chat.errors import parse_error
from kyma.dialects.cohere_chat.response import parse_response
from kyma.dialects.cohere_chat.stream_in import stream_decoder
from kyma.dialects.cohere_chat.upstream import render_request, target
from kyma.dialects.cohere_chat.wire import NAME

__all__ = ["NAME", "parse_error", "parse_response", "render_request", "stream_decoder", "target"]
