"""Embeddings through a real gateway: the official SDK, both encodings, and the failures that only they have."""

import base64
import json
import struct
from typing import Any

import openai
import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import NANOS, Api
from tests.server.books import usage_row
from tests.server.whole import INPUT, embed
from tests.upstream.openai_whole import vector_of
from tests.upstream.process import UpstreamProcess

TEXTS = ["one two three", "four"]


@pytest.mark.parametrize("encoding", [None, "float", "base64"])
def test_the_sdk_gets_a_vector_for_each_text(sdk: openai.OpenAI, encoding: Any) -> None:
    more = {} if encoding is None else {"encoding_format": encoding}
    answer = sdk.embeddings.create(model="good-embedding", input=TEXTS, **more)
    got: list[Any] = [entry.embedding for entry in answer.data]
    if encoding == "base64":  # asked for by the caller, it is left as it came
        got = [list(struct.unpack("<4f", base64.b64decode(vector))) for vector in got]
    assert got == [vector_of(0), vector_of(1)]
    assert [entry.index for entry in answer.data] == [0, 1]
    assert (answer.model, answer.usage.prompt_tokens, answer.usage.total_tokens) == ("good-embedding", 4, 4)


def test_one_text_is_one_vector(sdk: openai.OpenAI) -> None:
    answer = sdk.embeddings.create(model="good-embedding", input="one two three")
    assert [entry.embedding for entry in answer.data] == [vector_of(0)]


async def test_the_asynchronous_sdk_gets_the_same(gateway: GatewayProcess) -> None:
    async with openai.AsyncOpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.key, max_retries=0) as client:
        answer = await client.embeddings.create(model="good-embedding", input=TEXTS)
    assert [entry.embedding for entry in answer.data] == [vector_of(0), vector_of(1)]


def test_fewer_dimensions_are_asked_of_the_source(sdk: openai.OpenAI, upstream: UpstreamProcess) -> None:
    answer = sdk.embeddings.create(model="good-embedding", input="hi", dimensions=2)
    assert answer.data[0].embedding == vector_of(0)[:2]
    assert upstream.log()[-1].body["dimensions"] == 2


def test_a_source_that_takes_fewer_fields_is_helped_and_the_report_says_how(customer: Api) -> None:
    fields = {"dimensions": 1, "user": "u", "encoding_format": "base64"}
    answer = embed(customer, "dropping-embedding", "hi", **fields)
    assert answer.status == 200
    (vector,) = struct.unpack("<1f", base64.b64decode(answer.json()["data"][0]["embedding"]))
    assert vector == 1.0, "cut here, and brought back to length 1"
    assert answer.headers["x-kyma-dropped"] == "user"
    assert set(answer.headers["x-kyma-emulated"].split(", ")) == {"dimensions", "encoding_format"}


def test_strict_refuses_what_would_be_dropped_and_takes_no_money(customer: Api) -> None:
    body = json.dumps({"model": "dropping-embedding", "input": "hi", "user": "u"}).encode()
    answer = customer.send("POST", "/v1/embeddings", body, {"X-Kyma-Strict": "true"})
    assert (answer.status, answer.error["code"]) == (400, "fields_would_be_dropped")
    assert "user" in answer.error["message"]
    assert customer.balance() == NANOS // 2


def test_token_ids_go_to_a_model_whose_tokenizer_made_them(sdk: openai.OpenAI) -> None:
    answer = sdk.embeddings.create(model="ids-embedding", input=[[5, 6, 7], [8]])
    assert [entry.embedding for entry in answer.data] == [vector_of(0), vector_of(1)]
    assert answer.usage.prompt_tokens == 4
    assert len(sdk.embeddings.create(model="ids-embedding", input=[5, 6]).data) == 1


def test_token_ids_are_refused_elsewhere(sdk: openai.OpenAI, upstream: UpstreamProcess) -> None:
    with pytest.raises(openai.BadRequestError, match="takes texts, not token ids") as caught:
        sdk.embeddings.create(model="good-embedding", input=[1, 2, 3])
    assert (caught.value.param, caught.value.code) == ("input", "unsupported_parameter")
    assert upstream.log() == []


def test_more_dimensions_than_the_model_has_are_the_callers_mistake(customer: Api) -> None:
    answer = embed(customer, "dropping-embedding", "hi", dimensions=99)
    assert answer.status == 400
    assert "dimensions may be at most 4" in answer.error["message"]
    assert customer.balance() == NANOS // 2


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input.1"),
        ({"input": {"text": "a"}}, "input"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
    ],
)
def test_a_wrong_field_is_named(customer: Api, fields: dict[str, object], param: str) -> None:
    answer = customer.post("/v1/embeddings", {"model": "good-embedding", **fields})
    assert (answer.status, answer.error["param"]) == (400, param)


def test_402_asks_for_less_at_once(customer: Api) -> None:
    answer = embed(customer, "dear-embedding", "word " * 20)
    assert (answer.status, answer.error["code"]) == (402, "insufficient_credits")
    assert "max_tokens" not in answer.error["message"] and "send less at once" in answer.error["message"]
    assert embed(customer, "dear-embedding", "one").cost == 10_000 * INPUT


def test_many_texts_may_fill_their_windows_each(gateway: GatewayProcess, operator: Api) -> None:
    """150,000 tokens are more than the model's window, and no nonsense where they are of three texts."""
    answer = embed(operator, "good-embedding", ["w " * 140_000] * 2)
    row = usage_row(gateway.db_path, answer.headers["x-request-id"])
    assert (answer.cost, row["flagged"], row["estimated"]) == (280_000 * INPUT, 0, 0)


def test_the_log_knows_what_was_asked(gateway: GatewayProcess, customer: Api) -> None:
    row = usage_row(gateway.db_path, embed(customer, "good-embedding", TEXTS).headers["x-request-id"])
    assert (row["dialect"], row["model"], row["status"]) == ("openai_embeddings", "good-embedding", "finished")
    assert (row["input_tokens"], row["output_tokens"], row["cost"]) == (4, 0, 4 * INPUT)
