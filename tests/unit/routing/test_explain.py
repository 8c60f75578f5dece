"""What operators are told of the order of trying."""

import msgspec

from kyma.core.model import Route
from kyma.routing import explain
from kyma.routing.plan import MAX_ATTEMPTS
from tests.unit.calls.rows import model, route

ROUTES = [route(f"p{number}") for number in range(4)]


def told(sick: set[str], off: set[str], routes: list[Route] = ROUTES, dialect: str | None = None) -> list[str]:
    """Providers in order, with whether they would be tried and why."""
    found = explain(
        model(routes), lambda one: one.provider.id not in sick, lambda one: one.provider.id not in off, dialect
    )
    return [f"{row.route.provider.id} {'+' if row.would_try else '-'} {row.reason}" for row in found]


def test_every_source_has_its_place_and_its_reason() -> None:
    assert told({"p0"}, {"p2"}) == [
        "p1 + first; by the catalog's order",
        "p3 + after 1 failed; by the catalog's order",
        "p0 - left alone for now: it failed again and again, or its provider refuses or throttles our key",
        "p2 - switched off by an operator",
    ]


def test_when_all_are_sick_those_that_are_on_are_tried() -> None:
    (first, second, *_) = told({"p0", "p1", "p2", "p3"}, {"p0", "p1"})
    assert first.startswith("p2 + first; left alone for now") and second.startswith("p3 + after 1 failed; left alone")


def test_who_speaks_what_the_request_needs_comes_first() -> None:
    native = msgspec.structs.replace(ROUTES[2], provider=msgspec.structs.replace(ROUTES[2].provider, dialect="gemini"))
    assert told(set(), set(), [ROUTES[0], native], "gemini")[0] == "p2 + first; speaks gemini, which the request needs"


def test_those_beyond_the_last_attempt_are_named_too() -> None:
    many = [route(f"p{number}") for number in range(MAX_ATTEMPTS + 1)]
    assert told(set(), set(), many)[-1] == f"p{MAX_ATTEMPTS} - not among the first {MAX_ATTEMPTS}"
