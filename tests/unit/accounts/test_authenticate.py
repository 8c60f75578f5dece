"""From a token to its principal, and how quickly a revoked one dies."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from kyma.accounts import Accounts, keys, store
from kyma.core.errors import Unauthenticated
from kyma.storage.database import Database
from tests.unit.accounts.clock import FixedClock
from tests.unit.accounts.conftest import PEPPER
from tests.unit.accounts.people import add_key, add_session, add_user

T = TypeVar("T")
DAY_S = 86_400


class CountingDatabase:
    """A database that counts look-ups and can be made to wait or to fail."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.reads = 0
        self.has_read = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def read(self, work: Callable[[Connection], T]) -> T:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        found = await self.db.read(work)
        self.has_read.set()
        await self.gate.wait()
        return found

    async def write(self, work: Callable[[Connection], T]) -> T:
        if self.failure is not None:
            raise self.failure
        return await self.db.write(work)

    async def close(self) -> None:
        await self.db.close()


@pytest.fixture
def counting(db: Database) -> CountingDatabase:
    return CountingDatabase(db)


@pytest.fixture
def accounts(counting: CountingDatabase, clock: FixedClock) -> Accounts:
    return Accounts(counting, clock, PEPPER, tier_for=lambda nanos: nanos // 10, purchased=lambda conn, account_id: 20)


async def refusal(accounts: Accounts, token: str | None) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as refused:
        await accounts.authenticate(token)
    return refused.value


async def test_a_key_stands_for_its_owner(accounts: Accounts, db: Database) -> None:
    new = await add_key(db, accounts, "ada")
    principal = await accounts.authenticate(new.token)
    assert (principal.user_id, principal.account_id, principal.email) == ("usr_ada", "acc_ada", "ada@example.com")
    assert (principal.key_id, principal.key_name, principal.is_session) == (new.key.id, "laptop", False)


async def test_the_launch_spelling_of_a_key_works(accounts: Accounts, db: Database) -> None:
    new = await add_key(db, accounts, "ada")
    launch = "kyma-" + new.token.removeprefix("ky-")
    assert await accounts.authenticate(launch) == await accounts.authenticate(new.token)
    assert accounts.known(accounts.digest(launch)) is not None


async def test_the_tier_comes_from_what_was_bought(accounts: Accounts, db: Database) -> None:
    new = await add_key(db, accounts, "ada")
    assert (await accounts.authenticate(new.token)).tier == 2


async def test_a_tier_override_wins(accounts: Accounts, db: Database) -> None:
    user = await add_user(db, "ada", tier_override=4, is_operator=True)
    principal = await accounts.authenticate((await accounts.create_key(user.id, "k")).token)
    assert (principal.tier, principal.is_operator) == (4, True)


async def test_an_override_of_zero_is_one_too(accounts: Accounts, db: Database) -> None:
    user = await add_user(db, "ada", tier_override=0)
    assert (await accounts.authenticate((await accounts.create_key(user.id, "k")).token)).tier == 0


async def test_a_session_token_stands_for_its_user(accounts: Accounts, db: Database, clock: FixedClock) -> None:
    user = await add_user(db, "ada")
    principal = await accounts.authenticate(await add_session(db, accounts, user.id, clock.now_ms()))
    assert (principal.user_id, principal.key_id, principal.is_session) == (user.id, "", True)


@pytest.mark.parametrize("token", [None, ""])
async def test_no_token_is_told_where_to_put_one(accounts: Accounts, token: str | None) -> None:
    refused = await refusal(accounts, token)
    assert refused.code == "missing_api_key"
    assert "x-api-key" in refused.message


async def test_a_mistyped_key_is_refused_without_a_look_up(accounts: Accounts, counting: CountingDatabase) -> None:
    refused = await refusal(accounts, keys.mint_key()[:-1])
    assert refused.code == "invalid_api_key"
    assert counting.reads == 0


async def test_an_unknown_key_is_refused(accounts: Accounts) -> None:
    assert (await refusal(accounts, keys.mint_key())).code == "invalid_api_key"


async def test_an_unknown_key_is_looked_up_once_in_a_while(accounts: Accounts, counting: CountingDatabase) -> None:
    token = keys.mint_key()
    for _ in range(5):
        await refusal(accounts, token)
    assert counting.reads == 1


async def test_no_secret_is_stored(accounts: Accounts, db: Database, clock: FixedClock) -> None:
    new = await add_key(db, accounts, "ada")
    session_token = await add_session(db, accounts, "usr_ada", clock.now_ms())
    rows = await db.read(
        lambda conn: str(
            [conn.exec_driver_sql(f"select * from {table}").all() for table in ("app_user", "api_key", "session")]
        )
    )
    assert new.key.prefix in rows
    assert new.token[3:] not in rows
    assert session_token[3:] not in rows


async def test_a_warm_key_needs_no_look_up(accounts: Accounts, db: Database, counting: CountingDatabase) -> None:
    new = await add_key(db, accounts, "ada")
    assert accounts.known(accounts.digest(new.token)) is None
    principal = await accounts.authenticate(new.token)
    counting.reads = 0
    assert accounts.known(accounts.digest(new.token)) == principal
    assert await accounts.authenticate(new.token) == principal
    assert counting.reads == 0


async def test_a_key_revoked_here_dies_at_once(accounts: Accounts, db: Database) -> None:
    new = await add_key(db, accounts, "ada")
    await accounts.authenticate(new.token)
    await accounts.revoke_key("usr_ada", new.key.id)
    assert accounts.known(accounts.digest(new.token)) is None
    assert (await refusal(accounts, new.token)).code == "api_key_revoked"


async def test_a_key_revoked_elsewhere_dies_within_five_seconds(
    accounts: Accounts, db: Database, clock: FixedClock
) -> None:
    new = await add_key(db, accounts, "ada")
    await accounts.authenticate(new.token)
    await db.write(lambda conn: store.revoke_key(conn, "usr_ada", new.key.id, clock.now_ms()))
    clock.go_on(4.9)
    await accounts.authenticate(new.token)
    clock.go_on(0.1)
    assert accounts.known(accounts.digest(new.token)) is None
    assert (await refusal(accounts, new.token)).code == "api_key_revoked"


async def test_the_five_seconds_count_from_before_the_look_up(
    accounts: Accounts, db: Database, counting: CountingDatabase, clock: FixedClock
) -> None:
    new = await add_key(db, accounts, "ada")
    counting.gate.clear()
    slow = asyncio.create_task(accounts.authenticate(new.token))
    await counting.has_read.wait()
    clock.go_on(5)
    counting.gate.set()
    await slow
    assert accounts.known(accounts.digest(new.token)) is None


async def test_a_look_up_under_way_does_not_bring_a_revoked_key_back(
    accounts: Accounts, db: Database, counting: CountingDatabase
) -> None:
    new = await add_key(db, accounts, "ada")
    counting.gate.clear()
    slow = asyncio.create_task(accounts.authenticate(new.token))
    await counting.has_read.wait()
    await accounts.revoke_key("usr_ada", new.key.id)
    counting.gate.set()
    await slow
    assert accounts.known(accounts.digest(new.token)) is None
    assert (await refusal(accounts, new.token)).code == "api_key_revoked"


async def test_a_revoked_key_stays_dead_when_the_wall_clock_goes_back(
    accounts: Accounts, db: Database, clock: FixedClock
) -> None:
    new = await add_key(db, accounts, "ada")
    await accounts.revoke_key("usr_ada", new.key.id)
    clock.wall_ms -= 3_600_000
    assert (await refusal(accounts, new.token)).code == "api_key_revoked"


async def test_many_who_come_at_once_share_one_look_up(
    accounts: Accounts, db: Database, counting: CountingDatabase
) -> None:
    new = await add_key(db, accounts, "ada")
    await asyncio.gather(*(accounts.authenticate(new.token) for _ in range(20)))
    assert counting.reads == 1


async def test_one_who_leaves_does_not_take_the_others_along(
    accounts: Accounts, db: Database, counting: CountingDatabase
) -> None:
    new = await add_key(db, accounts, "ada")
    counting.gate.clear()
    first, second = (asyncio.create_task(accounts.authenticate(new.token)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    counting.gate.set()
    assert (await second).user_id == "usr_ada"


async def test_a_failed_look_up_is_not_remembered(accounts: Accounts, db: Database, counting: CountingDatabase) -> None:
    new = await add_key(db, accounts, "ada")
    counting.failure = OSError("database away")
    with pytest.raises(OSError):
        await accounts.authenticate(new.token)
    counting.failure = None
    assert (await accounts.authenticate(new.token)).user_id == "usr_ada"


async def test_wrong_keys_cannot_push_out_right_ones(
    accounts: Accounts, db: Database, counting: CountingDatabase
) -> None:
    new = await add_key(db, accounts, "ada")
    await accounts.authenticate(new.token)
    for _ in range(50):
        await refusal(accounts, keys.mint_key())
    counting.reads = 0
    await accounts.authenticate(new.token)
    assert counting.reads == 0


async def test_a_session_ends_after_14_idle_days(accounts: Accounts, db: Database, clock: FixedClock) -> None:
    await add_user(db, "ada")
    token = await add_session(db, accounts, "usr_ada", clock.now_ms())
    clock.go_on(14 * DAY_S - 1)
    await accounts.authenticate(token)
    clock.go_on(6)
    assert (await refusal(accounts, token)).code == "session_ended"


async def test_a_session_in_use_ends_after_30_days(accounts: Accounts, db: Database, clock: FixedClock) -> None:
    await add_user(db, "ada")
    token = await add_session(db, accounts, "usr_ada", clock.now_ms())
    for _ in range(29):
        clock.go_on(DAY_S)
        await accounts.authenticate(token)
        await accounts.flush_last_used()
    clock.go_on(DAY_S)
    assert (await refusal(accounts, token)).code == "session_ended"


async def test_when_a_key_was_used_is_stored_by_the_flush(accounts: Accounts, db: Database, clock: FixedClock) -> None:
    new = await add_key(db, accounts, "ada")
    await accounts.authenticate(new.token)
    assert (await accounts.list_keys("usr_ada"))[0].last_used_at is None
    await accounts.flush_last_used()
    assert (await accounts.list_keys("usr_ada"))[0].last_used_at == clock.now_ms()


async def test_a_use_within_a_minute_of_the_last_is_not_written(
    accounts: Accounts, db: Database, clock: FixedClock
) -> None:
    new = await add_key(db, accounts, "ada")
    await accounts.authenticate(new.token)
    await accounts.flush_last_used()
    first = clock.now_ms()
    clock.go_on(59)
    await accounts.authenticate(new.token)
    await accounts.flush_last_used()
    assert (await accounts.list_keys("usr_ada"))[0].last_used_at == first
    clock.go_on(6)
    await accounts.authenticate(new.token)
    await accounts.flush_last_used()
    assert (await accounts.list_keys("usr_ada"))[0].last_used_at == clock.now_ms()


async def test_a_failed_flush_keeps_its_notes(
    accounts: Accounts, db: Database, counting: CountingDatabase, clock: FixedClock
) -> None:
    new = await add_key(db, accounts, "ada")
    await accounts.authenticate(new.token)
    counting.failure = OSError("database away")
    with pytest.raises(OSError):
        await accounts.flush_last_used()
    counting.failure = None
    await accounts.flush_last_used()
    assert (await accounts.list_keys("usr_ada"))[0].last_used_at == clock.now_ms()
