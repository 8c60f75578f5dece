"""Bedrock's refusals and the failures inside its streams, by the documented names of its exceptions.

Source: botocore's service model of bedrock-runtime (Converse, ConverseStream), AWS's page on Bedrock's error codes,
both read in 2026; the messages in the patterns are quoted where they were reported.
"""

import re
from collections.abc import Mapping

import msgspec

from kyma.core.errors import RefusedUs, Rejected, Throttled, UpstreamError, UpstreamFailed, UpstreamTimeout
from kyma.core.upstream import Headers
from kyma.dialects import vendor_errors

STATUSES: Mapping[str, int] = {
    "validationException": 400,
    "accessDeniedException": 403,
    "resourceNotFoundException": 404,
    "modelTimeoutException": 408,
    "modelErrorException": 424,
    "modelStreamErrorException": 424,
    "throttlingException": 429,
    "internalServerException": 500,
    "serviceUnavailableException": 503,
}
"""The status of an exception that comes inside a stream."""

BUSY = ("ThrottlingException", "ServiceQuotaExceededException", "TooManyRequestsException")
"""The second is documented as a 400."""
OUR_KEY = ("IncompleteSignature", "InvalidSignatureException", "ExpiredTokenException", "NotAuthorized")
"""About our key, some of them as a 400."""
NOT_READY = "ModelNotReadyException"
"""A 429 that is about the model, not about how much we ask."""

_NAME = re.compile(r"[A-Za-z]{1,64}")
_TOO_LONG = re.compile(r"[Ii]nput is too long for requested model|[Pp]rompt is too long|exceed context limit")
"""Source: aaif-goose/goose#7504, continuedev/continue#6136, 2025 to 2026."""
_NOT_HERE = re.compile(
    r"model identifier is invalid|on-demand throughput|doesn.t support|is not supported for this model"
    r"|exceeds the model limit"
)
"""About what this source's model can do or is called here; another source may do it.

Source: pydantic-ai's recordings, langchain-ai/langchain-aws#447, earendil-works/pi#3739 and #7081, 2025 to 2026.
"""
_PREAMBLE = re.compile(r"^The model returned the following errors: ")
_OUR_VENDOR = re.compile(r"\b(?:Amazon Bedrock|Bedrock|Amazon|AWS)\b")
OVERFLOW = "context_length_exceeded"


class WireException(msgspec.Struct, rename="camel"):
    original_status_code: int | None = None


_exception_decoder = msgspec.json.Decoder(WireException)


def parse_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """What a refusal means for routing. Its name stands in the header `x-amzn-errortype`, before a colon."""
    found = _NAME.match(headers.get(b"x-amzn-errortype", b"").decode("latin-1"))
    return _classified(f"HTTP {status}", found[0] if found else "", status, headers, body)


def stream_exception(name: str, payload: bytes) -> UpstreamError:
    """What an exception inside a stream means; `name` is its `:exception-type`."""
    status = STATUSES.get(name[:1].lower() + name[1:], 500)
    if status == STATUSES["modelStreamErrorException"]:
        status = _original_status(payload) or status
    known = _NAME.fullmatch(name)
    return _classified("exception in a stream", known[0] if known else "", status, {}, payload)


def _classified(what: str, name: str, status: int, headers: Headers, body: bytes) -> UpstreamError:
    said = f"{what}: {name}" if name else what
    if name == NOT_READY:
        return UpstreamFailed(said, upstream_status=status)
    error = vendor_errors.parse_error(429 if name in BUSY else 403 if name in OUR_KEY else status, headers, body)
    match error:
        case Throttled():
            return Throttled(said, upstream_status=status, retry_after_s=error.retry_after_s)
        case RefusedUs():
            return RefusedUs(said, upstream_status=status)
        case Rejected():
            return _rejected(said, status, error)
    if status == STATUSES["modelTimeoutException"]:
        return UpstreamTimeout(said, upstream_status=status)
    return UpstreamFailed(said, upstream_status=status)


def _rejected(said: str, status: int, error: Rejected) -> UpstreamError:
    words = error.caller_message
    if _NOT_HERE.search(words):
        return UpstreamFailed(said, upstream_status=status)
    code = error.caller_code
    if code is None and _TOO_LONG.search(words):
        words, code = "the request is longer than this model's maximum context length", OVERFLOW
    words = _OUR_VENDOR.sub("the source", _PREAMBLE.sub("", words))
    return Rejected(said, upstream_status=status, caller_message=words, code=code)


def _original_status(payload: bytes) -> int | None:
    """The model's own status behind a failed stream, where it says that we were too many."""
    try:
        status = _exception_decoder.decode(payload).original_status_code
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return status if status == 429 else None
