"""The customer's side of an answer, and errors in OpenAI's envelope."""

import msgspec

from kyma.core.answer import Bill
from kyma.dialects.base import Reply
from kyma.dialects.openai_shared import InputUsageOut, render_input_usage
from kyma.dialects.raw_fields import encoder
from kyma.dialects.rerank.wire import Ranked, RerankRequest, RerankResponse


class DocumentOut(msgspec.Struct):
    text: str


class ResultOut(msgspec.Struct, omit_defaults=True):
    index: int
    relevance_score: float
    document: DocumentOut | msgspec.Raw | None = None


class RankingOut(msgspec.Struct):
    id: str
    object: str
    model: str
    results: list[ResultOut]
    usage: InputUsageOut


def render_response(response: RerankResponse, reply: Reply, bill: Bill, request: RerankRequest) -> bytes:
    """The results, the best first; documents, if they were asked for, as the customer sent them."""
    return encoder.encode(
        RankingOut(
            "rerank-" + reply.request_id.removeprefix("req_"),
            "list",
            reply.model_id,
            [_result(entry, request) for entry in response.ranked],
            render_input_usage(bill),
        )
    )


def _result(entry: Ranked, request: RerankRequest) -> ResultOut:
    if not request.returns_documents:
        return ResultOut(entry.index, entry.score)
    raw = request.as_sent[entry.index]
    is_object = bytes(memoryview(raw)[:1]) == b"{"
    return ResultOut(entry.index, entry.score, raw if is_object else DocumentOut(request.documents[entry.index]))
