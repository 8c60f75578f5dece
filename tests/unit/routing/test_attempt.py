"""The failover loop: whom it asks, when it stops, what it says in the end."""

import pytest

from kyma.core.errors import (
    Garbled,
    NoRouteLeft,
    RefusedUs,
    Rejected,
    Throttled,
    UpstreamError,
    UpstreamFailed,
    UpstreamTimeout,
)
from kyma.core.model import Model
from kyma.routing import Attempted, Candidate, Turn, attempt
from kyma.routing.guard import FREE_EXTRAS
from tests.unit.calls.rows import in_order, model
from tests.unit.routing.scene import Scene

OWL = model(in_order(3))
SMALL = model(in_order(1))
REFUSAL = Rejected("400", upstream_status=400, caller_message="bad")


class Sources:
    """Answers for each provider in turn: a text, or an error to raise."""

    def __init__(self, *answers: str | UpstreamError | list[str | UpstreamError]) -> None:
        self._answers = {f"p{number}": answer for number, answer in enumerate(answers)}
        self.asked: list[tuple[str, Turn]] = []

    async def send(self, candidate: Candidate, turn: Turn) -> str:
        name = candidate.route.provider.id
        self.asked.append((name, turn))
        answer = self._answers[name]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, str):
            return answer
        raise answer


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def ask(scene: Scene, sources: Sources, *, model: Model = OWL, has_left: bool = False) -> Attempted[str]:
    return await attempt(scene.plan(model), sources.send, scene.health, lambda: not has_left)


async def test_the_first_answer_ends_it(scene: Scene) -> None:
    sources = Sources("hello", "never")
    attempted = await ask(scene, sources)
    assert (attempted.value, attempted.candidate.layer, attempted.attempts) == ("hello", 0, 1)
    assert sources.asked == [("p0", Turn.MORE)]


async def test_the_next_source_is_asked_after_a_failure(scene: Scene) -> None:
    sources = Sources(Garbled("html"), Throttled("429"), "hello")
    attempted = await ask(scene, sources)
    assert (attempted.value, attempted.candidate.layer, attempted.attempts) == ("hello", 2, 3)
    assert sources.asked == [("p0", Turn.MORE), ("p1", Turn.MORE), ("p2", Turn.LAST_SOURCE)]


async def test_a_mistake_of_the_caller_stops_it(scene: Scene) -> None:
    sources = Sources(UpstreamFailed("500"), REFUSAL, "never")
    with pytest.raises(Rejected) as caught:
        await ask(scene, sources)
    assert caught.value is REFUSAL
    assert len(sources.asked) == 2


async def test_nobody_is_asked_again_for_a_caller_who_has_left(scene: Scene) -> None:
    sources = Sources(UpstreamFailed("500"), "never")
    with pytest.raises(NoRouteLeft) as caught:
        await ask(scene, sources, has_left=True)
    assert sources.asked == [("p0", Turn.MORE)]
    assert len(caught.value.reasons) == 1


async def test_a_caller_who_leaves_before_the_second_try_is_spared_it(scene: Scene) -> None:
    sources = Sources([UpstreamFailed("500"), "never"])
    stays = iter([True, False])  # still there when the first try fails, gone after the pause
    with pytest.raises(NoRouteLeft):
        await attempt(scene.plan(SMALL), sources.send, scene.health, lambda: next(stays))
    assert len(sources.asked) == 1


async def test_the_first_source_is_asked_without_asking_whether_it_may(scene: Scene) -> None:
    assert (await ask(scene, Sources("hello"), has_left=True)).value == "hello"


async def test_in_the_end_every_reason_is_known(scene: Scene) -> None:
    reasons = (RefusedUs("401"), UpstreamTimeout("no token"), Throttled("429"))
    with pytest.raises(NoRouteLeft) as caught:
        await ask(scene, Sources(*reasons))
    assert caught.value.reasons == reasons
    assert caught.value.retry_after_s == 1


async def test_the_shortest_wait_is_told(scene: Scene) -> None:
    busy = Sources(Throttled("429", retry_after_s=9), RefusedUs("401"), Throttled("429", retry_after_s=4))
    with pytest.raises(NoRouteLeft) as caught:
        await ask(scene, busy)
    assert caught.value.retry_after_s == 4


async def test_when_all_have_failed_one_is_asked_a_second_time(scene: Scene) -> None:
    sources = Sources(UpstreamTimeout("slow"), [Garbled("html"), "hello"], Throttled("429"))
    attempted = await ask(scene, sources)
    assert (attempted.value, attempted.candidate.layer, attempted.attempts) == ("hello", 1, 4)
    assert sources.asked[-1] == ("p1", Turn.LAST_TRY)


async def test_nobody_is_asked_a_third_time(scene: Scene) -> None:
    sources = Sources([UpstreamFailed("500"), UpstreamFailed("500"), "never"])
    with pytest.raises(NoRouteLeft):
        await ask(scene, sources, model=SMALL)
    assert len(sources.asked) == 2


@pytest.mark.parametrize("error", [UpstreamTimeout("slow"), Throttled("429"), RefusedUs("401")])
async def test_a_source_that_was_slow_or_busy_or_refused_us_is_not_asked_again(
    scene: Scene, error: UpstreamError
) -> None:
    sources = Sources([error, "never"])
    with pytest.raises(NoRouteLeft):
        await ask(scene, sources, model=SMALL)
    assert len(sources.asked) == 1


async def test_who_was_cut_short_for_others_that_were_not_there_is_asked_again_with_all_the_time(scene: Scene) -> None:
    sources = Sources([UpstreamTimeout("no token"), "hello"])
    planned = scene.plan(SMALL)
    planned.has_more = True  # as a substitute would make it that does not suit the request
    attempted = await attempt(planned, sources.send, scene.health, lambda: True)
    assert (attempted.value, sources.asked) == ("hello", [("p0", Turn.MORE), ("p0", Turn.LAST_TRY)])


async def test_six_attempts_are_the_most(scene: Scene) -> None:
    sources = Sources(*[UpstreamFailed("500")] * 9)
    with pytest.raises(NoRouteLeft):
        await ask(scene, sources, model=model(in_order(9)))
    assert [name for name, _ in sources.asked] == [f"p{number}" for number in range(6)]
    assert [turn for _, turn in sources.asked] == [Turn.MORE] * 5 + [Turn.LAST_TRY]


async def test_no_attempt_begins_after_the_deadline(scene: Scene) -> None:
    sources = Sources(UpstreamFailed("500"), "never", "never")

    async def send(candidate: Candidate, turn: Turn) -> str:
        scene.clock.advance(10)
        return await sources.send(candidate, turn)

    scene.health.deadline_s = 9
    with pytest.raises(NoRouteLeft):
        await attempt(scene.plan(OWL), send, scene.health, lambda: True)
    assert len(sources.asked) == 1


async def test_when_everything_fails_requests_are_not_multiplied(scene: Scene) -> None:
    """As many further attempts as requests, and a few that are free."""
    sources, requests = Sources(*[UpstreamFailed("500")] * 3), 200
    for _ in range(requests):
        with pytest.raises(NoRouteLeft):
            await ask(scene, sources)
    assert requests < len(sources.asked) <= 2 * requests + FREE_EXTRAS


async def test_failures_are_remembered_and_answers_forgive(scene: Scene) -> None:
    for _ in range(5):
        await ask(scene, Sources(UpstreamFailed("500"), "hello"))
    first = scene.plan(OWL).first
    assert first is not None and first.route.provider.id == "p1"


async def test_a_bug_of_ours_is_no_failure_of_a_source(scene: Scene) -> None:
    async def send(candidate: Candidate, turn: Turn) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await attempt(scene.plan(OWL), send, scene.health, lambda: True)
    source = scene.health.source(OWL.routes[0])
    assert (source.recent, source.in_flight) == ((0, 0), 0)


async def test_a_model_without_sources_has_no_answer(scene: Scene) -> None:
    with pytest.raises(NoRouteLeft):
        await ask(scene, Sources(), model=model())
