"""Rerank: customers' requests, what each vendor is sent, and how each vendor's answer is read."""

import json
from dataclasses import dataclass

import msgspec
import pytest

from kyma.core.answer import Bill, UsageReport
from kyma.core.errors import Garbled, InvalidRequest, NotFound, UpstreamFailed
from kyma.core.model import Quirks, Usage
from kyma.dialects.rerank import (
    FORMS,
    Ranked,
    RerankResponse,
    parse_request,
    parse_response,
    render_error,
    render_request,
    render_response,
    respond,
    target,
)


@dataclass
class OurReply:
    request_id: str = "req_1"
    model_id: str = "rerank-1"
    created: int = 1_700_000_000
    input_estimate: int = 1


BILL = Bill(Usage(input=30), 600, 0, False)
DOCUMENTS = ["Carson City", "Washington, D.C.", "Saipan"]

COHERE = {
    "results": [{"index": 1, "relevance_score": 0.999071}, {"index": 0, "relevance_score": 0.32713068}],
    "id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf",
    "meta": {"api_version": {"version": "2", "is_experimental": False}, "billed_units": {"search_units": 1}},
}
JINA = {
    "model": "jina-reranker-v2-base-multilingual",
    "object": "list",
    "usage": {"total_tokens": 815},
    "results": [
        {"index": 1, "relevance_score": 0.878, "document": {"text": "Washington, D.C."}},
        {"index": 0, "relevance_score": 0.102, "document": {"text": "Carson City"}},
    ],
}
VOYAGE = {
    "object": "list",
    "data": [{"relevance_score": 0.4375, "index": 1}, {"relevance_score": 0.421875, "index": 0}],
    "model": "rerank-2.5",
    "usage": {"total_tokens": 26},
}
TEI = [{"index": 1, "score": 0.9}, {"index": 0, "score": 0.2}, {"index": 2, "score": 0.1}]


def body(**fields: object) -> bytes:
    return json.dumps({"model": "m", "query": "capital?", "documents": DOCUMENTS, **fields}).encode()


def in_form(form: str, quirks: Quirks) -> Quirks:
    return msgspec.structs.replace(quirks, rerank_form=form)


def sent(form: str, quirks: Quirks | None = None, **fields: object) -> dict[str, object]:
    """What a vendor of that form gets for a request with these fields."""
    rendered = render_request(parse_request(body(**fields)), "vendor/m", in_form(form, quirks or Quirks()))
    result: dict[str, object] = json.loads(rendered.body)
    return result


def read(upstream: object, **fields: object) -> RerankResponse:
    return parse_response(json.dumps(upstream).encode(), parse_request(body(**fields)))


def shown(response: RerankResponse, **fields: object) -> dict[str, object]:
    """What the customer sees."""
    result: dict[str, object] = json.loads(render_response(response, OurReply(), BILL, parse_request(body(**fields))))
    return result


def test_documents_are_texts_or_objects_with_a_text() -> None:
    request = parse_request(body(documents=["a", {"text": "b", "id": 7}]))
    assert request.documents == ("a", "b")
    assert request.lost == ("documents.id",)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"documents": []}, "documents"),
        ({"documents": ["a"] * 10_001}, "documents"),
        ({"documents": "a"}, "documents"),
        ({"documents": [{"title": "a"}]}, "documents.0.text"),
        ({"documents": [3]}, "documents.0"),
        ({"query": ""}, "query"),
        ({"query": ["a"]}, "query"),
        ({"top_n": 0}, "top_n"),
        ({"top_n": 1, "top_k": 2}, "top_k"),
        ({"return_documents": "yes"}, "return_documents"),
        ({"model": ""}, "model"),
    ],
)
def test_wrong_fields_are_refused_by_name(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(body(**fields))
    assert caught.value.param == param


def test_query_and_documents_bound_the_tokens() -> None:
    """Most rerankers read the query once for each document."""
    request = parse_request(body(query="q" * 10, documents=["d" * 100, "e"]))
    assert request.input_bytes >= 2 * 10 + 101
    assert request.readings == 2


def test_the_common_form_is_sent_and_no_document_is_asked_back() -> None:
    assert sent("jina", top_n=2, return_documents=True, idempotency_key="k", truncate_prompt_tokens=5) == {
        "model": "vendor/m",
        "query": "capital?",
        "documents": DOCUMENTS,
        "top_n": 2,
        "return_documents": False,
        "truncate_prompt_tokens": 5,
    }


def test_cohere_is_sent_texts_and_the_fields_it_documents() -> None:
    documents = [{"text": "a", "id": 1}, "b"]
    request = parse_request(body(documents=documents, max_tokens_per_doc=512, return_documents=True, rank_fields=["x"]))
    rendered = render_request(request, "rerank-v3.5", Quirks(rerank_form="cohere"))
    assert json.loads(rendered.body) == {
        "model": "rerank-v3.5",
        "query": "capital?",
        "documents": ["a", "b"],
        "max_tokens_per_doc": 512,
    }
    assert rendered.dropped == ("documents.id", "rank_fields")


def test_voyage_is_sent_top_k_whatever_the_customer_calls_it() -> None:
    upstream = sent("voyage", top_n=2, truncation=False)
    assert upstream == sent("voyage", top_k=2, truncation=False)
    assert upstream == {
        "model": "vendor/m",
        "query": "capital?",
        "documents": DOCUMENTS,
        "top_k": 2,
        "truncation": False,
    }


def test_text_embeddings_inference_is_sent_texts() -> None:
    assert sent("tei", top_n=2)["texts"] == DOCUMENTS
    assert "top_n" not in sent("tei", top_n=2)


def test_no_more_are_asked_for_than_there_are() -> None:
    assert sent("jina", top_n=50)["top_n"] == 3


def test_what_is_done_here_anyway_need_not_be_sent() -> None:
    upstream = sent("jina", Quirks(drop=("return_documents", "top_n")), top_n=2, return_documents=True)
    assert set(upstream) == {"model", "query", "documents"}


def test_every_form_has_the_same_path() -> None:
    assert target("vendor/m", False) == "/rerank"


@pytest.mark.parametrize("form", FORMS)
def test_every_field_travels_or_is_reported(form: str) -> None:
    fields: dict[str, object] = {"truncation": True, "max_tokens_per_doc": 5, "priority": 1, "odd": 1, "truncate": True}
    rendered = render_request(parse_request(body(**fields)), "m", in_form(form, Quirks(drop=("priority",))))
    assert fields.keys() - set(json.loads(rendered.body)) == set(rendered.dropped)


@pytest.mark.parametrize("upstream", [COHERE, JINA, VOYAGE, TEI], ids=["cohere", "jina", "voyage", "tei"])
def test_every_vendors_answer_is_read(upstream: object) -> None:
    assert [entry.index for entry in read(upstream, top_n=2).ranked] == [1, 0]


def test_scores_are_given_as_the_vendor_gave_them() -> None:
    assert read(COHERE).ranked == (Ranked(1, 0.999071), Ranked(0, 0.32713068))


NONSENSE = UsageReport(Usage(), is_valid=False)


@pytest.mark.parametrize(
    ("upstream", "report"),
    [
        (COHERE, UsageReport(Usage(searches=1))),
        (JINA, UsageReport(Usage(815))),
        (VOYAGE, UsageReport(Usage(26))),
        (TEI, None),
        (COHERE | {"meta": {"tokens": {"input_tokens": 40.0}}}, UsageReport(Usage(40))),
        (
            COHERE | {"meta": None, "usage": {"search_units": 2, "total_tokens": 150}},
            UsageReport(Usage(150, searches=2)),
        ),
        (JINA | {"usage": {"prompt_tokens": 815, "completion_tokens": 0}}, UsageReport(Usage(815))),
        (JINA | {"usage": {"total_tokens": -1}}, NONSENSE),
        (JINA | {"usage": {"total_tokens": 1.5}}, NONSENSE),
        (COHERE | {"meta": {"tokens": {"input_tokens": 0.5}}}, NONSENSE),
        (COHERE | {"meta": {"billed_units": {"search_units": -1}}}, NONSENSE),
        (COHERE | {"meta": {"billed_units": {"search_units": 1.5}}}, NONSENSE),
    ],
)
def test_usage_is_read_where_each_vendor_says_it(upstream: object, report: UsageReport | None) -> None:
    assert read(upstream).report == report


@pytest.mark.parametrize(
    ("query", "documents", "least", "most"),
    [
        ("q", ["a"], 1, 1),
        ("q", ["a"] * 100, 1, 1),
        ("q", ["a"] * 101, 2, 2),
        ("q" * 100, ["d" * 400] * 100, 1, 1),
        ("q" * 100, ["d" * 401] * 100, 1, 2),
        ("q" * 5000, ["d" * 1000] * 100, 1, 10),
        ("ü" * 50, ["ü" * 201] * 100, 1, 2),
    ],
)
def test_a_search_is_a_hundred_documents_or_pieces_of_them(
    query: str, documents: list[str], least: int, most: int
) -> None:
    """Five hundred tokens a piece with the query, and a token at least a byte."""
    request = parse_request(body(query=query, documents=documents))
    assert (request.least_searches, request.searches) == (least, most)


def test_searches_are_shown_beside_the_tokens() -> None:
    bill = Bill(Usage(searches=2), 4_000_000, 0, False)
    answer = json.loads(render_response(read(COHERE), OurReply(), bill, parse_request(body())))
    assert answer["usage"] == {"prompt_tokens": 0, "total_tokens": 0, "cost": 0.004, "search_units": 2}


def test_results_are_sorted_and_cut_here_too() -> None:
    upstream = {"results": [{"index": index, "relevance_score": score} for index, score in ((0, -1), (2, 3), (1, 3))]}
    assert read(upstream).ranked == (Ranked(1, 3.0), Ranked(2, 3.0), Ranked(0, -1.0))
    assert read(upstream, top_n=1).ranked == (Ranked(1, 3.0),)


@pytest.mark.parametrize(
    "upstream",
    [
        {},
        {"results": []},
        {"results": None},
        [],
        {"results": [{"index": 3, "relevance_score": 0.5}]},
        {"results": [{"index": -1, "relevance_score": 0.5}]},
        {"results": [{"index": 0}]},
        {"results": [{"index": 0, "relevance_score": "high"}]},
        {"results": [{"index": 0, "relevance_score": 0.5}, {"index": 0, "relevance_score": 0.4}]},
        "busy",
    ],
)
def test_what_is_no_ranking_is_garbled(upstream: object) -> None:
    with pytest.raises(Garbled):
        read(upstream)


def test_a_page_of_html_is_garbled() -> None:
    with pytest.raises(Garbled):
        parse_response(b"<html>", parse_request(body()))


def test_an_error_in_a_200_is_a_failure_of_the_vendor() -> None:
    with pytest.raises(UpstreamFailed, match=r"^error in a 200: overloaded$"):
        read({"error": {"message": "said by a customer", "type": "overloaded"}})


def test_the_answer_has_the_common_shape() -> None:
    assert shown(read(VOYAGE)) == {
        "id": "rerank-1",
        "object": "list",
        "model": "rerank-1",
        "results": [{"index": 1, "relevance_score": 0.4375}, {"index": 0, "relevance_score": 0.421875}],
        "usage": {"prompt_tokens": 30, "total_tokens": 30, "cost": 0.0000006},
    }


def test_documents_come_back_as_they_were_sent() -> None:
    documents: list[object] = ["a", {"text": "b", "id": 7}, "c"]
    results = shown(read(COHERE), documents=documents, return_documents=True)["results"]
    assert results == [
        {"index": 1, "relevance_score": 0.999071, "document": {"text": "b", "id": 7}},
        {"index": 0, "relevance_score": 0.32713068, "document": {"text": "a"}},
    ]


def test_documents_that_a_vendor_repeats_are_not_shown_unasked() -> None:
    assert "document" not in json.dumps(shown(read(JINA)))


def test_scores_made_here_are_ranked() -> None:
    response = respond(parse_request(body(top_n=2)), [0.1, 0.9, 0.5], 12)
    assert response == RerankResponse((Ranked(1, 0.9), Ranked(2, 0.5)), UsageReport(Usage(input=12)))


def test_errors_have_openais_envelope() -> None:
    assert json.loads(render_error(NotFound("no such model", param="model"))) == {
        "error": {"message": "no such model", "type": "not_found", "param": "model", "code": "not_found"}
    }
