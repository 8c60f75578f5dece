"""The `error` of a response that failed."""

from kyma.core.errors import KymaError, RequestError, Throttled

PASSED_CODES = ("context_length_exceeded", "rate_limit_exceeded", "invalid_prompt")
"""Codes that clients act on. The SDK's type lacks the first; Codex compacts its history when it sees it."""


def failure(error: KymaError) -> dict[str, str | None]:
    """The `error` of a failed response, whose codes are few."""
    if error.code in PASSED_CODES:
        code = error.code
    elif isinstance(error, Throttled):
        code = "rate_limit_exceeded"
    elif isinstance(error, RequestError):
        code = "invalid_prompt"
    else:
        code = "server_error"
    return {"code": code, "message": error.message, "type": error.type, "param": error.param}
