"""What is counted of attempts at a source."""

import pytest

from kyma.core.credential import Credential
from kyma.core.errors import Rejected, Throttled, Unreachable, Unsuited, UpstreamError, UpstreamFailed
from kyma.core.tally import COUNTERS, Tallies, Tally
from kyma.routing import Ask, Candidate, Health, plan
from tests.clock import ManualClock
from tests.unit.calls.rows import model, route, vault

ROUTE = route("p0")


class Counted:
    """One source of the model `owl`, and its counts."""

    def __init__(self) -> None:
        self.tallies = Tallies()
        self.health = Health(ManualClock(), vault("p0"), tallies=self.tallies)

    @property
    def candidate(self) -> Candidate:
        first = plan(model([ROUTE]), self.health, Ask("acc_1", 0.0)).first
        assert first is not None
        return first

    @property
    def tally(self) -> Tally:
        return self.tallies.of("owl", ROUTE.id)

    @property
    def counts(self) -> dict[str, int]:
        return {name: value for name in COUNTERS if (value := getattr(self.tally, name))}


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_a_stream_counts_its_first_token_and_its_speed(counted: Counted) -> None:
    candidate = counted.candidate
    counted.health.begin(candidate)
    counted.health.answered(candidate, 0.2, True)
    counted.health.ended(candidate, 90, 1.5)
    assert counted.counts == {"answered": 1, "tokens": 90, "speaking_ms": 1500}
    assert counted.tally.latency_ms(50) == 215 and not any(counted.tally.whole)


def test_a_whole_answer_counts_its_end(counted: Counted) -> None:
    candidate = counted.candidate
    counted.health.begin(candidate)
    counted.health.answered(candidate, 3.0, False)
    counted.health.ended(candidate)
    assert counted.counts == {"answered": 1}
    assert counted.tally.latency_ms(50) == 3444 and not any(counted.tally.first_token)


def test_a_short_answer_tells_nothing_of_speed(counted: Counted) -> None:
    candidate = counted.candidate
    counted.health.begin(candidate)
    counted.health.answered(candidate, 0.2, True)
    counted.health.ended(candidate, 3, 0.001)
    assert counted.counts == {"answered": 1}


def test_a_failure_counts_by_its_reason(counted: Counted) -> None:
    for error in (UpstreamFailed("500"), Throttled("429"), UpstreamFailed("503")):
        candidate = counted.candidate
        counted.health.begin(candidate)
        counted.health.failed(candidate, error)
        counted.health.keys.replace({"p0": ["another"]})  # type: ignore[attr-defined]
    assert counted.counts == {"failed": 2, "throttled": 1}


def test_an_answer_that_broke_off_had_been_answered(counted: Counted) -> None:
    candidate = counted.candidate
    counted.health.begin(candidate)
    counted.health.answered(candidate, 0.2, True)
    counted.health.broke(candidate, Unreachable("cut"))
    assert counted.counts == {"answered": 1, "broke_off": 1}


@pytest.mark.parametrize("error", [Rejected("400", upstream_status=400, caller_message="bad"), Unsuited(("seed",))])
def test_what_the_request_is_at_fault_for_does_not_count(counted: Counted, error: UpstreamError) -> None:
    candidate = counted.candidate
    counted.health.begin(candidate)
    counted.health.failed(candidate, error)
    assert counted.counts == {}


def test_an_attempt_that_was_let_go_does_not_count(counted: Counted) -> None:
    candidate = counted.candidate
    counted.health.begin(candidate)
    counted.health.let_go(candidate)
    assert counted.counts == {}


def test_trouble_with_a_customers_own_key_does_not_count(counted: Counted) -> None:
    own = Credential("key_1/1", "p0", "secret", is_own=True)
    ours = counted.candidate
    candidate = Candidate(ROUTE, 0, ours.model, ours.price, own, ours.source, ours.breaker, ours.tally)
    counted.health.begin(candidate)
    counted.health.failed(candidate, Throttled("429"))
    assert counted.counts == {}


def test_a_source_is_left_alone_while_its_breaker_is_open(counted: Counted) -> None:
    assert not counted.health.is_left_alone(ROUTE)
    for _ in range(5):
        candidate = counted.candidate
        counted.health.begin(candidate)
        counted.health.failed(candidate, UpstreamFailed("500"))
    assert counted.health.is_left_alone(ROUTE)
