"""What customers and operators read of usage, of the request log and of the rankings, after real calls."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.gateway_process import GatewayProcess
from tests.server import catalog
from tests.server.api import HELLO, Answer, Api, exact, nanos
from tests.server.books import count
from tests.server.customers import open_account, stranger
from tests.server.waiting import wait_until
from tests.upstream.process import UpstreamProcess


def call(api: Api, model: str = "good", **headers: str) -> Answer:
    body = json.dumps({"model": model, "messages": HELLO}).encode()
    answer = api.send("POST", "/v1/chat/completions", body, headers)
    assert answer.status == 200, answer
    return answer


def logs(api: Api, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = exact(api.get(f"/v1/logs{query}"))["data"]
    return rows


def test_usage_is_what_calls_cost_to_the_last_digit(customer: Api) -> None:
    before = customer.balance()
    spent = sum(call(customer, model).cost for model in ("good", "good", "slow"))
    told = exact(customer.get("/v1/usage?group_by=model"))
    assert {row["model"]: row["requests"] for row in told["data"]} == {"good": 2, "slow": 1}
    assert sum(nanos(row["cost"]) for row in told["data"]) == nanos(told["totals"]["cost"]) == spent
    assert customer.balance() == before - spent
    assert told["totals"]["requests"] == 3 and told["totals"]["output_tokens"] > 0


def test_a_new_name_for_each_call_does_not_make_a_sum_for_each(customer: Api) -> None:
    for n in range(103):
        call(customer, **{"x-title": f"tool {n}"})
    rows = exact(customer.get("/v1/usage?group_by=app"))["data"]
    assert len(rows) == 101
    assert {row["app"]: row["requests"] for row in rows}["other"] == 3


def test_usage_is_grouped_as_asked_and_has_no_other_members(customer: Api) -> None:
    call(customer, **{"x-title": "My App"})
    (row,) = exact(customer.get("/v1/usage?group_by=day,hour,model,key,app"))["data"]
    assert (row["model"], row["app"]) == ("good", "my app")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["day"]) and row["hour"].startswith(row["day"])
    assert row["key"].startswith("key_")
    assert "model" not in exact(customer.get("/v1/usage"))["data"][0]
    assert exact(customer.get("/v1/usage?group_by="))["data"][0]["requests"] == 1


@pytest.mark.parametrize(("query", "days"), [("", 30), ("?group_by=hour", 7), ("?group_by=model,hour", 7)])
def test_without_a_time_the_last_days_are_meant(customer: Api, query: str, days: int) -> None:
    body = customer.get(f"/v1/usage{query}").json()
    start, end = (datetime.fromisoformat(body[name]) for name in ("from", "to"))
    assert timedelta(days=days) <= end - start <= timedelta(days=days, hours=1)


def test_usage_is_filtered_by_what_calls_were(customer: Api) -> None:
    call(customer, **{"user-agent": "watch-cli/0.2.0"})
    call(customer, "slow")
    key = logs(customer)[0]["key"]["id"]
    for query, requests in (("app=watch-cli", 1), ("model=slow", 1), (f"key={key}", 2), ("status=failed", 0)):
        assert exact(customer.get(f"/v1/usage?{query}"))["totals"]["requests"] == requests


@pytest.mark.parametrize("how", ["query", "header"])
def test_usage_comes_as_csv_too(customer: Api, how: str) -> None:
    cost = call(customer).cost
    path = "/v1/usage?group_by=model" + ("&format=csv" if how == "query" else "")
    answer = customer.send("GET", path, headers={"accept": "text/csv"} if how == "header" else {})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.body.decode()))
    assert (row["model"], row["requests"], nanos(Decimal(row["cost"]))) == ("good", "1", cost)


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2026-11-02&to=2026-11-01",
        "from=2024-01-01&to=2026-01-01",
        "from=2026-11-01T25:00:00Z",
        "from=1969-12-31&to=1970-01-02",
        "from=9999-12-31&to=9999-12-31",
        "from=0001-01-01T00:00:00%2B23:00",
    ],
)
@pytest.mark.parametrize("path", ["/v1/usage", "/v1/logs"])
def test_a_time_that_is_none_is_refused(customer: Api, path: str, query: str) -> None:
    answer = customer.get(f"{path}?{query}")
    assert (answer.status, answer.error["code"]) == (400, "invalid_time")


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/v1/usage?group_by=route", "group_by"),
        ("/v1/usage?app=%00", "app"),
        ("/v1/logs?limit=1001", "limit"),
        ("/v1/logs?limit=0", "limit"),
        ("/v1/logs?cursor=x", "cursor"),
        ("/v1/logs?cursor=%C3%A9", "cursor"),
        ("/v1/logs?cursor=WzEsIlx1MDAwMCJd", "cursor"),
        ("/v1/logs?cursor=Wy0xLCJhIl0", "cursor"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(customer: Api, path: str, param: str) -> None:
    answer = customer.get(path)
    assert (answer.status, answer.error["param"]) == (400, param)


@pytest.mark.parametrize("path", ["/v1/admin/usage", "/v1/admin/logs"])
def test_an_account_that_cannot_be_printed_is_refused_by_name(operator: Api, path: str) -> None:
    answer = operator.get(f"{path}?account=%00")
    assert (answer.status, answer.error["param"]) == (400, "account")


def test_a_span_of_time_leaves_out_what_is_outside(customer: Api) -> None:
    call(customer)
    at = logs(customer)[0]["created_at"]
    assert len(logs(customer, f"?from={at}")) == 1
    assert logs(customer, f"?from=2026-01-01&to={at}") == [] or logs(customer, "?from=2020-01-01&to=2020-02-01") == []
    assert exact(customer.get("/v1/usage?from=2020-01-01&to=2020-02-01"))["totals"]["requests"] == 0
    assert exact(customer.get(f"/v1/usage?from={at[:10]}&to={at[:10]}"))["totals"]["requests"] == 1


def test_calls_are_listed_newest_first_page_by_page(customer: Api) -> None:
    ids = [call(customer).headers["x-request-id"] for _ in range(5)][::-1]
    assert [row["request_id"] for row in logs(customer)] == ids
    seen, query = [], "?limit=2"
    while True:
        page = exact(customer.get(f"/v1/logs{query}"))
        seen += [row["request_id"] for row in page["data"]]
        assert page["has_more"] == (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        query = f"?limit=2&cursor={page['next_cursor']}"
    assert seen == ids


def test_a_listed_call_says_how_it_went_and_not_who_served_it(customer: Api) -> None:
    answer = call(customer, **{"x-kyma-sdk": "python/0.1.0"})
    (row,) = logs(customer)
    assert row["request_id"] == answer.headers["x-request-id"]
    assert (row["model"], row["requested_model"], row["app"]) == ("good", "good", "kyma-ai/python")
    assert (row["status"], row["http_status"], row["layer"]) == ("finished", 200, 0)
    assert row["streaming"] is False and row["estimated"] is False
    assert nanos(row["cost"]) == answer.cost and row["duration_ms"] >= 0
    assert customer.key.startswith(row["key"]["key"][:-1]) and len(row["key"]["key"]) < 12
    assert not {"route", "account", "provider"} & set(row)


def test_filters_and_a_request_id_find_calls(customer: Api) -> None:
    wanted = call(customer, "slow").headers["x-request-id"]
    call(customer)
    for query in ("model=slow", f"request_id={wanted}", f"request_id={wanted}&model=slow"):
        assert [row["request_id"] for row in logs(customer, f"?{query}")] == [wanted]
    assert logs(customer, f"?request_id={wanted}&model=good") == []
    assert logs(customer, "?status=failed") == []


@pytest.mark.parametrize("model", ["good", "searching"])
def test_a_call_explains_its_charge(customer: Api, model: str) -> None:
    answer = call(customer, model)
    told = exact(customer.get(f"/v1/logs/{answer.headers['x-request-id']}"))
    charge = told["charge"]
    for line in charge["lines"]:
        assert Decimal(line["amount"]) == line["units"] * Decimal(line["unit_price"])
        assert told[line["unit"]] == line["units"]
    total = sum(Decimal(line["amount"]) for line in charge["lines"])
    assert total == Decimal(charge["sum"]) > 0
    assert nanos(charge["cost"]) == answer.cost
    assert 0 <= answer.cost - total * 10**9 < 1
    assert (charge["sold_as"], charge["share_percent"]) == ([model], "100")


def test_a_call_of_somebody_else_is_as_if_it_never_was(gateway: GatewayProcess, customer: Api) -> None:
    foreign = call(open_account(gateway.port)).headers["x-request-id"]
    unknown = foreign[:-4] + "0000"
    answers = [customer.get(f"/v1/logs/{one}") for one in (foreign, unknown, "req_", "%00", "a%2Fb")]
    assert {answer.status for answer in answers} == {404}
    assert answers[0].body == answers[1].body == answers[2].body == answers[3].body
    assert logs(customer, f"?request_id={foreign}") == [] == logs(customer)
    assert exact(customer.get("/v1/usage"))["totals"]["requests"] == 0


def test_a_key_of_somebody_else_finds_nothing(gateway: GatewayProcess, customer: Api) -> None:
    other = open_account(gateway.port)
    call(other)
    key = logs(other)[0]["key"]["id"]
    assert logs(customer, f"?key={key}") == []
    assert exact(customer.get(f"/v1/usage?key={key}&group_by=key"))["data"] == []


def test_a_session_reads_its_account_and_a_stranger_nothing(gateway: GatewayProcess) -> None:
    for path in ("/v1/usage", "/v1/logs", "/v1/logs/req_1", "/v1/admin/usage", "/v1/admin/logs", "/v1/admin/logs/r"):
        assert stranger(gateway.port).get(path).status == 401


@pytest.mark.parametrize("path", ["/v1/admin/usage", "/v1/admin/logs", "/v1/admin/logs/req_1"])
def test_customers_are_no_operators(customer: Api, path: str) -> None:
    assert (customer.get(path).status, customer.get(path).error["code"]) == (403, "operators_only")


def test_operators_see_any_account_and_who_served(gateway: GatewayProcess, customer: Api) -> None:
    operator = Api(gateway.port, gateway.key)
    wanted = call(customer).headers["x-request-id"]
    detail = exact(operator.get(f"/v1/admin/logs/{wanted}"))
    assert detail["route"].endswith("/script:ok") and detail["charge"]["lines"]
    account = detail["account"]
    rows = exact(operator.get(f"/v1/admin/logs?account={account}"))["data"]
    assert [row["request_id"] for row in rows] == [wanted]
    assert exact(operator.get("/v1/admin/logs?limit=1"))["data"][0]["account"]
    assert exact(operator.get(f"/v1/admin/usage?account={account}&group_by=hour,key"))["totals"]["requests"] == 1
    everybody = exact(operator.get("/v1/admin/usage?group_by=model"))
    assert everybody["totals"]["requests"] >= 1
    for query in ("group_by=key", "status=finished"):
        assert operator.get(f"/v1/admin/usage?{query}").status == 400


def test_the_head_of_a_connection_names_the_app_of_all_its_calls(customer: Api) -> None:
    for agent in ("OpenAI/Python 3.1", "claude-cli/2.0 (external, cli)", "Mozilla/5.0"):
        call(customer, **{"user-agent": agent, "x-title": "", "http-referer": ""})
    call(customer, **{"http-referer": "https://chat.example.com/u/7?token=secret"})
    call(customer, **{"x-title": "bob@example.com"})
    assert [row["app"] for row in logs(customer)][1:] == ["chat.example.com", "browser", "claude-code", "openai-python"]
    assert logs(customer)[0]["app"] == ""


@pytest.fixture
def quiet(upstream_process: UpstreamProcess, tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway that nobody else calls, and that keeps no row beyond the day."""
    env = {"KYMA_LIMITS_ENABLED": "false", "KYMA_USAGE_RETENTION_DAYS": "1"}
    with GatewayProcess(tmp_path, catalog.providers(upstream_process), catalog.models(), env=env) as process:
        yield process


def wait_until_summed(gateway: GatewayProcess) -> None:
    wait_until(lambda: count(gateway.db_path, "usage_index") == count(gateway.db_path, "usage"))


def ranking(api: Api, query: str) -> dict[str, Any]:
    answer = api.get(f"/v1/rankings?{query}")
    assert answer.headers["cache-control"] == "public, max-age=60"
    return {row["name"]: row for row in exact(answer)["data"]}


def test_a_lone_account_sees_all_its_models_and_apps(quiet: GatewayProcess) -> None:
    operator = Api(quiet.port, quiet.key)
    for model in ("good", "good", "slow"):
        call(operator, model, **{"user-agent": "codex_cli_rs/1.0"})
    wait_until_summed(quiet)
    nobody = stranger(quiet.port)
    models = ranking(nobody, "period=day")
    assert list(models) == ["good", "slow"] and models["good"]["requests"] == 2
    assert list(ranking(nobody, "period=day&tab=apps")) == ["codex"]
    assert nobody.get("/v1/rankings?tab=accounts").status == 400


def test_an_app_of_few_accounts_is_not_named(quiet: GatewayProcess) -> None:
    for n in range(3):
        account = open_account(quiet.port)
        call(account, **{"x-title": "shared"})
        call(account, **{"x-title": f"mine {n}"})
    wait_until_summed(quiet)
    apps = ranking(stranger(quiet.port), "tab=apps&period=month")
    assert list(apps) == ["shared", "other"]
    assert apps["other"]["requests"] == 3 and not re.search("usr_|acct_|key_", json.dumps(apps, default=str))


def test_usage_is_the_same_before_and_after_it_is_summed_and_across_a_kill(quiet: GatewayProcess) -> None:
    operator = Api(quiet.port, quiet.key)
    spent = sum(call(operator).cost for _ in range(20))
    before = exact(operator.get("/v1/usage"))
    quiet.kill()
    quiet.start()
    wait_until_summed(quiet)
    after = exact(operator.get("/v1/usage"))
    assert before["data"] == after["data"] and nanos(after["totals"]["cost"]) == spent
    assert len(logs(operator)) == 20
    quiet.terminate()
    checked = quiet.cli("ledger", "verify")
    assert checked.returncode == 0, checked.stdout


def test_a_log_that_is_short_of_days_is_refused(quiet: GatewayProcess) -> None:
    quiet.terminate()
    quiet.env["KYMA_USAGE_RETENTION_DAYS"] = "-1"
    told = quiet.cli("config", "show")
    assert told.returncode != 0 and "usage_retention_days must be 0 or more" in told.stdout + told.stderr
    quiet.env["KYMA_USAGE_RETENTION_DAYS"] = "1"
    quiet.start()
