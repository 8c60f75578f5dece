"""GET /v1/openapi.json: valid, whole, and all that the seed's document has."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from openapi_spec_validator import validate

from kyma.api.control import ROUTERS
from kyma.api.text import HOT_PATHS, hot_route
from tests.gateway_process import GatewayProcess
from tests.server.customers import stranger
from tests.server.superset import Walk

Json = Any
SEED = json.loads((Path(__file__).parents[1] / "fixtures/seed_openapi.json").read_text())

EMPTY_CHAT = {
    "body.messages: minItems 1": "a conversation without a message has no answer",
    "body.model: minLength 1": "an empty name names no model",
}
NULLS_OF_OPENAI = "OpenAI's own form of an answer that calls tools or declines"
DEPARTURES = {
    **{f"POST /v1/chat/completions {line}": reason for line, reason in EMPTY_CHAT.items()},
    **{f"POST /v1/messages {line}": reason for line, reason in EMPTY_CHAT.items()},
    "POST /v1/chat/completions body.max_tokens: minimum 1": "there is no answer of no tokens",
    "POST /v1/chat/completions body.max_tokens: maximum 2147483648": "more than any model has",
    "POST /v1/messages body.max_tokens: minimum 0": "there is no answer of fewer tokens",
    "POST /v1/messages body.max_tokens: maximum 2147483648": "more than any model has",
    "POST /v1/chat/completions 200.choices[].message.role: no value 'system'": "models speak as the assistant",
    "POST /v1/chat/completions 200.choices[].message.role: no value 'user'": "models speak as the assistant",
    "POST /v1/chat/completions 200.choices[].message.role: no value 'tool'": "models speak as the assistant",
    "POST /v1/chat/completions 200.choices[].message.tool_call_id: not there": "an answer is no tool's result",
    "POST /v1/chat/completions 200.choices[].message.content: null is not string": NULLS_OF_OPENAI,
    "POST /v1/chat/completions 200.choices[].message.tool_calls: null is not array": NULLS_OF_OPENAI,
    "POST /v1/chat/completions 200.choices[].finish_reason: 'content_filter' is not allowed": NULLS_OF_OPENAI,
    "GET /v1/models ?min_context_window: minimum 0": "there is no negative window",
    "GET /v1/models ?max_input_price: minimum 0": "there is no negative price",
    "GET /v1/models 200.data[].max_output_tokens: null is not integer": "embeddings and verdicts have no output",
    "GET /v1/models 200.data[].output_modalities[]: 'video' is not allowed": "the seed is older than the videos",
    "GET /v1/models 200.data[].output_modalities[]: 'embedding' is not allowed": "the seed has texts alone",
    "GET /v1/models 200.data[].output_modalities[]: 'score' is not allowed": "the seed has texts alone",
    **{
        f"POST /v1/auth/{verb} body.{field}: maxLength {most}": "bounded, as everything that strangers send"
        for verb in ("register", "login")
        for field, most in (("email", 320), ("password", 1024))
    },
}
"""Where the document is not what the walk demands, and why that hurts no client of the seed."""

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document(gateway: GatewayProcess) -> Json:
    return stranger(gateway.port).get("/v1/openapi.json").json()


def operations(document: Json) -> list[tuple[str, str, Json]]:
    return [(method, path, said) for path, item in document["paths"].items() for method, said in item.items()]


def test_it_is_valid_openapi(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_it_has_everything_of_the_seed(document: Json) -> None:
    assert sorted(Walk(SEED, document).differences()) == sorted(DEPARTURES)


def test_the_walk_finds_nothing_in_the_seed_itself() -> None:
    """Its server has the prefix that our paths have."""
    prefixed = SEED | {"paths": {f"/v1{path}": item for path, item in SEED["paths"].items()}}
    assert Walk(SEED, prefixed).differences() == []


@pytest.mark.parametrize(
    ("place", "changed", "found"),
    [
        ("paths /config", None, "GET /v1/config: not there"),
        ("paths /models get operationId", "models", "GET /v1/models: operationId 'models' instead of 'listModels'"),
        ("paths /models get summary", "Models", "GET /v1/models: summary 'Models' instead of 'List all models'"),
        ("paths /models get tags", ["Chat"], "GET /v1/models: no tag Models"),
        ("paths /models get security", [{"BearerAuth": []}], "GET /v1/models: no access by nobody"),
        ("paths /auth/me get security", [{"Other": []}], "GET /v1/auth/me: no access by {'BearerAuth': []}"),
        ("paths /models get parameters 0 name", "for", "GET /v1/models: no parameter recommended_for in query"),
        ("paths /models get parameters 5 schema enum", ["fast", "slow"], "?latency_tier: no value 'medium'"),
        ("paths /models get parameters 5 schema enum", ["fast", "slow"], "?latency_tier: 'medium' is not allowed"),
        ("paths /models get parameters 8 schema type", "boolean", "?min_context_window: integer is not boolean"),
        ("paths /models get parameters 0 required", True, "GET /v1/models: parameter recommended_for is required"),
        ("paths /auth/me get responses 401", None, "GET /v1/auth/me: no response 401"),
        ("paths /messages post requestBody", None, "POST /v1/messages: no body of application/json"),
        ("paths /chat/completions post responses 200 content text/event-stream", None, "200: no text/event-stream"),
        ("paths /chat/completions post responses 200 headers X-Kyma-Alias", None, "200: no header X-Kyma-Alias"),
        ("components schemas Message required", ["role", "content", "name"], "body.messages[].name: may be absent"),
        ("components schemas Message properties tool_calls", None, "body.messages[].tool_calls: not there"),
        ("components schemas Model properties hot", None, "GET /v1/models 200.data[].hot: not there"),
        ("components schemas Model properties hot type", "string", "200.data[].hot: string is not boolean"),
        ("components schemas Model properties id type", ["string", "null"], "200.data[].id: null is not string"),
        ("components schemas Error properties error properties type", None, "401.error.type: not there"),
        ("components securitySchemes BearerAuth scheme", "basic", "securitySchemes.BearerAuth.scheme: 'basic'"),
        ("components responses RateLimited headers Retry-After", None, "429: no header Retry-After"),
        ("tags 2 name", "Finding", "tags: no Discovery with a description"),
        ("info title", "Other", "info: another title"),
    ],
)
def test_the_walk_finds_what_is_missing_or_hurts(place: str, changed: Json, found: str) -> None:
    """The seed against itself with one thing changed, or gone where that is None."""
    ours = copy.deepcopy(SEED)
    *steps, last = place.split()
    node = ours
    for step in steps:
        node = node[int(step) if isinstance(node, list) else step]
    if changed is None:
        del node[last]
    else:
        node[last] = changed
    ours["paths"] = {f"/v1{path}": item for path, item in ours["paths"].items()}
    assert any(found in line for line in Walk(SEED, ours).differences())


def test_it_lists_everything_served(document: Json) -> None:
    app = FastAPI(openapi_url=None)
    for router in ROUTERS:
        app.include_router(router)
    served = {
        (method.lower(), context.path_format)
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
        if getattr(context.original_route, "include_in_schema", True)
    }
    served |= {("post", path) for path in HOT_PATHS} | {("get", "/v1/openapi.json")}
    assert {(method, path) for method, path, _ in operations(document)} == served


def test_every_hot_path_is_a_hot_route() -> None:
    assert all(hot_route(path.replace("{model}", "good")) for path in HOT_PATHS)


def test_every_listed_path_is_served(gateway: GatewayProcess, document: Json) -> None:
    """Nothing answers that it does not exist: where 404 is said at all, it is of what was asked for by name."""
    anybody = stranger(gateway.port)
    for method, path, _ in operations(document):
        asked = re.sub(r"\{\w+\}", "good", path)
        answer = anybody.send(method.upper(), asked, b"{}" if method in ("post", "put") else None)
        assert answer.status in (200, 400, 401), (method, path, answer)


def test_every_operation_has_words_an_id_and_a_described_tag(document: Json) -> None:
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    ids = [said["operationId"] for _, _, said in operations(document)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+[A-Za-z]*", one) for one in ids), ids
    for method, path, said in operations(document):
        assert said["summary"] and set(said["tags"]) <= described, (method, path)


def test_every_operation_documents_what_any_route_may_answer(document: Json) -> None:
    for method, path, said in operations(document):
        assert {"400", "413", "415", "431", "500", "503"} <= set(said["responses"]), (method, path)
        assert "422" not in said["responses"]
        if said["security"]:
            assert "401" in said["responses"], (method, path)


def test_every_call_of_a_model_documents_credit_limits_and_unknown_models(document: Json) -> None:
    for path in HOT_PATHS:
        responses = document["paths"][path]["post"]["responses"]
        is_free = path.endswith(("countTokens", "count_tokens"))
        assert {"401", "404", "503"} <= set(responses)
        assert is_free or {"402", "429"} <= set(responses), path
        assert is_free or "X-Kyma-Model" in responses["200"]["headers"]


@pytest.mark.parametrize(
    ("path", "envelope"),
    [
        ("/v1/chat/completions", "Error"),
        ("/v1/responses", "Error"),
        ("/v1/embeddings", "Error"),
        ("/v1/messages", "AnthropicError"),
        ("/v1/messages/count_tokens", "AnthropicError"),
        ("/v1beta/models/{model}:generateContent", "GeminiError"),
        ("/v1beta/models/{model}:countTokens", "GeminiError"),
    ],
)
def test_errors_have_the_form_of_their_dialect(document: Json, path: str, envelope: str) -> None:
    for status, response in document["paths"][path]["post"]["responses"].items():
        if status != "200":
            told = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
            content = told["content"]["application/json"]
            assert content["schema"] == {"$ref": f"#/components/schemas/{envelope}"}
            assert content["example"]["error"]["message"]


def test_the_document_names_this_gateway(gateway: GatewayProcess, document: Json) -> None:
    assert document["servers"] == [{"url": gateway.base_url}]
    assert document["info"]["license"]["identifier"] == "Apache-2.0"


def test_no_schema_is_left_over(document: Json) -> None:
    """Every component is referred to from somewhere, but for refusals that no route of that dialect tells."""
    text = json.dumps(document)
    unused = [name for name in document["components"]["schemas"] if f'"#/components/schemas/{name}"' not in text]
    assert unused == []
