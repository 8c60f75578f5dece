"""OpenAI's legacy text completions, the customer's side alone: a prompt in, a chat's answer out as plain text.

No vendor is spoken to in this dialect: a prompt becomes one user message of a chat. What only a model that completes
text could do is refused (`suffix`, `echo`) or reported (`best_of`, `logprobs`). Source: openai-python 3.52 types.
"""

from kyma.dialects.openai_completions.request import parse_request
from kyma.dialects.openai_completions.response import render_response
from kyma.dialects.openai_completions.stream_out import stream_encoder
from kyma.dialects.openai_completions.wire import NAME
from kyma.dialects.openai_shared import render_error

__all__ = ["NAME", "parse_request", "render_error", "render_response", "stream_encoder"]
