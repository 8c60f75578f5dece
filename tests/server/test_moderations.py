"""Moderations through a real gateway: verdicts as their vendor words them, for nothing where they cost nothing."""

from typing import Any

import openai
import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import NANOS, Api
from tests.server.books import usage_row
from tests.server.customers import open_account
from tests.upstream.process import UpstreamProcess

IMAGE: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400_000}}


def test_the_sdk_gets_a_verdict_on_each_text(sdk: openai.OpenAI) -> None:
    answer = sdk.moderations.create(model="good-moderation", input=["one", "two"])
    assert [result.flagged for result in answer.results] == [True, True]
    assert answer.results[0].category_scores.violence == 0.75
    assert answer.results[0].categories.violence is True
    assert answer.model == "good-moderation" and answer.id.startswith("modr-") and answer.id != "modr-upstream"


def test_one_text_is_one_verdict(sdk: openai.OpenAI) -> None:
    assert len(sdk.moderations.create(model="good-moderation", input="one").results) == 1


def test_texts_and_images_together_are_one_verdict(sdk: openai.OpenAI, gateway: GatewayProcess) -> None:
    """An image counts as what the model can make of it at most, not as its bytes."""
    parts: Any = [{"type": "text", "text": "12345678"}, IMAGE]
    answer = sdk.moderations.with_raw_response.create(model="seeing-moderation", input=parts)
    assert len(answer.parse().results) == 1
    row = usage_row(gateway.db_path, answer.headers["x-request-id"])
    assert (row["input_tokens"], row["estimated"]) == (2 + 1000, 1)


def test_images_are_refused_by_a_model_that_reads_texts_alone(sdk: openai.OpenAI, upstream: UpstreamProcess) -> None:
    with pytest.raises(openai.BadRequestError, match="takes no images"):
        sdk.moderations.create(model="good-moderation", input=[IMAGE])
    assert upstream.log() == []


def test_a_verdict_is_given_to_the_byte(customer: Api) -> None:
    assert b'"self-harm":1e-7' in customer.post("/v1/moderations", {"model": "good-moderation", "input": "x"}).body


def test_what_is_free_costs_nothing_and_is_logged_all_the_same(gateway: GatewayProcess, customer: Api) -> None:
    answer = customer.post("/v1/moderations", {"model": "free-moderation", "input": "one two"})
    assert (answer.status, answer.cost) == (200, 0)
    row = usage_row(gateway.db_path, answer.headers["x-request-id"])
    assert (row["cost"], row["status"], row["model"]) == (0, "finished", "free-moderation")
    body = customer.get("/v1/credits/balance").json()
    assert (body["balance"], body["reserved"], body["lifetime_spent"]) == (0.5, 0, 0)


def test_what_is_free_needs_no_credit(gateway: GatewayProcess) -> None:
    poor = open_account(gateway.port)
    poor.post("/v1/embeddings", {"model": "draining-embedding", "input": "a"})
    assert poor.balance() == 0
    assert poor.post("/v1/embeddings", {"model": "good-embedding", "input": "a"}).status == 402
    assert poor.post("/v1/moderations", {"model": "free-moderation", "input": "a"}).status == 200


def test_without_a_model_openais_own_is_meant_and_without_a_source_that_is_told(customer: Api) -> None:
    answer = customer.post("/v1/moderations", {"input": "one"})
    assert (answer.status, answer.error["code"], answer.error["param"]) == (404, "model_not_available", "model")
    assert "omni-moderation-latest" in answer.error["message"] and "OPENAI_API_KEY" in answer.error["message"]
    assert customer.balance() == NANOS // 2


@pytest.mark.parametrize("given", [[], ["a", {"type": "text", "text": "b"}], [{"type": "video"}], {"text": "a"}, None])
def test_a_wrong_input_is_named(customer: Api, given: object) -> None:
    answer = customer.post("/v1/moderations", {"model": "good-moderation", "input": given})
    assert answer.status == 400
    assert str(answer.error["param"]).startswith("input")
