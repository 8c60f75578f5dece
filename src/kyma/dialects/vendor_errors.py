"""Vendors' refusals, classified by status and documented codes; every dialect's envelope is known here."""

import re
from typing import Any

import msgspec

from kyma.core.errors import RefusedUs, Rejected, Throttled, UpstreamError, UpstreamFailed
from kyma.core.upstream import Headers

MAX_RETRY_AFTER_S = 60
MAX_MESSAGE_CHARS = 500

_ANTHROPIC_OVERFLOW = re.compile(r"prompt is too long: (\d+) tokens > (\d+) maximum")
"""Agents know an overflow by OpenAI's words, so it is said in those."""

_any_decoder = msgspec.json.Decoder()


def parse_error(status: int, headers: Headers, body: bytes) -> UpstreamError:
    """What a vendor's status means for routing. Source: vendors' error pages, November 2026 (vendor table B3)."""
    said = f"HTTP {status}: {_explanation(body)}"
    if status in (429, 529):
        return Throttled(said, upstream_status=status, retry_after_s=_retry_after(headers))
    if status in (401, 402, 403):
        return RefusedUs(said, upstream_status=status)
    if status in (400, 413, 422):
        explanation, code = _explanation(body) or "the model's provider refused the request", _caller_code(body)
        if overflow := _ANTHROPIC_OVERFLOW.search(explanation):
            explanation = f"this model's maximum context length is {overflow[2]} tokens; the request has {overflow[1]}"
            code = "context_length_exceeded"
        return Rejected(said, upstream_status=status, caller_message=explanation, code=code)
    return UpstreamFailed(said, upstream_status=status)


def _explanation(body: bytes) -> str:
    """The vendor's own words out of the half dozen shapes in use; empty for HTML and other surprises."""
    value = _decoded(body)
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return ""
    error = value.get("error", value)
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or value.get("message") or ""
    return str(error)[:MAX_MESSAGE_CHARS]


def _caller_code(body: bytes) -> str | None:
    value = _decoded(body)
    if isinstance(value, list) and value:
        value = value[0]
    error = value.get("error") if isinstance(value, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if code in ("context_length_exceeded", "content_filter", "invalid_prompt") else None


def _decoded(body: bytes) -> Any:
    try:
        return _any_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _retry_after(headers: Headers) -> int:
    """Seconds, 1 to 60; a date or nothing counts as 1."""
    try:
        return min(MAX_RETRY_AFTER_S, max(1, -(-int(float(headers.get(b"retry-after", b"1"))) // 1)))
    except (ValueError, OverflowError):
        return 1
