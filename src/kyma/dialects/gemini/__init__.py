"""Gemini generateContent, both sides: customers' requests and answers, vendors' requests and answers.

The model and whether to stream stand in the path, so `parse_request` is told them. A request keeps the raw JSON of
every top-level field for an upstream of the same dialect. Source: google-genai 3.4 types; ai.google.dev, November 2026.
"""

from kyma.dialects.gemini.errors import parse_error, render_error
from kyma.dialects.gemini.request import parse_count, parse_request, render_count
from kyma.dialects.gemini.response import parse_response, render_response
from kyma.dialects.gemini.stream_in import stream_decoder
from kyma.dialects.gemini.stream_out import stream_encoder
from kyma.dialects.gemini.upstream import render_request, target
from kyma.dialects.gemini.wire import NAME

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
