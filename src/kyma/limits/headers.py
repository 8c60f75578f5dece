"""Rate-limit response headers, in the dialects that clients read.

OpenAI: https://platform.openai.com/docs/guides/rate-limits (durations as `1.2s`, `6m0s`). Anthropic:
https://docs.anthropic.com/en/api/rate-limits (times as RFC 3339). Both read 2026-11. Draft fields `RateLimit-Policy`
and `RateLimit`: draft-ietf-httpapi-ratelimit-headers-10. `Retry-After` is not here: it belongs to every error that
has one, so whoever renders errors writes it.

OpenAI and Anthropic know one limit on requests; they are shown the one that leaves less, the account's or the model's.
"""

from datetime import UTC, datetime
from functools import lru_cache

from kyma.limits.state import Rate, Rates, Standing

HeaderList = tuple[tuple[bytes, bytes], ...]
HeaderLines = bytes
"""Header lines ready to send, each with its line end."""

_SECOND_NS = 1_000_000_000
_MS_NS = 1_000_000


def success_lines(rates: Rates, standing: Standing) -> HeaderLines:
    """For a request that was let through: OpenAI's six."""
    requests, requests_ns = _tighter(rates, standing)
    tokens, tokens_ns = rates.tokens, standing.tokens_ns
    return (
        f"x-ratelimit-limit-requests: {requests.limit_text}\r\n"
        f"x-ratelimit-remaining-requests: {requests.left(requests_ns)}\r\n"
        f"x-ratelimit-reset-requests: {_duration(-(-requests_ns // _MS_NS))}\r\n"
        f"x-ratelimit-limit-tokens: {tokens.limit_text}\r\n"
        f"x-ratelimit-remaining-tokens: {tokens.left(tokens_ns)}\r\n"
        f"x-ratelimit-reset-tokens: {_duration(-(-tokens_ns // _MS_NS))}\r\n"
    ).encode()


def pairs(lines: HeaderLines) -> HeaderList:
    """Lines as names and values."""
    return tuple((name, value) for name, _, value in (line.partition(b": ") for line in lines.splitlines()))


def refusal_headers(rates: Rates, standing: Standing, now_ms: int) -> HeaderList:
    """For a request that was refused: all dialects; `now_ms` is the wall time of the refusal."""
    requests, requests_ns = _tighter(rates, standing)
    return (
        *pairs(success_lines(rates, standing)),
        (b"ratelimit-policy", rates.policy.encode()),
        (b"ratelimit", _draft(rates, standing).encode()),
        (b"anthropic-ratelimit-requests-limit", requests.limit_text.encode()),
        (b"anthropic-ratelimit-requests-remaining", b"%d" % requests.left(requests_ns)),
        (b"anthropic-ratelimit-requests-reset", _moment(now_ms, requests_ns)),
        (b"anthropic-ratelimit-tokens-limit", rates.tokens.limit_text.encode()),
        (b"anthropic-ratelimit-tokens-remaining", b"%d" % rates.tokens.left(standing.tokens_ns)),
        (b"anthropic-ratelimit-tokens-reset", _moment(now_ms, standing.tokens_ns)),
    )


def _draft(rates: Rates, standing: Standing) -> str:
    named = (
        ("requests", rates.requests, standing.requests_ns),
        ("model-requests", rates.model_requests, standing.model_ns),
        ("tokens", rates.tokens, standing.tokens_ns),
    )
    return ", ".join(f'"{name}";r={rate.left(ns)};t={-(-ns // _SECOND_NS)}' for name, rate, ns in named)


def _tighter(rates: Rates, standing: Standing) -> tuple[Rate, int]:
    if rates.model_requests.left(standing.model_ns) < rates.requests.left(standing.requests_ns):
        return rates.model_requests, standing.model_ns
    return rates.requests, standing.requests_ns


@lru_cache(maxsize=4096)
def _duration(ms: int) -> str:
    """`0s`, `1.2s`, `6m0s`."""
    if ms < 60_000:
        return f"{ms / 1000:g}s"
    minutes, rest_ms = divmod(ms, 60_000)
    return f"{minutes}m{rest_ms / 1000:g}s"


def _moment(now_ms: int, ns: int) -> bytes:
    """The second, rounded up, in which a debt will be gone."""
    second = -(-(now_ms * 1_000_000 + ns) // _SECOND_NS)
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
