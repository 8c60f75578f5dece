"""Uptime and status of a real gateway whose sources fail as they are told to; figures typed by hand."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.customers import stranger
from tests.server.waiting import wait_until
from tests.upstream.process import UpstreamProcess

SICK = "script:status:code=503"
MODELS = [
    ModelSpec("good", [RouteSpec("one", "script:ok:tokens=20,delay_ms=5")]),
    ModelSpec("rescued", [RouteSpec("sick", SICK), RouteSpec("two", "script:ok")]),
    ModelSpec("lost", [RouteSpec("lost", SICK)]),
    ModelSpec("cut", [RouteSpec("cutter", "script:cut:k=3")]),
    ModelSpec("empty", [RouteSpec("one", "script:empty")]),
    ModelSpec("refused", [RouteSpec("one", "script:no-such-script")]),
    ModelSpec("parked", [RouteSpec("parked", "script:status:code=401")]),
    ModelSpec("replaced", [RouteSpec("lost", SICK)], fields={"substitutes": ["good"]}),
    ModelSpec("endless", [RouteSpec("one", "script:paced:interval_ms=20,events=0")]),
    ModelSpec("deaf", [RouteSpec("one", "script:ok")], fields={"quirks": {"drop": ["seed"]}}),
    ModelSpec("vectors", [RouteSpec("one", "script:ok")], fields={"kind": "embedding", "supports": []}),
]
JSON = {"content-type": "application/json"}
ENV = {"KYMA_LIMITS_ENABLED": "false", "KYMA_UPTIME_FLUSH_S": "0.05"}


@pytest.fixture
def gateway(upstream: UpstreamProcess, tmp_path: Path) -> Iterator[GatewayProcess]:
    names = ("one", "two", "sick", "lost", "cutter", "parked")
    providers = [ProviderSpec(name, upstream.base_url) for name in names]
    with GatewayProcess(tmp_path, providers, MODELS, env=ENV) as process:
        yield process


@pytest.fixture
def operator(gateway: GatewayProcess) -> Api:
    return Api(gateway.port, gateway.key)


@pytest.fixture
def anybody(gateway: GatewayProcess) -> Api:
    return stranger(gateway.port)


def rows(anybody: Api, query: str = "") -> dict[str, Any]:
    return {row["id"]: row for row in anybody.get(f"/v1/models/uptime{query}").json()["models"]}


def figures(anybody: Api, model: str) -> tuple[int, int, float | None]:
    """Requests, successes and the percentage."""
    row = rows(anybody)[model]
    return row["requests"], row["successes"], row["uptime_pct"]


def wait_for(anybody: Api, model: str, requests: int) -> None:
    wait_until(lambda: rows(anybody)[model]["requests"] >= requests, within_s=15)


def test_requests_are_counted_by_how_they_ended(operator: Api, anybody: Api) -> None:
    asked = [
        *("good", "good", "rescued", "rescued", "lost", "cut", "empty", "refused"),
        *("parked", "replaced", "good"),
    ]
    statuses = [operator.chat(model).status for model in asked]
    assert statuses == [200, 200, 200, 200, 503, 503, 200, 400, 503, 200, 200]
    strict = {"model": "deaf", "messages": [{"role": "user", "content": "hi"}], "seed": 1}
    answer = operator.send(
        "POST", "/v1/chat/completions", json.dumps(strict).encode(), {"x-kyma-strict": "true", **JSON}
    )
    assert (answer.status, answer.error["code"]) == (400, "fields_would_be_dropped")
    assert operator.stream("cut").status == 200
    assert operator.stream("good").is_finished
    assert operator.post("/v1/embeddings", {"model": "vectors", "input": "hi"}).status == 200
    wait_for(anybody, "good", 4)
    wait_for(anybody, "vectors", 1)
    assert {model: figures(anybody, model) for model in rows(anybody)} == {
        "good": (4, 4, 100.0),
        "rescued": (2, 2, 100.0),
        "lost": (1, 0, 0.0),
        "cut": (2, 0, 0.0),
        "empty": (1, 0, 0.0),
        "refused": (0, 0, None),
        "parked": (1, 0, 0.0),
        "replaced": (1, 0, 0.0),
        "endless": (0, 0, None),
        "deaf": (0, 0, None),
        "vectors": (1, 1, 100.0),
    }


def test_a_request_whose_customer_left_is_no_downtime(gateway: GatewayProcess, operator: Api, anybody: Api) -> None:
    connection = socket.create_connection(("127.0.0.1", gateway.port))
    body = json.dumps({"model": "endless", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {gateway.key}\r\n"
    connection.sendall(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
    assert connection.recv(100).startswith(b"HTTP/1.1 200")
    connection.close()
    operator.chat("good")
    wait_for(anybody, "good", 1)
    assert figures(anybody, "endless") == (0, 0, None)


def test_latency_and_speed_are_told_where_there_was_traffic(operator: Api, anybody: Api) -> None:
    for _ in range(3):
        operator.stream("good")
    wait_for(anybody, "good", 3)
    row = rows(anybody)["good"]
    assert 0 < row["p50_ms"] <= row["p95_ms"] and row["tokens_per_s"] > 0
    performance = anybody.get("/v1/models/good").json()["performance"]
    assert (performance["window_days"], performance["requests"], performance["uptime_pct"]) == (7, 3, 100.0)
    assert performance["latency_p50_ms"] == row["p50_ms"] and performance["tokens_per_s"] == row["tokens_per_s"]
    assert anybody.get("/v1/models/lost").json()["performance"] is None
    assert rows(anybody)["lost"] == {
        "id": "lost",
        "uptime_pct": None,
        "requests": 0,
        "successes": 0,
        "probes": 0,
        "p50_ms": None,
        "p95_ms": None,
        "tokens_per_s": None,
    }


def test_what_was_counted_outlasts_a_restart(gateway: GatewayProcess, operator: Api, anybody: Api) -> None:
    operator.chat("good")
    operator.chat("lost")
    gateway.restart()
    wait_for(anybody, "lost", 1)
    operator.chat("good")
    wait_for(anybody, "good", 2)
    assert (figures(anybody, "good"), figures(anybody, "lost")) == ((2, 2, 100.0), (1, 0, 0.0))


def test_the_form_of_the_answer(operator: Api, anybody: Api) -> None:
    answer = anybody.get("/v1/models/uptime")
    assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=30")
    body = answer.json()
    assert (body["object"], body["window_days"]) == ("model.uptime", 7)
    assert [row["id"] for row in body["models"]] == [row["id"] for row in anybody.get("/v1/models").json()["data"]]
    assert anybody.get("/v1/models/uptime?days=30").json()["window_days"] == 30


def test_each_day_of_the_window_can_be_had(operator: Api, anybody: Api) -> None:
    operator.chat("good")
    wait_for(anybody, "good", 1)
    days = rows(anybody, "?days=3&by=day")["good"]["days"]
    assert [day["requests"] for day in days] == [0, 0, 1]
    assert days[0]["uptime_pct"] is None and days[2]["uptime_pct"] == 100.0
    assert days[2]["date"] == datetime.now(UTC).date().isoformat()
    assert "days" not in rows(anybody)["good"]


@pytest.mark.parametrize("days", ["0", "31", "-1", "1.5", "week", "", "99999999999999999999"])
def test_a_wrong_number_of_days_is_refused_with_the_range(anybody: Api, days: str) -> None:
    answer = anybody.get(f"/v1/models/uptime?days={days}")
    assert (answer.status, answer.error["param"]) == (400, "days")
    assert answer.error["message"] == "days: a whole number from 1 to 30"


def test_a_wrong_grouping_is_refused_with_the_right_one(anybody: Api) -> None:
    answer = anybody.get("/v1/models/uptime?by=week")
    assert (answer.status, answer.error["message"]) == (400, "by: Input should be 'day'")


def test_operators_see_what_became_of_attempts(operator: Api, anybody: Api) -> None:
    assert [operator.chat("rescued").status for _ in range(2)] == [200, 200]
    operator.stream("cut")
    operator.chat("parked")
    wait_for(anybody, "rescued", 2)
    wait_for(anybody, "parked", 1)
    weeks = {row["route"]: row["week"] for row in operator.get("/v1/admin/routes").json()["data"]}
    seen = {name: {count: value for count, value in week.items() if value} for name, week in weeks.items()}
    assert seen["sick/script:status:code=503"] == {"attempts": 2, "failed": 2}
    assert seen["parked/script:status:code=401"] == {"attempts": 1, "refused_us": 1}
    assert (seen["two/script:ok"]["attempts"], seen["two/script:ok"]["answered"]) == (2, 2)
    cut = seen["cutter/script:cut:k=3"]
    assert (cut["attempts"], cut["answered"], cut["broke_off"]) == (1, 1, 1)


def standing(anybody: Api) -> tuple[str, dict[str, str]]:
    body = anybody.get("/v1/status").json()
    return body["status"], {row["id"]: row["status"] for row in body["components"]["models"]}


def test_the_status_follows_traffic_keys_and_switches(operator: Api, anybody: Api) -> None:
    status, models = standing(anybody)
    assert (status, set(models.values())) == ("operational", {"operational"})
    since = anybody.get("/v1/status").json()["since"]
    operator.chat("good")
    operator.chat("cut")
    operator.chat("parked")
    operator.post("/v1/admin/routes/switch", {"provider": "sick", "on": False})
    expected = {
        **dict.fromkeys(models, "operational"),
        **{"cut": "degraded", "parked": "down", "rescued": "degraded"},
    }
    wait_until(lambda: standing(anybody) == ("degraded", expected))
    body = anybody.get("/v1/status").json()
    assert (body["components"]["api"], body["components"]["database"]) == ("operational", "operational")
    assert body["since"] > since
    for _ in range(2):
        operator.chat("cut")
    wait_until(lambda: standing(anybody)[1]["cut"] == "down")


def test_it_is_an_outage_when_no_model_can_be_asked(operator: Api, anybody: Api) -> None:
    for name in ("one", "two", "sick", "lost", "cutter", "parked"):
        operator.post("/v1/admin/routes/switch", {"provider": name, "on": False})
    wait_until(lambda: standing(anybody)[0] == "outage")


def test_the_status_names_nobody_who_serves(anybody: Api, operator: Api) -> None:
    operator.chat("lost")
    answer = anybody.get("/v1/status")
    assert answer.headers["cache-control"] == "public, max-age=10"
    assert b"script:" not in answer.body and b"sick" not in answer.body and b"cutter" not in answer.body
