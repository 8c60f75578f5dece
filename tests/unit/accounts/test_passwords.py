"""Which passwords are taken, and how they are hashed and checked."""

import asyncio
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from kyma.accounts.passwords import _NOBODYS, Passwords, checked_password
from kyma.core.errors import InvalidRequest, Overloaded

GOOD = "correct horse battery"


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


@pytest.mark.parametrize("password", ["", "abc12", "x" * 129, "ab\ud800cdefgh", "x" * 1_000_000])
def test_too_short_too_long_or_no_text_is_refused(password: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_password(password)
    assert refused.value.code == "invalid_password"
    assert refused.value.param == "password"


@pytest.mark.parametrize("password", ["123456", "PassWord", "qwerty123", "iloveyou"])
def test_a_common_password_is_refused_in_any_case(password: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_password(password)
    assert refused.value.code == "common_password"


@pytest.mark.parametrize("password", ["zq7!rm", "x" * 128, "пароль на двоих", GOOD])
def test_other_passwords_of_6_to_128_characters_are_taken(password: str) -> None:
    assert checked_password(password) == password


async def test_the_hash_is_argon2id_with_the_stated_cost(passwords: Passwords) -> None:
    parameters = extract_parameters(await passwords.hash(GOOD))
    assert (parameters.type.name, parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (
        "ID",
        19 * 1024,
        2,
        1,
    )


async def test_the_right_password_is_right_and_another_is_not(passwords: Passwords) -> None:
    stored = await passwords.hash(GOOD)
    assert await passwords.verify(stored, GOOD)
    assert not await passwords.verify(stored, GOOD + "!")


async def test_the_same_letters_typed_otherwise_are_the_same_password(passwords: Passwords) -> None:
    stored = await passwords.hash(checked_password("caf\u00e9-noir"))
    assert await passwords.verify(stored, "cafe\u0301-noir")


async def test_no_password_stored_fits_none(passwords: Passwords) -> None:
    assert not await passwords.verify(None, GOOD)


def test_the_hash_that_stands_for_no_password_costs_what_a_real_one_costs() -> None:
    assert not PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).check_needs_rehash(_NOBODYS)
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(_NOBODYS, GOOD)


async def test_what_cannot_be_a_password_is_not_the_empty_one(passwords: Passwords) -> None:
    assert not await passwords.verify(await passwords.hash(""), "x" * 5000)


@pytest.mark.parametrize("password", ["x" * 5000, "a\ud800b"])
async def test_what_cannot_be_a_password_is_wrong_and_no_error(passwords: Passwords, password: str) -> None:
    assert not await passwords.verify(await passwords.hash(GOOD), password)


async def test_a_damaged_hash_fits_none(passwords: Passwords) -> None:
    assert not await passwords.verify("$argon2id$broken", GOOD)


async def test_a_weaker_hash_is_replaced(passwords: Passwords) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    better = await passwords.rehash(weak, GOOD)
    assert better is not None
    assert await passwords.verify(better, GOOD)


async def test_a_hash_of_today_is_kept(passwords: Passwords) -> None:
    assert await passwords.rehash(await passwords.hash(GOOD), GOOD) is None


async def test_beyond_the_queue_it_says_overloaded_and_recovers() -> None:
    passwords = Passwords(threads=1, queue=2)
    done = await asyncio.gather(*(passwords.hash(GOOD) for _ in range(5)), return_exceptions=True)
    refused = [answer for answer in done if isinstance(answer, Overloaded)]
    assert len(refused) == 2
    assert all(answer.retry_after_s for answer in refused)
    assert await passwords.hash(GOOD)
    passwords.close()


async def test_those_who_leave_the_queue_give_up_their_place() -> None:
    passwords = Passwords(threads=1, queue=2)
    waiting = [asyncio.create_task(passwords.hash(GOOD)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in waiting[1:]:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await asyncio.gather(*(passwords.hash(GOOD) for _ in range(3)))
    passwords.close()
