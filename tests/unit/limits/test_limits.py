"""What is let through, what is refused and what that says."""

import pytest

from kyma.core.errors import InvalidRequest, RateLimited
from kyma.core.principal import Tier
from kyma.limits import Limits
from tests.unit.accounts.clock import FixedClock
from tests.unit.limits.tiers import TIER_0, TIER_1, caller, tier

ADA = caller()


def refusal(limits: Limits, of: Tier, model: str = "m", tokens: int = 1) -> RateLimited:
    with pytest.raises(RateLimited) as refused:
        limits.admit(ADA, of, model, tokens)
    return refused.value


def how_many(limits: Limits, of: Tier, model: str = "m", tokens: int = 1) -> int:
    """Requests let through at one moment."""
    for number in range(100_000):
        try:
            limits.admit(ADA, of, model, tokens)
        except RateLimited:
            return number
    raise AssertionError("no limit in sight")


def test_a_minutes_requests_may_come_at_once(limits: Limits) -> None:
    assert how_many(limits, tier(rpm=30)) == 30


def test_requests_come_back_one_by_one(limits: Limits, clock: FixedClock) -> None:
    how_many(limits, tier(rpm=30))
    clock.go_on(2)
    assert how_many(limits, tier(rpm=30)) == 1
    clock.go_on(60)
    assert how_many(limits, tier(rpm=30)) == 30


@pytest.mark.parametrize("of", [tier(rpm=30), tier(per_model_rpm=30), tier(tpm=30)])
def test_long_idleness_saves_up_no_more_than_a_minute(limits: Limits, clock: FixedClock, of: Tier) -> None:
    assert how_many(limits, of) == 30
    clock.go_on(600)
    assert how_many(limits, of) == 30


def test_ten_microseconds_too_early_is_too_early(limits: Limits, clock: FixedClock) -> None:
    how_many(limits, tier(rpm=60))
    clock.go_on(1 - 10e-6)
    refusal(limits, tier(rpm=60))
    clock.go_on(10e-6)
    limits.admit(ADA, tier(rpm=60), "m", 1)


def test_the_rounding_of_clocks_makes_nobody_late() -> None:
    for start in range(500):
        clock = FixedClock(monotonic=start / 10)
        limits, of = Limits(clock), tier(rpm=1)
        limits.admit(ADA, of, "m", 1)
        wait_s = refusal(limits, of).retry_after_s
        assert wait_s is not None
        clock.go_on(wait_s)
        limits.admit(ADA, of, "m", 1)


def test_one_model_has_fewer_requests_than_the_account(limits: Limits) -> None:
    assert how_many(limits, TIER_0, "one") == 25
    assert how_many(limits, TIER_0, "two") == 5
    assert how_many(limits, TIER_0, "three") == 0


def test_tokens_are_limited_by_the_minute(limits: Limits, clock: FixedClock) -> None:
    assert how_many(limits, tier(tpm=60_000), tokens=20_000) == 3
    clock.go_on(10)
    assert how_many(limits, tier(tpm=60_000), tokens=10_000) == 1


def test_the_keys_of_an_account_share_its_limits(limits: Limits) -> None:
    how_many(limits, TIER_0)
    with pytest.raises(RateLimited):
        limits.admit(caller(key="phone"), TIER_0, "m", 1)


def test_accounts_do_not_share_limits(limits: Limits) -> None:
    how_many(limits, TIER_0)
    limits.admit(caller("bob"), TIER_0, "m", 1)


def test_a_request_may_be_as_large_as_its_limit_and_no_larger(limits: Limits) -> None:
    with pytest.raises(InvalidRequest) as refused:
        limits.admit(ADA, TIER_0, "m", 200_001)
    assert refused.value.code == "max_single_request_exceeded"
    assert refused.value.status == 400
    assert "200,001" in refused.value.message and "200,000" in refused.value.message
    limits.admit(ADA, TIER_0, "m", 200_000)


def test_a_request_that_is_too_large_takes_nothing(limits: Limits) -> None:
    for _ in range(100):
        with pytest.raises(InvalidRequest):
            limits.admit(ADA, TIER_0, "m", 200_001)
    assert how_many(limits, TIER_0) == 25


def test_a_request_above_a_minutes_tokens_passes_when_the_bucket_is_full(limits: Limits, clock: FixedClock) -> None:
    of = tier(tpm=60_000)
    limits.admit(ADA, of, "m", 180_000)
    assert refusal(limits, of, tokens=1).retry_after_s == 121
    assert refusal(limits, of, tokens=180_000).retry_after_s == 180
    clock.go_on(180)
    limits.admit(ADA, of, "m", 180_000)


def test_a_large_request_waits_for_a_full_bucket(limits: Limits, clock: FixedClock) -> None:
    of = tier(tpm=60_000)
    limits.admit(ADA, of, "m", 1_000)
    assert refusal(limits, of, tokens=60_001).retry_after_s == 1
    clock.go_on(1)
    limits.admit(ADA, of, "m", 60_001)


@pytest.mark.parametrize(
    ("of", "tokens", "words"),
    [
        (tier(rpm=3), 1, "3 requests a minute."),
        (tier(per_model_rpm=3), 1, "3 requests a minute to qwen-3.6-plus."),
        (tier(tpm=30_000), 10_000, "30,000 tokens a minute; 0 are left and this request may need 10,000."),
    ],
)
def test_a_refusal_names_the_limit_its_figure_and_the_tier(limits: Limits, of: Tier, tokens: int, words: str) -> None:
    how_many(limits, of, "qwen-3.6-plus", tokens)
    refused = refusal(limits, of, "qwen-3.6-plus", tokens)
    assert f"The limit of Tier 9 is {words}" in refused.message
    assert f"Try again in {refused.retry_after_s} s" in refused.message
    assert (refused.status, refused.type) == (429, "rate_limit")


def test_the_wait_is_that_of_the_limit_that_lasts_longest(limits: Limits) -> None:
    of = tier(rpm=2, tpm=1_000)
    limits.admit(ADA, of, "m", 500)
    limits.admit(ADA, of, "m", 500)
    refused = refusal(limits, of, tokens=1_000)
    assert refused.retry_after_s == 60
    assert "tokens" in refused.message


def test_the_wait_is_at_least_a_second(limits: Limits) -> None:
    how_many(limits, tier(rpm=600, per_model_rpm=600))
    assert refusal(limits, tier(rpm=600, per_model_rpm=600)).retry_after_s == 1


def test_unused_tokens_come_back(limits: Limits) -> None:
    of = tier(tpm=60_000)
    admission = limits.admit(ADA, of, "m", 60_000)
    refusal(limits, of, tokens=50_000)
    limits.correct(admission, 10_000)
    limits.admit(ADA, of, "m", 50_000)
    refusal(limits, of, tokens=1)


def test_tokens_above_the_estimate_are_charged(limits: Limits) -> None:
    of = tier(tpm=60_000)
    limits.correct(limits.admit(ADA, of, "m", 10_000), 40_000)
    refusal(limits, of, tokens=20_001)
    limits.admit(ADA, of, "m", 20_000)


def test_only_the_first_correction_counts(limits: Limits) -> None:
    of = tier(tpm=60_000)
    first, second = limits.admit(ADA, of, "m", 30_000), limits.admit(ADA, of, "m", 30_000)
    for _ in range(5):
        limits.correct(first, 0)
    limits.correct(second, 30_000)
    limits.admit(ADA, of, "m", 30_000)
    refusal(limits, of, tokens=1)


def test_what_comes_back_late_makes_no_bucket_fuller_than_full(limits: Limits, clock: FixedClock) -> None:
    of = tier(tpm=60_000)
    admission = limits.admit(ADA, of, "m", 60_000)
    clock.go_on(600)
    limits.correct(admission, 0)
    assert how_many(limits, of, tokens=10_000) == 6


def test_a_failed_call_stays_a_request(limits: Limits) -> None:
    for _ in range(3):
        limits.correct(limits.admit(ADA, tier(rpm=3), "m", 1_000), 0)
    refusal(limits, tier(rpm=3))


def test_a_new_tier_counts_at_once(limits: Limits) -> None:
    assert how_many(limits, TIER_0, "one") == 25
    assert how_many(limits, TIER_1, "two") == 10


def test_changed_figures_of_a_tier_count_at_once(limits: Limits) -> None:
    assert how_many(limits, tier(rpm=10)) == 10
    assert refusal(limits, tier(rpm=60)).retry_after_s == 1


def test_a_view_shows_what_is_used_and_left(limits: Limits, clock: FixedClock) -> None:
    for _ in range(3):
        limits.admit(ADA, TIER_0, "m", 1_000)
    view = limits.snapshot(ADA, (TIER_0, TIER_1))
    assert (view.tier, view.tier_name, view.max_single_request, view.per_model_rpm) == (0, "Tier 0", 200_000, 25)
    assert (view.rpm_limit, view.rpm_used, view.rpm_remaining, view.remaining) == (30, 3, 27, 27)
    assert (view.tpm_limit, view.tpm_used, view.tpm_remaining) == (200_000, 3_000, 197_000)
    assert view.resets_at == clock.now_ms() + 6_000
    assert view.used_today == 3
    assert view.next_tier == TIER_1


def test_a_view_takes_nothing(limits: Limits) -> None:
    first = limits.snapshot(ADA, (TIER_0,))
    assert limits.snapshot(ADA, (TIER_0,)) == first
    assert (first.rpm_used, first.used_today, first.next_tier) == (0, 0, None)


def test_refused_requests_are_not_used(limits: Limits) -> None:
    how_many(limits, TIER_0)
    refusal(limits, TIER_0)
    assert limits.snapshot(ADA, (TIER_0,)).used_today == 25


def test_a_day_begins_at_midnight_utc(clock: FixedClock) -> None:
    clock.wall_ms = 20_000 * 86_400_000 - 1_000
    limits = Limits(clock)
    limits.admit(ADA, TIER_0, "m", 1)
    clock.go_on(0.999)
    assert limits.snapshot(ADA, (TIER_0,)).used_today == 1
    clock.go_on(0.002)
    assert limits.snapshot(ADA, (TIER_0,)).used_today == 0
    limits.admit(ADA, TIER_0, "m", 1)
    assert limits.snapshot(ADA, (TIER_0,)).used_today == 1


def test_a_day_that_passed_while_the_machine_slept_is_noticed(limits: Limits, clock: FixedClock) -> None:
    limits.admit(ADA, TIER_0, "m", 1)
    clock.wall_ms += 86_400_000
    clock.seconds += 60
    assert limits.snapshot(ADA, (TIER_0,)).used_today == 0


def test_accounts_of_other_days_are_forgotten_as_new_ones_come(limits: Limits, clock: FixedClock) -> None:
    for number in range(1_000):
        limits.admit(caller(f"old{number}"), TIER_0, "m", 1)
    clock.go_on(86_400)
    for number in range(500):
        limits.admit(caller(f"new{number}"), TIER_0, "m", 1)
    assert len(limits._accounts) <= 502


def test_an_account_in_debt_is_not_forgotten(limits: Limits, clock: FixedClock) -> None:
    of = tier(tpm=1_000)
    limits.admit(ADA, of, "m", 1_000 * 60 * 25)
    clock.go_on(86_400)
    for number in range(100):
        limits.admit(caller(f"new{number}"), of, "m", 1)
    assert refusal(limits, of).retry_after_s == 60 * 60 + 1 - 60


def test_models_long_unused_are_forgotten(limits: Limits, clock: FixedClock) -> None:
    of = tier(rpm=100_000)
    for number in range(1_000):
        limits.admit(ADA, of, f"model {number}", 1)
        clock.go_on(1)
    assert len(limits._accounts[ADA.account_id].models_full_at) <= 20
