"""Anthropic Messages, both sides: customers' requests and answers, vendors' requests and answers.

A request keeps the raw JSON of every top-level field, so towards a vendor of the same dialect only what must differ
is rewritten: signed thoughts come back to it to the byte. Source: anthropic-python 2.11 and 2.12 types.
"""

from kyma.dialects.anthropic_messages.errors import render_error
from kyma.dialects.anthropic_messages.request import parse_count, parse_request, render_count
from kyma.dialects.anthropic_messages.response import parse_response, render_response
from kyma.dialects.anthropic_messages.stream_in import stream_decoder
from kyma.dialects.anthropic_messages.stream_out import stream_encoder
from kyma.dialects.anthropic_messages.upstream import render_request, target
from kyma.dialects.anthropic_messages.wire import NAME
from kyma.dialects.vendor_errors import parse_error

__all__ = [
    "NAME",
    "parse_count",
    "parse_error",
    "parse_request",
    "parse_response",
    "render_count",
    "render_error",
    "render_request",
    "render_response",
    "stream_decoder",
    "stream_encoder",
    "target",
]
