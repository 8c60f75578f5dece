"""Opens calls and sees each to its end: the only way to an upstream."""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

import msgspec

from kyma.calls.asking import PLAIN, Terms, ask_of, hold_for, nobody_allowed, who_may_answer
from kyma.calls.call import Call
from kyma.calls.meter import Outcome, hold_bound, input_estimate
from kyma.calls.outlet import Outlet
from kyma.calls.pump import AnswerPump
from kyma.calls.scrub import caller_error, reasons_for_operators
from kyma.calls.settle import Settled
from kyma.calls.shortfall import too_little
from kyma.calls.stream_pump import PumpSettings, StreamPump
from kyma.calls.upstream import Upstream
from kyma.catalog import Catalog
from kyma.core.answer import Bill
from kyma.core.chat import CallRequest, ChatRequest
from kyma.core.errors import (
    Bug,
    Draining,
    KymaError,
    NoRouteLeft,
    Overloaded,
    UpstreamError,
)
from kyma.core.ids import Clock, new_id
from kyma.core.model import Alternative, Route
from kyma.core.principal import Principal, Tier
from kyma.core.tally import Tallies
from kyma.dialects.base import ChatDialect, CustomerDialect
from kyma.ledger import CreditShort, Ledger, Settlement
from kyma.limits import Limits
from kyma.routing import Health, Plan, is_ruled_out, pin, plan
from kyma.storage.writer import GroupWriter
from kyma.usage import UsageRow

log = logging.getLogger("kyma.calls")

TICK_S = 0.5
MAX_DRAINS = 64
"""Upstreams read on for their usage after the client has left; more are cut and billed by our count."""


class CallSettings(msgspec.Struct, frozen=True):
    """`max_live` bounds the calls under way at once; above it new ones are told to come back.

    `own_key_share` is what a call costs that a customer's own key paid for, in hundredths of a percent of the price.
    """

    pump: PumpSettings
    max_live: int
    own_key_share: int


class Calls:
    """Admission, failover, metering and settlement of every upstream call of this process."""

    def __init__(
        self,
        *,
        catalog: Callable[[], Catalog],
        tier_of: Callable[[Principal], Tier],
        limits: Limits,
        ledger: Ledger,
        upstream: Upstream,
        health: Health,
        writer: GroupWriter[Settled, bool],
        tallies: Tallies,
        clock: Clock,
        settings: CallSettings,
    ) -> None:
        self._catalog = catalog
        self._tier_of = tier_of
        self._limits = limits
        self._ledger = ledger
        self._upstream = upstream
        self._health = health
        self._writer = writer
        self._tallies = tallies
        self._clock = clock
        self._settings = settings
        self._live: set[AnswerPump | StreamPump] = set()
        self.is_draining = False

    @property
    def live_count(self) -> int:
        """Calls under way."""
        return len(self._live)

    async def open(self, principal: Principal, request: CallRequest, terms: Terms = PLAIN) -> Call:
        """Admit a request against limits and credit; nothing is sent yet.

        Raises: NotFound for an unknown model, RateLimited, InvalidRequest when it is too large for the tier,
        InsufficientCredits with the balance, the hold needed and the largest `max_tokens` that fits.
        """
        if self.is_draining:
            raise Draining("this gateway is shutting down; send the request again", retry_after_s=1)
        if len(self._live) >= self._settings.max_live:
            raise Overloaded("too many calls are under way; try again in a moment", retry_after_s=1)
        catalog = self._catalog()
        asked = who_may_answer(request, catalog)
        model = asked.resolved.model
        tokens = input_estimate(request, model) + request.n * request.max_tokens
        admission = self._limits.admit(principal, self._tier_of(principal), model.id, tokens)
        bound = hold_bound(request, model)
        request_id = new_id("req")
        ask = ask_of(request, principal.account_id, asked, catalog, terms)
        amount = hold_for(request, model, ask.others, bound)
        hold = self._ledger.try_reserve(principal.account_id, amount, request_id)
        if hold is None:
            try:
                hold = await self._ledger.reserve(principal.account_id, amount, request_id)
            except BaseException as error:
                self._limits.correct(admission, 0)
                if isinstance(error, CreditShort):
                    offers = (Alternative(model, model.price), *ask.others)
                    raise too_little(error, request, offers) from None
                raise
        now_ms = self._clock.now_ms()
        version = catalog.price_version
        is_strict = terms.is_strict or (asked.preferences is not None and asked.preferences.require_parameters)
        return Call(
            request_id,
            principal,
            request,
            asked.resolved,
            version,
            admission,
            hold,
            ask,
            now_ms,
            is_strict=is_strict,
            app=terms.app,
            own_key_share=self._settings.own_key_share,
        )

    async def run(self, call: Call, dialect: CustomerDialect, outlet: Outlet, *, pinned: Route | None = None) -> None:
        """See `call` to its end, whether or not its customer stays; never raises but when the process ends.

        `pinned` is the one source to ask, whatever is known of it; such a call tells nothing of its model's uptime.

        The task that runs this must not be cancelled because the customer has left: `call.abandon` says that.
        """
        pump: AnswerPump | StreamPump | None = None
        call.is_probe = pinned is not None
        try:
            pump = self._pump(call, dialect, outlet)
            self._live.add(pump)
            chosen = self._plan(call) if pinned is None else pin(call.asked, pinned, self._health, call.ask)
            await pump.run(self._upstream, chosen, self._health, self._settle)
        except KymaError as error:
            await self._give_up(call, error, pump, outlet)
        except asyncio.CancelledError:  # a shutdown has waited long enough: what was delivered is billed
            if not call.is_settled:
                call.is_lost = not call.has_left
                self._submit(call, Outcome.CUT if call.meter.delivered_tokens else Outcome.FAILED)
            raise
        except Exception:
            log.exception("request %s ended in a bug of ours", call.request_id)
            await self._give_up(call, Bug("an error of ours; it is logged under the request id"), pump, outlet)
        finally:
            if pump is not None:
                self._live.discard(pump)

    async def tend(self) -> None:
        """Keep streams alive and drains bounded, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            now = self._clock.monotonic()
            drains = 0
            for pump in tuple(self._live):
                pump.tick(now)
                if pump.call.has_left and isinstance(pump, StreamPump):  # a whole answer is let finish, and billed
                    drains += 1
                    if drains > MAX_DRAINS:
                        pump.call.cut()

    def apply(self, settings: CallSettings) -> None:
        """Open calls by these settings from now on."""
        self._settings = settings

    def start_draining(self) -> None:
        """Take no new calls; those under way go on."""
        self.is_draining = True

    def _plan(self, call: Call) -> Plan:
        chosen = plan(call.asked, self._health, call.ask)
        if chosen.first is None and is_ruled_out(call.asked, self._health, call.ask):
            raise nobody_allowed(call.asked)
        return chosen

    def _pump(self, call: Call, dialect: CustomerDialect, outlet: Outlet) -> AnswerPump | StreamPump:
        lines = self._limits.header_lines(call.admission)
        if not call.request.is_streaming:
            return AnswerPump(call, outlet, lines, dialect)
        chats, request = cast(ChatDialect, dialect), cast(ChatRequest, call.request)  # nothing else is streamed
        return StreamPump(call, outlet, lines, chats.stream_encoder(request, call), self._settings.pump, self._clock)

    async def _give_up(
        self, call: Call, error: KymaError, pump: AnswerPump | StreamPump | None, outlet: Outlet
    ) -> None:
        if isinstance(error, NoRouteLeft):
            call.name_model(call.asked)
            log.warning(
                "request %s: no source of %s answered: %s", call.request_id, call.model.id, reasons_for_operators(error)
            )
        elif isinstance(error, UpstreamError):
            log.info("request %s: refused upstream: %s", call.request_id, error.message)
        if not call.is_settled:
            call.lose(error)
            await self._settle(call, Outcome.FAILED)
        shown = caller_error(error, call.model, call.credential)
        if pump is not None and pump.break_off(shown):
            return
        headers = (*self._limits.headers(call.admission), (b"x-request-id", call.request_id.encode()))
        await outlet.fail(shown, list(headers))

    async def _settle(self, call: Call, outcome: Outcome) -> Bill:
        """Charge what the settlement table says, durably, then return the bill. The end of a call, reached once."""
        bill, written = self._submit(call, outcome)
        if bill.cost:
            await written
        return bill

    def _submit(self, call: Call, outcome: Outcome) -> tuple[Bill, asyncio.Future[bool]]:
        """Close the books of a call in memory and hand it to the writer; durable once the future is done."""
        call.is_settled = True
        bill = call.meter.bill(outcome, call.price)
        settlement = self._ledger.prepare(call.hold, bill.cost)
        self._limits.correct(call.admission, bill.usage.total)
        if call.is_probe:
            call.cost = bill.cost
        else:
            self._count(call, outcome)
        return bill, self._writer.submit(Settled(_row(call, outcome, bill, settlement), settlement))

    def _count(self, call: Call, outcome: Outcome) -> None:
        """The end of a request, for the uptime of the model that it asked for; it ends no other model's requests.

        One whose customer has left counts if it was answered to its end.
        """
        is_answered = outcome is Outcome.FINISHED or outcome is Outcome.DRAINED
        if is_answered and call.model is call.asked and call.candidate is not None:
            call.candidate.tally.served += 1
        elif is_answered or call.is_lost or (not call.has_left and outcome in (Outcome.CUT, Outcome.BLANK)):
            self._tallies.of(call.asked.id).lost += 1


def _row(call: Call, outcome: Outcome, bill: Bill, settlement: Settlement) -> UsageRow:
    """The call as the request log keeps it, at the settlement's own moment."""
    route = call.candidate.route if call.candidate else None
    now = settlement.settled_at
    usage = bill.usage
    return UsageRow(  # by position: naming two dozen fields takes longer than all the rest of a settlement
        call.request_id,
        call.principal.account_id,
        call.principal.user_id,
        call.principal.key_id,
        call.model.id,
        call.request.model,
        route.id if route else "",
        call.candidate.layer if call.candidate else 0,
        call.dialect_name,
        usage.input,
        usage.cached_input,
        usage.cache_write,
        usage.output,
        usage.reasoning,
        call.price_version,
        bill.cost,
        bill.is_estimated,
        call.meter.is_flagged or bill.cost > settlement.reserved,
        str(outcome),
        200 if outcome is not Outcome.FAILED else 503,
        call.request.is_streaming,
        call.first_token_ms,
        now - call.started_at,
        call.attempts,
        now,
        usage.cache_write_1h,
        usage.searches,
        call.asked_model,
        call.price_share,
        call.app,
    )
