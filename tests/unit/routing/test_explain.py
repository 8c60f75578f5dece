"""What operators are told of the order of trying."""

from collections.abc import Sequence

from kyma.core.errors import UpstreamFailed
from kyma.core.model import Route
from kyma.core.preferences import Preferences
from kyma.routing import Ask, explain
from kyma.routing.plan import MAX_ATTEMPTS
from tests.unit.calls.rows import in_order, model, route, vault
from tests.unit.routing.scene import ACCOUNT, ASK, Scene


def told(scene: Scene, routes: Sequence[Route], ask: Ask = ASK) -> list[str]:
    """Providers in order, with whether they would be tried and why."""
    found = explain(model(routes), scene.health, ask)
    return [f"{row.route.provider.id} {'+' if row.would_try else '-'} {row.reason}" for row in found]


def test_every_source_has_its_place_and_its_reason() -> None:
    scene, routes = Scene(vault("p0", "p1", "p3")), in_order(5)
    scene.fail(routes[0], 5, UpstreamFailed("500"))
    scene.health.switch_off(frozenset(["p2"]))
    scene.clock.advance(0.5)
    (first, second, third, *left) = told(scene, routes)
    assert (first, second) == (
        "p1 + first: stands by for when the others fail",
        "p3 + after 1 failed: stands by for when the others fail",
    )
    assert third.startswith("p0 + after 2 failed: left alone for ")
    assert left == ["p2 - switched off by an operator", "p4 - no key of its provider can be used now"]


def test_a_source_with_a_share_says_how_large_it_is() -> None:
    assert told(Scene(), [route("p0"), route("p1", weight=3.0)])[0] == "p0 + first: drawn, with 25% of the requests"


def test_what_the_request_rules_out_is_named() -> None:
    ask = Ask(ACCOUNT, 0.0, preferences=Preferences(ignore=("p0",)))
    assert told(Scene(), in_order(2), ask)[-1] == "p0 - ruled out by what the request says of providers"


def test_those_beyond_the_last_attempt_are_named_too() -> None:
    many = in_order(MAX_ATTEMPTS + 1)
    assert told(Scene(), many)[-1] == f"p{MAX_ATTEMPTS} - not among the first {MAX_ATTEMPTS}"
