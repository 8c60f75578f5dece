"""When a breaker opens, for how long, and what closes it again."""

import pytest

from kyma.routing.breaker import JITTER, Breaker, BreakerSettings

SETTINGS = BreakerSettings(open_s=30.0, max_open_s=300.0)


def fed(outcomes: str) -> Breaker:
    """A breaker after these calls: `x` is a fault, `.` an answer."""
    breaker = Breaker(SETTINGS)
    for outcome in outcomes:
        if outcome == "x":
            breaker.failed(0.0)
        else:
            breaker.succeeded()
    return breaker


def opened(times: int = 1, now: float = 0.0) -> Breaker:
    """A breaker that was opened so often in a row."""
    breaker = Breaker(SETTINGS)
    for _ in range(5):
        breaker.failed(now)
    for _ in range(times - 1):
        assert breaker.until is not None
        now = breaker.until
        breaker.begin(now)
        breaker.failed(now)
    return breaker


@pytest.mark.parametrize(
    ("outcomes", "is_open"),
    [
        ("xxxx", False),
        ("xxxxx", True),
        ("." * 5 + "x" * 5, True),
        ("." * 6 + "x" * 5, False),
        (".x" * 25, False),
        ("xx." * 16 + "x", False),
        ("xx." * 17, True),
        ("x.xx" * 12 + "x.", False),
    ],
    ids=["four", "five", "half of ten", "less than half", "half of fifty", "49 seen", "two thirds", "three quarters"],
)
def test_it_opens_on_five_in_a_row_that_are_half_or_on_three_fifths_of_fifty(outcomes: str, is_open: bool) -> None:
    assert (fed(outcomes).until is not None) is is_open


def test_an_open_breaker_lets_nobody_through() -> None:
    assert not opened().allows(1.0)


@pytest.mark.parametrize(("times", "seconds"), [(1, 30.0), (2, 60.0), (3, 90.0)])
def test_it_stays_open_longer_each_time(times: int, seconds: float) -> None:
    breaker, since = Breaker(SETTINGS), 0.0
    for _ in range(5):
        breaker.failed(since)
    for _ in range(times - 1):
        since = breaker.until or 0.0
        breaker.begin(since)
        breaker.failed(since)
    assert breaker.until is not None
    assert seconds * (1 - JITTER) <= breaker.until - since <= seconds * (1 + JITTER)


def test_it_is_never_open_for_longer_than_five_minutes_and_a_fifth() -> None:
    breaker = opened(1)
    for _ in range(30):
        assert breaker.until is not None
        now = breaker.until
        breaker.begin(now)
        breaker.failed(now)
    assert breaker.until is not None and breaker.until - now <= 300 * (1 + JITTER)


def test_ejections_are_forgotten_one_a_minute() -> None:
    breaker = opened(3)
    assert breaker.until is not None
    now = breaker.until + 600
    breaker.begin(now)
    breaker.failed(now)
    assert breaker.until - now <= 30 * (1 + JITTER)


def test_one_probe_at_a_time_is_let_through() -> None:
    breaker = opened()
    now = breaker.until or 0.0
    assert breaker.allows(now)
    breaker.begin(now)
    assert not breaker.allows(now)
    breaker.let_go()
    assert breaker.allows(now)


def test_three_answers_close_it_and_the_past_is_forgotten() -> None:
    breaker = opened()
    for _ in range(3):
        assert breaker.state(breaker.until or 0.0) == "half_open"
        breaker.begin(breaker.until or 0.0)
        breaker.succeeded()
    assert (breaker.until, breaker.recent) == (None, (0, 0))


def test_a_failed_probe_opens_it_again() -> None:
    assert opened(2).state(opened().until or 0.0) == "open"


def test_a_fault_of_a_call_that_was_let_through_for_want_of_a_better_changes_nothing() -> None:
    breaker = opened()
    until = breaker.until
    breaker.begin(1.0)
    breaker.failed(1.0)
    assert breaker.until == until
