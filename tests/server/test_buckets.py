"""An hour of cache and searches, from the vendor's own count to the customer's bill and the books."""

from typing import Any

import anthropic
import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.books import usage_row
from tests.server.waiting import wait_until

WORDS = {"role": "user", "content": "one two three four five six"}
SEARCH: Any = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
MESSAGE: dict[str, Any] = {"model": "searching", "max_tokens": 50, "messages": [WORDS], "tools": [SEARCH]}
COST = 3 * 1_000 + 100 + 1_250 + 2_000 + 5 * 2_000 + 2 * 13_500_000
"""Three fresh tokens, one from the cache, one written for minutes, one for an hour, five said, two searches."""


@pytest.fixture
def claude(gateway: GatewayProcess, customer: Api) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=gateway.base_url, api_key=customer.key, max_retries=0, timeout=15)


@pytest.mark.parametrize("is_streaming", [False, True])
def test_the_hour_and_the_searches_are_shown_and_charged(
    claude: anthropic.Anthropic, customer: Api, gateway: GatewayProcess, is_streaming: bool
) -> None:
    before = customer.balance()
    with claude:
        if is_streaming:
            with claude.messages.stream(**MESSAGE) as stream:
                message = stream.get_final_message()
        else:
            message = claude.messages.create(**MESSAGE)
    usage = message.usage
    assert usage.cache_creation is not None and usage.server_tool_use is not None
    assert usage.cache_creation.ephemeral_5m_input_tokens == usage.cache_creation.ephemeral_1h_input_tokens == 1
    assert usage.server_tool_use.web_search_requests == 2
    wait_until(lambda: customer.balance() == before - COST)
    row = usage_row(gateway.db_path, message.id.replace("msg_", "req_"))
    assert (row["cache_write_tokens"], row["cache_write_1h_tokens"], row["searches"]) == (1, 1, 2)
    assert (row["cost"], row["flagged"], row["estimated"]) == (COST, 0, 0)
    verified = gateway.cli("ledger", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_searches_that_do_not_fit_the_balance_are_refused_before_they_are_made(customer: Api) -> None:
    """Half a dollar of sign-up credit pays for 37 searches at most, and what they find is set aside too."""
    before = customer.balance()
    refused = customer.post("/v1/messages", MESSAGE | {"tools": [SEARCH | {"max_uses": 38}]})
    assert refused.status == 402
    assert customer.balance() == before


def test_searches_on_a_model_that_is_sold_without_them_are_refused(customer: Api) -> None:
    refused = customer.post("/v1/messages", MESSAGE | {"model": "good-anthropic"})
    assert (refused.status, refused.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "sold without searches" in refused.json()["error"]["message"]


def test_a_source_of_another_dialect_answers_without_searches_and_says_so(customer: Api) -> None:
    answer = customer.post("/v1/messages", MESSAGE | {"model": "good"})
    assert answer.status == 200
    assert answer.headers["x-kyma-dropped"] == "tools.web_search_20250305"


def test_a_limit_that_was_not_set_is_set_and_said(customer: Api) -> None:
    unlimited = {"type": "web_search_20250305", "name": "web_search"}
    answer = customer.post("/v1/messages", MESSAGE | {"tools": [unlimited]})
    assert answer.status == 200
    assert answer.headers["x-kyma-emulated"] == "tools.max_uses"


def test_the_list_of_models_shows_the_price_of_a_search(customer: Api) -> None:
    rows = {row["id"]: row["pricing"] for row in customer.get("/v1/models").json()["data"]}
    assert (rows["searching"]["search_per_1k"], rows["searching"]["cache_write_1h_per_1m"]) == (13.5, 2)
    assert rows["good"]["search_per_1k"] is None
