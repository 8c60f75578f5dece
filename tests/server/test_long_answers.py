"""Whole answers that take longer than a silent connection may: they come all the same, whole, and are paid for once."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.customers.heard import Customer, Heard
from tests.gateway_catalog import FAMILIES, SUFFIXES, ModelSpec, ProviderSpec, RouteSpec, in_family, model_in_family
from tests.gateway_process import GatewayProcess
from tests.server.api import HELLO, Api
from tests.server.books import count, last_usage_row, usage_row
from tests.server.test_pairs import CUSTOMERS
from tests.server.waiting import wait_until
from tests.upstream.process import UpstreamProcess

PATIENCE_S = 0.8
"""Of the gateway with a silent provider."""

TALE = "w0 " + " ".join(f"w{number}" for number in range(1, 24))
STEADY = "script:paced:interval_ms=50,events=24"
"""Takes 1.2 s, and is never silent for long when it is streamed."""

SCRIPTS = {
    "steady": [STEADY],
    "rescued-from-a-cut": ["script:cut:k=3", "script:ok:word=r"],
    "rescued-from-a-stall": ["script:stall:k=3", "script:ok:word=r"],
    "rescued-from-an-error": ["script:error-in-stream:k=3", "script:ok:word=r"],
    "rescued-from-silence": ["script:empty", "script:ok:word=r"],
}
RESCUED = [name for name in SCRIPTS if name.startswith("rescued")]


@pytest.fixture(scope="module")
def gateway(upstream_process: UpstreamProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """Providers that may be silent for a moment only."""
    fields = {"first_byte_s": PATIENCE_S, "idle_s": PATIENCE_S}
    names = [*SCRIPTS, "spare"]
    providers = [ProviderSpec(f"brief-{name}", upstream_process.base_url, fields) for name in names]
    models = [
        ModelSpec(name, [RouteSpec(f"brief-{name if not number else 'spare'}", one) for number, one in enumerate(said)])
        for name, said in SCRIPTS.items()
    ]
    rows = [in_family(row, dialect) for dialect in FAMILIES for row in providers]
    offered = [model_in_family(model, dialect) for dialect in FAMILIES for model in models]
    process = GatewayProcess(
        tmp_path_factory.mktemp("long"), rows, offered, env={"KYMA_LIMITS_ENABLED": "false", "KYMA_SHUTDOWN_S": "5"}
    )
    with process:
        yield process


@pytest.fixture
def api(gateway: GatewayProcess) -> Api:
    return Api(gateway.port, gateway.key, (b"brief-", b"script:"))


@pytest.fixture(params=CUSTOMERS)
def customer_of(request: pytest.FixtureRequest, gateway: GatewayProcess) -> Iterator[tuple[str, Customer]]:
    """Each kind of customer in turn, with official SDKs."""
    meet: Callable[[GatewayProcess], Customer] = CUSTOMERS[request.param]
    with closing(meet(gateway)) as customer:
        yield request.param, customer


@pytest.mark.parametrize("family", SUFFIXES)
def test_an_answer_slower_than_the_idle_time_out_arrives_whole(
    customer_of: tuple[str, Customer], gateway: GatewayProcess, upstream: UpstreamProcess, family: str
) -> None:
    heard = customer_of[1].hear(f"steady{SUFFIXES[family]}", is_streaming=False)
    assert heard == Heard(TALE, "", (), "stop", (3, 24))
    (entry,) = upstream.log()
    assert (entry.dialect, entry.is_streaming) == (family, True)
    row = last_usage_row(gateway.db_path)
    assert (row["is_streaming"], row["status"], row["output_tokens"], row["estimated"]) == (0, "finished", 24, 0)


@pytest.mark.parametrize("family", SUFFIXES)
def test_asked_whole_it_would_have_been_cut(api: Api, upstream: UpstreamProcess, family: str) -> None:
    """Twenty tokens are taken to be quick, and this source is slow: what streaming them saves us from."""
    answer = api.chat(f"steady{SUFFIXES[family]}", max_tokens=20)
    assert (answer.status, answer.error["type"]) == (503, "provider_error")
    assert [entry.is_streaming for entry in upstream.log()] == [False]


@pytest.mark.parametrize("family", SUFFIXES)
@pytest.mark.parametrize("model", RESCUED)
def test_what_breaks_on_the_way_is_asked_of_another_source_and_costs_nothing(
    api: Api, gateway: GatewayProcess, upstream: UpstreamProcess, model: str, family: str
) -> None:
    before = api.balance()
    answer = api.chat(f"{model}{SUFFIXES[family]}")
    assert (answer.status, answer.text) == (200, "r0 r1 r2 r3 r4"), answer
    assert answer.headers["x-kyma-fallback-layer"] == "1"
    assert before - api.balance() == answer.cost == 3 * 1000 + 5 * 2000
    assert [entry.is_streaming for entry in upstream.log()] == [True, True]
    row = usage_row(gateway.db_path, answer.headers["x-request-id"])
    assert (row["attempts"], row["status"], row["output_tokens"]) == (2, "finished", 5)


def test_what_only_a_whole_answer_tells_is_asked_whole(api: Api, upstream: UpstreamProcess) -> None:
    api.chat("steady", logprobs=True)
    assert [entry.is_streaming for entry in upstream.log()] == [False]


def test_the_source_is_told_to_stream_and_to_count(api: Api, upstream: UpstreamProcess) -> None:
    """Whatever the customer said of streaming; everything else arrives as it was."""
    assert api.chat("steady", stream=False, seed=7).status == 200
    (entry,) = upstream.log()
    assert entry.body["stream"] is True and entry.body["seed"] == 7
    assert entry.body["stream_options"] == {"include_usage": True}
    assert entry.headers["accept"] == "text/event-stream"


@pytest.mark.parametrize("family", SUFFIXES)
def test_a_customer_who_leaves_pays_for_what_was_finished(
    api: Api, gateway: GatewayProcess, upstream: UpstreamProcess, family: str
) -> None:
    rows = count(gateway.db_path, "usage")
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    body: dict[str, Any] = {"model": f"steady{SUFFIXES[family]}", "messages": HELLO}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"authorization": f"Bearer {api.key}"})
    wait_until(lambda: any(entry.tokens_sent for entry in upstream.log()))
    connection.close()
    wait_until(lambda: count(gateway.db_path, "usage") > rows)
    row = last_usage_row(gateway.db_path)
    assert (row["status"], row["output_tokens"], row["cost"]) == ("finished", 24, 3 * 1000 + 24 * 2000)
    assert [entry.outcome for entry in upstream.log()] == ["finished"]
