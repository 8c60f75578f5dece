"""What is held and billed for calls that generate nothing."""

import json

import pytest

from kyma.calls.meter import Meter, Outcome, hold_bound, input_estimate
from kyma.core.answer import UsageReport
from kyma.core.chat import CallRequest
from kyma.core.model import Usage
from kyma.dialects import openai_embeddings, rerank
from kyma.dialects.openai_embeddings import EmbeddingResponse
from tests.unit.calls.rows import PLAIN_PRICE, model

WINDOW = 8_000
SERVED = model(price=PLAIN_PRICE, context_window=WINDOW)


def embedding(given: object) -> CallRequest:
    return openai_embeddings.parse_request(json.dumps({"model": "owl", "input": given}).encode())


def ranking(query: str, documents: list[str]) -> CallRequest:
    return rerank.parse_request(json.dumps({"model": "owl", "query": query, "documents": documents}).encode())


def billed(request: CallRequest, tokens: int | None) -> tuple[Usage, bool]:
    """Usage and whether it is our own estimate, where the source reported so many tokens."""
    meter = Meter(request, SERVED)
    meter.see_response(EmbeddingResponse((), None if tokens is None else UsageReport(Usage(tokens))))
    bill = meter.bill(Outcome.FINISHED, PLAIN_PRICE)
    assert bill.cost == bill.usage.cost(PLAIN_PRICE)
    return bill.usage, bill.is_estimated


@pytest.mark.parametrize(("texts", "most"), [(1, 2 * WINDOW), (3, 3 * 2 * WINDOW)])
def test_each_text_may_fill_the_window_and_twice_that_is_nonsense(texts: int, most: int) -> None:
    request = embedding(["w"] * texts)
    assert billed(request, most) == (Usage(most), False)
    assert billed(request, most + 1) == (Usage(input_estimate(request, SERVED)), True)


def test_what_nobody_counted_is_estimated_as_input_alone() -> None:
    assert billed(embedding("x" * 38), None) == (Usage(10), True)


def test_token_ids_are_estimated_as_what_they_are_and_held_for_more() -> None:
    request = embedding([[1, 2, 3], [4]])
    assert billed(request, None) == (Usage(4), True)
    assert hold_bound(request, SERVED).total_input >= 4


def test_a_reranker_may_read_the_query_once_for_each_document() -> None:
    request = ranking("q" * 100, ["d" * 10] * 5)
    assert hold_bound(request, SERVED).total_input >= 5 * 100 + 5 * 10
    assert hold_bound(request, SERVED).output == 0
