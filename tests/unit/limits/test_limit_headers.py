"""What replies say about the limits, in every dialect."""

from datetime import datetime

import pytest

from kyma.core.errors import RateLimited
from kyma.core.principal import Tier
from kyma.limits import Limits
from kyma.limits.headers import HeaderList
from tests.unit.accounts.clock import FixedClock
from tests.unit.limits.tiers import TIER_0, caller, tier

ADA = caller()


def text(headers: HeaderList) -> dict[str, str]:
    assert len({name for name, _ in headers}) == len(headers)
    return {name.decode(): value.decode() for name, value in headers}


def refused_headers(limits: Limits, of: Tier, tokens: int = 1) -> dict[str, str]:
    with pytest.raises(RateLimited) as refused:
        for _ in range(10_000):
            limits.admit(ADA, of, "m", tokens)
    return text(refused.value.headers)


def test_a_reply_tells_limits_remainders_and_resets(limits: Limits) -> None:
    limits.admit(ADA, TIER_0, "m", 1_000)
    assert text(limits.headers(limits.admit(ADA, TIER_0, "m", 3_000))) == {
        "x-ratelimit-limit-requests": "25",
        "x-ratelimit-remaining-requests": "23",
        "x-ratelimit-reset-requests": "4.8s",
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-tokens": "196000",
        "x-ratelimit-reset-tokens": "1.2s",
    }


def test_of_two_limits_on_requests_the_tighter_is_told(limits: Limits) -> None:
    for number in range(10):
        limits.admit(ADA, TIER_0, f"other {number}", 1)
    told = text(limits.headers(limits.admit(ADA, TIER_0, "m", 1)))
    assert (told["x-ratelimit-limit-requests"], told["x-ratelimit-remaining-requests"]) == ("30", "19")


def test_the_requests_told_to_remain_are_let_through_and_no_more(limits: Limits) -> None:
    told = text(limits.headers(limits.admit(ADA, TIER_0, "m", 1)))
    for _ in range(int(told["x-ratelimit-remaining-requests"])):
        limits.admit(ADA, TIER_0, "m", 1)
    with pytest.raises(RateLimited):
        limits.admit(ADA, TIER_0, "m", 1)


def test_the_tokens_told_to_remain_are_let_through_and_no_more(limits: Limits) -> None:
    told = text(limits.headers(limits.admit(ADA, TIER_0, "m", 70_001)))
    limits.admit(ADA, TIER_0, "m", int(told["x-ratelimit-remaining-tokens"]))
    with pytest.raises(RateLimited):
        limits.admit(ADA, TIER_0, "m", 1)


def test_a_minute_and_more_is_told_in_minutes(limits: Limits) -> None:
    of = tier(tpm=1_000)
    assert text(limits.headers(limits.admit(ADA, of, "m", 1_000)))["x-ratelimit-reset-tokens"] == "1m0s"
    assert text(limits.headers(limits.admit(caller("bob"), of, "m", 6_025)))["x-ratelimit-reset-tokens"] == "6m1.5s"


def test_more_than_all_tokens_leaves_none(limits: Limits) -> None:
    told = text(limits.headers(limits.admit(ADA, tier(tpm=1_000), "m", 6_000)))
    assert told["x-ratelimit-remaining-tokens"] == "0"


def test_a_refusal_speaks_all_dialects(limits: Limits, clock: FixedClock) -> None:
    told = refused_headers(limits, tier(rpm=4, tpm=1_000), tokens=100)
    assert told["x-ratelimit-limit-requests"] == "4"
    assert told["x-ratelimit-remaining-requests"] == "0"
    assert told["x-ratelimit-reset-requests"] == "1m0s"
    assert told["ratelimit-policy"] == '"requests";q=4;w=60, "model-requests";q=1000;w=60, "tokens";q=1000;w=60'
    assert told["ratelimit"].startswith('"requests";r=0;t=60, ')
    assert told["anthropic-ratelimit-requests-limit"] == "4"
    assert told["anthropic-ratelimit-requests-remaining"] == "0"
    assert told["anthropic-ratelimit-tokens-limit"] == "1000"
    assert told["anthropic-ratelimit-tokens-remaining"] == "600"
    full_at = datetime.fromisoformat(told["anthropic-ratelimit-requests-reset"])
    assert full_at.timestamp() == clock.now_ms() / 1000 + 60
    assert told["anthropic-ratelimit-tokens-reset"].endswith("Z")


def test_a_refusal_does_not_tell_retry_after_twice(limits: Limits) -> None:
    assert "retry-after" not in refused_headers(limits, TIER_0)


def test_header_names_are_lower_case(limits: Limits) -> None:
    assert all(name == name.lower() for name in refused_headers(limits, TIER_0))
