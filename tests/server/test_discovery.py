"""What anybody may ask: models, status, health."""

import re

import anthropic
import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.customers import stranger
from tests.server.waiting import LOCAL_MODEL


@pytest.fixture
def anybody(gateway: GatewayProcess) -> Api:
    return stranger(gateway.port)


def test_healthz_and_readyz(anybody: Api) -> None:
    assert anybody.get("/healthz").json() == {"status": "ok"}
    assert anybody.get("/readyz").json() == {"status": "ready", "reasons": []}


def test_the_status_body(anybody: Api) -> None:
    body = anybody.get("/v1/status").json()
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", body.pop("version"))
    known, available = body.pop("models_known"), body.pop("models_available")
    assert known > available > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body.pop("since"))
    assert body.pop("status") in ("operational", "degraded")  # other tests have models of this gateway fail
    components = body.pop("components")
    assert (components["api"], components["database"], len(components["models"])) == (
        *("operational", "operational"),
        available,
    )
    assert body == {"object": "status", "local_model": None, "local_embedding": None}


def test_the_status_of_the_real_model(local_gateway: GatewayProcess) -> None:
    body = Api(local_gateway.port, "").get("/v1/status").json()
    assert body["local_model"] == {"state": "ready", "model": LOCAL_MODEL}
    assert body["models_available"] == 1


def test_a_model_row_has_every_field_of_the_contract(anybody: Api) -> None:
    row = anybody.get("/v1/models/good").json()
    assert (row["id"], row["object"], row["owned_by"], row["available"]) == ("good", "model", "Tests", True)
    assert row["context_window"] == row["context_length"] == 131_072
    assert row["pricing"] == {
        "mode": "per-token",
        "input_per_1m": 1.0,
        "output_per_1m": 2.0,
        "cached_input_per_1m": 0.1,
        "cache_write_per_1m": row["pricing"]["cache_write_per_1m"],
        "cache_write_1h_per_1m": 1.0,
        "search_per_1k": None,
        "input": 1.0,
        "output": 2.0,
    }
    assert row["gateway_output_limit"] is None and row["max_tokens_passthrough"] is True


def test_only_models_that_can_be_served_are_listed(anybody: Api) -> None:
    listed = anybody.get("/v1/models").json()
    assert listed["object"] == "list"
    assert all(row["available"] and not row["missing"] for row in listed["data"])
    everything = anybody.get("/v1/models?include=all").json()
    lacking = [row for row in everything["data"] if not row["available"]]
    assert lacking and all(row["missing"] or row["retires_on"] for row in lacking)
    assert {row["id"] for row in listed["data"]} < {row["id"] for row in everything["data"]}


def test_every_alias_stands_for_a_listed_model(local_gateway: GatewayProcess) -> None:
    listed = Api(local_gateway.port, "").get("/v1/models").json()
    assert set(listed["aliases"].values()) <= {row["id"] for row in listed["data"]}


def test_a_model_that_nobody_serves_here_says_what_is_missing(operator: Api) -> None:
    lacking = [row for row in operator.get("/v1/models?include=all").json()["data"] if not row["available"]]
    answer = operator.chat(lacking[0]["id"])
    assert (answer.status, answer.error["code"]) == (404, "model_not_available")


def test_anthropics_client_lists_models_and_finds_one(customer: Api) -> None:
    with anthropic.Anthropic(base_url=customer.base_url, api_key=customer.key) as client:
        listed = list(client.models.list())
        assert "good" in [model.id for model in listed]
        assert {model.type for model in listed} == {"model"}
        found = client.models.retrieve("good")
    assert (found.display_name, found.created_at.tzinfo is not None) == ("good", True)
