"""GET /v1/models/recommend: a model that is served here, and the texts that `kyma connect` writes."""

import json
import tomllib

import pytest

from kyma.catalog import builtin_data, read_agents, read_use_cases
from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.customers import stranger
from tests.server.waiting import LOCAL_MODEL

AGENTS = sorted(read_agents(builtin_data(), None))
USE_CASES = sorted(read_use_cases(builtin_data()))
SERVABLE = ("general", "cheap", "fast")
"""What the local model alone can do."""


@pytest.fixture
def anybody(local_gateway: GatewayProcess) -> Api:
    return stranger(local_gateway.port)


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_gets_a_model_that_is_served_and_its_configuration(anybody: Api, agent: str) -> None:
    answer = anybody.get(f"/v1/models/recommend?agent={agent}")
    body = answer.json()
    assert (answer.status, body["object"], body["agent"]) == (200, "model.recommendation", agent)
    assert body["model"] == LOCAL_MODEL and body["name"] and body["reason"]
    assert body["command"] == f"kyma connect {agent}"
    config = body["config"]
    assert anybody.base_url in config["content"]
    assert "YOUR_KYMA_API_KEY" in config["content"] or config["format"] == "steps"
    assert {"format", "path", "content"} <= config.keys() and config["files"][0]["content"] == config["content"]
    assert any("sends more with its first request" in note for note in body["notes"])


def test_content_is_of_its_format(anybody: Api) -> None:
    for agent, read in (("opencode", json.loads), ("codex", tomllib.loads)):
        config = anybody.get(f"/v1/models/recommend?agent={agent}").json()["config"]
        assert read(config["content"])["model"].endswith("best")


@pytest.mark.parametrize("name", ["usecase", "for"])
@pytest.mark.parametrize("usecase", SERVABLE)
def test_a_use_case_gets_a_model(anybody: Api, name: str, usecase: str) -> None:
    body = anybody.get(f"/v1/models/recommend?{name}={usecase}").json()
    assert (body["usecase"], body["agent"], body["model"]) == (usecase, None, LOCAL_MODEL)
    assert body["config"]["content"].startswith(f"OPENAI_BASE_URL={anybody.base_url}/v1\n")


def test_the_agent_wins(anybody: Api) -> None:
    assert anybody.get("/v1/models/recommend?usecase=cheap&agent=Codex").json()["agent"] == "codex"


def test_what_nobody_here_can_do_is_a_404(anybody: Api) -> None:
    answer = anybody.get("/v1/models/recommend?usecase=vision")
    assert (answer.status, answer.error["code"]) == (404, "model_not_available")


@pytest.mark.parametrize(
    ("query", "right"),
    [
        ("", (*AGENTS, *USE_CASES)),
        ("?agent=emacs", AGENTS),
        ("?agent=", AGENTS),
        ("?usecase=fun", USE_CASES),
        ("?for=fun", USE_CASES),
    ],
)
def test_a_wrong_value_is_told_the_right_ones(anybody: Api, query: str, right: list[str]) -> None:
    answer = anybody.get(f"/v1/models/recommend{query}")
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")
    assert all(name in answer.error["message"] for name in right)


def test_it_needs_no_key_and_refuses_a_wrong_one(anybody: Api) -> None:
    assert anybody.as_("ky-wrong").get("/v1/models/recommend?agent=codex").status == 401


def test_the_prefix_may_be_left_out_or_doubled(anybody: Api) -> None:
    for path in ("/models/recommend", "/v1/v1/models/recommend"):
        assert anybody.get(f"{path}?agent=codex").status == 200


def test_the_document_has_the_contracts_operation(anybody: Api) -> None:
    operation = anybody.get("/v1/openapi.json").json()["paths"]["/v1/models/recommend"]["get"]
    assert operation["operationId"] == "recommendModel"
    assert {each["name"] for each in operation["parameters"]} == {"agent", "usecase", "for"}
