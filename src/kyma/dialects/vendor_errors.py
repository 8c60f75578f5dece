"""Vendors' refusals, classified by status and documented codes; every dialect's envelope is known here.

A vendor may quote the prompt in its explanation, so that goes to the caller at most; for our log there is its code.
"""

import math
import re
from collections.abc import Collection
from typing import Any

import msgspec

from kyma.core.errors import RefusedUs, Rejected, Throttled, UpstreamError, UpstreamFailed
from kyma.core.upstream import Headers

MAX_RETRY_AFTER_S = 60
MAX_MESSAGE_CHARS = 500
MAX_CODE_DIGITS = 9

_ANTHROPIC_OVERFLOW = re.compile(r"prompt is too long: (\d+) tokens > (\d+) maximum")
"""Agents know an overflow by OpenAI's words, so it is said in those."""

_WORD = re.compile(r"(?=.{1,64}$)[A-Za-z]+\d{0,4}([_.-]([A-Za-z]+\d{0,4}|\d{1,6}))*")
"""A vendor's name for an error: nothing that a caller could have said, and no key, which mixes letters and digits."""

_THROTTLING = ("429", "rate_limit_exceeded", "RESOURCE_EXHAUSTED")
"""What OpenAI's and Google's error objects say in place of a status."""

_SPENT = ("insufficient_quota", "exceeded_current_quota_error", "1112", "1113", "3036")
"""429s that waiting does not mend: OpenAI's and DashScope's, Moonshot's, Z.ai's (locked, no balance), Workers AI's."""

_GONE = ("model_decommissioned", "5007", "20012")
"""400s by which Groq, Workers AI and SiliconFlow say that they do not serve the model."""

_any_decoder = msgspec.json.Decoder()


def parse_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """What a vendor's status means for routing. Source: vendors' error pages, November 2026 (vendor table B3)."""
    error = _error_object(body)
    said = for_log(f"HTTP {status}", error)
    if status in (401, 402, 403) or (status == 429 and _is_called(error, _SPENT)) or _is_about_our_key(status, error):
        return RefusedUs(said, upstream_status=status)
    if status in (429, 529):
        return Throttled(said, upstream_status=status, retry_after_s=_retry_after(headers))
    if status in (400, 413, 422) and not _is_called(error, _GONE):
        explanation, code = _explanation(body) or "the model's provider refused the request", _caller_code(body)
        if overflow := _ANTHROPIC_OVERFLOW.search(explanation):
            explanation = f"this model's maximum context length is {overflow[2]} tokens; the request has {overflow[1]}"
            code = "context_length_exceeded"
        return Rejected(said, upstream_status=status, caller_message=explanation, code=code)
    return UpstreamFailed(said, upstream_status=status)


def error_in_answer(raw: msgspec.Raw) -> UpstreamError:
    """What an error object means that came with a 200 or inside a stream."""
    error = _decoded(bytes(raw))
    said = for_log("error in a 200", error)
    if isinstance(error, dict) and any(str(error.get(field)) in _THROTTLING for field in ("code", "status")):
        return Throttled(said, upstream_status=429)
    return UpstreamFailed(said)


def for_log(what: str, error: object) -> str:
    """`what` with the vendor's own name for the error, if its error object has one; none of its other words."""
    named = [error.get(field) for field in ("code", "status", "type")] if isinstance(error, dict) else []
    words = [word for word in named if isinstance(word, str) and _WORD.fullmatch(word)]
    numbers = [str(code) for code in named[:1] if _is_number(code)]
    return f"{what}: {(words + numbers)[0]}" if words or numbers else what


def _is_number(code: object) -> bool:
    return isinstance(code, int) or (isinstance(code, str) and code.isdecimal() and len(code) <= MAX_CODE_DIGITS)


def _is_called(error: object, names: Collection[str]) -> bool:
    return isinstance(error, dict) and any(str(error.get(field)) in names for field in ("code", "type"))


def _explanation(body: bytes) -> str:
    """The vendor's own words out of the half dozen shapes in use; empty for HTML and other surprises."""
    value = _envelope(body)
    if not isinstance(value, dict):
        return ""
    error = _error_object(body)
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or value.get("message") or ""
    if isinstance(error, list):  # FastAPI's: what is wrong with each field
        error = "; ".join(str(problem.get("msg", "")) for problem in error if isinstance(problem, dict))
    return str(error)[:MAX_MESSAGE_CHARS] if error else ""


def _caller_code(body: bytes) -> str | None:
    error = _error_object(body)
    code = error.get("code") if isinstance(error, dict) else None
    return code if code in ("context_length_exceeded", "content_filter", "invalid_prompt") else None


def _is_about_our_key(status: int, error: object) -> bool:
    """Google refuses a wrong key with 400 and this reason, where others answer 401.

    Source: vendor table (Gemini API), google.api.ErrorReason, November 2026.
    """
    details = error.get("details") if status == 400 and isinstance(error, dict) else None
    said = details if isinstance(details, list) else []
    return any(isinstance(detail, dict) and detail.get("reason") == "API_KEY_INVALID" for detail in said)


def _error_object(body: bytes) -> Any:
    """The `error` of OpenAI's envelope and its kin, the first of Cloudflare's `errors`, or a body that is flat."""
    value = _envelope(body)
    if not isinstance(value, dict):
        return None
    errors = value.get("errors")
    return value.get("error") or (errors[0] if isinstance(errors, list) and errors else value)


def _envelope(body: bytes) -> Any:
    """What the body holds; of a list, its first element."""
    value = _decoded(body)
    return value[0] if isinstance(value, list) and value else value


def _decoded(body: bytes) -> Any:
    try:
        return _any_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _retry_after(headers: Headers) -> int:
    """Seconds, 1 to 60; a date or nothing counts as 1."""
    try:
        return min(MAX_RETRY_AFTER_S, max(1, math.ceil(float(headers.get(b"retry-after", b"1")))))
    except (ValueError, OverflowError):
        return 1
