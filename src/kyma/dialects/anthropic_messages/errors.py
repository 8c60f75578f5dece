"""Errors: ours in Anthropic's envelope, and an error object that a vendor sends with a 200 or inside a stream."""

from typing import Any

import msgspec

from kyma.core.errors import (
    Garbled,
    KymaError,
    RefusedUs,
    Rejected,
    Throttled,
    UpstreamError,
    UpstreamFailed,
    UpstreamTimeout,
)
from kyma.dialects.anthropic_messages.wire import encoder
from kyma.dialects.vendor_errors import MAX_MESSAGE_CHARS, for_log

THREAD_UNSUPPORTED = "thread_unsupported_request"

TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""What is not listed is `invalid_request_error` below 500 and `api_error` from there."""

STATUSES = {"invalid_request_error": 400} | {word: status for status, word in TYPES.items()}


class WireError(msgspec.Struct):
    type: str = ""
    message: str = ""


_error_decoder = msgspec.json.Decoder(WireError)


def render_error(error: KymaError) -> bytes:
    """`{"type": "error", "error": {type, message, details?}}`, also what stands in a broken stream."""
    said: dict[str, Any] = {
        "type": TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "api_error"),
        "message": error.message,
    }
    if error.code == THREAD_UNSUPPORTED:
        said["details"] = {"error_code": THREAD_UNSUPPORTED, "unsupported": [error.param or "thread"]}
    return encoder.encode({"type": "error", "error": said})


def stream_error(raw: msgspec.Raw) -> UpstreamError:
    """An error object that came with a 200 or inside a stream, by its type."""
    try:
        error = _error_decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return Garbled("an error object of an unknown form")
    said, status = for_log("error in a 200", {"type": error.type}), STATUSES.get(error.type)
    match status:
        case 429 | 529:
            return Throttled(said, upstream_status=status)
        case 401 | 402 | 403:
            return RefusedUs(said, upstream_status=status)
        case 400 | 413:
            return Rejected(said, upstream_status=status, caller_message=error.message[:MAX_MESSAGE_CHARS])
        case 504:
            return UpstreamTimeout(said)
        case _:
            return UpstreamFailed(said)
