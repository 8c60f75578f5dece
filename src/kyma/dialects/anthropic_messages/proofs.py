"""Proofs of thought: opaque strings that go home to the dialect they came from, and to no other.

A proof of another dialect travels through a customer of this one as `kyma.<dialect>.<proof>`; one that hung on a tool
call, which has no place for it here, as the proof of an empty thought before the call: `kyma.<dialect>#call.<proof>`.
"""

from kyma.dialects.anthropic_messages.wire import NAME

PREFIX = "kyma."
CALL = "#call"


def wrap(proof: str, origin: str, of_call: bool = False) -> str:
    """A proof as a customer of this dialect may keep it."""
    if origin in (NAME, ""):
        return proof
    return f"{PREFIX}{origin}{CALL if of_call else ''}.{proof}"


def unwrap(kept: str) -> tuple[str, str, bool]:
    """`(proof, origin, whether it belongs to the call that follows)`."""
    if not kept.startswith(PREFIX):
        return kept, NAME, False
    origin, dot, proof = kept[len(PREFIX) :].partition(".")
    if not dot:
        return kept, NAME, False
    return proof, origin.removesuffix(CALL), origin.endswith(CALL)


def is_ours(kept: str | None) -> bool:
    """Whether an upstream of this dialect would know the proof as its own."""
    return bool(kept) and not str(kept).startswith(PREFIX)
