"""Who answers: substitutes and their price, the caller's wishes and list of models, sources that cannot be told all."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec
from tests.gateway_process import GatewayProcess
from tests.server.api import HELLO, Answer, Api
from tests.server.books import usage_row
from tests.upstream.process import UpstreamProcess

PROVIDERS = ("red", "green", "blue", "deaf", "locked")
FAILS = "script:status:code=503"


def says(provider: str) -> str:
    """An answer of three tokens that tells which provider gave it."""
    return f"script:ok:tokens=3,word={provider}"


def models() -> list[ModelSpec]:
    failing = [RouteSpec("red", FAILS)]
    private = {"data_policy": {"trains": False, "retains_days": 0}}
    return [
        ModelSpec("three", [RouteSpec(name, says(name)) for name in PROVIDERS[:3]]),
        ModelSpec("failing", failing, fields={"substitutes": ["dear", "thrifty"]}),
        ModelSpec("failing-dear", failing, input="9", output="9", fields={"substitutes": ["thrifty"]}),
        ModelSpec("thrifty", [RouteSpec("green", says("green"))], input="0.9", output="1.5"),
        ModelSpec("dear", [RouteSpec("blue", says("blue"))], input="3", output="6"),
        ModelSpec("toolless", [RouteSpec("blue", says("blue"))], fields={"supports": []}),
        ModelSpec("deaf-first", [RouteSpec("deaf", says("deaf")), RouteSpec("green", says("green"))]),
        ModelSpec("locked-only", [RouteSpec("locked", "script:status:code=401")]),
        ModelSpec("deaf-only", [RouteSpec("deaf", says("deaf"))]),
        ModelSpec("kept", [RouteSpec("red", says("red")), RouteSpec("green", says("green"), private)]),
    ]


@pytest.fixture(scope="module")
def process(upstream_process: UpstreamProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    fields: dict[str, dict[str, object]] = {"deaf": {"quirks": {"drop": ["seed"]}}}
    providers = [ProviderSpec(name, upstream_process.base_url, fields.get(name, {})) for name in PROVIDERS]
    folder = tmp_path_factory.mktemp("routing")
    with GatewayProcess(folder, providers, models(), env={"KYMA_LIMITS_ENABLED": "false"}) as process:
        yield process


@pytest.fixture
def api(process: GatewayProcess) -> Api:
    return Api(process.port, process.key)


def ask(api: Api, model: str, *, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    body = json.dumps({"model": model, "messages": HELLO, **fields}).encode()
    return api.send("POST", "/v1/chat/completions", body, headers)


def served(answer: Answer) -> tuple[str, str, str]:
    """Model, fallback layer and the first word, which names the provider."""
    assert answer.status == 200, answer
    text = answer.json()["choices"][0]["message"]["content"]
    return (
        answer.headers["x-kyma-model"],
        answer.headers.get("x-kyma-fallback-layer", "0"),
        text.split()[0].rstrip("012"),
    )


def test_a_substitute_answers_when_no_source_of_the_model_does(api: Api) -> None:
    answer = ask(api, "failing")
    assert served(answer) == ("dear", "3", "blue")
    assert answer.json()["model"] == "dear"


def test_a_dearer_substitute_costs_what_the_model_asked_for_would_have(api: Api, process: GatewayProcess) -> None:
    answer = ask(api, "failing")
    assert answer.cost == 3 * 1000 + 3 * 2000
    row = usage_row(process.db_path, answer.headers["x-request-id"])
    assert (row["model"], row["asked_model"], row["layer"]) == ("dear", "failing", 3)


def test_a_cheaper_substitute_costs_its_own_price(api: Api) -> None:
    assert ask(api, "failing-dear").cost == 3 * 900 + 3 * 1500


def test_the_books_hold_after_substitutes(api: Api, process: GatewayProcess) -> None:
    ask(api, "failing")
    verified = process.cli("ledger", "verify")
    assert verified.returncode == 0, verified.stdout


@pytest.mark.parametrize("is_streaming", [False, True])
def test_a_caller_may_refuse_substitutes(api: Api, is_streaming: bool) -> None:
    answer = ask(api, "failing", stream=is_streaming, headers={"X-Kyma-No-Substitute": "true"})
    assert (answer.status, answer.error["code"]) == (503, "no_source_available")


def test_a_caller_who_says_where_to_go_gets_no_substitute(api: Api) -> None:
    assert ask(api, "failing", provider={"only": ["red"]}).status == 503


def test_a_stream_of_a_substitute_names_it(api: Api) -> None:
    answer = ask(api, "failing", stream=True)
    assert answer.headers["x-kyma-model"] == "dear"
    assert {chunk["model"] for chunk in answer.chunks()} == {"dear"}


def test_the_order_of_providers_is_kept(api: Api) -> None:
    assert served(ask(api, "three", provider={"order": ["blue", "green"]})) == ("three", "0", "blue")


def test_a_provider_may_be_ignored(api: Api) -> None:
    assert served(ask(api, "three", provider={"ignore": ["RED"]})) == ("three", "0", "green")


def test_none_but_the_named_provider_is_asked(api: Api) -> None:
    assert served(ask(api, "three", provider={"only": ["blue"]})) == ("three", "0", "blue")


@pytest.mark.parametrize("only", [["nobody"], ["deaf"]])
def test_where_nobody_is_left_the_caller_is_told_so_and_pays_nothing(api: Api, only: list[str]) -> None:
    before = api.balance()
    answer = ask(api, "three", provider={"only": only})
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "no_source_allowed", "provider")
    assert api.balance() == before


def test_trouble_with_our_key_is_not_put_on_the_callers_wishes(api: Api) -> None:
    for _ in range(2):  # the first call parks the key, the second finds nobody to ask
        answer = ask(api, "locked-only", provider={"sort": "price"})
        assert (answer.status, answer.error["code"]) == (503, "no_source_available")


def test_data_collection_may_be_denied(api: Api) -> None:
    assert ask(api, "three", provider={"data_collection": "deny"}).error["code"] == "no_source_allowed"
    assert served(ask(api, "kept", provider={"data_collection": "deny"})) == ("kept", "0", "green")


def test_the_next_model_of_the_callers_list_answers_at_its_own_price(api: Api, process: GatewayProcess) -> None:
    answer = ask(api, "failing", models=["toolless", "dear"])
    assert served(answer) == ("toolless", "3", "blue")
    dear = ask(api, "failing", models=["dear"])
    assert dear.cost == 3 * 3000 + 3 * 6000
    assert usage_row(process.db_path, dear.headers["x-request-id"])["asked_model"] == ""


def test_a_model_of_the_list_that_cannot_do_it_is_passed_over(api: Api) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    assert served(ask(api, "failing", models=["toolless", "dear"], tools=[tool]))[0] == "dear"


def test_a_model_above_the_price_limit_is_not_asked(api: Api) -> None:
    limit = {"max_price": {"prompt": 2}}
    assert served(ask(api, "dear", models=["thrifty"], provider=limit)) == ("thrifty", "0", "green")
    assert ask(api, "dear", provider=limit).error["code"] == "no_model_allowed"


def test_a_model_that_nobody_knows_is_named(api: Api) -> None:
    answer = ask(api, "three", models=["no-such-model"])
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("demand", [{"headers": {"X-Kyma-Strict": "true"}}, {"provider": {"require_parameters": True}}])
def test_a_source_that_cannot_be_told_all_is_passed_over(api: Api, demand: dict[str, Any]) -> None:
    assert served(ask(api, "deaf-first", seed=7))[2] == "deaf"
    assert served(ask(api, "deaf-first", seed=7, **demand)) == ("deaf-first", "1", "green")


def test_where_no_source_can_be_told_all_the_caller_is_told_what(api: Api) -> None:
    answer = ask(api, "deaf-only", seed=7, provider={"require_parameters": True})
    assert (answer.status, answer.error["code"]) == (400, "fields_would_be_dropped")
    assert "seed" in answer.error["message"]
