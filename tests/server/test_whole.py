"""What holds for embeddings, rerank and moderations alike: they are metered, billed and rescued as chats are."""

import json

import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import HELLO, NANOS, Api
from tests.server.books import usage_row
from tests.server.catalog import FAILURES, KINDS, STRANGE_USAGES
from tests.server.whole import DOCUMENTS, INPUT, PATHS, ask
from tests.upstream.process import UpstreamProcess

COUNTED = {"embedding": 8, "rerank": 8}
"""What the source reports; it counts no moderations."""

ESTIMATED = {
    "embedding": -(-len(json.dumps(["one two three four five", "six seven eight"])) // 4),
    "rerank": -(-(len(json.dumps("which fruit")) * len(DOCUMENTS) + len(json.dumps(DOCUMENTS))) // 4),
    "moderation": -(-len("one two three four" + "five six seven eight") // 4),
}
"""Our own count: a token for four bytes."""


@pytest.mark.parametrize("kind", KINDS)
def test_the_balance_goes_down_by_the_cost(gateway: GatewayProcess, customer: Api, kind: str) -> None:
    before = customer.balance()
    answer = ask(customer, kind, f"good-{kind}")
    tokens = COUNTED.get(kind, ESTIMATED[kind])
    usage = answer.json()["usage"]
    assert (answer.status, usage["prompt_tokens"], usage["total_tokens"]) == (200, tokens, tokens)
    assert before - customer.balance() == answer.cost == tokens * INPUT
    row = usage_row(gateway.db_path, answer.headers["x-request-id"])
    assert (row["cost"], row["estimated"], row["flagged"]) == (answer.cost, kind not in COUNTED, 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("failure", [*FAILURES, "empty"])
def test_another_source_answers_when_the_first_fails(customer: Api, kind: str, failure: str) -> None:
    before = customer.balance()
    answer = ask(customer, kind, f"after-{failure}-{kind}")
    assert answer.status == 200, answer
    assert (answer.headers["x-kyma-fallback"], answer.headers["x-kyma-fallback-layer"]) == ("true", "1")
    assert answer.headers["x-kyma-model"] == answer.json()["model"] == f"after-{failure}-{kind}"
    assert before - customer.balance() == answer.cost == COUNTED.get(kind, ESTIMATED[kind]) * INPUT


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", [*FAILURES, "empty", "rejected"])
def test_nothing_is_charged_for_what_fails(customer: Api, kind: str, model: str) -> None:
    answer = ask(customer, kind, f"{model}-{kind}")
    assert answer.status == (400 if model == "rejected" else 503)
    assert answer.error["type"] == ("invalid_request" if model == "rejected" else "provider_error")
    body = customer.get("/v1/credits/balance").json()
    assert (body["balance"], body["reserved"], body["lifetime_spent"]) == (0.5, 0, 0)


@pytest.mark.parametrize("kind", COUNTED)
@pytest.mark.parametrize("model", STRANGE_USAGES)
def test_nonsense_usage_is_replaced_by_our_own_count(
    gateway: GatewayProcess, customer: Api, kind: str, model: str
) -> None:
    answer = ask(customer, kind, f"{model}-{kind}")
    assert (answer.status, answer.cost) == (200, ESTIMATED[kind] * INPUT)
    row = usage_row(gateway.db_path, answer.headers["x-request-id"])
    assert (row["estimated"], row["flagged"]) == (1, model != "no-usage")


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_another_kind_is_refused_and_told_where_it_belongs(
    customer: Api, upstream: UpstreamProcess, kind: str
) -> None:
    chat = customer.chat(f"good-{kind}")
    assert (chat.status, chat.error["code"], chat.error["param"]) == (400, "not_a_chat_model", "model")
    assert f"POST {PATHS[kind]}" in chat.error["message"]
    answer = ask(customer, kind, "good")
    article = "an" if kind == "embedding" else "a"
    assert (answer.status, answer.error["code"]) == (400, f"not_{article}_{kind}_model")
    assert "POST /v1/chat/completions" in answer.error["message"]
    assert upstream.log() == [] and customer.balance() == NANOS // 2


def test_every_dialect_of_chats_refuses_an_embedding_model_in_its_own_words(customer: Api) -> None:
    message = customer.post("/v1/messages", {"model": "good-embedding", "max_tokens": 5, "messages": HELLO})
    assert (message.status, message.json()["error"]["type"]) == (400, "invalid_request_error")
    contents = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    generated = customer.post("/v1beta/models/good-embedding:generateContent", contents)
    assert (generated.status, generated.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert customer.post("/v1/responses", {"model": "good-rerank", "input": "hi"}).error["code"] == "not_a_chat_model"


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_model_is_told_with_close_names(customer: Api, kind: str) -> None:
    answer = ask(customer, kind, f"goood-{kind}")
    assert (answer.status, answer.error["code"], answer.error["param"]) == (404, "model_not_found", "model")
    assert f"good-{kind}" in answer.error["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_key_nothing_is_asked(gateway: GatewayProcess, kind: str) -> None:
    answer = ask(Api(gateway.port, "ky-wrong"), kind, f"good-{kind}")
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("path", PATHS.values())
def test_the_addresses_take_post_alone_and_any_prefix(customer: Api, path: str) -> None:
    assert customer.get(path).status == 405
    for spelt in (path, f"/v1{path}", path.removeprefix("/v1")):
        answer = customer.send("POST", spelt, b'{"model": "good"')
        assert (answer.status, answer.error["code"]) == (400, "invalid_json"), spelt


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_too_large_for_the_tier_is_refused(limited_gateway: GatewayProcess, kind: str) -> None:
    from_bytes = {"input": "w" * 5_000_000} if kind != "rerank" else {"query": "q", "documents": ["w" * 5_000_000]}
    key = limited_gateway.register(f"large-{kind}@example.com")
    answer = Api(limited_gateway.port, key).post(PATHS[kind], {"model": f"good-{kind}", **from_bytes})
    assert (answer.status, answer.error["code"]) == (400, "max_single_request_exceeded")


def test_calls_count_against_the_rate_limits(limited_gateway: GatewayProcess) -> None:
    api = Api(limited_gateway.port, limited_gateway.register("many@example.com"))
    statuses = [ask(api, "embedding", "good-embedding").status for _ in range(26)]
    assert statuses == [200] * 25 + [429]


def test_the_models_are_listed_with_their_kind(customer: Api) -> None:
    kinds = {row["id"]: row["kind"] for row in customer.get("/v1/models").json()["data"]}
    assert kinds["good"] == "chat"
    assert {kind: kinds[f"good-{kind}"] for kind in KINDS} == {kind: kind for kind in KINDS}


def test_the_books_balance_after_all_this(gateway: GatewayProcess) -> None:
    found = gateway.cli("ledger", "verify")
    assert found.returncode == 0, found.stdout
