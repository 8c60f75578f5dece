"""OpenAI chat completions, both sides: customers' requests and answers, vendors' requests and answers.

A request keeps the raw JSON of every top-level field, so towards a vendor of the same dialect only what must differ
is rewritten. Source: openai-python 3.52 types; vendors' departures are `Quirks`, with their sources in providers.toml.
"""

from kyma.dialects.openai_chat.request import parse_request
from kyma.dialects.openai_chat.response import parse_response, render_response
from kyma.dialects.openai_chat.stream_in import stream_decoder
from kyma.dialects.openai_chat.stream_out import stream_encoder
from kyma.dialects.openai_chat.upstream import render_request, target
from kyma.dialects.openai_chat.wire import NAME
from kyma.dialects.openai_shared import render_error
from kyma.dialects.vendor_errors import parse_error

__all__ = [
    "NAME",
    "parse_error",
    "parse_request",
    "parse_response",
    "render_error",
    "render_request",
    "render_response",
    "stream_decoder",
    "stream_encoder",
    "target",
]
