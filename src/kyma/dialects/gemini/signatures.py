"""Proofs of thought: Gemini's own, and those of other dialects on their way through a customer of this one.

A `thoughtSignature` is base64 on the wire: Google's Python SDK decodes it, and writes it back in the URL alphabet. So
a foreign one is wrapped as the base64 of `kyma.<origin>.<signature>`, and read back in either alphabet.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from kyma.dialects.gemini.wire import NAME

PLACEHOLDER = "skip_thought_signature_validator"
"""Accepted instead of a proof on calls that another model made. Source: ai.google.dev, thought signatures, Nov 2026."""

WRAPPED_START = "a3ltY"
"""How the base64 of anything that starts with `kyma` begins."""

SIGNED, REDACTED = "kyma", "kyma-redacted"


class Signature(NamedTuple):
    text: str
    origin: str
    is_redacted: bool = False


def wrap(signature: str, origin: str, is_redacted: bool = False) -> str:
    """A signature as a customer of this dialect can carry it; Gemini's own as it is."""
    if origin == NAME:
        return signature
    kind = REDACTED if is_redacted else SIGNED
    return urlsafe_b64encode(f"{kind}.{origin}.{signature}".encode()).decode()


def unwrap(carried: str) -> Signature | None:
    """What a customer carried, and whose it is; None for the placeholder, which proves nothing."""
    if carried == PLACEHOLDER:
        return None
    if carried.startswith(WRAPPED_START):
        padded = carried.rstrip("=") + "=" * (-len(carried.rstrip("=")) % 4)
        try:
            kind, origin, signature = (
                urlsafe_b64decode(padded.replace("+", "-").replace("/", "_")).decode().split(".", 2)
            )
        except ValueError:
            return Signature(carried, NAME)
        if kind in (SIGNED, REDACTED):
            return Signature(signature, origin, kind == REDACTED)
    return Signature(carried, NAME)
