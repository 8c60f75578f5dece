"""The failover loop: ask one source after the other until one answers."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import msgspec

from kyma.core.errors import NoRouteLeft, UpstreamError, Verdict
from kyma.routing.health import Health
from kyma.routing.plan import Candidate, Plan

T = TypeVar("T")


class Attempted(msgspec.Struct, Generic[T]):
    """What the first source that answered said, and how many were asked."""

    value: T
    candidate: Candidate
    attempts: int


async def attempt(
    plan: Plan, send: Callable[[Candidate, bool], Awaitable[T]], health: Health, may_go_on: Callable[[], bool]
) -> Attempted[T]:
    """The first answer in plan order. `send(candidate, is_last)` returns once the answer has begun for good.

    `may_go_on` is asked before each further attempt: nobody pays for a second try when the caller has left.
    Raises: NoRouteLeft with every reason; an UpstreamError whose verdict is STOP as it is.
    """
    reasons: list[UpstreamError] = []
    last = len(plan.candidates) - 1
    for number, candidate in enumerate(plan.candidates):
        if reasons and not may_go_on():
            break
        try:
            value = await send(candidate, number == last)
        except UpstreamError as error:
            if may_go_on():  # what we cut ourselves for a caller who left is no fault of the source
                health.failed(candidate.route, error)
            if error.verdict is Verdict.STOP:
                raise
            reasons.append(error)
        else:
            health.succeeded(candidate.route)
            return Attempted(value, candidate, number + 1)
    waits = [error.retry_after_s for error in reasons if error.retry_after_s]
    raise NoRouteLeft(
        "no source of this model could answer; nothing was charged, try again",
        tuple(reasons),
        retry_after_s=min(waits) if waits else 1,
    )
