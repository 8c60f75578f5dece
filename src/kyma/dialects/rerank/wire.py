"""What is asked of a reranking model and what it answers."""

import msgspec

from kyma.core.answer import UsageReport
from kyma.core.chat import Native

NAME = "rerank"
NULL = msgspec.Raw(b"null")

RawFields = dict[str, msgspec.Raw]
fields_decoder = msgspec.json.Decoder(RawFields)
encoder = msgspec.json.Encoder()


class RerankRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Documents to be ordered by how well they answer the query.

    `documents` are their texts; `as_sent` the same as the customer wrote them. `lost` are the paths of what stands
    inside a document beside its text: it comes back with the document, but no model reads it. `input_bytes` bounds the
    input tokens of one reading of query and documents; vendors who count the query once for each document count more.
    """

    model: str
    query: str
    documents: tuple[str, ...]
    as_sent: tuple[msgspec.Raw, ...]
    top_n: int | None = None
    returns_documents: bool = False
    native: Native
    lost: tuple[str, ...] = ()
    input_bytes: int


class Ranked(msgspec.Struct, frozen=True):
    """A document by its place in the request. Scores of one vendor compare, those of two do not."""

    index: int
    score: float


class RerankResponse(msgspec.Struct, frozen=True):
    """The best first, no more than were asked for; `report` is None when the upstream counted no tokens.

    `search_units` is what a vendor bills that charges by the search, not by the token.
    """

    ranked: tuple[Ranked, ...]
    report: UsageReport | None
    search_units: int | None = None
