"""The task that reads one upstream to its end, whatever becomes of its customer, and settles the call once.

It outlives the handler: a customer who leaves only marks the call as abandoned. Nothing is awaited in a clean-up.
"""

from collections.abc import Awaitable, Callable

from kyma.calls.call import Call
from kyma.calls.meter import Outcome
from kyma.calls.outlet import HeaderLines, Outlet
from kyma.calls.upstream import Upstream
from kyma.core.answer import Bill
from kyma.core.errors import KymaError
from kyma.dialects.base import CustomerDialect
from kyma.routing import Health, Plan, attempt

Settle = Callable[[Call, Outcome], Awaitable[Bill]]


class AnswerPump:
    """A whole answer: asked, settled, sent."""

    def __init__(self, call: Call, outlet: Outlet, lines: HeaderLines, dialect: CustomerDialect) -> None:
        self.call = call
        self._outlet = outlet
        self._lines = lines
        self._dialect = dialect

    async def run(self, upstream: Upstream, plan: Plan, health: Health, settle: Settle) -> None:
        """Raises: KymaError when no source answered; then nothing was sent."""
        call = self.call
        attempted = await attempt(
            plan,
            lambda candidate, turn: upstream.complete(call, candidate, turn),
            health,
            lambda: not call.has_left,
        )
        health.answered(attempted.candidate, attempted.seconds, False)
        health.ended(attempted.candidate)
        answer, call.candidate, call.attempts = attempted.value, attempted.candidate, attempted.attempts
        call.meter.see_response(answer)
        bill = await settle(call, Outcome.BLANK if answer.is_blank else Outcome.FINISHED)
        self._outlet.answer(
            self._lines + call.header_lines(), self._dialect.render_response(answer, call, bill, call.request)
        )

    def break_off(self, error: KymaError) -> bool:
        """A whole answer is sent at once or not at all."""
        return False

    def tick(self, now: float) -> None:
        """A whole answer needs no tending."""
