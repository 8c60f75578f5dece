"""OpenAI Responses, the customer side: requests read, answers and event streams written.

No vendor is spoken to in this dialect yet, so every request is translated. Nothing is stored: what would need a stored
conversation is refused, what only asks to keep one is reported. Source: openai-python 3.54 types, November 2026.
"""

from kyma.dialects.openai_responses.request import parse_request
from kyma.dialects.openai_responses.response import render_response
from kyma.dialects.openai_responses.stream_out import stream_encoder
from kyma.dialects.openai_responses.wire import NAME
from kyma.dialects.openai_shared import render_error

__all__ = ["NAME", "parse_request", "render_error", "render_response", "stream_encoder"]
