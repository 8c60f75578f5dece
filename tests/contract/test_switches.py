"""Switches of sources, on both engines."""

import pytest

from kyma.routing import Switches
from kyma.routing.store import SwitchRow, fetch_off
from kyma.storage.database import Database
from tests.clock import ManualClock
from tests.unit.calls.rows import route

ACME, OTHER = route("acme"), route("other")


async def loaded(db: Database, clock: ManualClock) -> Switches:
    """What another gateway on the same database sees."""
    switches = Switches(db, clock)
    await switches.load()
    return switches


async def test_everything_is_on_until_it_is_switched_off(db: Database, clock: ManualClock) -> None:
    assert (await loaded(db, clock)).is_on(ACME)


@pytest.mark.parametrize("target", [ACME.id, ACME.provider.id])
async def test_a_source_is_off_by_its_own_switch_or_its_providers(
    db: Database, clock: ManualClock, target: str
) -> None:
    switches = Switches(db, clock)
    await switches.switch(target, False, "usr_1")
    for seen in (switches, await loaded(db, clock)):
        assert not seen.is_on(ACME) and seen.is_on(OTHER)
        assert seen.find(target) == SwitchRow(target, False, "usr_1", clock.now_ms())


async def test_the_last_word_counts_and_is_kept(db: Database, clock: ManualClock) -> None:
    switches = Switches(db, clock)
    for is_on in (False, True, True, False, True):
        await switches.switch(ACME.id, is_on, "usr_1")
    assert switches.is_on(ACME) and switches.find(ACME.id) is None
    assert await db.read(fetch_off) == []
    await switches.switch(ACME.id, False, "usr_2")
    assert [row.switched_by for row in await db.read(fetch_off)] == ["usr_2"]


async def test_a_source_stays_off_while_its_provider_is(db: Database, clock: ManualClock) -> None:
    switches = Switches(db, clock)
    await switches.switch(ACME.provider.id, False, "usr_1")
    await switches.switch(ACME.id, True, "usr_1")
    assert not switches.is_on(ACME)
