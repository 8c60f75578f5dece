"""A running gateway takes up what its operator has changed, all of it or nothing, and nobody who calls notices."""

import http.client
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.server.api import HELLO, NANOS, Api
from tests.server.books import count, usage_row
from tests.server.customers import open_account
from tests.server.waiting import wait_until
from tests.upstream.process import ROOT, UpstreamProcess, tethered

GOOD = ModelSpec("good", [RouteSpec("one", "script:ok")])
NEW = ModelSpec("new", [RouteSpec("one", "script:ok:tokens=2")])
PACED = ModelSpec("paced", [RouteSpec("one", "script:paced:interval_ms=20,events=60")])
OWL = """
name = "Owl"
dialect = "openai_chat"
base = "v1"
models = [{ alias = "good", reason = "It hoots" }]
steps = ["Open the nest"]
source = "test, 2026-11-21"
"""
REFUSED = "nothing is reloaded, all stays as it was: "


@pytest.fixture
def provider(upstream: UpstreamProcess) -> ProviderSpec:
    return ProviderSpec("one", upstream.base_url)


@pytest.fixture
def gateway(provider: ProviderSpec, tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway whose key for provider `filed` is in a file, which is empty at first."""
    secret = tmp_path / "filed.key"
    secret.write_text("")
    env = {"FILED_API_KEY_FILE": str(secret), "LATE_API_KEY": "sk-late"}
    with GatewayProcess(tmp_path, [provider], [GOOD, PACED], env=env) as process:
        yield process


@pytest.fixture
def operator(gateway: GatewayProcess) -> Api:
    return Api(gateway.port, gateway.key)


def hang_up(gateway: GatewayProcess, words: str) -> None:
    """SIGHUP, and wait until the log says so once more."""
    before = gateway.log().count(words)
    os.kill(gateway.pid, signal.SIGHUP)
    wait_until(lambda: gateway.log().count(words) > before)


def test_a_signal_adds_a_model(gateway: GatewayProcess, provider: ProviderSpec, operator: Api) -> None:
    assert operator.chat("new").status == 404
    gateway.write_catalog([provider], [GOOD, NEW])
    hang_up(gateway, "reloaded: 2 of ")
    assert operator.chat("new").text == "w0 w1"
    assert operator.chat("paced").status == 404


def test_the_command_adds_a_model_and_tells(gateway: GatewayProcess, provider: ProviderSpec, operator: Api) -> None:
    gateway.write_catalog([provider], [GOOD, NEW])
    run = gateway.cli("reload")
    assert run.returncode == 0 and run.stdout.startswith("reloaded: 2 of ")
    assert operator.chat("new").status == 200


def test_a_provider_is_on_once_its_row_is_there(gateway: GatewayProcess, provider: ProviderSpec, operator: Api) -> None:
    late = ProviderSpec("late", provider.base_url)
    gateway.write_catalog([provider, late], [ModelSpec("good", [RouteSpec("late", "script:ok")])])
    assert operator.post("/v1/admin/reload", {}).json()["providers"] == ["late", "one"]
    assert operator.chat("good").status == 200


def test_a_secret_that_is_put_into_its_file_is_taken_up(
    gateway: GatewayProcess, provider: ProviderSpec, operator: Api, upstream: UpstreamProcess, tmp_path: Path
) -> None:
    filed = ProviderSpec("filed", provider.base_url)
    gateway.write_catalog([provider, filed], [ModelSpec("good", [RouteSpec("filed", "script:ok")])])
    assert operator.post("/v1/admin/reload", {}).json()["providers"] == ["one"]
    for secret in ("sk-first", "sk-second"):
        (tmp_path / "filed.key").write_text(f"{secret}\n")
        assert operator.post("/v1/admin/reload", {}).json()["providers"] == ["filed", "one"]
        assert operator.chat("good").status == 200
        assert upstream.log()[-1].headers["authorization"] == f"Bearer {secret}"
    assert "sk-first" not in gateway.log() and "sk-second" not in gateway.log()


def test_an_agent_of_the_operators_is_taken_up(gateway: GatewayProcess, operator: Api) -> None:
    asked = "/v1/models/recommend?agent=owl"
    agents = gateway.config_dir / "agents"
    agents.mkdir()
    (agents / "owl.toml").write_text(OWL)
    assert operator.get(asked).status == 400
    assert operator.post("/v1/admin/reload", {}).status == 200
    assert operator.get(asked).json()["steps"] == ["Open the nest"]
    (agents / "owl.toml").write_text(OWL.replace("nest", "next"))
    assert operator.post("/v1/admin/reload", {}).status == 200
    assert operator.get(asked).json()["steps"] == ["Open the next"]


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("models/tests.toml", 'owned_by = "T"\n[model."good"]\nnmae = "x"\n', "models/tests.toml [model.good]: "),
        ("providers.toml", "[one]\nname = 7\n", "providers.toml [one]: "),
        ("aliases.toml", '[nick]\ntargets = ["nobody"]\nsource = "t"\n', "aliases.toml [nick]: targets: "),
        ("kyma.toml", "nonsense = 1\n", "kyma.toml: unknown key 'nonsense'"),
        ("kyma.toml", "max_live_calls = 0\n", "kyma.toml: max_live_calls must be more than 0"),
        ("kyma.toml", 'database_url = "mysql://me:hunter2@host/db"\n', "kyma.toml: database_url must be "),
        ("tiers.toml", "broken", "tiers.toml: "),
        ("agents/owl.toml", OWL.replace("hoots", 'hoots", why = "'), "agents/owl.toml [agent]: "),
    ],
)
def test_one_error_and_all_stays_as_it_was(
    gateway: GatewayProcess, provider: ProviderSpec, operator: Api, file: str, text: str, told: str
) -> None:
    gateway.write_catalog([provider], [GOOD, NEW])
    (gateway.config_dir / file).parent.mkdir(exist_ok=True)
    (gateway.config_dir / file).write_text(text)
    hang_up(gateway, REFUSED)
    reason = gateway.log().rpartition(REFUSED)[2].splitlines()[0]
    assert told in reason and str(gateway.config_dir) in reason and "hunter2" not in reason
    assert operator.chat("new").status == 404 and operator.chat("good").status == 200
    answer = operator.post("/v1/admin/reload", {})
    assert (answer.status, answer.error["code"], answer.error["message"]) == (400, "invalid_configuration", reason)
    assert "Traceback" not in gateway.log()
    run = gateway.cli("reload")
    assert run.returncode == 1 and run.stderr == f"kyma: {reason}\n"


def test_a_secret_that_cannot_be_read_stops_a_reload(
    gateway: GatewayProcess, provider: ProviderSpec, operator: Api, tmp_path: Path
) -> None:
    gateway.write_catalog([provider, ProviderSpec("filed", provider.base_url)], [GOOD, NEW])
    (tmp_path / "filed.key").unlink()
    answer = operator.post("/v1/admin/reload", {})
    assert (answer.status, operator.chat("new").status) == (400, 404)
    assert answer.error["message"].startswith("FILED_API_KEY_FILE: cannot read ")


def test_a_tier_that_accounts_may_stand_in_cannot_go(gateway: GatewayProcess, operator: Api) -> None:
    tiers = gateway.config_dir / "tiers.toml"
    row = 'name = "Five"\nmin_deposit_usd = 100000\nsource = "tests"\n'
    limits = "rpm = 9\nper_model_rpm = 9\ntpm = 9\nmax_single_request = 9\n"
    tiers.write_text(f"[5]\n{row}{limits}")
    assert operator.post("/v1/admin/reload", {}).status == 200
    tiers.unlink()
    answer = operator.post("/v1/admin/reload", {})
    assert (answer.status, answer.error["message"]) == (
        400,
        "tiers.toml: tier 5 is gone; fewer tiers than before need a restart",
    )


def test_limits_follow_the_tiers(gateway: GatewayProcess, operator: Api) -> None:
    customer = open_account(gateway.port)
    row = 'name = "Zero"\nmin_deposit_usd = 0\nsource = "tests"\n'
    limits = "rpm = 7\nper_model_rpm = 7\ntpm = 70000\nmax_single_request = 70000\n"
    (gateway.config_dir / "tiers.toml").write_text(f"[0]\n{row}{limits}")
    assert customer.get("/v1/auth/limits").json()["rpm_limit"] != 7
    assert operator.post("/v1/admin/reload", {}).status == 200
    assert customer.get("/v1/auth/limits").json()["rpm_limit"] == 7


def test_settings_that_can_change_do_and_others_are_named(gateway: GatewayProcess, operator: Api) -> None:
    lines = ('signup_credit_usd = "2"', "max_live_calls = 100", "local_parallel = 7", "body_limit_bytes = 1000")
    (gateway.config_dir / "kyma.toml").write_text("\n".join(lines))
    told = operator.post("/v1/admin/reload", {}).json()
    assert told["changed"] == ["signup_credit_usd", "max_live_calls"]
    assert told["needs_restart"] == ["local_parallel", "body_limit_bytes"]
    assert "these wait for a restart: local_parallel, body_limit_bytes" in gateway.log()
    assert open_account(gateway.port).balance() == 2 * NANOS
    again = operator.post("/v1/admin/reload", {}).json()
    assert again["changed"] == [] and again["needs_restart"] == told["needs_restart"]


def test_registration_can_be_closed_without_a_restart(gateway: GatewayProcess, operator: Api) -> None:
    (gateway.config_dir / "kyma.toml").write_text("open_registration = false\nmax_live_calls = 1")
    assert operator.post("/v1/admin/reload", {}).status == 200
    answer = operator.post("/v1/auth/register", {"email": "late@example.com"})
    assert (answer.status, answer.error["code"]) == (403, "registration_closed")


def test_the_log_is_as_talkative_as_asked(gateway: GatewayProcess, operator: Api) -> None:
    for level, lines in (("error", 0), ("info", 1)):
        (gateway.config_dir / "kyma.toml").write_text(f'log_level = "{level}"')
        assert operator.post("/v1/admin/reload", {}).status == 200
        assert gateway.log().count("reloaded: ") == lines


def test_the_most_calls_at_once_follow(gateway: GatewayProcess, operator: Api) -> None:
    connection, response = open_stream(gateway, "paced")
    (gateway.config_dir / "kyma.toml").write_text("max_live_calls = 1")
    assert operator.post("/v1/admin/reload", {}).status == 200
    assert operator.chat("good").error["code"] == "overloaded"
    assert b"data: [DONE]" in response.read()
    connection.close()
    assert operator.chat("good").status == 200


def test_a_new_price_is_for_calls_that_come_after_it(
    gateway: GatewayProcess, provider: ProviderSpec, operator: Api
) -> None:
    connection, response = open_stream(gateway, "paced")
    before = operator.chat("good")
    dear = ModelSpec("good", [RouteSpec("one", "script:ok")], input="10", output="20")
    gateway.write_catalog([provider], [dear])
    version = operator.post("/v1/admin/reload?accept_prices=true", {}).json()["price_version"]
    after = operator.chat("good")
    assert (before.cost, after.cost) == (3 * 1000 + 5 * 2000, 3 * 10_000 + 5 * 20_000)
    assert b"data: [DONE]" in response.read(), "its model is gone, and it ends as it began"
    connection.close()
    rows = [
        usage_row(gateway.db_path, request_id)
        for request_id in (
            before.headers["x-request-id"],
            response.headers["x-request-id"],
            after.headers["x-request-id"],
        )
    ]
    assert [row["price_version"] == version for row in rows] == [False, False, True]
    assert count(gateway.db_path, "price_book") == 2
    verified = gateway.cli("ledger", "verify")
    assert verified.returncode == 0, verified.stdout


DEAR = ModelSpec("good", GOOD.routes, input="2")
MOVED = "good: cache_write 1.0 -> 2.0 (+100.0 %)"


def test_no_price_moves_far_by_a_slip_of_the_pen(
    gateway: GatewayProcess, provider: ProviderSpec, operator: Api
) -> None:
    gateway.write_catalog([provider], [DEAR])
    answer = operator.post("/v1/admin/reload", {})
    assert (answer.status, answer.error["code"]) == (400, "prices_not_accepted")
    assert MOVED in answer.error["message"]
    hang_up(gateway, REFUSED)
    run = gateway.cli("reload")
    assert run.returncode == 1 and MOVED in run.stderr
    assert operator.chat("good").cost == 3 * 1000 + 5 * 2000


def test_whoever_means_it_says_so_to_the_command(
    gateway: GatewayProcess, provider: ProviderSpec, operator: Api
) -> None:
    gateway.write_catalog([provider], [DEAR])
    assert gateway.cli("reload", "--accept").returncode == 0
    assert operator.chat("good").cost == 3 * 2000 + 5 * 2000


def test_a_signal_takes_what_was_accepted_before(
    gateway: GatewayProcess, provider: ProviderSpec, operator: Api
) -> None:
    gateway.write_catalog([provider], [DEAR])
    refused = gateway.cli("prices", "lint")
    assert refused.returncode == 1 and f"FAIL  {MOVED}" in refused.stdout
    accepted = gateway.cli("prices", "lint", "--accept")
    assert accepted.returncode == 0 and f"ok    {MOVED}" in accepted.stdout
    hang_up(gateway, "reloaded: 1 of ")
    assert operator.chat("good").cost == 3 * 2000 + 5 * 2000
    assert gateway.cli("ledger", "verify").returncode == 0


def test_no_call_fails_while_it_is_reloaded_again_and_again(
    gateway: GatewayProcess, provider: ProviderSpec, operator: Api
) -> None:
    (gateway.config_dir / "kyma.toml").write_text("limits_enabled = false")
    assert operator.post("/v1/admin/reload", {}).json()["changed"] == ["limits_enabled"]
    is_over = threading.Event()
    statuses: list[int] = []

    def call() -> None:
        while not is_over.is_set():
            statuses.append(operator.chat("good").status)
            streamed = operator.stream("good")
            statuses.append(streamed.status if streamed.is_finished else 0)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for number in range(6):
        gateway.write_catalog([provider], [ModelSpec("good", GOOD.routes, input=f"1.0{number}"), NEW])
        hang_up(gateway, "reloaded: 2 of ")
        (gateway.config_dir / "providers.toml").write_text("[one]\n")
        hang_up(gateway, REFUSED)
    is_over.set()
    for caller in callers:
        caller.join()
    assert len(statuses) > 20 and set(statuses) == {200}
    assert gateway.cli("ledger", "verify").returncode == 0


def test_a_gateway_whose_terminal_is_closed_ends(gateway: GatewayProcess) -> None:
    """As it did before SIGHUP had another meaning, so that nobody is left behind on the port."""
    gateway.terminate()
    ours, theirs = pty.openpty()
    command = tethered([sys.executable, "-c", CONTROLLED, sys.executable, "-m", "kyma", "serve"])
    process = subprocess.Popen(
        command, cwd=ROOT, env=gateway.env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    said = b""
    while b"Kyma listens on" not in said:
        said += os.read(ours, 4096)
    wait_until((gateway.data_dir / "control.json").exists)
    os.close(ours)
    assert process.wait(15) == 0
    assert not (gateway.data_dir / "control.json").exists()


CONTROLLED = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes its standard input the terminal of its session, whose end it then hears of, and becomes another program."""


def open_stream(gateway: GatewayProcess, model: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """A stream under way."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    body = json.dumps({"model": model, "messages": HELLO, "stream": True})
    connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {gateway.key}"})
    return connection, connection.getresponse()
