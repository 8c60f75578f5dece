"""The failover loop: ask one source after the other until one answers."""

import asyncio
import enum
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import msgspec

from kyma.core.errors import NoRouteLeft, UpstreamError, Verdict
from kyma.routing.health import Candidate, Health, is_worth_repeating
from kyma.routing.plan import MAX_ATTEMPTS, Plan

T = TypeVar("T")


class Turn(enum.IntEnum):
    """What is left when this attempt fails."""

    MORE = 0
    """Another source."""
    LAST_SOURCE = 1
    """No other source, at most a second try."""
    LAST_TRY = 2
    """Nothing."""


Send = Callable[[Candidate, Turn], Awaitable[T]]

REPEAT_JITTER_S = 0.25


class Attempted(msgspec.Struct, Generic[T]):
    """What the first source that answered said, how long it took, and how many were asked."""

    value: T
    candidate: Candidate
    attempts: int
    seconds: float


async def attempt(plan: Plan, send: Send[T], health: Health, may_go_on: Callable[[], bool]) -> Attempted[T]:
    """The first answer in plan order. `send(candidate, turn)` returns once the answer has begun for good.

    At most six attempts, none begun after the deadline of `health`, each at another source while there is one; then one
    source is asked a second time. `may_go_on` is asked before each further attempt: nobody pays for a second try when
    the caller has left. What answered is under way at its source: the caller says `ended` or `broke` of it to `health`.
    Raises: NoRouteLeft with every reason; an UpstreamError whose verdict is STOP as it is.
    """
    reasons: list[UpstreamError] = []
    failed: list[Candidate] = []
    queue: deque[Candidate] | None = None
    candidate, turn = plan.first, Turn.MORE if plan.has_more else Turn.LAST_SOURCE
    began_at = health.now()
    health.guard.count_request(plan.model.id, began_at)
    sent_at = began_at
    while candidate is not None:
        health.begin(candidate)
        try:
            value = await send(candidate, turn)
        except UpstreamError as error:
            if not may_go_on():  # what we cut ourselves for a caller who left is no fault of the source
                health.let_go(candidate)
                reasons.append(error)
                break
            health.failed(candidate, error)
            if error.verdict is Verdict.STOP:
                raise
            reasons.append(error)
            failed.append(candidate)
        except BaseException:
            health.let_go(candidate)
            raise
        else:
            return Attempted(value, candidate, len(reasons) + 1, health.now() - sent_at)
        sent_at = health.now()
        if plan.is_pinned:
            break
        if queue is None:
            queue = deque(plan.rest())
        candidate, turn = _next(queue, reasons, failed, turn)
        if candidate is None or sent_at - began_at > health.deadline_s or not health.guard.allows_more(plan.model.id):
            break
        if candidate in failed:
            await asyncio.sleep(random.uniform(0, REPEAT_JITTER_S))
            if not may_go_on():
                break
    raise _nobody(reasons)


def _next(
    queue: deque[Candidate], reasons: list[UpstreamError], failed: list[Candidate], before: Turn
) -> tuple[Candidate | None, Turn]:
    """Who is asked now, and what is left then; when all have been, the first that may do better at once.

    One that was given less time because others seemed to be there, and none was, may try with all of it.
    """
    if len(reasons) >= MAX_ATTEMPTS or len(reasons) > len(set(map(id, failed))):
        return None, Turn.LAST_TRY
    if queue:
        candidate = queue.popleft()
        if len(reasons) + 1 == MAX_ATTEMPTS:
            return candidate, Turn.LAST_TRY
        return candidate, Turn.MORE if queue else Turn.LAST_SOURCE
    if before is Turn.MORE and reasons[-1].verdict is Verdict.NEXT:
        return failed[-1], Turn.LAST_TRY
    worth = (candidate for candidate, error in zip(failed, reasons, strict=True) if is_worth_repeating(error))
    return next(worth, None), Turn.LAST_TRY


def _nobody(reasons: list[UpstreamError]) -> NoRouteLeft:
    waits = [error.retry_after_s for error in reasons if error.retry_after_s]
    return NoRouteLeft(
        "no source of this model could answer; nothing was charged, try again",
        tuple(reasons),
        retry_after_s=min(waits) if waits else 1,
    )
