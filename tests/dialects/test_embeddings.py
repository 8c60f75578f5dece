"""Embeddings: customers' requests, vendors' vectors in both encodings, and what the official SDK makes of them."""

import base64
import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

import httpx2
import msgspec
import openai
import pytest
from openai.types import CreateEmbeddingResponse

from kyma.calls.meter import BYTES_PER_TOKEN
from kyma.core.answer import Bill, UsageReport
from kyma.core.errors import Garbled, InvalidRequest, RateLimited, Rejected, UpstreamFailed
from kyma.core.model import Quirks, Usage
from kyma.dialects.openai_embeddings import (
    EmbeddingRequest,
    EmbeddingResponse,
    parse_request,
    parse_response,
    render_error,
    render_request,
    render_response,
    respond,
)


@dataclass
class OurReply:
    request_id: str = "req_1"
    model_id: str = "minilm"
    created: int = 1_700_000_000
    input_estimate: int = 1


BILL = Bill(Usage(input=7), 1_234, 0, False)
FIRST, SECOND = [0.6, 0.8, 0.0], [0.0, -0.28, 0.96]


def body(**fields: object) -> bytes:
    return json.dumps({"model": "m", "input": "hi", **fields}).encode()


def base64_of(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def answer(*vectors: object, **outer: object) -> bytes:
    """A vendor's answer, as OpenAI documents it."""
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 7, "total_tokens": 7}
    return json.dumps({"object": "list", "data": data, "model": "vendor/m", "usage": usage, **outer}).encode()


def sent(quirks: Quirks | None = None, **fields: object) -> dict[str, object]:
    """What an upstream gets for a request with these fields."""
    result: dict[str, object] = json.loads(
        render_request(parse_request(body(**fields)), "vendor/m", quirks or Quirks()).body
    )
    return result


def shown(response: EmbeddingResponse, request: EmbeddingRequest) -> list[object]:
    """The embeddings that the customer sees."""
    rendered = json.loads(render_response(response, OurReply(), BILL, request))
    if request.encoding == "float":  # the SDK's type knows vectors only; it decodes base64 before that
        CreateEmbeddingResponse.model_validate(rendered)
    return [entry["embedding"] for entry in rendered["data"]]


def through(upstream: bytes, **fields: object) -> list[object]:
    request = parse_request(body(**fields))
    return shown(parse_response(upstream, request), request)


def test_a_text_and_a_list_of_texts_are_read() -> None:
    assert parse_request(body(input="hi")).texts == ("hi",)
    assert parse_request(body(input=["a", "bü"])).texts == ("a", "bü")
    assert parse_request(body(input=["a", "b"])).count == 2


def test_token_ids_are_read_as_one_text_or_several() -> None:
    assert parse_request(body(input=[1, 2, 3])).token_ids == ((1, 2, 3),)
    assert parse_request(body(input=[[1, 2], [3]])).token_ids == ((1, 2), (3,))
    request = parse_request(body(input=[[1, 2], [3]]))
    assert (request.has_token_ids, request.readings) == (True, 2)


def test_a_token_id_counts_as_much_as_an_estimated_token_of_text() -> None:
    assert parse_request(body(input=[[1, 2], [3]])).input_bytes == 3 * BYTES_PER_TOKEN


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input.1"),
        ({"input": [[1], []]}, "input.1"),
        ({"input": [1, "a"]}, "input"),
        ({"input": ["a", [1]]}, "input"),
        ({"input": ["a", 1]}, "input"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": None}, "input"),
        ({"input": {"text": "a"}}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"model": ""}, "model"),
        ({"user": 3}, "user"),
    ],
)
def test_wrong_fields_are_refused_by_name(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(body(**fields))
    assert caught.value.param == param


def test_a_missing_input_is_named() -> None:
    with pytest.raises(InvalidRequest, match="missing required field input"):
        parse_request(b'{"model":"m"}')


def test_the_input_bounds_the_tokens() -> None:
    assert parse_request(body(input="x" * 50)).input_bytes >= 50


def test_the_request_travels_with_what_we_do_not_know() -> None:
    upstream = sent(input=["a", "b"], dimensions=2, user="u", input_type="query", idempotency_key="k")
    assert upstream == {
        "model": "vendor/m",
        "input": ["a", "b"],
        "dimensions": 2,
        "user": "u",
        "input_type": "query",
        "encoding_format": "float",
    }


def test_the_upstream_is_asked_for_the_customers_encoding() -> None:
    assert sent(encoding_format="base64")["encoding_format"] == "base64"
    assert sent(encoding_format=None)["encoding_format"] == "float"


def test_what_the_vendor_does_not_take_is_left_out_and_done_here() -> None:
    quirks = Quirks(drop=("dimensions", "encoding_format", "user"))
    request = parse_request(body(dimensions=2, encoding_format="base64", user="u"))
    rendered = render_request(request, "m", quirks)
    assert json.loads(rendered.body) == {"model": "m", "input": "hi"}
    assert (rendered.dropped, rendered.emulated) == (("user",), ("dimensions", "encoding_format"))


def test_every_field_travels_or_is_reported() -> None:
    fields: dict[str, object] = {"dimensions": 2, "encoding_format": "float", "user": "u", "odd": 1, "truncate": "END"}
    rendered = render_request(parse_request(body(**fields)), "m", Quirks(drop=("user", "truncate")))
    travelled = set(json.loads(rendered.body))
    assert travelled | set(rendered.dropped) | set(rendered.emulated) == {"model", "input", *fields}


def test_quirks_of_chats_are_not_sent_to_an_embedding_model() -> None:
    assert set(sent(Quirks(force={"reasoning_split": msgspec.Raw(b"true")}))) == {"model", "input", "encoding_format"}


def test_vectors_of_the_wanted_encoding_are_relayed_to_the_digit() -> None:
    digits = b"[-0.006929283495992422,1e-7,0.10]"
    upstream = answer("HERE").replace(b'"HERE"', digits)
    request = parse_request(body())
    assert digits in render_response(parse_response(upstream, request), OurReply(), BILL, request)


def test_a_vendor_may_answer_in_the_other_encoding() -> None:
    assert through(answer(FIRST), encoding_format="base64") == [base64_of(FIRST)]
    (values,) = through(answer(base64_of(SECOND)), encoding_format="float")
    assert values == pytest.approx(SECOND)


def test_vectors_come_back_in_the_order_of_the_inputs() -> None:
    upstream = json.dumps(
        {"data": [{"index": 1, "embedding": SECOND}, {"index": 0, "embedding": FIRST}], "model": "m"}
    ).encode()
    assert through(upstream, input=["a", "b"]) == [FIRST, SECOND]


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_dimensions_that_a_vendor_ignored_are_cut_and_brought_back_to_length_one(encoding: str) -> None:
    upstream = answer(FIRST if encoding == "float" else base64_of(FIRST))
    (vector,) = through(upstream, dimensions=1, encoding_format=encoding)
    assert vector == ([1.0] if encoding == "float" else base64_of([1.0]))
    (pair,) = through(answer([3.0, 4.0, 12.0]), dimensions=2)
    assert pair == pytest.approx([0.6, 0.8])


def test_a_vector_of_zeros_can_be_cut() -> None:
    assert through(answer([0.0, 0.0, 1.0]), dimensions=2) == [[0.0, 0.0]]


def test_more_dimensions_than_the_model_has_are_the_customers_mistake() -> None:
    with pytest.raises(Rejected) as caught:
        through(answer(FIRST), dimensions=4)
    assert "at most 3" in caught.value.caller_message
    with pytest.raises(Rejected):
        respond(parse_request(body(dimensions=4)), [FIRST], 3)


def test_vectors_made_here_are_answered_in_both_encodings() -> None:
    for encoding, expected in (("float", FIRST), ("base64", base64_of(FIRST))):
        request = parse_request(body(encoding_format=encoding))
        response = respond(request, [FIRST], 3)
        assert shown(response, request) == [expected]
        assert response.report == UsageReport(Usage(input=3))


@pytest.mark.parametrize(
    "upstream",
    [
        b"<html>busy</html>",
        b"",
        b"[]",
        b"{}",
        answer(),
        answer(FIRST),
        answer(FIRST, SECOND, FIRST),
        json.dumps({"data": [{"index": 0, "embedding": FIRST}, {"index": 0, "embedding": FIRST}]}).encode(),
        answer(FIRST, []),
        answer(FIRST, ""),
        answer(FIRST, ["a"]),
        answer(FIRST, [None]),
        answer(FIRST, "no base64!"),
        answer(FIRST, "AAA="),
        answer(FIRST, base64_of([math.nan])),
        answer(FIRST, [1e300]),
        answer(FIRST, {"0": 1.0}),
    ],
)
def test_what_is_no_list_of_two_vectors_is_garbled(upstream: bytes) -> None:
    with pytest.raises(Garbled):
        parse_response(upstream, parse_request(body(input=["a", "b"])))


def test_an_error_in_a_200_is_a_failure_of_the_vendor() -> None:
    with pytest.raises(UpstreamFailed, match=r"^error in a 200: overloaded$"):
        parse_response(b'{"error":{"message":"said by a customer","type":"overloaded"}}', parse_request(body()))


@pytest.mark.parametrize(
    ("usage", "report"),
    [
        ({"prompt_tokens": 7, "total_tokens": 7}, UsageReport(Usage(7))),
        ({"total_tokens": 7}, UsageReport(Usage(7))),
        ({"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 7}, UsageReport(Usage(7))),
        (None, None),
        ({"prompt_tokens": -7}, UsageReport(Usage(), is_valid=False)),
        ({"prompt_tokens": 7.5}, UsageReport(Usage(), is_valid=False)),
        ({"prompt_tokens": 2**50}, UsageReport(Usage(), is_valid=False)),
        ("many", UsageReport(Usage(), is_valid=False)),
    ],
)
def test_usage_is_read_as_vendors_say_it(usage: object, report: UsageReport | None) -> None:
    assert parse_response(answer(FIRST, usage=usage), parse_request(body())).report == report


def test_usage_is_shown_with_its_cost() -> None:
    request = parse_request(body())
    rendered = json.loads(render_response(respond(request, [FIRST], 7), OurReply(), BILL, request))
    assert rendered["usage"] == {"prompt_tokens": 7, "total_tokens": 7, "cost": 0.000001234}
    assert (rendered["object"], rendered["model"]) == ("list", "minilm")
    assert rendered["data"][0] == {"object": "embedding", "index": 0, "embedding": FIRST}


def test_the_vendors_own_model_name_is_not_shown() -> None:
    request = parse_request(body())
    assert b"vendor" not in render_response(parse_response(answer(FIRST), request), OurReply(), BILL, request)


def test_errors_have_openais_envelope() -> None:
    rendered = json.loads(render_error(RateLimited("slow down", param=None)))
    assert rendered == {
        "error": {"message": "slow down", "type": "rate_limit", "param": None, "code": "rate_limit_exceeded"}
    }


def customer(serve: Callable[[bytes], bytes]) -> openai.OpenAI:
    """The official SDK, its requests answered by `serve`."""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=serve(request.content)))
    return openai.OpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=httpx2.Client(transport=transport))


@pytest.mark.parametrize("vendors_encoding", ["float", "base64"])
def test_the_official_sdk_reads_what_it_asked_for_by_itself(vendors_encoding: str) -> None:
    def serve(content: bytes) -> bytes:
        request = parse_request(content)
        assert request.encoding == "base64"
        upstream = [FIRST, SECOND] if vendors_encoding == "float" else [base64_of(FIRST), base64_of(SECOND)]
        return render_response(parse_response(answer(*upstream), request), OurReply(), BILL, request)

    with customer(serve) as client:
        got = client.embeddings.create(model="m", input=["a", "b"])
    assert [entry.embedding for entry in got.data] == [pytest.approx(FIRST), pytest.approx(SECOND)]
    assert got.usage.prompt_tokens == 7
