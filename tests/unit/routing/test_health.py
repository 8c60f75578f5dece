"""What counts against a source, what against a key, and how long an answer may take to begin."""

import msgspec
import pytest

from kyma.core.errors import (
    Garbled,
    RefusedUs,
    Rejected,
    Throttled,
    Unreachable,
    Unsuited,
    UpstreamError,
    UpstreamFailed,
    UpstreamTimeout,
)
from tests.unit.calls.rows import route
from tests.unit.routing.scene import Scene

ROUTE = route("p0")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def faults(scene: Scene) -> int:
    return scene.health.source(ROUTE).recent[1]


@pytest.mark.parametrize(
    "error", [Garbled("html"), Unreachable("refused"), UpstreamFailed("500"), UpstreamTimeout("5 s")]
)
def test_every_fault_of_a_source_counts(scene: Scene, error: UpstreamError) -> None:
    scene.fail(ROUTE, error=error)
    assert faults(scene) == 1


@pytest.mark.parametrize(
    "error",
    [
        Throttled("429", retry_after_s=7),
        RefusedUs("401"),
        Rejected("400", upstream_status=400, caller_message="bad"),
        Unsuited(("seed",)),
    ],
)
def test_trouble_with_a_key_or_a_request_is_no_fault_of_the_source(scene: Scene, error: UpstreamError) -> None:
    scene.fail(ROUTE, times=50, error=error)
    assert faults(scene) == 0


def test_a_break_in_mid_stream_is_a_fault(scene: Scene) -> None:
    candidate = scene.only(ROUTE)
    scene.health.begin(candidate)
    scene.health.answered(candidate, 0.1, True)
    scene.health.broke(candidate, Unreachable("cut"))
    assert faults(scene) == 1


def test_a_source_that_is_overloaded_in_mid_stream_is_busy_and_not_at_fault(scene: Scene) -> None:
    candidate = scene.only(ROUTE)
    scene.health.begin(candidate)
    scene.health.answered(candidate, 0.1, True)
    scene.health.broke(candidate, Throttled("529", retry_after_s=7))
    assert faults(scene) == 0
    assert [state.state for state in scene.keys.states() if state.provider_id == "p0"] == ["cooling"]
    assert scene.health.source(ROUTE).in_flight == 0


def test_each_key_of_a_source_has_a_breaker_of_its_own(scene: Scene) -> None:
    scene.keys.replace({"p0": ["one", "two"]})
    first, second = scene.everybody([ROUTE])
    for _ in range(5):
        scene.health.begin(first)
        scene.health.failed(first, UpstreamFailed("500"))
    assert (first.breaker.until is None, second.breaker.until is None) == (False, True)


def test_a_stream_that_arrived_all_at_once_tells_nothing_of_speed(scene: Scene) -> None:
    candidate, source = scene.only(ROUTE), scene.health.source(ROUTE)
    for tokens, seconds in ((90, 1.0), (500, 0.0001)):
        scene.health.begin(candidate)
        scene.health.answered(candidate, 0.1, True)
        scene.health.ended(candidate, tokens, seconds)
    assert source.tokens_per_s == 90


def test_calls_under_way_are_counted(scene: Scene) -> None:
    candidate, source = scene.only(ROUTE), scene.health.source(ROUTE)
    scene.health.begin(candidate)
    scene.health.begin(candidate)
    assert source.in_flight == 2
    scene.health.answered(candidate, 0.1, True)
    scene.health.ended(candidate)
    scene.health.let_go(candidate)
    assert source.in_flight == 0


def test_the_last_error_is_told_in_our_words(scene: Scene) -> None:
    scene.fail(ROUTE, error=UpstreamFailed("HTTP 503: overloaded"))
    source = scene.health.source(ROUTE)
    assert (source.last_error, source.last_error_at) == ("UpstreamFailed: HTTP 503: overloaded", scene.clock.now_ms())


@pytest.mark.parametrize(("ms", "seconds"), [(100, 2.0), (1000, 3.0), (60_000, 20.0)])
def test_a_first_token_may_take_three_times_the_95th_percentile_within_bounds(
    scene: Scene, ms: int, seconds: float
) -> None:
    scene.answer(ROUTE, 30, ms=ms)
    scene.clock.advance(2)
    assert scene.health.patience_s(scene.only(ROUTE), True) == seconds


def test_an_unknown_source_is_given_the_most(scene: Scene) -> None:
    assert scene.health.patience_s(scene.only(ROUTE), True) == 20.0


def test_a_route_may_say_how_long_its_first_token_takes(scene: Scene) -> None:
    slow = msgspec.structs.replace(ROUTE, first_token_s=90.0)
    assert scene.health.patience_s(scene.only(slow), True) == 90.0


def test_a_whole_answer_is_waited_for_until_enough_is_known(scene: Scene) -> None:
    candidate = scene.only(ROUTE)
    assert scene.health.patience_s(candidate, False) is None
    for _ in range(30):
        scene.health.begin(candidate)
        scene.health.answered(candidate, 10.0, False)
        scene.health.ended(candidate)
    scene.clock.advance(2)
    assert scene.health.patience_s(scene.only(ROUTE), False) == 30.0
