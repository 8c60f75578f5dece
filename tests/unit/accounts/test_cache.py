"""The memory of principals is bounded."""

from kyma.accounts.cache import PrincipalCache, Refusal
from kyma.core.principal import Principal
from tests.unit.accounts.clock import FixedClock

ADA = Principal(
    user_id="u", account_id="a", email="e", key_id="k", key_name="n", tier=0, is_session=False, is_operator=False
)


async def load_ada(digest: str) -> Principal | Refusal:
    return ADA


async def refuse(digest: str) -> Principal | Refusal:
    return Refusal("no", "no")


async def test_it_holds_no_more_than_its_size_and_drops_the_oldest(clock: FixedClock) -> None:
    cache = PrincipalCache(clock, ttl_s=5, size=10)
    for number in range(100):
        await cache.find(f"right{number}", load_ada)
        await cache.find(f"wrong{number}", refuse)
    assert len(cache._principals) == 10
    assert len(cache._refusals) == 10
    assert cache.get("right99") == ADA


async def test_what_has_ended_is_dropped_by_the_next_look_up(clock: FixedClock) -> None:
    cache = PrincipalCache(clock, ttl_s=5, size=10)
    await cache.find("one", load_ada)
    await cache.find("two", refuse)
    clock.go_on(5)
    await cache.find("three", load_ada)
    assert list(cache._principals) == ["three"]
    assert not cache._refusals
    assert not cache._loading
