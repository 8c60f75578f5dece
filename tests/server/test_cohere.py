"""Cohere's lists through a real gateway: vectors from its embed, and rankings that are paid by the search."""

import struct
from base64 import b64decode

from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.books import usage_row
from tests.server.whole import INPUT, embed, rank
from tests.upstream.openai_whole import vector_of
from tests.upstream.process import UpstreamProcess

SEARCH = 2_700_000
"""Nano-dollars: 2.70 USD for a thousand."""


def test_cohere_embeds_for_a_customer_of_openais(customer: Api, upstream: UpstreamProcess) -> None:
    answer = embed(customer, "cohere-embedding", ["one two", "three"], encoding_format="base64", input_type="query")
    (first, second) = answer.json()["data"]
    assert list(struct.unpack("<4f", b64decode(first["embedding"]))) == vector_of(0)
    assert second["index"] == 1
    assert answer.headers["x-kyma-emulated"] == "encoding_format"
    sent = upstream.log()[-1]
    assert (sent.dialect, sent.body["input_type"]) == ("cohere_whole", "search_query")


def test_cohere_bills_what_it_says_it_bills(customer: Api) -> None:
    before = customer.balance()
    answer = embed(customer, "cohere-embedding", ["one two", "three"])
    assert before - customer.balance() == answer.cost == 3 * INPUT


def test_a_ranking_costs_a_search_for_each_hundred_documents(customer: Api, gateway: GatewayProcess) -> None:
    before = customer.balance()
    answer = rank(customer, "good-searched", "which fruit", ["a pear"] * 101, top_n=1)
    usage = answer.json()["usage"]
    assert [result["index"] for result in answer.json()["results"]] == [100]
    assert (usage["prompt_tokens"], usage["search_units"]) == (0, 2)
    assert before - customer.balance() == answer.cost == 2 * SEARCH
    row = usage_row(gateway.db_path, answer.headers["x-request-id"])
    assert (row["searches"], row["input_tokens"], row["cost"]) == (2, 0, 2 * SEARCH)
    assert (row["flagged"], row["estimated"]) == (0, 0)
    verified = gateway.cli("ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_searches_that_nobody_counted_are_those_that_are_sure(customer: Api, gateway: GatewayProcess) -> None:
    for model in ("no-usage-searched", "huge-usage-searched", "negative-usage-searched"):
        answer = rank(customer, model, "which fruit", ["a pear"] * 101)
        assert answer.cost == 2 * SEARCH, model
        row = usage_row(gateway.db_path, answer.headers["x-request-id"])
        assert (row["estimated"], row["flagged"]) == (1, int(model != "no-usage-searched"))


def test_a_ranking_that_the_balance_cannot_pay_is_refused_before_it_is_made(customer: Api) -> None:
    """Half a dollar pays for 185 searches, and long documents may be several each."""
    before = customer.balance()
    refused = rank(customer, "good-searched", "q", ["a" * 2000] * 4000)
    assert refused.status == 402
    assert customer.balance() == before


def test_an_empty_ranking_costs_nothing(customer: Api) -> None:
    before = customer.balance()
    assert rank(customer, "empty-searched", "which fruit", ["a pear"]).status == 503
    assert customer.balance() == before


def test_the_price_of_a_search_is_listed(customer: Api) -> None:
    pricing = customer.get("/v1/models/good-searched").json()["pricing"]
    assert (pricing["input_per_1m"], pricing["search_per_1k"]) == (0, 2.7)
