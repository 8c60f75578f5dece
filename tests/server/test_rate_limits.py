"""Tier 0 as it comes: thirty requests a minute, 25 of them to one model, 200,000 tokens, and what a refusal says."""

import time

import openai
import pytest

from tests.gateway_process import GatewayProcess
from tests.server.api import Answer, Api
from tests.server.customers import open_account
from tests.upstream.process import UpstreamProcess

OPENAI = {f"x-ratelimit-{what}-{of}" for what in ("limit", "remaining", "reset") for of in ("requests", "tokens")}
ANTHROPIC = {
    f"anthropic-ratelimit-{of}-{what}" for what in ("limit", "remaining", "reset") for of in ("requests", "tokens")
}
DRAFT = {"ratelimit", "ratelimit-policy"}
FEW = {"max_tokens": 10}


@pytest.fixture
def customer(limited_gateway: GatewayProcess, upstream: UpstreamProcess) -> Api:
    return open_account(limited_gateway.port)


def spend(customer: Api, models: list[str]) -> tuple[int, Answer]:
    """Ask one after the other until refused; how many were answered, less those that came back meanwhile."""
    started_at, answered = time.monotonic(), 0
    for model in [*models, *["good", "other"] * 50]:
        answer = customer.chat(model, **FEW)
        if answer.status == 429:
            came_back = int((time.monotonic() - started_at) / 2)
            return answered - min(came_back, answered), answer
        assert answer.status == 200, answer
        answered += 1
    raise AssertionError("never refused")


def test_the_thirty_first_request_of_a_minute_is_refused(customer: Api) -> None:
    answered, refusal = spend(customer, ["good", "other"] * 15)
    assert answered in (29, 30)
    assert (refusal.error["type"], refusal.error["code"]) == ("rate_limit", "rate_limit_exceeded")
    assert "30 requests a minute" in refusal.error["message"]
    assert refusal.headers["retry-after"].isdigit() and 1 <= int(refusal.headers["retry-after"]) <= 2
    assert OPENAI | ANTHROPIC | DRAFT <= set(refusal.headers)
    assert refusal.headers["x-ratelimit-remaining-requests"] == "0"
    with openai.OpenAI(base_url=f"{customer.base_url}/v1", api_key=customer.key, max_retries=0) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            for _ in range(3):
                client.chat.completions.create(model="good", messages=[{"role": "user", "content": "x"}])
    assert int(caught.value.response.headers["retry-after"]) >= 1


def test_the_twenty_sixth_request_to_one_model_is_refused(customer: Api) -> None:
    answered, refusal = spend(customer, ["good"] * 100)
    assert answered in (24, 25)
    assert "25 requests a minute to good" in refusal.error["message"]
    assert customer.chat("other", **FEW).status == 200


def test_the_sdk_waits_as_told_and_then_succeeds(customer: Api) -> None:
    spend(customer, ["good", "other"] * 15)
    with openai.OpenAI(base_url=f"{customer.base_url}/v1", api_key=customer.key, max_retries=3) as client:
        answer = client.chat.completions.create(model="good", messages=[{"role": "user", "content": "x"}])
    assert answer.choices[0].message.content


def test_a_refused_request_costs_nothing(customer: Api) -> None:
    spend(customer, ["good", "other"] * 15)
    before = customer.balance()
    customer.chat("good")
    assert before - customer.balance() in (0, 13_000)


def test_an_answer_shows_what_is_left(customer: Api) -> None:
    headers = customer.chat("good", **FEW).headers
    assert set(headers) >= OPENAI
    assert headers["x-ratelimit-limit-requests"] == "25"
    assert headers["x-ratelimit-remaining-requests"] == "24"
    assert headers["x-ratelimit-limit-tokens"] == "200000"
    assert "retry-after" not in headers


def test_a_request_beyond_the_tier_is_told_so(customer: Api) -> None:
    answer = customer.chat("good", max_tokens=200_001)
    assert (answer.status, answer.error["code"]) == (400, "max_single_request_exceeded")


def test_tokens_of_a_minute_run_out_and_are_corrected(customer: Api) -> None:
    assert customer.chat("good", max_tokens=150_000).status == 200
    assert customer.chat("good", max_tokens=150_000).status == 200, "what was not used came back"
    with_two_at_once = customer.get("/v1/auth/limits").json()["tpm_used"]
    assert with_two_at_once < 100


def test_the_limits_body(customer: Api) -> None:
    customer.chat("good", **FEW)
    body = customer.get("/v1/auth/limits").json()
    expected = {
        "tier": 0,
        "tier_name": "Tier 0",
        "rpm_limit": 30,
        "per_model_rpm": 25,
        "tpm_limit": 200_000,
        "max_single_request": 200_000,
        "used_today": 1,
        "has_credits": True,
        "lifetime_purchased": 0.0,
        "next_tier": {"tier": 1, "min_deposit": 5},
    }
    assert {name: body[name] for name in expected} == expected
    assert body["rpm_used"] in (0, 1), "a request comes back after two seconds"
    assert body["remaining"] == body["rpm_remaining"] == 30 - body["rpm_used"]
    assert body["tpm_remaining"] == 200_000 - body["tpm_used"]
    counted = {"rpm_used", "rpm_remaining", "remaining", "tpm_used", "tpm_remaining", "resets_at"}
    assert set(body) == set(expected) | counted


def test_other_customers_are_not_concerned(customer: Api) -> None:
    spend(customer, ["good", "other"] * 15)
    assert open_account(customer.port).chat("good", **FEW).status == 200


def test_a_session_and_every_key_share_the_limits(customer: Api) -> None:
    second = customer.as_(customer.post("/v1/auth/keys", {}).json()["api_key"])
    spend(customer, ["good", "other"] * 15)
    assert [second.chat("good", **FEW).status for _ in range(2)][-1] == 429
