"""What a request comes down to, whichever family it is of, and what of it the journal may keep."""

from collections.abc import Iterable

import msgspec

from tests.upstream.talk import Asked, Json

KEPT = frozenset(
    ("type", "role", "id", "name", "tool_use_id", "media_type", "mimeType", "mime_type", "ttl", "toolUseId")
)
EMPTIED = frozenset(("input", "args", "response"))
SIGNATURES = frozenset(("signature", "thoughtSignature", "thought_signature"))


class Reading(msgspec.Struct):
    """A request that was understood; `body` and `signed` are for its journal entry."""

    model: str
    asked: Asked
    body: Json
    signed: list[str] = []


def without_texts(value: object, key: str = "") -> object:
    """The same structure: types, names, ids and cache marks stay, texts and data turn into "", arguments into {}.

    A signed block stays whole, its text too.
    """
    match value:
        case dict():
            if is_signed(value):
                return value
            return {name: {} if name in EMPTIED else without_texts(item, name) for name, item in value.items()}
        case list():
            return [without_texts(item, key) for item in value]
        case str():
            return value if key in KEPT else ""
    return value


def is_signed(block: object) -> bool:
    """Whether the block is one that its vendor wants back unchanged."""
    if not isinstance(block, dict):
        return False
    return not SIGNATURES.isdisjoint(block) or block.get("type") == "redacted_thinking" or "reasoningContent" in block


def signed_of(blocks: Iterable[msgspec.Raw]) -> list[str]:
    """The JSON of the signed blocks, to the byte."""
    return [bytes(block).decode() for block in blocks if is_signed(msgspec.json.decode(block))]


def words_in(texts: Iterable[str]) -> int:
    """The upstream's tokens."""
    return sum(len(text.split()) for text in texts)
