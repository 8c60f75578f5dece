"""Embeddings by Cohere: what it is sent for an OpenAI request, and how its answer is read."""

import json
from typing import Any

import pytest

from kyma.core.answer import UsageReport
from kyma.core.errors import Garbled, Rejected
from kyma.core.model import Quirks, Usage
from kyma.dialects import cohere_embed
from kyma.dialects.openai_embeddings import EmbeddingRequest, EmbeddingResponse, parse_request

Json = dict[str, Any]
NONSENSE = UsageReport(Usage(), is_valid=False)


def asked(**fields: object) -> EmbeddingRequest:
    return parse_request(json.dumps({"model": "m", "input": ["a", "b"], **fields}).encode())


def sent(*drop: str, **fields: object) -> tuple[Json, tuple[str, ...], tuple[str, ...]]:
    rendered = cohere_embed.render_request(asked(**fields), "embed-v4.0", Quirks(drop=drop))
    return json.loads(rendered.body), rendered.dropped, rendered.emulated


def answer(**meta: object) -> bytes:
    """Source: cohere-python's v2 types, 2026-08-19; docs.cohere.com/reference/embed, November 2026."""
    embeddings = {"float": [[0.5, -0.25, 0.125], [1, 2, 3]]}
    known = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 10}} | meta
    body = {"id": "f5aa", "texts": ["a", "b"], "embeddings": embeddings, "meta": known}
    return json.dumps(body | {"response_type": "embeddings_by_type"}).encode()


def read(body: bytes, **fields: object) -> EmbeddingResponse:
    return cohere_embed.parse_response(body, asked(**fields))


def test_cohere_is_told_what_the_texts_are_and_not_to_cut_them() -> None:
    assert cohere_embed.target("embed-v4.0", False) == "/embed"
    assert sent() == (
        {
            "model": "embed-v4.0",
            "texts": ["a", "b"],
            "input_type": "search_document",
            "embedding_types": ["float"],
            "truncate": "NONE",
        },
        (),
        (),
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [("query", "search_query"), ("document", "search_document"), ("classification", "classification")],
)
def test_a_customer_can_say_what_the_texts_are(given: str, said: str) -> None:
    assert sent(input_type=given)[0]["input_type"] == said


def test_cohere_has_some_lengths_and_we_make_the_others() -> None:
    assert sent(dimensions=256)[0]["output_dimension"] == 256
    for told in (sent(dimensions=300), sent("output_dimension", dimensions=256)):
        assert "output_dimension" not in told[0]
        assert told[2] == ("dimensions",)


def test_fields_travel_or_are_reported() -> None:
    body, dropped, emulated = sent(encoding_format="base64", truncate="END", user="u", odd=1)
    assert body["truncate"] == "END"
    assert (dropped, emulated) == (("user", "odd"), ("encoding_format",))


def test_vectors_come_in_order_with_what_was_billed() -> None:
    response = read(answer())
    assert [json.loads(bytes(vector.raw)) for vector in response.vectors] == [[0.5, -0.25, 0.125], [1, 2, 3]]
    assert response.report == UsageReport(Usage(10))


@pytest.mark.parametrize(
    ("meta", "report"),
    [
        ({"billed_units": {"input_tokens": 10.0}}, UsageReport(Usage(10))),
        ({"billed_units": None}, None),
        ({"billed_units": {"input_tokens": -1}}, NONSENSE),
        ({"billed_units": {"input_tokens": 1.5}}, NONSENSE),
        ({"billed_units": {"input_tokens": "many"}}, NONSENSE),
    ],
)
def test_nonsense_is_not_billed(meta: Json, report: UsageReport | None) -> None:
    assert read(answer(**meta)).report == report


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"{}",
        b'{"embeddings": {}}',
        b'{"embeddings": {"float": [[1]]}}',
        b'{"embeddings": {"float": [1, 2]}}',
    ],
)
def test_what_has_no_vector_for_each_text_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        read(body)


def test_more_dimensions_than_there_are_are_the_customers_mistake() -> None:
    with pytest.raises(Rejected, match="at most 3"):
        read(answer(), dimensions=4)
