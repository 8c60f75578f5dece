"""What is asked of an embedding model and what it answers, and how OpenAI's usage counts it."""

from typing import Literal

import msgspec

from kyma.core.answer import UsageReport
from kyma.core.chat import Native
from kyma.core.model import Usage

NAME = "openai_embeddings"
NULL = msgspec.Raw(b"null")
MAX_TOKENS = 2**40
"""More than this in one request is no count."""

Encoding = Literal["float", "base64"]
RawFields = dict[str, msgspec.Raw]
fields_decoder = msgspec.json.Decoder(RawFields)
encoder = msgspec.json.Encoder()


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Texts to embed, or texts that the caller has cut into token ids already; one of the two is empty.

    `input_bytes` bounds the input tokens: UTF-8 bytes of the texts as they were sent, or the ids.
    """

    model: str
    texts: tuple[str, ...] = ()
    token_ids: tuple[tuple[int, ...], ...] = ()
    encoding: Encoding = "float"
    dimensions: int | None = None
    native: Native
    input_bytes: int

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
