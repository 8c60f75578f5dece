"""Every error Kyma raises on purpose.

KymaError                    status · type · code · param · retry_after_s
├─ RequestError              the caller can fix it; never retried, never logged as ours
│  └─ InvalidRequest 400 · Unauthenticated 401 · InsufficientCredits 402 · Forbidden 403 · NotFound 404 ·
│     MethodNotAllowed 405 · Conflict 409 · TooLarge 413 · UnsupportedMedia 415 · RateLimited 429 · HeadersTooLarge 431
├─ UpstreamError             never shown raw; routing reads `verdict`
│  └─ UpstreamTimeout · Unreachable · Throttled · UpstreamFailed · Garbled · RefusedUs · Unsuited · Rejected
└─ ServiceError              NoRouteLeft 503 · Overloaded 503 · Draining 503 · Bug 500

The classes carry status and wire names; a dialect renders them, so there is no mapping table.
"""

from enum import Enum
from typing import ClassVar


class KymaError(Exception):
    """An error with a place on the wire. `message` is for people, `code` for programs."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "internal_error"
    default_code: ClassVar[str] = "internal_error"

    def __init__(
        self, message: str, *, code: str | None = None, param: str | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.param = param
        self.retry_after_s = retry_after_s
        self.headers: tuple[tuple[bytes, bytes], ...] = ()


class RequestError(KymaError):
    """The caller can fix it."""


class InvalidRequest(RequestError):
    status, type, default_code = 400, "invalid_request", "invalid_request"


class Unauthenticated(RequestError):
    status, type, default_code = 401, "auth_error", "invalid_api_key"


class InsufficientCredits(RequestError):
    status, type, default_code = 402, "insufficient_credits", "insufficient_credits"


class Forbidden(RequestError):
    status, type, default_code = 403, "forbidden", "forbidden"


class NotFound(RequestError):
    status, type, default_code = 404, "not_found", "not_found"


class MethodNotAllowed(RequestError):
    status, type, default_code = 405, "invalid_request", "method_not_allowed"


class Conflict(RequestError):
    status, type, default_code = 409, "conflict", "conflict"


class TooLarge(RequestError):
    status, type, default_code = 413, "invalid_request", "request_too_large"


class UnsupportedMedia(RequestError):
    status, type, default_code = 415, "invalid_request", "unsupported_media_type"


class RateLimited(RequestError):
    status, type, default_code = 429, "rate_limit", "rate_limit_exceeded"


class HeadersTooLarge(RequestError):
    status, type, default_code = 431, "invalid_request", "headers_too_large"


class Verdict(Enum):
    """What routing does after an upstream failed."""

    NEXT = "next"
    """A fault of that source: try the next one, count it against the source's health."""
    COOL_DOWN = "cool_down"
    """Busy, or our key is in trouble: try the next source; not a fault of the source."""
    PASS = "pass"
    """It cannot serve this request: try the next source; it tells nothing about this one."""
    STOP = "stop"
    """The request is at fault; every other source would say the same."""


class UpstreamError(KymaError):
    """A provider failed. `message` may name the vendor, so it is for logs and operators only.

    It is in our words: a vendor's own may quote the prompt, which no log may hold.
    """

    status, type, default_code = 502, "provider_error", "upstream_error"
    verdict: ClassVar[Verdict] = Verdict.NEXT

    def __init__(self, message: str, *, upstream_status: int | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.upstream_status = upstream_status


class UpstreamTimeout(UpstreamError):
    """No connection, no first byte, or no next byte in time."""

    default_code = "upstream_timeout"


class Unreachable(UpstreamError):
    """Name, connection or TLS failed, or the connection broke."""

    default_code = "upstream_unreachable"


class Throttled(UpstreamError):
    """429 or 529: that key is busy for `retry_after_s`."""

    default_code = "upstream_busy"
    verdict = Verdict.COOL_DOWN


class UpstreamFailed(UpstreamError):
    """5xx, 404 for a retired id, or an error object inside a 200."""

    default_code = "upstream_failed"


class Garbled(UpstreamError):
    """An answer that is not what the dialect promises: HTML, broken JSON, an empty answer."""

    default_code = "upstream_garbled"


class RefusedUs(UpstreamError):
    """401, 402 or 403: our credential is at fault, never the caller's."""

    default_code = "upstream_refused_us"
    verdict = Verdict.COOL_DOWN


class Unsuited(UpstreamError):
    """The source cannot be told `fields` of the request, on all of which the caller insists. Nobody was asked."""

    default_code = "fields_would_be_dropped"
    verdict = Verdict.PASS

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__(f"it cannot be told {len(fields)} fields")  # their names may be the caller's own words
        self.fields = fields


class Rejected(UpstreamError):
    """400, 413 or 422: the provider finds the caller's request at fault.

    `caller_message` is the provider's explanation and may name the vendor: `as_request_error` wants a clean one.
    """

    default_code = "upstream_rejected"
    verdict = Verdict.STOP

    def __init__(self, message: str, *, upstream_status: int, caller_message: str, code: str | None = None) -> None:
        super().__init__(message, upstream_status=upstream_status)
        self.caller_message = caller_message
        self.caller_code = code

    def as_request_error(self, caller_message: str) -> RequestError:
        """The same refusal as the caller's own mistake."""
        if self.upstream_status == 413:
            return TooLarge(caller_message)
        return InvalidRequest(caller_message, code=self.caller_code)


class ServiceError(KymaError):
    """Ours, or everybody's: the caller may try again."""

    status, type, default_code = 503, "service_unavailable", "service_unavailable"


class NoRouteLeft(ServiceError):
    """Every source failed; `reasons` says how, for logs and operators."""

    type, default_code = "provider_error", "no_source_available"

    def __init__(self, message: str, reasons: tuple[UpstreamError, ...] = (), retry_after_s: int | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.reasons = reasons


class Overloaded(ServiceError):
    default_code = "overloaded"


class Draining(ServiceError):
    default_code = "draining"


class Bug(ServiceError):
    """Something we did not foresee; the details are in our log under the request id."""

    status, type, default_code = 500, "internal_error", "internal_error"
