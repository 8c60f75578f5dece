"""What is asked of a reranking model and what it answers."""

from typing import ClassVar

import msgspec

from kyma.core.answer import UsageReport
from kyma.core.chat import CallRequest
from kyma.core.model import Kind

NAME = "rerank"


class RerankRequest(CallRequest, frozen=True, kw_only=True):
    """Documents to be ordered by how well they answer the query.

    `documents` are their texts; `as_sent` the same as the customer wrote them. `lost` are the paths of what stands
    inside a document beside its text: it comes back with the document, but no model reads it. In `input_bytes`
    the query counts once for each document, as most vendors count it.
    """

    kind: ClassVar[Kind] = "rerank"
    query: str
    documents: tuple[str, ...]
    as_sent: tuple[msgspec.Raw, ...]
    top_n: int | None = None
    returns_documents: bool = False
    lost: tuple[str, ...] = ()


class Ranked(msgspec.Struct, frozen=True):
    """A document by its place in the request. Scores of one vendor compare, those of two do not."""

    index: int
    score: float


class RerankResponse(msgspec.Struct, frozen=True):
    """The best first, no more than were asked for; `report` is None when the upstream counted nothing."""

    ranked: tuple[Ranked, ...]
    report: UsageReport | None

    @property
    def is_blank(self) -> bool:
        return False
