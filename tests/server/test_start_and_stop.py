"""How a gateway starts the first time and the second, how it ends, and what a sudden end leaves behind."""

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway_process import KEY, GatewayFailed, GatewayProcess
from tests.server import catalog
from tests.server.api import HELLO, NANOS, Api
from tests.server.books import count, last_usage_row, open_holds
from tests.server.waiting import wait_until
from tests.upstream.process import UpstreamProcess

SECOND_START_S = 3.0
"""Of work, since the machine may be busy with something else meanwhile."""


@pytest.fixture
def gateway(upstream: UpstreamProcess, tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway of the test's own, running."""
    with GatewayProcess(tmp_path, catalog.providers(upstream), catalog.models()) as process:
        assert process.key
        yield process


@pytest.fixture
def api(gateway: GatewayProcess) -> Api:
    return Api(gateway.port, gateway.key)


def twin(gateway: GatewayProcess, upstream: UpstreamProcess) -> GatewayProcess:
    """Another process on the same data folder, on a port of its own."""
    return GatewayProcess(gateway.data_dir.parent, catalog.providers(upstream), catalog.models())


def open_stream(api: Api, model: str = "endless", **fields: object) -> http.client.HTTPConnection:
    """A stream whose first word has come."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
    body = json.dumps({"model": model, "messages": HELLO, "stream": True, **fields})
    connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {api.key}"})
    return connection


def cpu_seconds(pid: int) -> float:
    """What a process has worked so far."""
    fields = process_facts(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def state(pid: int) -> str:
    """`Z` for a process that has ended and waits for its parent."""
    return process_facts(pid)[0]


def process_facts(pid: int) -> list[str]:
    """`/proc/…/stat` from the third field on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def test_the_first_start_prints_the_key_and_what_to_do_with_it(gateway: GatewayProcess) -> None:
    greeting = gateway.log()
    assert len(set(KEY.findall(greeting))) == 1
    for line in ("Your API key, shown this once:", f"Kyma listens on {gateway.base_url}", "Try it:"):
        assert greeting.count(line) == 1
    assert f"Authorization: Bearer {gateway.key}" in greeting


def test_the_second_start_is_quick_and_prints_no_key(gateway: GatewayProcess, api: Api) -> None:
    gateway.restart()
    assert cpu_seconds(gateway.pid) < SECOND_START_S
    wait_until(lambda: "Another key: kyma keys create" in gateway.log())
    assert KEY.findall(gateway.log().partition("Another key")[2]) == []
    assert gateway.log().count("Your API key") == 1
    assert api.balance() == 100 * NANOS


def test_the_second_greetings_curl_takes_the_key_from_the_environment(gateway: GatewayProcess) -> None:
    gateway.restart()
    wait_until(lambda: "Another key" in gateway.log())
    assert '-H "Authorization: Bearer $KYMA_API_KEY"' in gateway.log()


def test_the_data_folder_is_for_its_owner_only(gateway: GatewayProcess) -> None:
    assert (gateway.data_dir / "pepper").stat().st_mode & 0o077 == 0


def test_a_second_gateway_on_the_same_data_is_refused(gateway: GatewayProcess, upstream: UpstreamProcess) -> None:
    with pytest.raises(GatewayFailed) as caught:
        twin(gateway, upstream).start()
    assert "ended with code 1" in str(caught.value)
    assert f"kyma: another gateway runs on {gateway.data_dir}; stop it or set data_dir" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_taken_port_is_told(gateway: GatewayProcess, upstream: UpstreamProcess, tmp_path: Path) -> None:
    other = GatewayProcess(
        tmp_path / "other", catalog.providers(upstream), catalog.models(), env={"KYMA_PORT": str(gateway.port)}
    )
    run = other.cli("serve")
    assert run.returncode == 1
    assert f"cannot listen on 127.0.0.1:{gateway.port}: Address already in use; KYMA_PORT=" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(gateway: GatewayProcess, api: Api, number: signal.Signals) -> None:
    assert api.chat("good").status == 200
    assert open_holds(gateway.db_path) == 1
    os.kill(gateway.pid, number)
    wait_until(lambda: state(gateway.pid) == "Z", within_s=15)
    assert gateway.terminate() == 0
    assert open_holds(gateway.db_path) == 0
    assert gateway.cli("ledger", "verify").returncode == 0
    assert "Traceback" not in gateway.log()


def test_open_streams_end_whole_before_it_does(gateway: GatewayProcess, api: Api) -> None:
    connection = open_stream(api, "endless", max_tokens=40)
    response = connection.getresponse()
    started_at, ended = time.monotonic(), []
    stopping = threading.Thread(target=lambda: ended.append(gateway.terminate()))
    stopping.start()
    assert b"data: [DONE]" in response.read()
    stopping.join()
    connection.close()
    assert ended == [0] and time.monotonic() - started_at < 5
    assert count(gateway.db_path, "usage") == 1
    assert gateway.cli("ledger", "verify").returncode == 0


def test_a_stream_that_never_ends_does_not_hold_it_for_ever(upstream: UpstreamProcess, tmp_path: Path) -> None:
    env = {"KYMA_SHUTDOWN_S": "0.5"}
    with GatewayProcess(tmp_path, catalog.providers(upstream), catalog.models(), env=env) as gateway:
        connection = open_stream(Api(gateway.port, gateway.key), "endless")
        response = connection.getresponse()
        said = response.read1()
        assert gateway.terminate() == 0
        while more := _rest(response):
            said += more
        response.close()
        connection.close()
        assert b"data: [DONE]" not in said
        row = last_usage_row(gateway.db_path)
        assert int(row["output_tokens"] or 0) >= said.count(b'"content":') > 0
        assert (row["status"], row["estimated"]) == ("cut", 1)
        assert open_holds(gateway.db_path) == 0
        assert gateway.cli("ledger", "verify").returncode == 0


def test_while_it_ends_nobody_new_is_taken(gateway: GatewayProcess, api: Api) -> None:
    connection = open_stream(api, "endless", max_tokens=60)
    response = connection.getresponse()
    stopping = threading.Thread(target=gateway.terminate)
    stopping.start()
    wait_until(lambda: not _takes_connections(gateway.port))
    response.read()
    stopping.join()
    connection.close()


def test_a_sudden_end_leaves_books_that_balance(gateway: GatewayProcess, api: Api) -> None:
    charged = 100 * NANOS - sum(api.chat("good").cost for _ in range(5))
    streams = [open_stream(api) for _ in range(4)]
    for stream in streams:
        assert stream.getresponse().status == 200
    gateway.kill()
    for stream in streams:
        stream.close()
    assert gateway.cli("ledger", "verify").returncode == 0
    gateway.start()
    assert open_holds(gateway.db_path) == 0, "the dead gateway's leases are taken over at the start"
    assert api.balance() == charged
    assert api.chat("good").status == 200
    assert gateway.cli("ledger", "verify").returncode == 0


def test_every_answer_that_was_given_is_in_the_books_of_a_killed_gateway(gateway: GatewayProcess, api: Api) -> None:
    answers = [api.chat("good") for _ in range(10)]
    gateway.kill()
    assert count(gateway.db_path, "usage") == len(answers)
    gateway.start()
    assert api.balance() == 100 * NANOS - sum(answer.cost for answer in answers)


def test_without_a_model_or_provider_it_says_how_to_add_one(tmp_path: Path) -> None:
    with GatewayProcess(tmp_path, [], []) as gateway:
        wait_until(lambda: "No model is available yet" in gateway.log())
        assert "GROQ_API_KEY=" in gateway.log()
        assert str(gateway.config_dir / "providers.toml") in gateway.log()
        api = Api(gateway.port, gateway.key)
        assert api.get("/v1/models").json()["data"] == []
        assert api.get("/v1/status").json()["status"] == "degraded"
        assert api.get("/readyz").status == 200
        assert api.chat("best").status == 404


def test_a_broken_catalog_row_is_told_without_a_traceback(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path, [], [])
    (gateway.config_dir / "providers.toml").write_text("[acme]\nnmae = 1\n")
    run = gateway.cli("serve")
    assert run.returncode == 1
    assert run.stderr.startswith("kyma: ") and "providers.toml" in run.stderr
    assert "Traceback" not in run.stderr


def _takes_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionError:
        return False
    return True


def _rest(response: http.client.HTTPResponse) -> bytes:
    """The next bytes of a stream; empty once it ended, well or not."""
    try:
        return response.read1()
    except (http.client.HTTPException, ConnectionError):
        return b""
