"""Rerank through a real gateway: the common form in, the best document first."""

import pytest

from tests.server.api import Api
from tests.server.whole import DOCUMENTS, INPUT, rank
from tests.upstream.process import UpstreamProcess


def test_the_best_document_comes_first(customer: Api) -> None:
    answer = rank(customer, "good-rerank", "which fruit", DOCUMENTS)
    body = answer.json()
    assert [result["index"] for result in body["results"]] == [2, 1, 0]
    assert body["results"][0] == {"index": 2, "relevance_score": 0.03}
    assert (body["object"], body["model"]) == ("list", "good-rerank")
    assert body["id"] == "rerank-" + answer.headers["x-request-id"].removeprefix("req_")


def test_no_more_come_back_than_were_asked_for(customer: Api, upstream: UpstreamProcess) -> None:
    for field in ("top_n", "top_k"):
        answer = rank(customer, "good-rerank", "which fruit", DOCUMENTS, **{field: 1})
        assert [result["index"] for result in answer.json()["results"]] == [2]
        assert upstream.log()[-1].body["top_n"] == 1


def test_documents_come_back_as_they_were_sent(customer: Api, upstream: UpstreamProcess) -> None:
    documents = ["plain", {"text": "an object", "id": 7}]
    answer = rank(customer, "good-rerank", "q", documents, return_documents=True)
    assert [result["document"] for result in answer.json()["results"]] == [documents[1], {"text": "plain"}]
    assert answer.headers["x-kyma-dropped"] == "documents.id"
    assert upstream.log()[-1].body["return_documents"] is False


def test_the_source_says_how_often_it_read_the_query(customer: Api) -> None:
    before = customer.balance()
    answer = rank(customer, "good-rerank", "a b", ["c", "d e"])
    assert before - customer.balance() == answer.cost == 5 * INPUT


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"query": "", "documents": ["a"]}, "query"),
        ({"query": "q", "documents": []}, "documents"),
        ({"query": "q", "documents": [{"title": "a"}]}, "documents.0.text"),
        ({"query": "q", "documents": ["a"], "top_n": 0}, "top_n"),
        ({"documents": ["a"]}, "query"),
    ],
)
def test_a_wrong_field_is_named(customer: Api, fields: dict[str, object], param: str) -> None:
    answer = customer.post("/v1/rerank", {"model": "good-rerank", **fields})
    assert (answer.status, answer.error["param"]) == (400, param)
