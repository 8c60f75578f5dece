"""Refusals as the document has them: one response a status and dialect, each with an example that its codec wrote."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from kyma.api.openapi.structs import REF, Schema
from kyma.core import errors
from kyma.core.errors import KymaError
from kyma.dialects import anthropic_messages, gemini, openai_chat

Envelope = Literal["", "Anthropic", "Gemini"]
"""In whose form an error is told, as the prefix of its components; OpenAI's has none."""

STRING: Schema = {"type": "string"}
OPENAI_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "description": "For people: what is wrong, and what would be right"},
                "type": {"type": "string", "description": "The kind of error"},
                "param": {"type": ["string", "null"], "description": "The field at fault, as a path"},
                "code": {"type": "string", "description": "For programs"},
            },
        }
    },
}
ANTHROPIC_ERROR: Schema = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"type": "string", "const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": STRING, "message": STRING, "details": {"type": "object"}},
        },
    },
}
GEMINI_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "status", "details"],
            "properties": {
                "code": {"type": "integer", "description": "The HTTP status"},
                "message": STRING,
                "status": {"type": "string", "description": "Google's name of the status"},
                "details": {"type": "array", "items": {"type": "object"}},
            },
        }
    },
}
ENVELOPES: Mapping[Envelope, tuple[Schema, Callable[[KymaError], bytes]]] = {
    "": (OPENAI_ERROR, openai_chat.render_error),
    "Anthropic": (ANTHROPIC_ERROR, anthropic_messages.render_error),
    "Gemini": (GEMINI_ERROR, gemini.render_error),
}

RETRY_AFTER = {"Retry-After": {"description": "Seconds until it is worth another try", "schema": {"type": "integer"}}}


class Refusal(msgspec.Struct, frozen=True):
    """A response's name, what it means, and one error that is told by it."""

    name: str
    description: str
    example: KymaError


REFUSALS = {
    refusal.example.status: refusal
    for refusal in (
        Refusal(
            "BadRequest",
            "What is wrong with the request, and where",
            errors.InvalidRequest("missing required field messages", param="messages"),
        ),
        Refusal(
            "Unauthorized",
            "Missing or invalid API key",
            errors.Unauthenticated("Missing API key. Send the header 'Authorization: Bearer ky-…'."),
        ),
        Refusal(
            "InsufficientCredits",
            "Insufficient credits: balance, hold needed, largest max_tokens that fits",
            errors.InsufficientCredits(
                "insufficient credits: this request needs $0.0123 set aside, $0.01 of your balance of $0.01 is free; "
                "max_tokens of at most 3000 would fit. Add credits, or lower max_tokens."
            ),
        ),
        Refusal("Forbidden", "Not allowed here, or not with this key", errors.Forbidden("only operators may do this")),
        Refusal("NotFound", "There is no such thing here", errors.NotFound("There is no such key.")),
        Refusal("Conflict", "It contradicts what is there already", errors.Conflict("This address has an account.")),
        Refusal(
            "TooLarge",
            "The body, or the prompt, is too large",
            errors.TooLarge("the request body is larger than 10485760 bytes"),
        ),
        Refusal(
            "UnsupportedMedia",
            "The body is compressed, or no JSON",
            errors.UnsupportedMedia("content-encoding b'gzip' is not accepted; send the body as it is"),
        ),
        Refusal(
            "RateLimited",
            "Rate limit exceeded",
            errors.RateLimited(
                "The limit of Tier 0 is 30 requests a minute. Try again in 2 s.", code="rate_limited", retry_after_s=2
            ),
        ),
        Refusal("HeadersTooLarge", "The head is too large", errors.HeadersTooLarge("the request head is too large")),
        Refusal(
            "InternalError",
            "An error of ours; nothing was charged",
            errors.Bug("an error of ours; it is in the gateway's log"),
        ),
        Refusal(
            "ServiceUnavailable",
            "No source could answer, or the gateway is busy or stops; nothing was charged",
            errors.NoRouteLeft("no source could answer", retry_after_s=1),
        ),
    )
}
"""By status."""

ANY_ROUTE = (400, 413, 415, 431, 500, 503)
"""What every route may answer: HTTP itself can be broken, and a gateway can be stopping."""
WITH_A_KEY = (401,)
METERED = (402, 404, 429)
"""Besides, what a route that calls a model may answer."""


def error_schemas() -> dict[str, Schema]:
    """The envelopes by component name."""
    return {f"{envelope}Error": schema for envelope, (schema, _) in ENVELOPES.items()}


def error_responses() -> dict[str, Schema]:
    """Every refusal in every envelope by component name."""
    return {
        f"{envelope}{refusal.name}": _response(envelope, refusal)
        for envelope in ENVELOPES
        for refusal in REFUSALS.values()
    }


def refusals(statuses: Sequence[int], envelope: Envelope = "") -> dict[str, Schema]:
    """Those statuses as an operation refers to them."""
    return {
        str(status): {"$ref": f"#/components/responses/{envelope}{REFUSALS[status].name}"}
        for status in sorted(statuses)
    }


def told_apart(status: int, description: str) -> Schema:
    """A refusal that a route describes in words of its own."""
    content = {"application/json": {"schema": {"$ref": f"{REF}Error"}}}
    return {"description": description, **_waiting(REFUSALS[status]), "content": content}


def _response(envelope: Envelope, refusal: Refusal) -> Schema:
    _, render = ENVELOPES[envelope]
    example: Any = msgspec.json.decode(render(refusal.example))
    content = {"application/json": {"schema": {"$ref": f"{REF}{envelope}Error"}, "example": example}}
    return {"description": refusal.description, **_waiting(refusal), "content": content}


def _waiting(refusal: Refusal) -> Schema:
    return {"headers": RETRY_AFTER} if refusal.example.retry_after_s is not None else {}
