"""The limiter against its definition, over random schedules."""

from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from kyma.core.errors import RateLimited
from kyma.core.principal import Tier
from kyma.limits import Admission, Limits
from kyma.limits.state import MINUTE_NS, rate
from tests.unit.accounts.clock import FixedClock
from tests.unit.limits.tiers import caller, tier

ADA = caller()
Taken = list[tuple[float, str, int]]

pauses = st.one_of(st.just(0.0), st.floats(0, 0.5), st.floats(0, 20), st.integers(0, 90).map(float))
schedules = st.lists(st.tuples(pauses, st.sampled_from("abc"), st.integers(0, 400)), min_size=1, max_size=80)
tiers = st.builds(
    tier,
    rpm=st.integers(1, 40),
    per_model_rpm=st.integers(1, 30),
    tpm=st.integers(1, 3_000),
    max_single_request=st.just(400),
)
starts = st.one_of(st.just(0.0), st.floats(-1e6, 1e6), st.floats(1e7, 1e8))


def play(of: Tier, start: float, schedule: list[tuple[float, str, int]]) -> tuple[Limits, FixedClock, Taken]:
    """What of a schedule was let through."""
    clock = FixedClock(monotonic=start)
    limits = Limits(clock)
    taken: Taken = []
    for pause, model, tokens in schedule:
        clock.go_on(pause)
        try:
            limits.admit(ADA, of, model, tokens)
        except RateLimited:
            continue
        taken.append((clock.seconds, model, tokens))
    return limits, clock, taken


def fits(taken: list[tuple[float, int]], limit: int, burst: int) -> bool:
    """In no window was more taken than what came back in it, and a burst. A microsecond is the clock's rounding."""
    for first, (begin, _) in enumerate(taken):
        total = 0
        for end, units in taken[first:]:
            total += units
            if total > limit * (end - begin + 2e-6) / 60 + burst:
                return False
    return True


@given(st.integers(1, 10**9))
def test_rounding_is_against_the_caller_but_the_burst_is_whole(limit: int) -> None:
    exact = rate(limit)
    assert exact.unit_ns * limit >= MINUTE_NS
    assert exact.left(0) == limit


@settings(max_examples=150, deadline=None)
@given(tiers, starts, schedules)
def test_no_window_holds_more_than_its_share_and_a_burst(
    of: Tier, start: float, schedule: list[tuple[float, str, int]]
) -> None:
    _, _, taken = play(of, start, schedule)
    assert fits([(at, 1) for at, _, _ in taken], of.rpm, of.rpm)
    for model in "abc":
        assert fits([(at, 1) for at, name, _ in taken if name == model], of.per_model_rpm, of.per_model_rpm)
    largest = max([tokens for _, _, tokens in taken], default=0)
    assert fits([(at, tokens) for at, _, tokens in taken], of.tpm, max(of.tpm, largest))


@settings(max_examples=150, deadline=None)
@given(tiers, starts, schedules)
def test_what_was_refused_changes_nothing(of: Tier, start: float, schedule: list[tuple[float, str, int]]) -> None:
    _, _, taken = play(of, start, schedule)
    clock = FixedClock(monotonic=start)
    limits = Limits(clock)
    for at, model, tokens in taken:
        clock.seconds = at
        limits.admit(ADA, of, model, tokens)


@settings(max_examples=150, deadline=None)
@given(tiers, starts, schedules)
def test_whoever_waits_as_long_as_told_is_let_through(
    of: Tier, start: float, schedule: list[tuple[float, str, int]]
) -> None:
    limits, clock, _ = play(of, start, schedule)
    for model in "abc":
        for tokens in (0, 1, 400):
            try:
                limits.admit(ADA, of, model, tokens)
            except RateLimited as refused:
                assert refused.retry_after_s is not None and refused.retry_after_s >= 1
                clock.go_on(refused.retry_after_s)
                limits.admit(ADA, of, model, tokens)


@settings(max_examples=150, deadline=None)
@given(tiers, starts, schedules)
def test_nobody_waits_a_second_too_long(of: Tier, start: float, schedule: list[tuple[float, str, int]]) -> None:
    limits, clock, _ = play(of, start, schedule)
    try:
        limits.admit(ADA, of, "a", 400)
    except RateLimited as refused:
        assert refused.retry_after_s is not None
        if refused.retry_after_s > 1:
            clock.go_on(refused.retry_after_s - 1.001)
            try:
                limits.admit(ADA, of, "a", 400)
            except RateLimited:
                return
            raise AssertionError("let through a second before the time told") from None


Step = tuple[Literal["admit", "correct", "wait"], int]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("admit"), st.integers(0, 400)),
        st.tuples(st.just("correct"), st.integers(0, 800)),
        st.tuples(st.just("wait"), st.integers(0, 30)),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(st.integers(400, 3_000), steps)
def test_corrected_tokens_match_a_plain_bucket(tpm: int, played: list[Step]) -> None:
    clock = FixedClock()
    limits, of = Limits(clock), tier(rpm=100_000, per_model_rpm=100_000, tpm=tpm)
    level, open_calls = float(tpm), list[Admission]()
    for step, figure in played:
        match step:
            case "wait":
                clock.go_on(figure)
                level = min(tpm, level + tpm * figure / 60)
            case "correct" if open_calls:
                admission = open_calls.pop(0)
                limits.correct(admission, figure)
                level = min(tpm, level + admission.tokens - figure)
            case "admit":
                try:
                    open_calls.append(limits.admit(ADA, of, "m", figure))
                    level -= figure
                except RateLimited:
                    assert level < figure + 0.01
        short = max(0, level) - limits.snapshot(caller(tier=9), (of,)).tpm_remaining
        assert -0.01 <= short <= 1.01  # whole tokens, and a nanosecond a token, are rounded against the caller
