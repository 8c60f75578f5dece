"""What callers say about who is to serve them: through the real gateway, in every dialect that has a place for it."""

from typing import Any

import openai
import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import HELLO, Api
from tests.server.books import usage_row
from tests.upstream.process import UpstreamProcess

WISHES: dict[str, Any] = {"provider": {"sort": "price", "data_collection": "allow"}, "models": ["other"]}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HELLO},
    "/v1/responses": {"input": "one two three"},
    "/v1/completions": {"prompt": "one two three"},
    "/v1/messages": {"messages": HELLO, "max_tokens": 50},
}
SUFFIXES = ("", "-anthropic", "-gemini")
"""Of models that are served in one dialect alone."""


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_vendor_is_told_and_nothing_is_dropped(
    operator: Api, upstream: UpstreamProcess, path: str, suffix: str
) -> None:
    plain = operator.post(path, {"model": f"good{suffix}", **BODIES[path]})
    answer = operator.post(path, {"model": f"good{suffix}", **BODIES[path], **WISHES})
    assert (plain.status, answer.status) == (200, 200), answer
    assert answer.headers.get("x-kyma-dropped") == plain.headers.get("x-kyma-dropped")
    first, second = upstream.log()
    assert second.body == first.body
    assert not {"provider", "models"} & set(second.body)


@pytest.mark.parametrize(
    ("path", "model", "body"),
    [
        ("/v1/embeddings", "good-embedding", {"input": "one"}),
        ("/v1/rerank", "good-rerank", {"query": "one", "documents": ["one", "two"]}),
        ("/v1/moderations", "good-moderation", {"input": "one"}),
    ],
)
def test_nor_where_nothing_is_generated(
    operator: Api, upstream: UpstreamProcess, path: str, model: str, body: dict[str, Any]
) -> None:
    answer = operator.post(path, {"model": model, **body, "provider": {"sort": "price"}})
    assert (answer.status, answer.headers.get("x-kyma-dropped")) == (200, None), answer
    assert "provider" not in upstream.log()[-1].body


def test_a_strict_caller_may_have_wishes(operator: Api) -> None:
    assert operator.post("/v1/chat/completions", {"model": "good", "messages": HELLO, **WISHES}).status == 200
    strict = operator.send(
        "POST",
        "/v1/messages",
        b'{"model":"good","max_tokens":5,"messages":[{"role":"user","content":"x"}],"provider":{"sort":"price"}}',
        {"x-kyma-strict": "true"},
    )
    assert strict.status == 200, strict


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("wishes", "word"),
    [
        ({"provider": {"sort": "speed"}}, "provider.sort must be one of price, latency, throughput"),
        ({"provider": {"oder": ["groq"]}}, "there is no member oder in provider; there are order, only, ignore"),
        ({"provider": {"max_price": {"prompt": "cheap"}}}, "provider.max_price.prompt"),
        ({"provider": {"quantizations": ["fp8"]}}, "provider.quantizations is not supported"),
        ({"models": "other"}, "models"),
        ({"models": [""]}, "models.0 must name a model or an alias"),
    ],
)
def test_a_wrong_wish_is_refused_and_costs_nothing(
    operator: Api, upstream: UpstreamProcess, path: str, wishes: dict[str, Any], word: str
) -> None:
    answer = operator.post(path, {"model": "good", **BODIES[path], **wishes})
    assert answer.status == 400, answer
    assert word in answer.json()["error"]["message"]
    assert upstream.log() == []


def test_the_path_of_a_wrong_wish_is_the_param(operator: Api) -> None:
    error = operator.chat("good", provider={"sort": {"by": "exacto"}}).error
    assert (error["type"], error["code"], error["param"]) == ("invalid_request", "invalid_request", "provider.sort.by")


@pytest.mark.parametrize("path", BODIES)
def test_models_alone_name_the_model(operator: Api, path: str) -> None:
    answer = operator.post(path, {**BODIES[path], "models": ["good", "other"]})
    assert (answer.status, answer.headers["x-kyma-model"]) == (200, "good")


def test_a_request_that_names_no_model_at_all_says_so(operator: Api) -> None:
    error = operator.post("/v1/chat/completions", {"messages": HELLO, "models": []}).error
    assert (error["message"], error["param"]) == ("model must name a model or an alias", "model")


@pytest.mark.parametrize("name", ["good:floor", "good:nitro", "GOOD:FLOOR", "nickname:floor"])
def test_a_suffix_stands_behind_a_model_or_an_alias(operator: Api, name: str) -> None:
    answer = operator.chat(name)
    assert (answer.status, answer.headers["x-kyma-model"]) == (200, "good")
    assert answer.headers["x-kyma-alias"] == name.lower()
    assert answer.json()["model"] == "good"


def test_a_suffix_stands_in_a_path_of_geminis_too(operator: Api) -> None:
    body = {"contents": [{"parts": [{"text": "one two three"}]}]}
    answer = operator.post("/v1beta/models/good:floor:generateContent", body)
    assert (answer.status, answer.headers["x-kyma-alias"]) == (200, "good:floor")


def test_the_books_have_the_name_as_it_was_asked(gateway: GatewayProcess, operator: Api) -> None:
    row = usage_row(gateway.db_path, operator.chat("good:floor").headers["x-request-id"])
    assert (row["model"], row["requested_model"]) == ("good", "good:floor")


def test_an_order_of_strangers_leaves_nobody_without_fallbacks_and_everybody_with(operator: Api) -> None:
    strangers = {"order": ["nobody"]}
    answer = operator.chat("good", provider=strangers | {"allow_fallbacks": False})
    assert (answer.status, answer.error["code"]) == (400, "no_source_allowed")
    assert operator.chat("good", provider=strangers).status == 200


def test_an_unknown_suffix_is_an_unknown_model(operator: Api) -> None:
    answer = operator.chat("good:free")
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")


def test_the_official_sdk_sends_wishes_in_its_extra_body(sdk: openai.OpenAI, upstream: UpstreamProcess) -> None:
    answer = sdk.chat.completions.create(
        model="good:floor",
        messages=[{"role": "user", "content": "one two three"}],
        extra_body={"provider": {"ignore": ["nobody"], "allow_fallbacks": True}, "models": ["other"]},
    )
    assert (answer.model, answer.choices[0].message.content) == ("good", "w0 w1 w2 w3 w4")
    assert not {"provider", "models"} & set(upstream.log()[-1].body)


def test_the_official_sdk_reads_the_path_of_a_wrong_wish(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(
            model="good", messages=[{"role": "user", "content": "x"}], extra_body={"provider": {"zdr": "yes"}}
        )
    assert caught.value.param == "provider.zdr"


def test_the_document_says_what_may_be_wished(operator: Api) -> None:
    document = operator.get("/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert set(schemas["ProviderPreferences"]["properties"]) >= {
        *("order", "only", "ignore", "sort", "max_price", "allow_fallbacks", "require_parameters", "data_collection"),
    }
    for path in ("/v1/messages", "/v1/responses", "/v1/completions"):
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert {"provider", "models"} <= set(schemas[body["$ref"].rpartition("/")[2]]["properties"])
    assert {"provider", "models"} <= set(schemas["ChatCompletionRequest"]["properties"])
    for path in (*BODIES, "/v1/embeddings"):
        headers = [row["name"] for row in document["paths"][path]["post"]["parameters"] if row["in"] == "header"]
        assert "X-Kyma-No-Substitute" in headers, path
