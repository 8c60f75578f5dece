"""Signing in, and what users do with their keys."""

import pytest
from argon2 import PasswordHasher

from kyma.accounts import Accounts
from kyma.accounts.accounts import MAX_KEYS
from kyma.core.errors import Conflict, InvalidRequest, NotFound, RateLimited, Unauthenticated
from kyma.storage.database import Database
from tests.unit.accounts.clock import FixedClock
from tests.unit.accounts.people import add_session, add_user

PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
IP = "192.0.2.1"


async def test_the_right_password_gives_a_session(accounts: Accounts, db: Database) -> None:
    user = await add_user(db, "ada", password_hash=await accounts.hash_password(PASSWORD))
    signed_in = await accounts.login(" ADA@example.com", PASSWORD, IP)
    assert (signed_in.user_id, signed_in.email) == (user.id, user.email)
    assert (await accounts.authenticate(signed_in.session_token)).is_session


async def test_every_sign_in_gives_another_session(accounts: Accounts, db: Database) -> None:
    await add_user(db, "ada", password_hash=await accounts.hash_password(PASSWORD))
    first = await accounts.login("ada@example.com", PASSWORD, IP)
    second = await accounts.login("ada@example.com", PASSWORD, IP)
    assert first.session_token != second.session_token
    assert await accounts.authenticate(first.session_token) == await accounts.authenticate(second.session_token)


async def test_a_stranger_cannot_tell_which_part_was_wrong(accounts: Accounts, db: Database) -> None:
    await add_user(db, "ada", password_hash=CHEAP.hash(PASSWORD))
    await add_user(db, "keyonly")
    answers = set()
    for email in ("ada@example.com", "keyonly@example.com", "nobody@example.com", "no address", "a\x00\ud800@b.com"):
        with pytest.raises(Unauthenticated) as refused:
            await accounts.login(email, "wrong password", IP)
        answers.add((refused.value.message, refused.value.code, refused.value.param))
    assert len(answers) == 1


@pytest.mark.parametrize("password", ["", "x" * 100_000, "\ud800", "nobody's password"])
async def test_odd_passwords_are_just_wrong(accounts: Accounts, db: Database, password: str) -> None:
    await add_user(db, "keyonly")
    with pytest.raises(Unauthenticated):
        await accounts.login("keyonly@example.com", password, IP)


async def test_the_sixth_wrong_password_has_to_wait_even_if_it_is_right(accounts: Accounts, db: Database) -> None:
    await add_user(db, "ada", password_hash=CHEAP.hash(PASSWORD))
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await accounts.login("ada@example.com", "wrong password", IP)
    with pytest.raises(RateLimited) as refused:
        await accounts.login("ada@example.com", PASSWORD, IP)
    assert refused.value.retry_after_s == 1


async def test_those_who_know_their_password_are_not_slowed_down(accounts: Accounts, db: Database) -> None:
    await add_user(db, "ada", password_hash=CHEAP.hash(PASSWORD))
    for _ in range(7):
        await accounts.login("ada@example.com", PASSWORD, IP)


async def test_an_unknown_address_is_slowed_down_alike(accounts: Accounts) -> None:
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await accounts.login("nobody@example.com", "wrong password", IP)
    with pytest.raises(RateLimited):
        await accounts.login("nobody@example.com", "wrong password", IP)


async def test_signing_in_makes_a_weak_hash_strong(accounts: Accounts, db: Database) -> None:
    await add_user(db, "ada", password_hash=CHEAP.hash(PASSWORD))
    await accounts.login("ada@example.com", PASSWORD, IP)
    user = await accounts.find_user("ada@example.com")
    assert user is not None and user.password_hash is not None
    assert "m=19456,t=2,p=1" in user.password_hash
    await accounts.login("ada@example.com", PASSWORD, IP)


async def test_signing_in_clears_ended_sessions_away(accounts: Accounts, db: Database, clock: FixedClock) -> None:
    await add_user(db, "ada", password_hash=CHEAP.hash(PASSWORD))
    await add_session(db, accounts, "usr_ada", clock.now_ms())
    clock.go_on(15 * 86_400)
    await accounts.login("ada@example.com", PASSWORD, IP)
    assert await db.read(lambda conn: conn.exec_driver_sql("select count(*) from session").scalar()) == 1


async def test_a_profile_has_the_user_the_tier_and_the_keys(accounts: Accounts, db: Database) -> None:
    user = await add_user(db, "ada", tier_override=3)
    new = await accounts.create_key(user.id, "laptop")
    profile = await accounts.profile(user.id)
    assert (profile.user, profile.tier, profile.keys) == (user, 3, [new.key])


async def test_an_unknown_user_has_no_profile(accounts: Accounts) -> None:
    with pytest.raises(NotFound):
        await accounts.profile("usr_nobody")


async def test_keys_are_listed_oldest_first_without_the_revoked(
    accounts: Accounts, db: Database, clock: FixedClock
) -> None:
    user = await add_user(db, "ada")
    made = []
    for name in ("one", "two", "three"):
        made.append(await accounts.create_key(user.id, name))
        clock.go_on(1)
    await accounts.revoke_key(user.id, made[1].key.id)
    assert [key.name for key in await accounts.list_keys(user.id)] == ["one", "three"]


async def test_a_listed_key_does_not_show_itself(accounts: Accounts, db: Database) -> None:
    user = await add_user(db, "ada")
    new = await accounts.create_key(user.id, "laptop")
    assert new.token[8:] not in str(await accounts.list_keys(user.id))


async def test_foreign_unknown_revoked_and_odd_key_ids_get_the_same_answer(accounts: Accounts, db: Database) -> None:
    ada, bob = await add_user(db, "ada"), await add_user(db, "bob")
    foreign = await accounts.create_key(ada.id, "laptop")
    revoked = await accounts.create_key(bob.id, "old")
    await accounts.revoke_key(bob.id, revoked.key.id)
    answers = set()
    for key_id in (foreign.key.id, "key_unknown", revoked.key.id, "", "key\x00", "\ud800"):
        with pytest.raises(NotFound) as refused:
            await accounts.revoke_key(bob.id, key_id)
        answers.add((refused.value.message, refused.value.code))
    assert len(answers) == 1
    assert (await accounts.authenticate(foreign.token)).user_id == ada.id


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\x00b", "a\nb", "\ud800"])
async def test_a_key_needs_a_printable_name(accounts: Accounts, db: Database, name: str) -> None:
    await add_user(db, "ada")
    with pytest.raises(InvalidRequest) as refused:
        await accounts.create_key("usr_ada", name)
    assert refused.value.param == "name"


async def test_an_account_has_a_hundred_keys_at_most(accounts: Accounts, db: Database) -> None:
    user = await add_user(db, "ada")
    made = [await accounts.create_key(user.id, f"key {number}") for number in range(MAX_KEYS)]
    with pytest.raises(Conflict):
        await accounts.create_key(user.id, "one more")
    await accounts.revoke_key(user.id, made[0].key.id)
    assert await accounts.create_key(user.id, "one more")


async def test_a_user_is_found_by_address_in_any_case(accounts: Accounts, db: Database) -> None:
    user = await add_user(db, "ada")
    assert await accounts.find_user("Ada@Example.com") == user
    assert await accounts.find_user("bob@example.com") is None
