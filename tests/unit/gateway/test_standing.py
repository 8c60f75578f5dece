"""The rule by which a gateway and its models are in order."""

from collections.abc import Mapping

import msgspec
import pytest

from kyma.core.model import Model, Route
from kyma.gateway.standing import Board, Sight, judge
from tests.clock import ManualClock
from tests.unit.calls.rows import in_order, model

NOW = 1_800_000_000_000


def named(model_id: str, sources: int = 1) -> Model:
    return msgspec.structs.replace(model(in_order(sources)), id=model_id)


def sight(
    *models: Model,
    recent: Mapping[str, tuple[int, int]] | None = None,
    out: tuple[str, ...] = (),
    is_draining: bool = False,
    is_full: bool = False,
    is_stalled: bool = False,
) -> Sight:
    def is_out(route: Route) -> bool:
        return route.provider.id in out

    return Sight(models, recent or {}, is_out, is_draining, is_full, is_stalled)


@pytest.mark.parametrize(
    ("served", "lost", "word"),
    [
        (0, 0, "operational"),
        (20, 1, "operational"),
        (19, 1, "degraded"),
        (1, 99, "degraded"),
        (0, 2, "degraded"),
        (0, 3, "down"),
    ],
)
def test_a_model_is_judged_by_its_latest_requests(served: int, lost: int, word: str) -> None:
    told = judge(sight(named("owl"), named("cat"), recent={"owl": (served, lost)}), NOW)
    assert told.models == {"owl": word, "cat": "operational"}
    assert told.status == ("operational" if word == "operational" else "degraded")


@pytest.mark.parametrize(
    ("out", "word"),
    [((), "operational"), (("p0",), "operational"), (("p0", "p1"), "degraded"), (("p0", "p1", "p2", "p3"), "down")],
)
def test_a_model_is_judged_by_its_sources(out: tuple[str, ...], word: str) -> None:
    assert judge(sight(named("owl", 4), out=out), NOW).models == {"owl": word}


def test_it_is_an_outage_when_every_model_is_down() -> None:
    assert judge(sight(named("owl"), named("cat"), out=("p0",)), NOW).status == "outage"


def test_a_gateway_without_models_is_degraded() -> None:
    assert judge(sight(), NOW).status == "degraded"


def test_a_shutdown_and_a_database_that_is_away_are_outages() -> None:
    told = judge(sight(named("owl"), is_draining=True), NOW)
    assert (told.status, told.api, told.database) == ("outage", "outage", "operational")
    told = judge(sight(named("owl"), is_stalled=True), NOW)
    assert (told.status, told.api, told.database) == ("outage", "operational", "outage")


def test_a_gateway_that_takes_no_more_calls_is_degraded() -> None:
    told = judge(sight(named("owl"), is_full=True), NOW)
    assert (told.status, told.api) == ("degraded", "degraded")


def test_it_is_told_since_when_it_is_so() -> None:
    clock, seen = ManualClock(NOW), [sight(named("owl"))]
    board = Board(clock, lambda: seen[0])
    assert (board.look().status, board.look().since) == ("operational", NOW)
    clock.advance(60)
    assert board.look().since == NOW
    seen[0] = sight(named("owl"), out=("p0",))
    assert board.look().status == "operational", "looked up a moment ago"
    clock.advance(1)
    assert (board.look().status, board.look().since) == ("outage", NOW + 61_000)
    clock.advance(60)
    assert board.look().since == NOW + 61_000
