"""Whom a request is sent to, and in which order."""

import msgspec
import pytest

from kyma.core.errors import Throttled
from kyma.core.model import Alternative, DataPolicy, Model, Price, Route
from kyma.core.preferences import Preferences
from kyma.credentials import Vault
from kyma.credentials.safe import Changes
from kyma.credentials.sealing import Masters, Place, mint_master
from kyma.credentials.store import KeyRow
from kyma.routing import Ask
from kyma.routing.plan import MAX_ATTEMPTS
from tests.unit.calls.rows import PRICE, in_order, model, route, vault
from tests.unit.routing.scene import ACCOUNT, Scene, names

CHEAP = Price(input=500_000, cached_input=50_000, cache_write=0, output=1_000_000, cache_write_1h=0)


def wishing(**wishes: object) -> Ask:
    return Ask(ACCOUNT, 0.0, preferences=msgspec.convert(wishes, Preferences))


def priced(provider_id: str, picos: int) -> Route:
    return msgspec.structs.replace(route(provider_id), cost=msgspec.structs.replace(PRICE, input=picos, output=picos))


def other(provider_id: str, model_id: str = "hawk") -> Alternative:
    """Another model with one source."""
    source = msgspec.structs.replace(route(provider_id), id=f"{provider_id}/{model_id}")
    return Alternative(msgspec.structs.replace(model([source], price=CHEAP), id=model_id), CHEAP)


def test_sources_without_a_share_are_tried_in_catalog_order_each_with_its_layer() -> None:
    assert Scene().order(in_order(4)) == [("p0", 0), ("p1", 1), ("p2", 2), ("p3", 2)]


def test_a_source_whose_breaker_is_open_comes_last_and_the_layers_stay() -> None:
    scene, routes = Scene(), in_order(4)
    scene.fail(routes[0], 5)
    assert scene.order(routes) == [("p1", 1), ("p2", 2), ("p3", 2), ("p0", 0)]


def test_when_all_breakers_are_open_all_are_tried_in_order() -> None:
    scene, routes = Scene(), in_order(3)
    for one in routes:
        scene.fail(one, 5)
    assert scene.order(routes) == [("p0", 0), ("p1", 1), ("p2", 2)]


def test_no_more_than_six_are_tried() -> None:
    assert len(Scene().everybody(in_order(9))) == MAX_ATTEMPTS


def test_a_model_without_sources_has_no_candidates() -> None:
    assert Scene().plan([]).first is None


def test_a_source_without_a_key_is_not_tried() -> None:
    assert Scene(vault("p1")).order(in_order(2)) == [("p1", 1)]


def test_one_of_our_own_machines_needs_no_key() -> None:
    home = route("home")
    local = msgspec.structs.replace(home, provider=msgspec.structs.replace(home.provider, is_local=True))
    assert Scene(Vault()).order([local]) == [("home", 0)]


def test_a_further_key_of_a_source_is_tried_after_the_other_sources() -> None:
    keys = Vault()
    keys.replace({"p0": ["first", "second"], "p1": ["third"]})
    assert [one.credential.id for one in Scene(keys).everybody(in_order(2)) if one.credential] == [
        "p0#1",
        "p1#1",
        "p0#2",
    ]


@pytest.mark.parametrize("point", [0.0, 0.3, 0.9])
def test_the_same_point_gives_the_same_order(point: float) -> None:
    routes, ask = [route(f"p{number}") for number in range(5)], Ask(ACCOUNT, point)
    assert Scene().order(routes, ask) == Scene().order(routes, ask)


def test_the_first_is_the_one_that_the_whole_order_begins_with() -> None:
    scene, routes = Scene(), [priced("p0", 700), priced("p1", 1000), priced("p2", 800)]
    owl = model(routes)
    for step in range(100):
        ask = Ask(ACCOUNT, step / 100)
        table = scene.health.table(owl)
        assert table.first(ask.point) is next(table.order(ask.point))


def test_cheaper_sources_get_more_by_the_square_of_their_prices() -> None:
    scene, owl = Scene(), model([priced("p0", 1_000_000), priced("p1", 2_000_000)])
    first = [scene.plan(owl, Ask(ACCOUNT, step / 1000)).first for step in range(1000)]
    assert [one.route.provider.id for one in first if one].count("p0") == 800


def test_a_slow_source_gets_less() -> None:
    scene, routes = Scene(), [route("p0"), route("p1")]
    scene.answer(routes[0], 20, ms=100)
    scene.answer(routes[1], 20, ms=300)
    weights = [entry.weight for entry in scene.health.table(model(routes)).entries]
    assert weights == pytest.approx([1.0, 1 / 3])


def test_a_source_that_writes_slowly_gets_less() -> None:
    scene, routes = Scene(), [route("p0"), route("p1")]
    scene.answer(routes[0], 5, tokens=100)
    scene.answer(routes[1], 5, tokens=50)
    weights = [entry.weight for entry in scene.health.table(model(routes)).entries]
    assert weights == pytest.approx([1.0, 0.5])


def test_a_source_that_fails_now_and_then_gets_less_but_not_nothing() -> None:
    scene, routes = Scene(), [route("p0"), route("p1")]
    for _ in range(4):
        scene.fail(routes[1])
        scene.answer(routes[1])
    assert [entry.weight for entry in scene.health.table(model(routes)).entries] == pytest.approx([1.0, 0.25])


def test_sources_of_the_requests_own_dialect_come_first_where_it_needs_them() -> None:
    foreign, own = route("p0"), route("p1", weight=0.0)
    native = msgspec.structs.replace(own, provider=msgspec.structs.replace(own.provider, dialect="gemini"))
    ask = Ask(ACCOUNT, 0.0, dialect="gemini")
    assert Scene().order([foreign, native], ask) == [("p1", 0), ("p0", 1)]


def test_only_keeps_the_named() -> None:
    assert Scene().order(in_order(3), wishing(only=["p1", "p2"])) == [("p1", 0), ("p2", 1)]


def test_ignore_leaves_the_named_out() -> None:
    assert Scene().order(in_order(3), wishing(ignore=["p0"])) == [("p1", 0), ("p2", 1)]


def test_order_puts_the_named_first_and_the_others_after_them() -> None:
    assert Scene().order(in_order(3), wishing(order=["p2", "p1"])) == [("p2", 0), ("p1", 1), ("p0", 2)]


def test_without_fallbacks_nobody_but_the_named_is_asked() -> None:
    assert Scene().order(in_order(3), wishing(order=["p2"], allow_fallbacks=False)) == [("p2", 0)]


def test_without_fallbacks_the_primary_alone_is_asked() -> None:
    assert Scene().order(in_order(3), wishing(allow_fallbacks=False)) == [("p0", 0)]


def test_sorted_by_price_the_cheapest_is_first() -> None:
    routes = [priced("p0", 900), priced("p1", 700), priced("p2", 800)]
    assert [name for name, _ in Scene().order(routes, wishing(sort="price"))] == ["p1", "p2", "p0"]


def test_sorted_by_latency_the_quickest_is_first_and_the_unknown_last() -> None:
    scene, routes = Scene(), in_order(3)
    scene.answer(routes[1], ms=300)
    scene.answer(routes[2], ms=200)
    assert [name for name, _ in scene.order(routes, wishing(sort="latency"))] == ["p2", "p1", "p0"]


def test_sorted_by_throughput_the_fastest_is_first() -> None:
    scene, routes = Scene(), in_order(3)
    scene.answer(routes[1], tokens=50)
    scene.answer(routes[2], tokens=90)
    assert [name for name, _ in scene.order(routes, wishing(sort="throughput"))] == ["p2", "p1", "p0"]


def test_who_denies_data_collection_is_served_only_where_nothing_is_kept() -> None:
    silent, keeps, trains, clean = (route(f"p{number}") for number in range(4))
    policies = (DataPolicy(), DataPolicy(trains=False, retains_days=30), DataPolicy(True, 0), DataPolicy(False, 0))
    routes = [
        msgspec.structs.replace(one, provider=msgspec.structs.replace(one.provider, data_policy=policy))
        for one, policy in zip((silent, keeps, trains, clean), policies, strict=True)
    ]
    assert Scene().order(routes, wishing(denies_data_collection=True)) == [("p3", 0)]


def test_a_substitute_is_asked_after_every_source_of_the_model() -> None:
    ask = Ask(ACCOUNT, 0.0, others=(other("p5"),))
    found = Scene().everybody(in_order(2), ask)
    assert names(found) == [("p0", 0), ("p1", 1), ("p5", 3)]
    assert (found[2].model.id, found[2].price) == ("hawk", CHEAP)


def test_a_substitute_is_asked_before_a_source_that_is_believed_dead() -> None:
    scene, routes = Scene(), in_order(2)
    scene.fail(routes[0], 5)
    assert scene.order(routes, Ask(ACCOUNT, 0.0, others=(other("p5"),))) == [("p1", 1), ("p5", 3), ("p0", 0)]


def test_a_substitute_that_does_not_suit_the_request_is_not_asked() -> None:
    def suits(asked: Model) -> bool:
        return asked.id != "hawk"

    ask = Ask(ACCOUNT, 0.0, others=(other("p5"), other("p6", "kite")), suits=suits)
    assert Scene().order(in_order(1), ask) == [("p0", 0), ("p6", 3)]


def test_what_is_switched_off_is_not_tried() -> None:
    scene = Scene()
    scene.health.switch_off(frozenset(["p0", "p2/owl"]))
    assert scene.order(in_order(4)) == [("p1", 0), ("p3", 1)]


def test_keys_that_are_cooling_down_are_used_when_nothing_else_is_left() -> None:
    scene = Scene(vault("p0"))
    scene.fail(route("p0"), error=Throttled("429", retry_after_s=60))
    assert scene.order(in_order(1)) == [("p0", 0)]


def test_keys_take_turns_though_two_sources_of_a_plan_share_them() -> None:
    keys = vault()
    keys.replace({"p0": ["one", "two"]})
    scene, here = Scene(keys), route("p0")
    routes = [here, msgspec.structs.replace(here, id="p0/hawk")]
    firsts = [scene.plan(routes, wishing(sort="price")).first for _ in range(4)]
    assert [one.credential.id for one in firsts if one and one.credential] == ["p0#1", "p0#2"] * 2


def test_keys_take_turns_for_an_account_that_has_one_of_its_own_elsewhere() -> None:
    keys, data_key = vault(), Masters.parse(mint_master()).make(ACCOUNT)[1]
    keys.replace({"p0": ["one", "two"]})
    sealed = data_key.seal(Place(ACCOUNT, "p1", "pk_1", 1), "own-key")
    keys.take(Changes(1, [KeyRow("pk_1", ACCOUNT, "p1", 1, sealed, "", True, 1, 0)], {ACCOUNT: data_key}))
    scene, here = Scene(keys), route("p0")
    firsts = [scene.plan([here]).first for _ in range(4)]
    assert [one.credential.id for one in firsts if one and one.credential] == ["p0#1", "p0#2"] * 2
