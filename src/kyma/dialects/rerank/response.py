"""The customer's side of an answer, and errors in OpenAI's envelope."""

import msgspec

from kyma.core.answer import Bill
from kyma.core.money import usd_number
from kyma.dialects.base import Reply
from kyma.dialects.raw_fields import encoder
from kyma.dialects.rerank.wire import Ranked, RerankRequest, RerankResponse


class DocumentOut(msgspec.Struct):
    text: str


class ResultOut(msgspec.Struct, omit_defaults=True):
    index: int
    relevance_score: float
    document: DocumentOut | msgspec.Raw | None = None


class UsageOut(msgspec.Struct, omit_defaults=True):
    """`usage`, and what it cost in USD; `search_units` where the source charges by the search."""

    prompt_tokens: int
    total_tokens: int
    cost: msgspec.Raw
    search_units: int = 0


class RankingOut(msgspec.Struct):
    id: str
    object: str
    model: str
    results: list[ResultOut]
    usage: UsageOut


def render_response(response: RerankResponse, reply: Reply, bill: Bill, request: RerankRequest) -> bytes:
    """The results, the best first; documents, if they were asked for, as the customer sent them."""
    tokens = bill.usage.total_input
    return encoder.encode(
        RankingOut(
            "rerank-" + reply.request_id.removeprefix("req_"),
            "list",
            reply.model_id,
            [_result(entry, request) for entry in response.ranked],
            UsageOut(tokens, tokens, usd_number(bill.cost), bill.usage.searches),
        )
    )


def _result(entry: Ranked, request: RerankRequest) -> ResultOut:
    if not request.returns_documents:
        return ResultOut(entry.index, entry.score)
    raw = request.as_sent[entry.index]
    is_object = bytes(memoryview(raw)[:1]) == b"{"
    return ResultOut(entry.index, entry.score, raw if is_object else DocumentOut(request.documents[entry.index]))
