"""Aliases and `auto` through the real gateway, in every dialect: who answers, under which name, why, at whose price."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.server.api import HELLO, Answer, Api
from tests.server.books import usage_row
from tests.upstream.process import UpstreamProcess

SIZES = {"context_window": 8_192, "max_output_tokens": 8_192}
MODELS = [
    ModelSpec("plain", [RouteSpec("one", "script:ok")], fields={"supports": [], **SIZES}),
    ModelSpec("worker", [RouteSpec("one", "script:ok")], input="2", output="4"),
    ModelSpec(
        "seer",
        [RouteSpec("two", "script:ok")],
        input="3",
        output="6",
        fields={"supports": ["vision", "tools"], "image_tokens": 1_000},
    ),
    ModelSpec("vectors", [RouteSpec("one", "script:ok")], fields={"kind": "embedding", "supports": []}),
]
RULES = """
[vision]
rank = 400
when = ["images"]
targets = ["claude-opus-4-7", "seer"]
reason = "vision"
source = "tests"

[tools]
rank = 800
when = ["tools"]
targets = ["worker"]
reason = "tools"
source = "tests"

[plain]
rank = 10_000
targets = ["claude-opus-4-7", "plain", "worker"]
reason = "plain text"
source = "tests"
"""
ALIASES = '[nickname]\ntargets = ["claude-opus-4-7", "plain", "worker"]\nsource = "tests"\n'

PNG = "iVBORw0KGgo="
PARAMETERS = {"type": "object", "properties": {}}
TURN = {"role": "user", "parts": [{"text": "one two three"}]}
MESSAGE = {"messages": HELLO, "max_tokens": 50}
CHAT, RESPONSES, COMPLETIONS, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/completions", "/v1/messages"
GENERATE = "/v1beta/models/{model}:generateContent"
PLAIN: dict[str, dict[str, Any]] = {
    CHAT: {"messages": HELLO},
    RESPONSES: {"input": "one two three"},
    COMPLETIONS: {"prompt": "one two three"},
    MESSAGES: MESSAGE,
    GENERATE: {"contents": [TURN]},
}
"""A short request in each dialect."""

TOOLS: dict[str, dict[str, Any]] = {
    CHAT: {"tools": [{"type": "function", "function": {"name": "look", "parameters": PARAMETERS}}]},
    RESPONSES: {"tools": [{"type": "function", "name": "look", "parameters": PARAMETERS}]},
    MESSAGES: {"tools": [{"name": "look", "input_schema": PARAMETERS}]},
    GENERATE: {"tools": [{"functionDeclarations": [{"name": "look"}]}]},
}
IMAGES: dict[str, dict[str, Any]] = {
    CHAT: {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}],
            }
        ]
    },
    RESPONSES: {
        "input": [
            {
                "role": "user",
                "content": [{"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"}],
            }
        ]
    },
    MESSAGES: {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                ],
            }
        ]
    },
    GENERATE: {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": PNG}}]}]},
}


@pytest.fixture(scope="module")
def gateway(upstream_process: UpstreamProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """Three chat models and an embedding model; rules and an alias whose first target has no source here."""
    folder = tmp_path_factory.mktemp("auto")
    providers = [ProviderSpec(name, upstream_process.base_url) for name in ("one", "two")]
    process = GatewayProcess(folder, providers, MODELS, env={"KYMA_LIMITS_ENABLED": "false"})
    (process.config_dir / "auto.toml").write_text(RULES)
    (process.config_dir / "aliases.toml").write_text(ALIASES)
    with process:
        yield process


@pytest.fixture
def operator(gateway: GatewayProcess) -> Api:
    return Api(gateway.port, gateway.key)


def ask(api: Api, path: str, model: str, body: dict[str, Any]) -> Answer:
    """In whatever place the dialect has for the model's name."""
    if "{model}" in path:
        return api.post(path.format(model=model), body)
    return api.post(path, {"model": model, **body})


def receipt(answer: Answer) -> tuple[int, str | None, str | None, str | None]:
    said = [answer.headers.get(f"x-kyma-{name}") for name in ("model", "alias", "auto-reason")]
    return answer.status, said[0], said[1], said[2]


@pytest.mark.parametrize("path", PLAIN)
@pytest.mark.parametrize("name", ["nickname", "NickName"])
def test_an_alias_gives_the_next_best_that_is_served_and_says_so(operator: Api, path: str, name: str) -> None:
    answer = ask(operator, path, name, PLAIN[path])
    assert receipt(answer) == (200, "plain", "nickname", None)
    body = answer.json()
    assert body.get("model", body.get("modelVersion")) == "plain"


@pytest.mark.parametrize("path", PLAIN)
@pytest.mark.parametrize("name", ["auto", "openrouter/auto", "Kyma/Auto"])
def test_auto_answers_in_every_dialect_and_says_why(operator: Api, path: str, name: str) -> None:
    answer = ask(operator, path, name, PLAIN[path])
    assert receipt(answer) == (200, "plain", "auto", "plain text")
    body = answer.json()
    assert body.get("model", body.get("modelVersion")) == "plain"


@pytest.mark.parametrize("path", TOOLS)
def test_a_request_with_tools_goes_to_whom_calls_them(operator: Api, path: str) -> None:
    answer = ask(operator, path, "auto", PLAIN[path] | TOOLS[path])
    assert receipt(answer) == (200, "worker", "auto", "tools")


@pytest.mark.parametrize("path", IMAGES)
def test_a_request_with_an_image_goes_to_whom_sees_it(operator: Api, path: str) -> None:
    answer = ask(operator, path, "auto", PLAIN[path] | IMAGES[path])
    assert receipt(answer) == (200, "seer", "auto", "vision")


STREAMED = [
    (CHAT, PLAIN[CHAT] | {"stream": True}),
    (RESPONSES, PLAIN[RESPONSES] | {"stream": True}),
    (COMPLETIONS, PLAIN[COMPLETIONS] | {"stream": True}),
    (MESSAGES, PLAIN[MESSAGES] | {"stream": True}),
    ("/v1beta/models/{model}:streamGenerateContent?alt=sse", PLAIN[GENERATE]),
]


@pytest.mark.parametrize(("path", "body"), STREAMED)
def test_a_stream_says_it_too(operator: Api, path: str, body: dict[str, Any]) -> None:
    answer = ask(operator, path, "auto", body)
    assert receipt(answer) == (200, "plain", "auto", "plain text")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_long_request_and_a_long_answer_go_where_they_fit(operator: Api) -> None:
    long = [{"role": "user", "content": "word " * 10_000}]
    assert receipt(operator.chat("auto", messages=long)) == (200, "worker", "auto", "plain text")
    assert receipt(operator.chat("auto", max_tokens=9_000)) == (200, "worker", "auto", "plain text")


def test_a_suffix_stands_behind_auto(operator: Api) -> None:
    assert receipt(operator.chat("auto:floor")) == (200, "plain", "auto:floor", "plain text")


def test_auto_may_stand_first_in_a_list(operator: Api) -> None:
    answer = operator.post(CHAT, {"models": ["auto", "seer"], "messages": HELLO})
    assert receipt(answer) == (200, "plain", "auto", "plain text")


def test_only_providers_that_the_caller_takes(operator: Api) -> None:
    assert receipt(operator.chat("auto", provider={"only": ["two"]}))[1] == "seer"


def test_the_charge_is_the_picked_models_and_the_books_have_both_names(gateway: GatewayProcess, operator: Api) -> None:
    plain, auto = operator.chat("seer"), operator.chat("auto", provider={"only": ["two"]})
    assert plain.cost == auto.cost > 0
    row = usage_row(gateway.db_path, auto.headers["x-request-id"])
    assert (row["model"], row["requested_model"]) == ("seer", "auto")


def test_a_page_may_read_the_reason(operator: Api) -> None:
    exposed = operator.chat("auto").headers["access-control-expose-headers"]
    assert "x-kyma-auto-reason" in exposed.lower().split(", ")


THINKING: dict[str, dict[str, Any]] = {
    CHAT: {"reasoning_effort": "high"},
    RESPONSES: {"reasoning": {"effort": "high"}},
    MESSAGES: {"max_tokens": 3_000, "thinking": {"type": "enabled", "budget_tokens": 2_000}},
    GENERATE: {"generationConfig": {"thinkingConfig": {"thinkingBudget": 2_000}}},
}


@pytest.mark.parametrize("path", THINKING)
def test_where_nobody_can_do_it_each_dialect_says_what_is_missing(
    operator: Api, upstream: UpstreamProcess, path: str
) -> None:
    answer = ask(operator, path, "auto", PLAIN[path] | IMAGES[path] | THINKING[path])
    assert answer.status == 400
    said = "auto: no model here does all of this at once: takes images, reasons; set one of "
    assert answer.json()["error"]["message"].startswith(said)
    assert upstream.log() == []


@pytest.mark.parametrize("path", [CHAT, RESPONSES, COMPLETIONS, MESSAGES, GENERATE])
@pytest.mark.parametrize(
    ("name", "sku"), [("flux-2-pro", "flux-2-pro"), ("black-forest-labs/FLUX-2-pro", "flux-2-pro")]
)
def test_a_media_sku_is_told_its_endpoint_in_every_dialect(operator: Api, path: str, name: str, sku: str) -> None:
    answer = ask(operator, path, name, PLAIN[path])
    assert answer.status == 400
    assert answer.json()["error"]["message"] == (
        f"{sku} is an image model, not a chat model: ask it at POST /v1/images/generations, "
        "which this version does not serve yet"
    )


def test_an_alias_of_media_is_told_so_too(operator: Api) -> None:
    error = operator.chat("transcribe").error
    assert (error["code"], error["param"]) == ("not_a_chat_model", "model")
    assert error["message"].startswith("whisper-v3-turbo is a transcription model, not a chat model: ask it at POST ")
    error = operator.post("/v1/embeddings", {"model": "gpt-image-2", "input": "one"}).error
    assert error["code"] == "not_an_embedding_model"


@pytest.mark.parametrize("path", ["/v1/images/generations", "/v1/videos/generations", "/v1/audio/transcriptions"])
def test_what_is_said_not_to_be_served_is_not(operator: Api, path: str) -> None:
    assert operator.post(path, {"model": "flux-2-pro", "prompt": "an owl"}).status == 404


def test_vectors_are_not_picked_by_themselves(operator: Api, upstream: UpstreamProcess) -> None:
    answer = operator.post("/v1/embeddings", {"model": "auto", "input": "one"})
    assert (answer.status, answer.error["code"]) == (400, "not_an_embedding_model")
    assert answer.error["message"].endswith("name an embedding model; there are vectors")
    assert upstream.log() == []


@pytest.mark.parametrize(("more", "tokens"), [({}, 10), (IMAGES[MESSAGES], 1_000)])
def test_tokens_are_counted_as_whom_it_picks_counts_them(operator: Api, more: dict[str, Any], tokens: int) -> None:
    answer = operator.post(f"{MESSAGES}/count_tokens", {"model": "auto", "messages": HELLO, **more})
    assert answer.status == 200 and answer.json()["input_tokens"] >= tokens
    counted = operator.post("/v1beta/models/auto:countTokens", PLAIN[GENERATE])
    assert counted.status == 200 and counted.json()["totalTokens"] > 0


def test_auto_is_explained(gateway: GatewayProcess, operator: Api) -> None:
    told = operator.get("/v1/admin/routes/explain?model=auto").json()
    assert (told["model"], told["alias"], told["auto_reason"]) == ("plain", "auto", "plain text")
    body = {"model": "auto", **PLAIN[CHAT], **TOOLS[CHAT]}
    told = operator.post("/v1/admin/routes/explain", body).json()
    assert (told["model"], told["alias"], told["auto_reason"]) == ("worker", "auto", "tools")
    assert [row["route"] for row in told["candidates"]] == ["one/script:ok"]
    said = gateway.cli("routes", "explain", "auto", "--request", "-", given=json.dumps(body))
    assert said.stdout.splitlines()[0].startswith("worker, asked for as auto (tools), about "), said


def test_an_explained_request_keeps_its_alias_and_suffix(operator: Api) -> None:
    told = operator.post("/v1/admin/routes/explain", {"model": "nickname:floor", **PLAIN[CHAT]}).json()
    assert (told["model"], told["alias"], told["auto_reason"]) == ("plain", "nickname:floor", None)


def test_auto_stands_among_the_aliases(operator: Api) -> None:
    assert operator.get("/v1/models").json()["aliases"]["auto"] == "plain"
    assert operator.get("/v1/models/auto").json()["id"] == "plain"


def test_translate_lets_the_name_stand(operator: Api) -> None:
    body = {"from": "openai", "to": "anthropic", "request": {"model": "auto", "messages": HELLO}}
    assert operator.post("/v1/translate", body).json()["request"]["model"] == "auto"


def test_official_sdks_read_the_reason(gateway: GatewayProcess) -> None:
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.key, max_retries=0, timeout=15) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="openrouter/auto", messages=[{"role": "user", "content": "one two three"}]
        )
        assert (raw.headers["x-kyma-auto-reason"], raw.parse().model) == ("plain text", "plain")
    with anthropic.Anthropic(base_url=gateway.base_url, api_key=gateway.key, max_retries=0, timeout=15) as claude:
        heard = claude.messages.with_raw_response.create(
            model="auto", max_tokens=50, messages=[{"role": "user", "content": "one two three"}]
        )
        assert (heard.headers["x-kyma-auto-reason"], heard.parse().model) == ("plain text", "plain")
