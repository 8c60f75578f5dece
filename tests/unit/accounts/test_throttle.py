"""How often somebody may try to sign in."""

from collections.abc import Callable

import pytest

from kyma.accounts.throttle import LoginThrottle
from kyma.core.errors import RateLimited
from tests.unit.accounts.clock import FixedClock


@pytest.fixture
def throttle(clock: FixedClock) -> LoginThrottle:
    return LoginThrottle(clock)


def wait_told(attempt: Callable[[], None]) -> int | None:
    """The seconds to wait that a refused attempt was told; None if it was let through."""
    try:
        attempt()
    except RateLimited as refused:
        assert refused.retry_after_s is not None
        return refused.retry_after_s
    return None


def test_five_attempts_are_free_and_the_sixth_waits(throttle: LoginThrottle) -> None:
    told = [wait_told(lambda: throttle.attempt("ada@example.com", "192.0.2.1")) for _ in range(6)]
    assert told == [None] * 5 + [1]


def test_the_wait_doubles_up_to_fifteen_minutes(throttle: LoginThrottle, clock: FixedClock) -> None:
    for _ in range(5):
        throttle.attempt("ada@example.com", "192.0.2.1")
    waits = []
    for number in range(13):
        wait = wait_told(lambda: throttle.attempt("ada@example.com", "192.0.2.1"))
        assert wait is not None
        waits.append(wait)
        clock.go_on(wait)
        throttle.attempt("ada@example.com", f"192.0.2.{number + 2}")
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_a_refused_attempt_does_not_lengthen_the_wait(throttle: LoginThrottle, clock: FixedClock) -> None:
    for _ in range(5):
        throttle.attempt("ada@example.com", "192.0.2.1")
    for _ in range(10):
        assert wait_told(lambda: throttle.attempt("ada@example.com", "192.0.2.1")) == 1
    clock.go_on(1)
    assert wait_told(lambda: throttle.attempt("ada@example.com", "192.0.2.1")) is None


def test_signing_in_forgets_the_attempts(throttle: LoginThrottle) -> None:
    for _ in range(5):
        throttle.attempt("ada@example.com", "192.0.2.1")
    throttle.succeeded("ada@example.com")
    assert wait_told(lambda: throttle.attempt("ada@example.com", "192.0.2.1")) is None


def test_one_account_does_not_slow_another(throttle: LoginThrottle) -> None:
    for _ in range(5):
        throttle.attempt("ada@example.com", "192.0.2.1")
    assert wait_told(lambda: throttle.attempt("bob@example.com", "192.0.2.1")) is None


def test_a_network_has_twenty_attempts_a_minute(throttle: LoginThrottle, clock: FixedClock) -> None:
    for number in range(20):
        throttle.attempt(f"user{number}@example.com", "192.0.2.1")
        clock.go_on(1)
    assert wait_told(lambda: throttle.attempt("last@example.com", "192.0.2.1")) == 40
    assert wait_told(lambda: throttle.attempt("last@example.com", "192.0.2.2")) is None
    clock.go_on(40)
    assert wait_told(lambda: throttle.attempt("other@example.com", "192.0.2.1")) is None


def test_attempts_without_an_account_count_for_their_network(throttle: LoginThrottle) -> None:
    for _ in range(20):
        throttle.attempt_from("192.0.2.1")
    assert wait_told(lambda: throttle.attempt_from("192.0.2.1")) == 60


@pytest.mark.parametrize(
    ("one", "other", "is_one_network"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("unix socket", "unix socket", True),
    ],
)
def test_an_ipv6_network_is_a_64(throttle: LoginThrottle, one: str, other: str, is_one_network: bool) -> None:
    for _ in range(20):
        throttle.attempt_from(one)
    assert (wait_told(lambda: throttle.attempt_from(other)) is not None) is is_one_network


def test_it_remembers_no_more_than_its_size(clock: FixedClock) -> None:
    throttle = LoginThrottle(clock, size=10)
    for number in range(100):
        throttle.attempt(f"user{number}@example.com", f"192.0.2.{number}")
    assert len(throttle._addresses) == 10
    assert len(throttle._networks) == 10


def test_a_day_without_attempts_forgets_them(throttle: LoginThrottle, clock: FixedClock) -> None:
    for _ in range(5):
        throttle.attempt("ada@example.com", "192.0.2.1")
    clock.go_on(86_401)
    told = [wait_told(lambda: throttle.attempt("ada@example.com", "192.0.2.1")) for _ in range(6)]
    assert told == [None] * 5 + [1]
