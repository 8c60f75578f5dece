"""Cohere's refusals: flat, without codes, so that an overflow is known by its documented words alone."""

import re

from kyma.core.errors import Rejected, UpstreamError
from kyma.core.upstream import Headers
from kyma.dialects import vendor_errors

_OVERFLOW = re.compile(r"too many tokens: total number of tokens in the prompt cannot exceed (\d+) - received (\d+)")
"""Source: docs.cohere.com/reference/errors, November 2026."""


def parse_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """As other vendors' refusals; a prompt that is too long is said in the words that agents know."""
    error = vendor_errors.parse_error(status, headers, body)
    if isinstance(error, Rejected) and (overflow := _OVERFLOW.search(error.caller_message)):
        said = f"this model's maximum context length is {overflow[1]} tokens; the request has {overflow[2]}"
        code = "context_length_exceeded"
        return Rejected(error.message, upstream_status=status, caller_message=said, code=code)
    return error
