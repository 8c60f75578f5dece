"""Who a token stands for, remembered for a few seconds, so that a warm key needs no SQL.

Keyed by the token's hash, so no secret stays in memory. Refusals are remembered apart, so that a flood of wrong
keys cannot push out the right ones. What it answers is never older than `ttl_s`, counted from before the look-up.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from kyma.core.ids import Clock
from kyma.core.principal import Principal


class Refusal(msgspec.Struct, frozen=True):
    """Why a token is not accepted, in words for its holder."""

    message: str
    code: str


Load = Callable[[str], Coroutine[Any, Any, Principal | Refusal]]


class PrincipalCache:
    """Answers by hash. For one hash there is one look-up at a time, however many wait for it."""

    def __init__(self, clock: Clock, ttl_s: float, size: int) -> None:
        self._clock = clock
        self._ttl_s = ttl_s
        self._size = size
        self._principals: dict[str, tuple[Principal, float]] = {}
        self._refusals: dict[str, tuple[Refusal, float]] = {}
        self._loading: dict[str, asyncio.Task[Principal | Refusal]] = {}

    def get(self, digest: str) -> Principal | None:
        """The principal, if one was found in the last `ttl_s` seconds."""
        entry = self._principals.get(digest)
        return entry[0] if entry is not None and entry[1] > self._clock.monotonic() else None

    async def find(self, digest: str, load: Load) -> Principal | Refusal:
        """The principal or the refusal, from `load` if neither is known. A caller's cancellation harms no other."""
        known = self.get(digest)
        if known is not None:
            return known
        refused = self._refusals.get(digest)
        if refused is not None and refused[1] > self._clock.monotonic():
            return refused[0]
        task = self._loading.get(digest)
        if task is None:
            task = self._loading[digest] = asyncio.create_task(self._look_up(digest, load))
            task.add_done_callback(_retrieve)
        return await asyncio.shield(task)

    def forget(self, digest: str) -> None:
        """Make the next call look it up anew; a look-up that is under way is not remembered."""
        self._principals.pop(digest, None)
        self._refusals.pop(digest, None)
        self._loading.pop(digest, None)

    async def _look_up(self, digest: str, load: Load) -> Principal | Refusal:
        task = asyncio.current_task()
        good_until = self._clock.monotonic() + self._ttl_s
        try:
            answer = await load(digest)
            if self._loading.get(digest) is task:
                self._remember(digest, answer, good_until)
            return answer
        finally:
            if self._loading.get(digest) is task:
                del self._loading[digest]

    def _remember(self, digest: str, answer: Principal | Refusal, good_until: float) -> None:
        if isinstance(answer, Principal):
            self._principals.pop(digest, None)
            self._principals[digest] = (answer, good_until)
        else:
            self._refusals.pop(digest, None)
            self._refusals[digest] = (answer, good_until)
        now = self._clock.monotonic()
        _drop_old(self._principals, now, self._size)
        _drop_old(self._refusals, now, self._size)


def _drop_old(
    entries: dict[str, tuple[Principal, float]] | dict[str, tuple[Refusal, float]], now: float, size: int
) -> None:
    """Entries live equally long, so the first ones are the first to end."""
    while entries:
        digest = next(iter(entries))
        if entries[digest][1] > now and len(entries) <= size:
            return
        del entries[digest]


def _retrieve(task: asyncio.Task[Principal | Refusal]) -> None:
    """Everybody who waited may have left; an unread failure would be logged as forgotten."""
    if not task.cancelled():
        task.exception()
