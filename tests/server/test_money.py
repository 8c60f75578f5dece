"""What a customer pays: exactly what the answer says, and nothing for what failed."""

import http.client
import json
import re

import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import HELLO, NANOS, Api
from tests.server.books import usage_row
from tests.server.catalog import CUTS, FAILURES, STRANGE_USAGES
from tests.server.waiting import LOCAL_MODEL, wait_until

INPUT, OUTPUT = 1_000, 2_000
"""Nano-dollars a token of every scripted model but the dear one."""

ESTIMATED_INPUT = -(-len(json.dumps(HELLO).encode()) // 4)


def test_a_new_account_has_its_signup_credit(customer: Api) -> None:
    assert customer.balance() == NANOS // 2


def test_the_operator_has_a_hundred_dollars_at_first(limited_gateway: GatewayProcess) -> None:
    assert Api(limited_gateway.port, limited_gateway.key).balance() == 100 * NANOS


@pytest.mark.parametrize("model", ["good", "long", "think", "tools", "repeated-usage"])
def test_the_balance_goes_down_by_the_cost_of_an_answer(customer: Api, model: str) -> None:
    before = customer.balance()
    answer = customer.chat(model)
    usage = answer.json()["usage"]
    assert answer.cost == usage["prompt_tokens"] * INPUT + usage["completion_tokens"] * OUTPUT > 0
    assert before - customer.balance() == answer.cost


@pytest.mark.parametrize("model", ["good", "long", "think", "tools", "repeated-usage"])
def test_the_balance_goes_down_by_the_cost_of_a_stream(customer: Api, model: str) -> None:
    before = customer.balance()
    usage = customer.stream(model, stream_options={"include_usage": True}).chunks()[-1]["usage"]
    charged = before - customer.balance()
    assert charged == usage["prompt_tokens"] * INPUT + usage["completion_tokens"] * OUTPUT
    assert charged / NANOS == usage["cost"]


def test_a_stream_and_a_whole_answer_cost_the_same(customer: Api) -> None:
    start = customer.balance()
    customer.chat("good")
    middle = customer.balance()
    customer.stream("good")
    assert start - middle == middle - customer.balance()


@pytest.mark.parametrize("is_streaming", [False, True])
def test_the_real_model_is_charged_to_the_nano_dollar(local_gateway: GatewayProcess, is_streaming: bool) -> None:
    api = Api(local_gateway.port, local_gateway.key)
    before = api.balance()
    options = {"stream": True, "stream_options": {"include_usage": True}} if is_streaming else {}
    answer = api.chat(LOCAL_MODEL, max_tokens=8, **options)
    usage = answer.chunks()[-1]["usage"] if is_streaming else answer.json()["usage"]
    assert before - api.balance() == round(usage["cost"] * NANOS) > 0


def test_usage_is_streamed_only_when_asked(customer: Api) -> None:
    assert b"usage" not in customer.stream("good").body
    assert b"usage" not in customer.stream("good", stream_options={"include_usage": False}).body


@pytest.mark.parametrize("is_streaming", [False, True])
@pytest.mark.parametrize("model", [*FAILURES, "rejected", "nope", "empty"])
def test_nothing_is_charged_for_what_fails(customer: Api, model: str, is_streaming: bool) -> None:
    answer = customer.chat(model, stream=is_streaming)
    assert (
        answer.status != 200 or model == "empty" or b'"error"' in answer.body
    )  # behind a sign of life, if it was slow
    body = customer.get("/v1/credits/balance").json()
    assert (body["balance"], body["reserved"], body["lifetime_spent"]) == (0.5, 0, 0)


@pytest.mark.parametrize("model", CUTS)
def test_nothing_is_charged_for_a_whole_answer_that_broke(customer: Api, model: str) -> None:
    assert customer.chat(model).status == 503
    assert customer.balance() == NANOS // 2


@pytest.mark.parametrize("model", CUTS)
def test_a_broken_stream_costs_what_it_delivered_and_says_so(customer: Api, model: str) -> None:
    before = customer.balance()
    answer = customer.stream(model)
    assert not answer.is_finished
    error = answer.chunks()[-1]["error"]
    assert set(error) == {"message", "type", "code", "param"}
    assert "3 output tokens were delivered and billed" in error["message"]
    assert before - customer.balance() == ESTIMATED_INPUT * INPUT + 3 * OUTPUT


@pytest.mark.parametrize("is_streaming", [False, True])
@pytest.mark.parametrize("model", STRANGE_USAGES)
def test_nonsense_usage_is_replaced_by_our_own_count(
    gateway: GatewayProcess, customer: Api, model: str, is_streaming: bool
) -> None:
    before = customer.balance()
    answer = customer.chat(model, stream=is_streaming)
    assert (answer.status, answer.text) == (200, "w0 w1 w2 w3 w4")
    output = 5 if is_streaming else -(-len("w0 w1 w2 w3 w4") // 4)
    assert before - customer.balance() == ESTIMATED_INPUT * INPUT + output * OUTPUT
    row = usage_row(gateway.db_path, answer.headers["x-request-id"])
    assert row["estimated"] == 1
    assert row["flagged"] == (model != "no-usage")


def test_a_counted_answer_is_neither_estimated_nor_flagged(gateway: GatewayProcess, customer: Api) -> None:
    row = usage_row(gateway.db_path, customer.chat("good").headers["x-request-id"])
    assert (row["estimated"], row["flagged"], row["status"]) == (0, 0, "finished")


def test_402_says_what_would_fit_and_that_does_fit(customer: Api) -> None:
    answer = customer.chat("dear", max_tokens=100_000)
    assert answer.status == 402
    assert (answer.error["type"], answer.error["code"]) == ("insufficient_credits", "insufficient_credits")
    needed, free, balance = (nanos_of(text) for text in re.findall(r"\$([\d.]+)", answer.error["message"]))
    (affordable,) = map(int, re.findall(r"max_tokens of at most (\d+)", answer.error["message"]))
    assert free == balance == NANOS // 2
    bytes_read = len(json.dumps(HELLO).encode())
    assert needed == bytes_read * 10_000 + 100_000 * 1_000_000
    assert affordable == (free - bytes_read * 10_000) // 1_000_000
    assert customer.chat("dear", max_tokens=affordable + 1).status == 402
    before = customer.balance()
    fitting = customer.chat("dear", max_tokens=affordable)
    assert fitting.status == 200
    assert before - customer.balance() == fitting.cost <= free


def test_402_counts_every_choice(customer: Api) -> None:
    (affordable,) = re.findall(r"at most (\d+)", customer.chat("dear", n=2).error["message"])
    assert customer.chat("dear", n=2, max_tokens=int(affordable)).status == 200


def test_a_customer_who_leaves_pays_for_what_was_read_on(customer: Api) -> None:
    before = customer.balance()
    connection = http.client.HTTPConnection("127.0.0.1", customer.port, timeout=5)
    body = {"model": "endless", "messages": HELLO, "stream": True, "max_tokens": 25}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"authorization": f"Bearer {customer.key}"})
    response = connection.getresponse()
    response.fp.readline()
    response.close()
    connection.close()
    wait_until(lambda: customer.balance() < before)
    assert before - customer.balance() == 3 * INPUT + 25 * OUTPUT


def test_the_books_balance_after_all_this(gateway: GatewayProcess) -> None:
    found = gateway.cli("ledger", "verify")
    assert found.returncode == 0, found.stdout


def nanos_of(text: str) -> int:
    whole, _, fraction = text.rstrip(".").partition(".")
    return int(whole) * NANOS + int(fraction.ljust(9, "0"))
