"""Scheduled probes of a real gateway: whom they ask, what they tell, what they cost."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.waiting import wait_until
from tests.upstream.process import UpstreamProcess

FREE = {"input": "0", "output": "0"}
BUDGET = 200_000
"""In nano-dollars: a probe of `paid` is set aside with 16 output tokens at 2,000 and its bytes at 1,000 each."""

MODELS = [
    ModelSpec("free", [RouteSpec("one", "script:ok:word=free", FREE)], input="0", output="0", fields={"is_free": True}),
    ModelSpec("paid", [RouteSpec("one", "script:ok")]),
    ModelSpec("half", [RouteSpec("sick", "script:status:code=503"), RouteSpec("one", "script:ok:word=half")]),
    ModelSpec("dead", [RouteSpec("dead", "script:status:code=500")]),
    ModelSpec("parked", [RouteSpec("parked", "script:status:code=401")]),
    ModelSpec("off", [RouteSpec("off", "script:ok:word=off")]),
]
ENV = {
    "KYMA_UPTIME_FLUSH_S": "0.05",
    "KYMA_PROBE_INTERVAL_S": "0.2",
    "KYMA_LIMITS_ENABLED": "false",
}


def gateway_on(upstream: UpstreamProcess, folder: Path, budget_usd: str) -> GatewayProcess:
    providers = [ProviderSpec(name, upstream.base_url) for name in ("one", "sick", "dead", "parked", "off")]
    return GatewayProcess(folder, providers, MODELS, env=ENV | {"KYMA_PROBE_BUDGET_USD": budget_usd})


def rows(gateway: GatewayProcess, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{gateway.db_path}?mode=ro", uri=True, timeout=5)) as connection:
        return connection.execute(sql).fetchall()


def probes_of(upstream: UpstreamProcess, script: str) -> int:
    return len(upstream.log(script))


def free_probes(upstream: UpstreamProcess, count: int) -> None:
    """Wait for so many more probes of what is free."""
    seen = probes_of(upstream, "script:ok:word=free")
    wait_until(lambda: probes_of(upstream, "script:ok:word=free") >= seen + count, within_s=30)


@pytest.fixture
def gateway(upstream: UpstreamProcess, tmp_path: Path) -> Iterator[GatewayProcess]:
    with gateway_on(upstream, tmp_path, "1") as process:
        yield process


def uptime(gateway: GatewayProcess, model: str) -> dict[str, Any]:
    found = Api(gateway.port, "").get("/v1/models/uptime").json()["models"]
    (row,) = [row for row in found if row["id"] == model]
    return dict(row)


def test_silent_sources_are_probed_and_their_models_have_an_uptime(
    gateway: GatewayProcess, upstream: UpstreamProcess
) -> None:
    wait_until(lambda: min(uptime(gateway, model)["probes"] for model in ("free", "half", "dead")) >= 2, within_s=30)
    shown = {model: uptime(gateway, model) for model in ("free", "half", "dead")}
    assert {model: row["uptime_pct"] for model, row in shown.items()} == {"free": 100.0, "half": 100.0, "dead": 0.0}
    assert all(row["requests"] == row["probes"] for row in shown.values())
    assert shown["free"]["p50_ms"] > 0 and shown["dead"]["p50_ms"] is None


def test_a_probe_is_a_call_of_the_operators(gateway: GatewayProcess) -> None:
    wait_until(lambda: bool(rows(gateway, "select * from usage where model = 'paid'")), within_s=30)
    (operator,) = rows(gateway, "select account_id from app_user where is_operator")
    charged = rows(gateway, "select account_id, cost > 0 from usage where model = 'paid'")
    assert set(charged) == {(operator[0], 1)}
    assert gateway.cli("ledger", "verify").returncode == 0


def test_nobody_who_is_off_or_whose_key_is_refused_is_probed(
    gateway: GatewayProcess, upstream: UpstreamProcess
) -> None:
    operator = Api(gateway.port, gateway.key)
    operator.post("/v1/admin/routes/switch", {"provider": "off", "on": False})
    free_probes(upstream, 4)  # one that was under way is over
    asked_before = probes_of(upstream, "script:ok:word=off")
    free_probes(upstream, 4)
    assert probes_of(upstream, "script:ok:word=off") == asked_before
    assert probes_of(upstream, "script:status:code=401") == 1


def test_probes_never_cost_more_than_the_budget_also_over_a_restart(upstream: UpstreamProcess, tmp_path: Path) -> None:
    """What costs nothing is probed on, which shows that time goes on; what costs something no longer is."""

    def spent() -> int:
        return int(rows(running, "select coalesce(sum(cost), 0) from usage")[0][0])

    with gateway_on(upstream, tmp_path, "0.0002") as running:
        wait_until(lambda: spent() > BUDGET // 2, within_s=30)
        free_probes(upstream, 10)
        paid = probes_of(upstream, "script:ok")
        free_probes(upstream, 4)
        assert probes_of(upstream, "script:ok") == paid
        running.restart()
        free_probes(upstream, 4)
        assert probes_of(upstream, "script:ok") == paid
        assert BUDGET // 2 < spent() <= BUDGET
        (taken,) = rows(running, "select taken from probe_budget")
        assert spent() <= taken[0] <= BUDGET


def test_without_an_interval_nobody_is_probed(upstream: UpstreamProcess, tmp_path: Path) -> None:
    providers = [ProviderSpec("one", upstream.base_url)]
    with GatewayProcess(tmp_path, providers, MODELS[:2], env={"KYMA_UPTIME_FLUSH_S": "0.05"}) as gateway:
        api = Api(gateway.port, gateway.key)
        api.chat("paid")
        wait_until(lambda: uptime(gateway, "paid")["requests"] == 1, within_s=30)
        assert uptime(gateway, "paid")["probes"] == 0 and upstream.log("script:ok:word=free") == []
