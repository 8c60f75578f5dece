"""When a source is left alone, and for how long."""

import pytest

from kyma.core.errors import Garbled, RefusedUs, Rejected, Throttled, Unreachable, UpstreamError, UpstreamFailed
from kyma.routing import Health
from kyma.routing.health import FAILURES_TO_SKIP, SKIP_S
from tests.clock import ManualClock
from tests.unit.calls.rows import route

ROUTE, OTHER_PROVIDER = route("acme"), route("bolt")
SAME_PROVIDER = type(ROUTE)("acme/lynx", ROUTE.provider, "acme-lynx", ROUTE.cost, "tests")


@pytest.fixture
def health(clock: ManualClock) -> Health:
    return Health(clock)


def fail(health: Health, times: int, error: UpstreamError | None = None) -> None:
    for _ in range(times):
        health.failed(ROUTE, error or UpstreamFailed("500"))


def test_an_unknown_source_is_tried(health: Health) -> None:
    assert health.allows(ROUTE)


def test_a_source_is_skipped_after_five_failures_in_a_row(health: Health) -> None:
    fail(health, FAILURES_TO_SKIP - 1)
    assert health.allows(ROUTE)
    fail(health, 1)
    assert not health.allows(ROUTE)


def test_the_other_routes_of_a_failing_sources_provider_are_still_tried(health: Health) -> None:
    fail(health, 5)
    assert health.allows(SAME_PROVIDER) and health.allows(OTHER_PROVIDER)


def test_an_answer_makes_failures_forgotten(health: Health) -> None:
    fail(health, FAILURES_TO_SKIP - 1)
    health.succeeded(ROUTE)
    fail(health, FAILURES_TO_SKIP - 1)
    assert health.allows(ROUTE)


def test_a_skipped_source_is_tried_again_after_half_a_minute(health: Health, clock: ManualClock) -> None:
    fail(health, 5)
    clock.advance(SKIP_S - 0.01)
    assert not health.allows(ROUTE)
    clock.advance(0.01)
    assert health.allows(ROUTE)


def test_one_more_failure_after_the_wait_skips_it_again(health: Health, clock: ManualClock) -> None:
    fail(health, 5)
    clock.advance(SKIP_S)
    fail(health, 1)
    assert not health.allows(ROUTE)


@pytest.mark.parametrize(("retry_after_s", "waited_s"), [(7, 7), (None, 1), (0, 1), (3600, 60)])
def test_a_busy_provider_cools_down_as_long_as_it_said(
    health: Health, clock: ManualClock, retry_after_s: int | None, waited_s: int
) -> None:
    health.failed(ROUTE, Throttled("429", retry_after_s=retry_after_s))
    clock.advance(waited_s - 0.01)
    assert not health.allows(ROUTE)
    clock.advance(0.01)
    assert health.allows(ROUTE)


def test_a_busy_provider_is_left_alone_for_all_its_models(health: Health) -> None:
    health.failed(ROUTE, Throttled("429", retry_after_s=7))
    assert not health.allows(SAME_PROVIDER)
    assert health.allows(OTHER_PROVIDER)


def test_being_busy_is_no_failure(health: Health, clock: ManualClock) -> None:
    fail(health, 20, Throttled("429", retry_after_s=1))
    clock.advance(1)
    fail(health, FAILURES_TO_SKIP - 1)
    assert health.allows(ROUTE)


def test_a_provider_that_refuses_our_key_is_left_alone_for_five_minutes(health: Health, clock: ManualClock) -> None:
    health.failed(ROUTE, RefusedUs("401"))
    clock.advance(299.9)
    assert not health.allows(SAME_PROVIDER)
    clock.advance(0.1)
    assert health.allows(SAME_PROVIDER)


def test_a_callers_mistake_says_nothing_about_the_source(health: Health) -> None:
    fail(health, 20, Rejected("400", upstream_status=400, caller_message="bad"))
    assert health.allows(ROUTE)


@pytest.mark.parametrize("error", [Garbled("html"), Unreachable("refused"), UpstreamFailed("500")])
def test_every_fault_of_a_source_counts(health: Health, error: UpstreamError) -> None:
    fail(health, 5, error)
    assert not health.allows(ROUTE)
