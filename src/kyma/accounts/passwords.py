"""Passwords: which are taken, and Argon2id on threads of its own so that sign-ins cannot starve the gateway.

Argon2id with 19 MiB, two passes, one lane (OWASP's second profile, 2024): about 30 to 50 ms of one core each.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kyma.core.errors import InvalidRequest, Overloaded

MIN_LENGTH: Final = 6
MAX_LENGTH: Final = 128

T = TypeVar("T")

_PASSES: Final = 2
_MEMORY_KIB: Final = 19 * 1024
_LANES: Final = 1
_NOBODYS: Final = f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}${'A' * 22}${'A' * 43}"
"""A well-formed hash of no known password: checking against it costs what checking a real one costs."""

_hasher: Final = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)


def checked_password(password: str) -> str:
    """The password in the form that is hashed. Raises: InvalidRequest if it is too short, too long or too common."""
    normal = _normal(password)
    if normal is None or len(normal) < MIN_LENGTH:
        raise _refused(f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.", "invalid_password")
    if normal.lower() in _commonest():
        raise _refused(
            "This is one of the 10,000 most used passwords: the first that a stranger tries. Choose another.",
            "common_password",
        )
    return normal


class Passwords:
    """Hashes and checks passwords, a few at a time. Raises: Overloaded when the queue is full."""

    def __init__(self, threads: int = 2, queue: int = 32) -> None:
        self._pool = ThreadPoolExecutor(threads, "password")
        self._places = BoundedSemaphore(threads + queue)

    async def hash(self, password: str) -> str:
        """The hash to store for a password that `checked_password` returned."""
        return await self._run(lambda: _hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the stored one; costs the same time when nothing is stored."""
        normal = _normal(password)
        against = _NOBODYS if stored is None else stored
        is_match = await self._run(lambda: _matches(against, normal or ""))
        return is_match and stored is not None and normal is not None

    async def rehash(self, stored: str, password: str) -> str | None:
        """A new hash if the stored one was made with other parameters, else None. Only after `verify` said yes."""
        normal = _normal(password)
        if normal is None or not _hasher.check_needs_rehash(stored):
            return None
        return await self.hash(normal)

    def close(self) -> None:
        """Finish what runs, drop what waits."""
        self._pool.shutdown(cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise Overloaded("Too many sign-ins at once. Try again in a moment.", retry_after_s=2)
        future = self._pool.submit(work)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _done: Future[T]) -> None:
        self._places.release()


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str | None:
    """One form for what different keyboards send for the same letters; None if it cannot be a password."""
    if len(password) > 4 * MAX_LENGTH:
        return None
    normal = unicodedata.normalize("NFKC", password)
    has_half_character = any("\ud800" <= character <= "\udfff" for character in normal)
    return None if len(normal) > MAX_LENGTH or has_half_character else normal


@cache
def _commonest() -> frozenset[str]:
    lines = Path(__file__).with_name("common_passwords.txt").read_text("ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))


def _refused(message: str, code: str) -> InvalidRequest:
    return InvalidRequest(message, code=code, param="password")
