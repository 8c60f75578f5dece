"""The failover loop: whom it asks, when it stops, what it says in the end."""

from collections.abc import Awaitable, Callable

import pytest

from kyma.core.errors import Garbled, NoRouteLeft, RefusedUs, Rejected, Throttled, UpstreamError, UpstreamFailed
from kyma.routing import Attempted, Candidate, Health, attempt, plan
from tests.clock import ManualClock
from tests.unit.calls.rows import model, route

ROUTES = [route(f"p{number}") for number in range(3)]
OWL = model(ROUTES)
REFUSAL = Rejected("400", upstream_status=400, caller_message="bad")


class Sources:
    """Answers for each provider in turn: a text, or an error to raise."""

    def __init__(self, *answers: str | UpstreamError) -> None:
        self._answers = dict(zip((f"p{number}" for number in range(3)), answers, strict=False))
        self.asked: list[tuple[str, bool]] = []

    async def send(self, candidate: Candidate, is_last: bool) -> str:
        name = candidate.route.provider.id
        self.asked.append((name, is_last))
        answer = self._answers[name]
        if isinstance(answer, str):
            return answer
        raise answer


@pytest.fixture
def health(clock: ManualClock) -> Health:
    return Health(clock)


async def ask(
    health: Health,
    send: Callable[[Candidate, bool], Awaitable[str]],
    may_go_on: Callable[[], bool] = lambda: True,
) -> Attempted[str]:
    return await attempt(plan(OWL, health.allows), send, health, may_go_on)


async def test_the_first_answer_ends_it(health: Health) -> None:
    sources = Sources("hello", "never")
    attempted = await ask(health, sources.send)
    assert (attempted.value, attempted.candidate.layer, attempted.attempts) == ("hello", 0, 1)
    assert sources.asked == [("p0", False)]


async def test_the_next_source_is_asked_after_a_failure(health: Health) -> None:
    sources = Sources(Garbled("html"), Throttled("429"), "hello")
    attempted = await ask(health, sources.send)
    assert (attempted.value, attempted.candidate.layer, attempted.attempts) == ("hello", 2, 3)
    assert sources.asked == [("p0", False), ("p1", False), ("p2", True)]


async def test_a_mistake_of_the_caller_stops_it(health: Health) -> None:
    sources = Sources(UpstreamFailed("500"), REFUSAL, "never")
    with pytest.raises(Rejected) as caught:
        await ask(health, sources.send)
    assert caught.value is REFUSAL
    assert len(sources.asked) == 2


async def test_nobody_is_asked_again_for_a_caller_who_has_left(health: Health) -> None:
    sources = Sources(UpstreamFailed("500"), "never")
    with pytest.raises(NoRouteLeft) as caught:
        await ask(health, sources.send, lambda: False)
    assert sources.asked == [("p0", False)]
    assert len(caught.value.reasons) == 1


async def test_the_first_source_is_asked_without_asking_whether_it_may(health: Health) -> None:
    assert (await ask(health, Sources("hello").send, lambda: False)).value == "hello"


async def test_in_the_end_every_reason_is_known(health: Health) -> None:
    reasons = (Garbled("html"), RefusedUs("401"), UpstreamFailed("500"))
    with pytest.raises(NoRouteLeft) as caught:
        await ask(health, Sources(*reasons).send)
    assert caught.value.reasons == reasons
    assert caught.value.retry_after_s == 1


async def test_the_shortest_wait_is_told(health: Health) -> None:
    with pytest.raises(NoRouteLeft) as caught:
        await ask(
            health,
            Sources(Throttled("429", retry_after_s=9), Garbled("html"), Throttled("429", retry_after_s=4)).send,
        )
    assert caught.value.retry_after_s == 4


async def test_failures_are_remembered_and_answers_forgive(health: Health) -> None:
    for _ in range(5):
        await ask(health, Sources(UpstreamFailed("500"), "hello").send)
    assert [health.allows(candidate) for candidate in ROUTES] == [False, True, True]
    for _ in range(4):
        health.failed(ROUTES[1], UpstreamFailed("500"))
    await ask(health, Sources("never", "hello").send)
    health.failed(ROUTES[1], UpstreamFailed("500"))
    assert health.allows(ROUTES[1])


async def test_a_bug_of_ours_is_no_failure_of_a_source(health: Health) -> None:
    async def send(candidate: Candidate, is_last: bool) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ask(health, send)
    assert health.allows(ROUTES[0])


async def test_a_model_without_sources_has_no_answer(health: Health) -> None:
    with pytest.raises(NoRouteLeft):
        await attempt(plan(model(), health.allows), Sources().send, health, lambda: True)
