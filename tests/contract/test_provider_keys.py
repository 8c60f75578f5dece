"""Keys in the database, on both engines: sealed, numbered by change, and nobody's but their tenant's."""

import asyncio

import pytest
from sqlalchemy import select, text, update

from kyma.core.errors import Forbidden, NotFound, ServiceError
from kyma.credentials import Safe
from kyma.credentials.safe import Changes
from kyma.credentials.sealing import CannotOpen, Masters, mint_master
from kyma.credentials.tables import provider_key, tenant_key
from kyma.storage.database import Database
from tests.clock import ManualClock

SECRET, OTHER_SECRET = "sk-live-abcdefgh1234", "sk-live-zyxwvuts9876"


class Held:
    """Master keys that a test may exchange."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys or (mint_master(),)

    def __call__(self) -> Masters | None:
        return Masters.parse(" ".join(self.keys)) if any(self.keys) else None


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def safe(db: Database, clock: ManualClock, held: Held) -> Safe:
    return Safe(db, clock, held)


def opened(changes: Changes) -> dict[str, str]:
    return {row.tenant: changes.open(row) for row in changes.rows if row.sealed is not None}


async def test_what_was_stored_opens_again(safe: Safe) -> None:
    row = await safe.add("acme", SECRET)
    await safe.put_own("acct_1", "acme", OTHER_SECRET)
    assert opened(await safe.changes(0)) == {"operator": SECRET, "acct_1": OTHER_SECRET}
    assert (row.last4, row.version, row.is_on) == ("1234", 1, True)


async def test_nothing_of_it_is_plain_in_the_database(safe: Safe, db: Database) -> None:
    await safe.add("acme", SECRET)
    rows = await db.read(lambda c: [*c.execute(select(provider_key)), *c.execute(select(tenant_key))])
    assert SECRET not in repr(rows) and SECRET[:-4] not in repr(rows)


async def test_tenants_have_data_keys_of_their_own(safe: Safe, db: Database) -> None:
    await safe.put_own("acct_1", "acme", SECRET)
    await safe.put_own("acct_2", "acme", SECRET)
    await safe.put_own("acct_2", "other", SECRET)
    wrapped = await db.read(lambda c: c.execute(select(tenant_key.c.tenant, tenant_key.c.wrapped)).all())
    assert sorted(tenant for tenant, _ in wrapped) == ["acct_1", "acct_2"]
    assert len({key for _, key in wrapped}) == 2


@pytest.mark.parametrize("column", ["tenant", "provider_id", "id", "version"])
async def test_a_ciphertext_that_was_moved_does_not_open(safe: Safe, db: Database, column: str) -> None:
    await safe.put_own("acct_1", "acme", SECRET)
    await safe.put_own("acct_2", "other", OTHER_SECRET)
    value: object = 2 if column == "version" else "acct_2" if column == "tenant" else "moved"
    theirs = provider_key.c.tenant == "acct_1"
    await db.write(lambda c: c.execute(update(provider_key).where(theirs).values({column: value})))
    changes = await safe.changes(0)
    (moved,) = [row for row in changes.rows if row.last4 == "1234"]
    assert not changes.opens(moved)
    assert await safe.unreadable() == [moved.id]


async def test_a_data_key_moved_to_another_tenant_opens_nothing(safe: Safe, db: Database) -> None:
    await safe.put_own("acct_1", "acme", SECRET)
    await db.write(lambda c: c.execute(update(tenant_key).values(tenant="acct_2")))
    await db.write(lambda c: c.execute(update(provider_key).values(tenant="acct_2")))
    changes = await safe.changes(0)
    assert [changes.opens(row) for row in changes.rows] == [False]


async def test_another_key_takes_the_place_of_a_customers_first(safe: Safe) -> None:
    before = await safe.put_own("acct_1", "acme", SECRET)
    after = await safe.put_own("acct_1", "acme", OTHER_SECRET)
    assert (after.id, after.version) == (before.id, 2)
    assert [row.last4 for row in await safe.own("acct_1")] == ["9876"]
    assert opened(await safe.changes(0)) == {"acct_1": OTHER_SECRET}


async def test_an_older_ciphertext_does_not_come_back(safe: Safe, db: Database) -> None:
    before = await safe.put_own("acct_1", "acme", SECRET)
    await safe.put_own("acct_1", "acme", OTHER_SECRET)
    await db.write(lambda c: c.execute(update(provider_key).values(sealed=before.sealed)))
    assert await safe.unreadable() == [before.id]


async def test_an_account_sees_its_own_keys_only(safe: Safe) -> None:
    await safe.add("acme", SECRET)
    await safe.put_own("acct_1", "acme", SECRET)
    assert await safe.own("acct_2") == []
    with pytest.raises(NotFound):
        await safe.remove_own("acct_2", "acme")
    assert len(await safe.own("acct_1")) == 1


async def test_an_operators_commands_do_not_reach_customers_keys(safe: Safe) -> None:
    row = await safe.put_own("acct_1", "acme", SECRET)
    for change in (safe.remove(row.id), safe.switch(row.id, False)):
        with pytest.raises(NotFound):
            await change
    assert [one.is_on for one in await safe.own("acct_1")] == [True]


async def test_readers_learn_what_has_changed_since_they_looked(safe: Safe) -> None:
    first = await safe.add("acme", SECRET)
    seen = await safe.changes(0)
    second = await safe.add("acme", OTHER_SECRET)
    fresh = await safe.changes(seen.number)
    assert [row.id for row in fresh.rows] == [second.id]
    await safe.switch(first.id, False)
    await safe.remove(second.id)
    later = await safe.changes(fresh.number)
    assert [(row.id, row.is_on, row.sealed is None) for row in later.rows] == [
        (first.id, False, False),
        (second.id, True, True),
    ]
    assert await safe.changes(later.number) == Changes(later.number)


async def test_a_removed_key_leaves_no_ciphertext(safe: Safe, db: Database) -> None:
    row = await safe.add("acme", SECRET)
    await safe.remove(row.id)
    assert await safe.operators() == []
    assert await db.read(lambda c: c.execute(select(provider_key.c.sealed, provider_key.c.last4)).all()) == [(None, "")]
    with pytest.raises(NotFound):
        await safe.remove(row.id)


async def test_a_customers_key_can_be_brought_again(safe: Safe) -> None:
    await safe.put_own("acct_1", "acme", SECRET)
    await safe.remove_own("acct_1", "acme")
    assert await safe.own("acct_1") == []
    again = await safe.put_own("acct_1", "acme", OTHER_SECRET)
    assert again.version == 2
    assert opened(await safe.changes(0)) == {"acct_1": OTHER_SECRET}


async def test_keys_brought_at_once_end_as_one(safe: Safe) -> None:
    brought = [f"sk-live-number-{number:02}" for number in range(8)]
    await asyncio.gather(*(safe.put_own("acct_1", "acme", secret) for secret in brought))
    (row,) = await safe.own("acct_1")
    assert row.version == 8
    assert opened(await safe.changes(0))["acct_1"] in brought


async def test_a_rotation_leaves_nothing_under_the_old_master_key(safe: Safe, held: Held) -> None:
    await safe.add("acme", SECRET)
    await safe.put_own("acct_1", "acme", OTHER_SECRET)
    held.keys = (mint_master(), *held.keys)
    assert await safe.rewrap() == 2
    assert await safe.rewrap() == 0
    held.keys = held.keys[:1]
    assert opened(await safe.changes(0)) == {"operator": SECRET, "acct_1": OTHER_SECRET}


async def test_a_rotation_that_cannot_open_a_key_changes_nothing(safe: Safe, held: Held, db: Database) -> None:
    await safe.put_own("acct_1", "acme", SECRET)
    first, held.keys = held.keys, (mint_master(),)
    await safe.put_own("acct_2", "acme", SECRET)
    held.keys = (mint_master(), *held.keys)
    before = await db.read(lambda c: c.execute(select(tenant_key).order_by(tenant_key.c.tenant)).all())
    with pytest.raises(CannotOpen):
        await safe.rewrap()
    assert await db.read(lambda c: c.execute(select(tenant_key).order_by(tenant_key.c.tenant)).all()) == before
    held.keys += first
    assert await safe.rewrap() == 2


async def test_without_its_master_key_a_key_is_unreadable_and_none_takes_its_place(safe: Safe, held: Held) -> None:
    row = await safe.put_own("acct_1", "acme", SECRET)
    first, held.keys = held.keys, (mint_master(),)
    assert await safe.unreadable() == [row.id]
    with pytest.raises(ServiceError):
        await safe.put_own("acct_1", "acme", OTHER_SECRET)
    held.keys = first
    assert await safe.unreadable() == []


async def test_without_any_master_key_nothing_is_stored(safe: Safe, held: Held, db: Database) -> None:
    held.keys = ("",)
    for storing in (safe.add("acme", SECRET), safe.put_own("acct_1", "acme", SECRET)):
        with pytest.raises(Forbidden):
            await storing
    assert await db.read(lambda c: c.execute(text("select count(*) from provider_key")).scalar_one()) == 0
