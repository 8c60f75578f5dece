"""What is asked of an embedding model and what it answers, and how OpenAI's usage counts it."""

from typing import ClassVar, Literal

import msgspec

from kyma.core.answer import UsageReport
from kyma.core.chat import CallRequest
from kyma.core.model import Kind, Usage
from kyma.dialects.raw_fields import NULL

NAME = "openai_embeddings"
MAX_TOKENS = 2**40
"""More than this in one request is no count."""

Encoding = Literal["float", "base64"]


class EmbeddingRequest(CallRequest, frozen=True, kw_only=True):
    """Texts to embed, or texts that the caller has cut into token ids already; one of the two is empty."""

    kind: ClassVar[Kind] = "embedding"
    texts: tuple[str, ...] = ()
    token_ids: tuple[tuple[int, ...], ...] = ()
    encoding: Encoding = "float"
    dimensions: int | None = None

    @property
    def count(self) -> int:
        """How many vectors are asked for."""
        return len(self.texts) or len(self.token_ids)


class Vector(msgspec.Struct, frozen=True):
    """An embedding as it came: a JSON array of numbers, or base64 of little-endian 32-bit floats."""

    dimensions: int
    raw: msgspec.Raw


class EmbeddingResponse(msgspec.Struct, frozen=True):
    """A vector for each input, in order; `report` is None when the upstream counted nothing."""

    vectors: tuple[Vector, ...]
    report: UsageReport | None

    @property
    def is_blank(self) -> bool:
        return False


class WireUsage(msgspec.Struct):
    """Voyage and some self-hosted servers say the total alone."""

    prompt_tokens: int | None = None
    total_tokens: int | None = None


_usage_decoder = msgspec.json.Decoder(WireUsage)


def parse_usage(raw: msgspec.Raw) -> UsageReport | None:
    """A vendor's `usage`; None for none, an invalid report for nonsense."""
    if raw == NULL:
        return None
    try:
        wire = _usage_decoder.decode(raw)
    except msgspec.DecodeError:
        return UsageReport(Usage(), is_valid=False)
    tokens = wire.prompt_tokens or wire.total_tokens or 0
    is_valid = 0 <= tokens < MAX_TOKENS
    return UsageReport(Usage(tokens) if is_valid else Usage(), is_valid)
