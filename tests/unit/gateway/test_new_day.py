"""A gateway takes up each new day by itself, and no great move of a price without a yes, but for one at its start."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kyma.catalog.moves import PricesMoved
from kyma.config import load_config
from kyma.gateway import Gateway, open_gateway
from tests.books import count
from tests.clock import ManualClock
from tests.gateway_catalog import ModelSpec, ProviderSpec, RouteSpec, write_catalog

HALF_A_DAY_S = 12 * 3600
ENDING = RouteSpec("one", "gone", {"retires_on": date(2026, 11, 30)})

Open = Callable[[], AbstractAsyncContextManager[Gateway]]
Sell = Callable[..., None]


@pytest.fixture
def noon() -> ManualClock:
    """Of the last day of November."""
    return ManualClock(int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp() * 1000))


@pytest.fixture
def sell(tmp_path: Path) -> Sell:
    """Write a catalog in which an owl has this price of input, and maybe another from December on."""

    def write(price: str, december: str = "") -> None:
        later = [{"from": date(2026, 12, 1), "input": december, "output": "2", "source": "tests"}] if december else []
        listed = {"input": price, "output": "2", "source": "tests", "later": later}
        owl = ModelSpec("owl", [RouteSpec("one", "m"), ENDING], fields={"list_price": listed})
        write_catalog(tmp_path / "config", [ProviderSpec("one", "http://127.0.0.1:9/v1")], [owl])

    return write


@pytest.fixture
def opened(tmp_path: Path, noon: ManualClock) -> Open:
    """A gateway by that catalog, on the same data each time."""
    settings = {"KYMA_CONFIG_DIR": str(tmp_path / "config"), "KYMA_DATA_DIR": str(tmp_path / "data")}
    config = settings | {"KYMA_LOCAL_ENABLED": "false", "ONE_API_KEY": "k"}
    return lambda: open_gateway(load_config(config), noon)


def owl(gateway: Gateway) -> tuple[int, list[str]]:
    """Its price of input and its routes."""
    model = gateway.catalog.models["owl"]
    return model.price.input, [route.upstream_model for route in model.routes]


async def test_a_new_day_has_the_prices_that_were_announced_and_no_route_that_has_ended(
    opened: Open, sell: Sell, noon: ManualClock
) -> None:
    sell("1", december="1.1")
    async with opened() as gateway:
        assert owl(gateway) == (1_000_000, ["m", "gone"])
        noon.advance(HALF_A_DAY_S)
        await gateway.publisher.follow_day()
        assert owl(gateway) == (1_100_000, ["m"])
        assert await count(gateway.database, "price_release") == 2


async def test_until_midnight_everything_stays(opened: Open, sell: Sell, noon: ManualClock) -> None:
    sell("1", december="1.1")
    async with opened() as gateway:
        before = gateway.catalog
        noon.advance(HALF_A_DAY_S - 0.001)
        await gateway.publisher.follow_day()
        assert gateway.catalog is before


async def test_a_running_gateway_hears_midnight_strike(opened: Open, sell: Sell, noon: ManualClock) -> None:
    sell("1", december="1.1")
    noon.advance(HALF_A_DAY_S - 0.05)
    async with opened() as gateway:
        await asyncio.sleep(0)  # it begins to wait
        assert owl(gateway)[0] == 1_000_000
        noon.advance(0.05)
        async with asyncio.timeout(10):
            while owl(gateway)[0] != 1_100_000:
                await asyncio.sleep(0.01)


async def test_what_was_announced_is_told_when_it_begins(
    opened: Open, sell: Sell, noon: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kyma.gateway")
    sell("1", december="1.1")
    async with opened() as gateway:
        noon.advance(HALF_A_DAY_S)
        await gateway.publisher.follow_day()
    assert "a new day, a new price: owl: cache_write 1.0 -> 1.1 (+10.0 %)" in caplog.text


async def test_a_reload_refuses_a_great_move_and_names_it(opened: Open, sell: Sell) -> None:
    sell("1")
    async with opened() as gateway:
        sell("1.3")
        with pytest.raises(PricesMoved, match=r"owl: .*input 1.0 -> 1.3 \(\+30.0 %\).*--accept"):
            await gateway.reload()
        assert owl(gateway)[0] == 1_000_000


async def test_a_reload_refuses_a_great_move_that_is_announced(opened: Open, sell: Sell) -> None:
    sell("1")
    async with opened() as gateway:
        sell("1", december="1.3")
        with pytest.raises(PricesMoved, match="owl from 2026-12-01: "):
            await gateway.reload()


async def test_what_was_accepted_once_is_taken_from_then_on(opened: Open, sell: Sell, noon: ManualClock) -> None:
    sell("1")
    async with opened() as gateway:
        sell("1", december="1.3")
        await gateway.reload(accept_prices=True)
        await gateway.reload()
        noon.advance(HALF_A_DAY_S)
        await gateway.reload()
        assert owl(gateway)[0] == 1_300_000


async def test_a_yes_is_for_that_move_alone(opened: Open, sell: Sell) -> None:
    sell("1")
    async with opened() as gateway:
        sell("1.3")
        await gateway.reload(accept_prices=True)
        sell("1")
        with pytest.raises(PricesMoved, match=r"1.3 -> 1.0"):
            await gateway.reload()


async def test_small_moves_need_nobody(opened: Open, sell: Sell) -> None:
    sell("1")
    async with opened() as gateway:
        sell("1.2")
        await gateway.reload()
        assert owl(gateway)[0] == 1_200_000


async def test_a_start_takes_any_price_and_says_so_loudly(
    opened: Open, sell: Sell, caplog: pytest.LogCaptureFixture
) -> None:
    for price in ("1", "2"):
        sell(price)
        async with opened() as gateway:
            assert owl(gateway)[0] == int(price) * 1_000_000
    assert caplog.text.count("a list price moves a lot and nobody said `kyma prices lint --accept`: owl: ") == 1


async def test_a_price_that_was_wrong_for_a_while_is_compared_with_itself(
    opened: Open, sell: Sell, caplog: pytest.LogCaptureFixture
) -> None:
    """The book that came into force last counts, also when it is an old one that came back."""
    for price in ("1", "2", "1", "1"):
        sell(price)
        async with opened():
            pass
    assert caplog.text.count("a list price moves a lot") == 2
