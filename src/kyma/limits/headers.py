"""Rate-limit response headers, in the three dialects that clients read.

OpenAI: https://platform.openai.com/docs/guides/rate-limits (durations as `1.2s`, `6m0s`). Anthropic:
https://docs.anthropic.com/en/api/rate-limits (times as RFC 3339). Both read 2026-11. Draft fields `RateLimit-Policy`
and `RateLimit`: draft-ietf-httpapi-ratelimit-headers-10. `Retry-After` is not here: it belongs to every error that
has one, so whoever renders errors writes it.

OpenAI and Anthropic know one limit on requests; they are shown the one that leaves less, the account's or the model's.
"""

from datetime import UTC, datetime

from kyma.limits.state import Rate, Rates, Standing

HeaderList = tuple[tuple[bytes, bytes], ...]

_SECOND_NS = 1_000_000_000


def success_headers(rates: Rates, standing: Standing) -> HeaderList:
    """For a request that was let through: OpenAI's six and the two draft fields; under 2 µs."""
    requests_ns, model_ns, tokens_ns = standing.requests_ns, standing.model_ns, standing.tokens_ns
    requests_left, model_left = rates.requests.left(requests_ns), rates.model_requests.left(model_ns)
    tokens_left = rates.tokens.left(tokens_ns)
    if model_left < requests_left:
        limit, left, reset_ns = rates.model_requests.limit_text, model_left, model_ns
    else:
        limit, left, reset_ns = rates.requests.limit_text, requests_left, requests_ns
    return (
        (b"x-ratelimit-limit-requests", limit),
        (b"x-ratelimit-remaining-requests", b"%d" % left),
        (b"x-ratelimit-reset-requests", _duration(reset_ns)),
        (b"x-ratelimit-limit-tokens", rates.tokens.limit_text),
        (b"x-ratelimit-remaining-tokens", b"%d" % tokens_left),
        (b"x-ratelimit-reset-tokens", _duration(tokens_ns)),
        (b"ratelimit-policy", rates.policy),
        (
            b"ratelimit",
            b'"requests";r=%d;t=%d, "model-requests";r=%d;t=%d, "tokens";r=%d;t=%d'
            % (
                requests_left,
                -(-requests_ns // _SECOND_NS),
                model_left,
                -(-model_ns // _SECOND_NS),
                tokens_left,
                -(-tokens_ns // _SECOND_NS),
            ),
        ),
    )


def refusal_headers(rates: Rates, standing: Standing, now_ms: int) -> HeaderList:
    """For a request that was refused: all dialects; `now_ms` is the wall time of the refusal."""
    requests, requests_ns = _tighter(rates, standing)
    return (
        *success_headers(rates, standing),
        (b"anthropic-ratelimit-requests-limit", requests.limit_text),
        (b"anthropic-ratelimit-requests-remaining", b"%d" % requests.left(requests_ns)),
        (b"anthropic-ratelimit-requests-reset", _moment(now_ms, requests_ns)),
        (b"anthropic-ratelimit-tokens-limit", rates.tokens.limit_text),
        (b"anthropic-ratelimit-tokens-remaining", b"%d" % rates.tokens.left(standing.tokens_ns)),
        (b"anthropic-ratelimit-tokens-reset", _moment(now_ms, standing.tokens_ns)),
    )


def _tighter(rates: Rates, standing: Standing) -> tuple[Rate, int]:
    if rates.model_requests.left(standing.model_ns) < rates.requests.left(standing.requests_ns):
        return rates.model_requests, standing.model_ns
    return rates.requests, standing.requests_ns


def _duration(ns: int) -> bytes:
    """`0s`, `1.2s`, `6m0s`: rounded up to a millisecond."""
    ms = -(-ns // 1_000_000)
    if ms < 60_000:
        return b"%gs" % (ms / 1000)
    minutes, rest_ms = divmod(ms, 60_000)
    return b"%dm%gs" % (minutes, rest_ms / 1000)


def _moment(now_ms: int, ns: int) -> bytes:
    """The second, rounded up, in which a debt will be gone."""
    second = -(-(now_ms * 1_000_000 + ns) // _SECOND_NS)
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
