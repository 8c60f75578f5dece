"""The order in which sources are tried."""

from kyma.core.model import Route
from kyma.routing import plan
from kyma.routing.plan import MAX_ATTEMPTS
from tests.unit.calls.rows import model, route

ROUTES = [route(f"p{number}") for number in range(4)]


def order(routes: list[Route], sick: set[str]) -> list[tuple[str, int]]:
    """Provider and layer of each candidate when the `sick` ones are not healthy."""
    planned = plan(model(routes), lambda candidate: candidate.provider.id not in sick)
    return [(candidate.route.provider.id, candidate.layer) for candidate in planned.candidates]


def test_sources_are_tried_in_catalog_order_each_with_its_layer() -> None:
    assert order(ROUTES, set()) == [("p0", 0), ("p1", 1), ("p2", 2), ("p3", 2)]


def test_a_sick_source_is_left_out_and_the_layers_stay() -> None:
    assert order(ROUTES, {"p0", "p2"}) == [("p1", 1), ("p3", 2)]


def test_when_all_are_sick_all_are_tried() -> None:
    assert order(ROUTES, {"p0", "p1", "p2", "p3"}) == order(ROUTES, set())


def test_no_more_than_six_are_tried() -> None:
    many = [route(f"p{number}") for number in range(9)]
    assert [name for name, _ in order(many, {"p0"})] == [f"p{number}" for number in range(1, MAX_ATTEMPTS + 1)]


def test_a_model_without_sources_has_no_candidates() -> None:
    assert order([], set()) == []
