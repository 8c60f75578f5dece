"""What operators see of sources and may do about them, and that nobody else can."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.server.api import HELLO, Api
from tests.server.books import count
from tests.server.customers import open_account, stranger
from tests.upstream.process import UpstreamProcess

SICK = "script:status:code=503"
MODELS = [
    ModelSpec("pair", [RouteSpec("one", "script:ok"), RouteSpec("two", "script:ok:tokens=4")]),
    ModelSpec("rescued", [RouteSpec("sick", SICK), RouteSpec("two", "script:ok:tokens=4")]),
    ModelSpec("lost", [RouteSpec("lost", SICK)]),
    ModelSpec("refused", [RouteSpec("one", "script:no-such-script")]),
    ModelSpec("silent", [RouteSpec("silent", "script:hang")]),
    ModelSpec("vectors", [RouteSpec("one", "script:ok")], fields={"kind": "embedding", "supports": []}),
    ModelSpec("order", [RouteSpec("one", "script:ok")], fields={"kind": "rerank", "supports": []}),
    ModelSpec("verdicts", [RouteSpec("one", "script:ok")], fields={"kind": "moderation", "supports": []}),
]
ADMIN = [
    ("GET", "/v1/admin/routes"),
    ("GET", "/v1/admin/routes/explain?model=pair"),
    ("POST", "/v1/admin/routes/explain"),
    ("POST", "/v1/admin/routes/switch"),
    ("POST", "/v1/admin/routes/probe"),
    ("POST", "/v1/admin/reload"),
]


@pytest.fixture
def gateway(upstream: UpstreamProcess, tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway of the test's own, since what it thinks of its sources is what is looked at."""
    short = {"first_byte_s": 0.4, "idle_s": 0.4}
    providers = [
        *(ProviderSpec(name, upstream.base_url) for name in ("one", "two", "sick", "lost")),
        ProviderSpec("silent", upstream.base_url, short),
    ]
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "aliases.toml").write_text('[both]\ntargets = ["pair"]\nsource = "tests"\n')
    with GatewayProcess(tmp_path, providers, MODELS, env={"KYMA_LIMITS_ENABLED": "false"}) as process:
        yield process


@pytest.fixture
def operator(gateway: GatewayProcess) -> Api:
    return Api(gateway.port, gateway.key)


def control(gateway: GatewayProcess) -> Any:
    return json.loads((gateway.data_dir / "control.json").read_text())


def routes(api: Api, query: str = "") -> dict[str, Any]:
    """The rows by route."""
    answer = api.get(f"/v1/admin/routes{query}")
    assert answer.status == 200, answer
    return {row["route"]: row for row in answer.json()["data"]}


def switch(api: Api, on: bool, **target: str) -> None:
    answer = api.post("/v1/admin/routes/switch", {**target, "on": on})
    assert answer.status == 200, answer


def explained(api: Api, body: object, query: str = "") -> Any:
    answer = api.post(f"/v1/admin/routes/explain{query}", body)
    assert answer.status == 200, answer
    return answer.json()


def test_every_source_is_listed_once_with_its_models(operator: Api) -> None:
    rows = routes(operator)
    assert sorted(rows) == [
        *("lost/script:status:code=503", "one/script:no-such-script", "one/script:ok", "sick/script:status:code=503"),
        *("silent/script:hang", "two/script:ok:tokens=4"),
    ]
    assert rows["two/script:ok:tokens=4"]["models"] == ["pair", "rescued"]
    assert rows["one/script:ok"]["is_on"] and rows["one/script:ok"]["breaker"] == "closed"


def test_sources_are_found_by_model_alias_and_provider(operator: Api) -> None:
    assert set(routes(operator, "?model=both")) == {"one/script:ok", "two/script:ok:tokens=4"}
    assert set(routes(operator, "?provider=sick")) == {"sick/script:status:code=503"}
    assert operator.get("/v1/admin/routes?model=nope").status == 404


READY = {"id": "one#1", "state": "ready", "seconds_left": None, "reason": ""}


def test_keys_are_named_and_never_shown(operator: Api) -> None:
    answer = operator.get("/v1/admin/routes?provider=one")
    assert answer.json()["providers"] == [{"id": "one", "switched_off": None, "keys": [READY]}]
    assert b"sk-test-upstream" not in answer.body


def test_a_source_that_fails_opens_its_breaker_and_leaves_the_others_alone(operator: Api) -> None:
    for _ in range(6):
        assert operator.chat("rescued").status == 200
    rows = routes(operator)
    assert rows["sick/script:status:code=503"]["breaker"] == "open"
    assert rows["two/script:ok:tokens=4"]["breaker"] == "closed"


@pytest.mark.parametrize(("method", "path"), ADMIN)
def test_nobody_but_operators_gets_in(gateway: GatewayProcess, method: str, path: str) -> None:
    body = b"{}" if method == "POST" else None
    assert stranger(gateway.port).send(method, path, body).status == 401
    refused = open_account(gateway.port).send(method, path, body)
    assert (refused.status, refused.error["code"]) == (403, "operators_only")


def test_the_process_leaves_its_address_and_a_token_for_its_owner_alone(gateway: GatewayProcess) -> None:
    path = gateway.data_dir / "control.json"
    assert path.stat().st_mode & 0o777 == 0o600
    found = control(gateway)
    assert found["base_url"] == gateway.base_url
    assert set(routes(Api(gateway.port, found["token"]))) == set(routes(Api(gateway.port, gateway.key)))
    assert found["token"] not in gateway.log()


@pytest.mark.parametrize("path", ["/v1/auth/me", "/v1/auth/keys", "/v1/credits/balance"])
def test_the_token_counts_nowhere_else(gateway: GatewayProcess, path: str) -> None:
    token = control(gateway)["token"]
    answer = Api(gateway.port, token).get(path)
    assert answer.status == 401 and token not in answer.body.decode()
    assert Api(gateway.port, token).chat("pair").status == 401


def test_the_token_ends_with_the_process(gateway: GatewayProcess) -> None:
    old = control(gateway)["token"]
    gateway.terminate()
    assert not (gateway.data_dir / "control.json").exists()
    gateway.start()
    assert Api(gateway.port, old).get("/v1/admin/routes").status == 401
    gateway.kill()
    gateway.start()
    assert control(gateway)["token"] != old


def test_a_switched_off_source_gets_no_call_at_once(operator: Api, upstream: UpstreamProcess) -> None:
    switch(operator, False, route="one/script:ok")
    assert operator.chat("pair").text == "w0 w1 w2 w3"
    assert upstream.log("script:ok") == []
    switch(operator, True, route="one/script:ok")
    assert operator.chat("pair").text == "w0 w1 w2 w3 w4"


def test_a_switched_off_provider_takes_all_its_sources_with_it(operator: Api) -> None:
    switch(operator, False, provider="one")
    assert operator.chat("pair").text == "w0 w1 w2 w3"
    rows = routes(operator)
    assert not rows["one/script:ok"]["is_on"] and not rows["one/script:no-such-script"]["is_on"]
    answer = operator.get("/v1/admin/routes?provider=one").json()
    (provider,) = answer["providers"]
    assert provider["switched_off"]["by"].startswith("usr_")


def test_a_model_whose_sources_are_all_off_is_refused_and_costs_nothing(
    operator: Api, upstream: UpstreamProcess
) -> None:
    switch(operator, False, provider="one")
    switch(operator, False, provider="two")
    before = operator.balance()
    answer = operator.chat("pair")
    assert (answer.status, answer.error["code"]) == (503, "no_source_available")
    assert operator.balance() == before and upstream.log() == []


def test_switches_outlast_a_restart(gateway: GatewayProcess, operator: Api) -> None:
    switch(operator, False, route="one/script:ok")
    gateway.restart()
    assert not routes(operator)["one/script:ok"]["is_on"]
    assert operator.chat("pair").text == "w0 w1 w2 w3"


@pytest.mark.parametrize("target", [{"route": "one/nothing"}, {"provider": "nobody"}])
def test_what_is_not_there_cannot_be_switched(operator: Api, target: dict[str, str]) -> None:
    answer = operator.post("/v1/admin/routes/switch", {**target, "on": False})
    assert (answer.status, answer.error["code"]) == (404, "route_not_found")


@pytest.mark.parametrize("target", [{}, {"route": "one/script:ok", "provider": "one"}])
def test_a_switch_takes_one_target(operator: Api, target: dict[str, str]) -> None:
    assert operator.post("/v1/admin/routes/switch", {**target, "on": False}).status == 400


def test_explain_tells_the_order_and_why(operator: Api) -> None:
    for _ in range(6):
        operator.chat("rescued")
    switch(operator, False, route="one/script:ok")
    told = {model: operator.get(f"/v1/admin/routes/explain?model={model}").json() for model in ("rescued", "both")}
    shown = [(row["route"], row["would_try"], row["reason"]) for row in told["rescued"]["candidates"]]
    assert shown[0] == ("two/script:ok:tokens=4", True, "first: stands by for when the others fail")
    assert shown[1][:2] == ("sick/script:status:code=503", True)
    assert shown[1][2].startswith("after 1 failed: left alone for ")
    assert [row["reason"] for row in told["both"]["candidates"]][1:] == ["switched off by an operator"]
    assert (told["both"]["model"], told["both"]["alias"], told["both"]["hold"]) == ("pair", "both", None)


CHAT = {"model": "pair", "messages": HELLO, "max_tokens": 10}


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (CHAT, ""),
        ({**CHAT, "system": "Be brief."}, ""),
        (CHAT, "?dialect=anthropic"),
        ({"model": "pair", "input": "hi", "max_output_tokens": 16}, ""),
        ({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}, "?model=pair"),
        ({"model": "pair", "prompt": "hi", "max_tokens": 10}, ""),
        ({"messages": HELLO, "max_tokens": 10}, "?model=pair"),
        ({"model": "vectors", "input": "hi"}, ""),
        ({"model": "order", "query": "hi", "documents": ["a"]}, ""),
        ({"model": "verdicts", "input": "hi"}, ""),
    ],
)
def test_a_request_of_any_dialect_is_explained(
    operator: Api, upstream: UpstreamProcess, body: dict[str, Any], query: str
) -> None:
    before = operator.balance()
    told = explained(operator, body, query)
    assert told["candidates"][0]["route"] == "one/script:ok" and told["candidates"][0]["problem"] is None
    assert told["hold"] > 0 and told["input_tokens"] > 0
    assert operator.balance() == before and upstream.log() == []


def test_what_a_source_could_not_be_told_is_named(operator: Api) -> None:
    body = {"model": "pair", "system": "Be brief.", "messages": HELLO, "max_tokens": 10, "top_k": 3}
    (row, _) = explained(operator, body)["candidates"]
    assert row["dropped"] == ["top_k"]


@pytest.mark.parametrize(
    ("body", "query", "status"),
    [
        (b"[]", "", 400),
        (b"{}", "", 400),
        (b'{"model": "nope"}', "", 404),
        (b'{"model": "pair"}', "", 400),
        (b'{"model": "pair", "messages": []}', "?dialect=klingon", 400),
    ],
)
def test_what_cannot_be_explained_is_an_error(operator: Api, body: bytes, query: str, status: int) -> None:
    assert operator.send("POST", f"/v1/admin/routes/explain{query}", body).status == status


def test_what_is_explained_is_not_kept(gateway: GatewayProcess, operator: Api) -> None:
    explained(operator, {**CHAT, "messages": [{"role": "user", "content": "do not keep me"}]})
    assert count(gateway.db_path, "usage") == 0
    gateway.terminate()
    kept = [path for path in gateway.data_dir.parent.rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if b"do not keep me" in path.read_bytes()]


def probed(api: Api, body: object) -> dict[str, Any]:
    answer = api.post("/v1/admin/routes/probe", body)
    assert answer.status == 200, answer
    return {row["route"]: row for row in answer.json()["data"]}


def test_a_probe_calls_every_source_of_a_model_once(operator: Api, upstream: UpstreamProcess) -> None:
    rows = probed(operator, {"model": "both"})
    assert {route: (row["ok"], row["error"]) for route, row in rows.items()} == {
        "one/script:ok": (True, None),
        "two/script:ok:tokens=4": (True, None),
    }
    assert all(row["latency_ms"] >= 0 for row in rows.values())
    assert len(upstream.log()) == 2


@pytest.mark.parametrize("kind", ["vectors", "order", "verdicts"])
def test_models_of_every_kind_are_probed(operator: Api, kind: str) -> None:
    assert [row["ok"] for row in probed(operator, {"model": kind}).values()] == [True]


def test_a_probe_of_one_source_asks_no_other(operator: Api, upstream: UpstreamProcess) -> None:
    rows = probed(operator, {"route": "sick/script:status:code=503"})
    assert list(rows) == ["sick/script:status:code=503"] and len(upstream.log()) == 1
    row = rows["sick/script:status:code=503"]
    assert not row["ok"] and row["error"].startswith("UpstreamFailed: ")


def test_a_probe_of_a_source_that_refuses_says_so_in_our_words(operator: Api) -> None:
    (row,) = probed(operator, {"route": "one/script:no-such-script"}).values()
    assert not row["ok"] and row["error"].startswith("refuses the request: ")


def test_a_probe_of_a_silent_source_ends_with_its_timeout(operator: Api) -> None:
    (row,) = probed(operator, {"model": "silent"}).values()
    assert not row["ok"] and row["error"].startswith("UpstreamTimeout: ")


def test_a_probe_reaches_what_is_switched_off(operator: Api) -> None:
    switch(operator, False, provider="one")
    assert probed(operator, {"route": "one/script:ok"})["one/script:ok"]["ok"]


def test_a_probe_is_charged_to_the_operator_and_the_books_balance(gateway: GatewayProcess, operator: Api) -> None:
    before = operator.balance()
    assert all(row["ok"] for row in probed(Api(gateway.port, control(gateway)["token"]), {"model": "pair"}).values())
    assert operator.balance() < before and count(gateway.db_path, "usage") == 2
    assert gateway.cli("ledger", "verify").returncode == 0


def test_an_unknown_route_cannot_be_probed(operator: Api) -> None:
    assert operator.post("/v1/admin/routes/probe", {"route": "one/nothing"}).status == 404


def test_the_commands_find_the_gateway_by_themselves(gateway: GatewayProcess) -> None:
    shown = gateway.cli("routes")
    assert shown.returncode == 0, shown
    lines = shown.stdout.splitlines()
    assert lines[0].split() == "ROUTE ON WGHT BREAKER CALLS BAD P50 P95 TOK/S BUSY LAST ERROR".split()
    assert re.match(r"one/script:ok +yes +1 +closed ", lines[3])
    assert max(map(len, lines)) <= 120
    assert set(json.loads(gateway.cli("routes", "--json", "--provider", "two").stdout)["data"][0]) >= {"p50_ms"}


def test_the_commands_switch_explain_and_probe(gateway: GatewayProcess, tmp_path: Path) -> None:
    assert gateway.cli("routes", "off", "one").stdout == "one is off\n"
    shown = gateway.cli("routes", "--model", "pair").stdout.splitlines()
    assert re.match(r"one/script:ok +no ", shown[1]) and re.match(r"one is switched off since 20.* by usr_", shown[-1])
    request = tmp_path / "request.json"
    request.write_text(json.dumps({**CHAT, "system": "x", "top_k": 2}))
    told = gateway.cli("routes", "explain", "pair", "--request", str(request)).stdout.splitlines()
    assert re.fullmatch(r"pair, about \d+ tokens in, \$0\.0+\d+ to be set aside", told[0])
    assert told[1:] == [
        " 1. two/script:ok:tokens=4 (layer 0, share 0%)",
        "    first: stands by for when the others fail",
        "    dropped: top_k",
        "  - one/script:ok (layer 0, share 0%)",
        "    switched off by an operator",
        "    dropped: top_k",
    ]
    assert gateway.cli("routes", "on", "one").stdout == "one is on\n"
    ok = gateway.cli("routes", "probe", "--model", "pair")
    assert ok.returncode == 0 and ok.stdout.count(" ok ") == 2
    bad = gateway.cli("routes", "probe", "sick/script:status:code=503")
    assert bad.returncode == 1 and " FAIL " in bad.stdout


def test_a_remote_operator_needs_a_key(gateway: GatewayProcess) -> None:
    far = ("routes", "--base-url", gateway.base_url)
    assert gateway.cli(*far).stderr == "kyma: --base-url needs an operator's key in KYMA_API_KEY\n"
    gateway.env["KYMA_API_KEY"] = gateway.key
    assert gateway.cli(*far).returncode == 0
    gateway.env["KYMA_API_KEY"] = gateway.register("someone@example.com")
    assert gateway.cli(*far).stderr == "kyma: only operators of this gateway may do this\n"


def test_without_a_gateway_the_commands_say_so(gateway: GatewayProcess) -> None:
    assert gateway.cli("routes", "off", "nobody").stderr == "kyma: there is no provider nobody here\n"
    gateway.kill()
    shown = gateway.cli("routes")
    assert shown.returncode == 1 and shown.stderr.startswith(f"kyma: no gateway answers at {gateway.base_url}: ")
    (gateway.data_dir / "control.json").unlink()
    assert gateway.cli("reload").stderr.startswith(f"kyma: no gateway runs on {gateway.data_dir}; ")
    gateway.start()
