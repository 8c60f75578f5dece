"""Two gateways on one Postgres: one account, one set of books."""

import asyncio
import json
import urllib.request
from pathlib import Path

import pytest

from tests.databases import command
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayFailed, GatewayProcess
from tests.server.waiting import wait_until
from tests.servers.postgres import PostgresServer
from tests.upstream.process import UpstreamProcess

EMAIL = "two@gateways.test"


def shared(folder: Path, url: str, upstream: UpstreamProcess) -> GatewayProcess:
    """A gateway of many on `url`."""
    return GatewayProcess(
        folder,
        [ProviderSpec("good", upstream.base_url)],
        [ModelSpec("good", [RouteSpec("good", "script:ok")])],
        env={"KYMA_DATABASE_URL": url, "KYMA_PEPPER": "shared", "KYMA_LEASE_IDLE_S": "0.2"},
    )


def call(gateway: GatewayProcess, key: str) -> float:
    """One chat; what it cost, in dollars."""
    body = json.dumps({"model": "good", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}).encode()
    request = urllib.request.Request(
        f"{gateway.base_url}/v1/chat/completions", body, {"authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        cost: float = json.load(response)["usage"]["cost"]
    return cost


def balance(gateway: GatewayProcess, key: str) -> float:
    request = urllib.request.Request(f"{gateway.base_url}/v1/credits/balance", headers={"x-api-key": key})
    with urllib.request.urlopen(request, timeout=10) as response:
        left: float = json.load(response)["balance"]
    return left


def empty_database(server: PostgresServer) -> str:
    """The address of a database without tables."""
    name = server.new_name()
    asyncio.run(command(server, f"create database {name}"))
    return server.url(name)


def test_two_gateways_share_an_account_and_the_books_balance(
    postgres_server: PostgresServer, upstream_process: UpstreamProcess, tmp_path: Path
) -> None:
    url = empty_database(postgres_server)
    first, second = (shared(tmp_path / name, url, upstream_process) for name in ("first", "second"))
    assert first.cli("migrate").returncode == 0
    with first, second:
        key = first.register(EMAIL)
        spent = sum(call(gateway, key) for gateway in (first, second, first, second))
        assert balance(first, key) == balance(second, key) == pytest.approx(0.5 - spent, abs=1e-12)
        verified = first.cli("ledger", "verify")
        assert (verified.returncode, verified.stdout) == (0, "the books balance to the nano-dollar\n")
        assert second.terminate() == 0
        second.start()


def test_a_source_that_is_switched_off_in_one_gateway_is_off_in_all(
    postgres_server: PostgresServer, upstream_process: UpstreamProcess, tmp_path: Path
) -> None:
    url = empty_database(postgres_server)
    first, second = (shared(tmp_path / name, url, upstream_process) for name in ("first", "second"))
    assert first.cli("migrate").returncode == 0

    def is_on_in(gateway: GatewayProcess) -> bool:
        (row,) = json.loads(gateway.cli("routes", "--json").stdout)["data"]
        is_on: bool = row["is_on"]
        return is_on

    with first, second:
        assert first.cli("routes", "off", "good").returncode == 0
        assert not is_on_in(first)
        wait_until(lambda: not is_on_in(second), within_s=15)
        assert second.cli("routes", "on", "good").returncode == 0
        wait_until(lambda: is_on_in(first), within_s=15)
        views = {json.loads(gateway.cli("routes", "--json").stdout)["gateway"] for gateway in (first, second)}
        assert len(views) == 2


def test_a_shared_database_without_our_tables_is_refused(
    postgres_server: PostgresServer, upstream_process: UpstreamProcess, tmp_path: Path
) -> None:
    gateway = shared(tmp_path, empty_database(postgres_server), upstream_process)
    with pytest.raises(GatewayFailed) as caught:
        gateway.start()
    assert "run `kyma migrate`" in str(caught.value) + gateway.log()
