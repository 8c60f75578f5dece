"""Errors: ours in Google's envelope, and a vendor's refusals."""

import re
from typing import Any

from kyma.core.errors import KymaError, Rejected, Throttled, UpstreamError
from kyma.core.upstream import Headers
from kyma.dialects import vendor_errors
from kyma.dialects.gemini.wire import encoder
from kyma.dialects.vendor_errors import MAX_RETRY_AFTER_S

STATUS_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    431: "INVALID_ARGUMENT",
    499: "CANCELLED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Google's canonical names by HTTP status. Source: google.rpc.Code; those that Google never sends are the nearest."""

RPC = "type.googleapis.com/google.rpc."

_OVERFLOW = re.compile(r"token count \(?(\d+)\)? exceeds the maximum number of tokens allowed \(?(\d+)")
_DELAY = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,6})(?:\.\d+)?s"')


def render_error(error: KymaError) -> bytes:
    """`{"error": {code, message, status, details}}`; the details say our code, the field, and how long to wait."""
    details: list[dict[str, Any]] = [{"@type": RPC + "ErrorInfo", "reason": error.code.upper(), "domain": "kyma"}]
    if error.param:
        violation = {"field": error.param, "description": error.message}
        details.append({"@type": RPC + "BadRequest", "fieldViolations": [violation]})
    if error.retry_after_s is not None:
        details.append({"@type": RPC + "RetryInfo", "retryDelay": f"{error.retry_after_s}s"})
    status = STATUS_WORDS.get(error.status, "UNKNOWN")
    said = {"code": error.status, "message": error.message, "status": status, "details": details}
    return encoder.encode({"error": said})


def parse_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """A Gemini API's refusal: as other vendors', but the time to wait stands in the body."""
    error = vendor_errors.parse_error(status, headers, body)
    if isinstance(error, Rejected):
        if overflow := _OVERFLOW.search(error.caller_message):
            said = f"this model's maximum context length is {overflow[2]} tokens; the request has {overflow[1]}"
            code = "context_length_exceeded"
            return Rejected(error.message, upstream_status=status, caller_message=said, code=code)
    if isinstance(error, Throttled) and b"retry-after" not in headers and (delay := _DELAY.search(body)):
        wait_s = min(MAX_RETRY_AFTER_S, 1 + int(delay[1]))
        return Throttled(error.message, upstream_status=status, retry_after_s=wait_s)
    return error
