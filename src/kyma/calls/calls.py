"""Opens calls and sees each to its end: the only way to an upstream."""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

import msgspec

from kyma.calls.call import Call
from kyma.calls.meter import Outcome, hold_bound, input_estimate
from kyma.calls.outlet import Outlet
from kyma.calls.pump import AnswerPump
from kyma.calls.scrub import caller_error, reasons_for_operators
from kyma.calls.settle import Settled
from kyma.calls.stream_pump import PumpSettings, StreamPump
from kyma.calls.upstream import Upstream
from kyma.catalog import Catalog
from kyma.core.answer import Bill
from kyma.core.chat import CallRequest, ChatRequest
from kyma.core.errors import (
    Bug,
    Draining,
    InsufficientCredits,
    InvalidRequest,
    KymaError,
    NoRouteLeft,
    Overloaded,
    UpstreamError,
)
from kyma.core.ids import Clock, new_id
from kyma.core.model import Kind, Model, Usage
from kyma.core.money import PICOS_PER_NANO, Nanos, usd_text
from kyma.core.principal import Principal, Tier
from kyma.dialects.base import ChatDialect, CustomerDialect
from kyma.ledger import CreditShort, Ledger, Settlement
from kyma.limits import Limits
from kyma.routing import Health, plan
from kyma.storage.writer import GroupWriter
from kyma.usage import UsageRow

log = logging.getLogger("kyma.calls")

TICK_S = 0.5
MAX_DRAINS = 64
"""Upstreams read on for their usage after the client has left; more are cut and billed by our count."""


class CallSettings(msgspec.Struct, frozen=True):
    """`max_live` bounds the calls under way at once; above it new ones are told to come back."""

    pump: PumpSettings
    max_live: int


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
        self._clock = clock
        self._settings = settings
        self._live: set[AnswerPump | StreamPump] = set()
        self.is_draining = False

    @property
    def live_count(self) -> int:
        """Calls under way."""
        return len(self._live)

    async def open(self, principal: Principal, request: CallRequest, *, is_strict: bool = False) -> Call:
        """Admit a request against limits and credit; nothing is sent yet. `is_strict` refuses what would lose a field.

        Raises: NotFound for an unknown model, RateLimited, InvalidRequest when it is too large for the tier,
        InsufficientCredits with the balance, the hold needed and the largest `max_tokens` that fits.
        """
        if self.is_draining:
            raise Draining("this gateway is shutting down; send the request again", retry_after_s=1)
        if len(self._live) >= self._settings.max_live:
            raise Overloaded("too many calls are under way; try again in a moment", retry_after_s=1)
        catalog = self._catalog()
        resolved = catalog.resolve(request.model)
        model = resolved.model
        check_abilities(request, model)
        tokens = input_estimate(request, model) + request.n * request.max_tokens
        admission = self._limits.admit(principal, self._tier_of(principal), model.id, tokens)
        bound = hold_bound(request, model)
        request_id = new_id("req")
        amount = bound.cost(model.price)
        hold = self._ledger.try_reserve(principal.account_id, amount, request_id)
        if hold is None:
            try:
                hold = await self._ledger.reserve(principal.account_id, amount, request_id)
            except BaseException as error:
                self._limits.correct(admission, 0)
                if isinstance(error, CreditShort):
                    raise _too_little(error, bound, model, request) from None
                raise
        now_ms = self._clock.now_ms()
        version = catalog.price_version
        return Call(request_id, principal, request, resolved, version, admission, hold, now_ms, is_strict=is_strict)

    async def run(self, call: Call, dialect: CustomerDialect, outlet: Outlet) -> None:
        """See `call` to its end, whether or not its customer stays; never raises but when the process ends.

        The task that runs this must not be cancelled because the customer has left: `call.abandon` says that.
        """
        pump: AnswerPump | StreamPump | None = None
        try:
            pump = self._pump(call, dialect, outlet)
            self._live.add(pump)
            needed = call.dialect_name if call.request.needs_native else None
            await pump.run(self._upstream, plan(call.model, self._health.allows, needed), self._health, self._settle)
        except KymaError as error:
            await self._give_up(call, error, pump, outlet)
        except asyncio.CancelledError:  # a shutdown has waited long enough: what was delivered is billed
            if not call.is_settled:
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

    def start_draining(self) -> None:
        """Take no new calls; those under way go on."""
        self.is_draining = True

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
            log.warning(
                "request %s: no source of %s answered: %s", call.request_id, call.model.id, reasons_for_operators(error)
            )
        elif isinstance(error, UpstreamError):
            log.info("request %s: refused upstream: %s", call.request_id, error.message)
        if not call.is_settled:
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
        bill = call.meter.bill(outcome, call.model.price)
        settlement = self._ledger.prepare(call.hold, bill.cost)
        self._limits.correct(call.admission, bill.usage.total)
        return bill, self._writer.submit(Settled(_row(call, outcome, bill, settlement), settlement))


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
    )


NAMES: dict[Kind, tuple[str, str]] = {
    "chat": ("a chat model", "/v1/chat/completions"),
    "embedding": ("an embedding model", "/v1/embeddings"),
    "rerank": ("a rerank model", "/v1/rerank"),
    "moderation": ("a moderation model", "/v1/moderations"),
}
"""What models of a kind are called, and where they are asked."""


def check_abilities(request: CallRequest, model: Model) -> None:
    """Refuse what the model cannot read, rather than answer past it. Raises: InvalidRequest."""
    if request.kind != model.kind:
        raise _wrong_kind(request.kind, model)
    if request.has_token_ids and not model.takes_token_ids:
        message = f"{model.id} takes texts, not token ids; send input as a string or a list of strings"
        raise InvalidRequest(message, code="unsupported_parameter", param="input")
    if request.image_count and not model.supports_vision:
        raise InvalidRequest(f"{model.id} takes no images", code="unsupported_modality", param="messages")
    if request.has_tools and not model.supports_tools:
        raise InvalidRequest(f"{model.id} cannot call tools", code="unsupported_parameter", param="tools")
    if (request.unpriced or request.searches) and _has_route_of(request.native.dialect, model):
        _check_sold(request, model)


def _has_route_of(dialect: str, model: Model) -> bool:
    """Any other route leaves vendors' own tools out, and says so."""
    return any(route.provider.dialect == dialect for route in model.routes)


def _check_sold(request: CallRequest, model: Model) -> None:
    """Refuse what its vendor would charge for and nobody here has a price, a limit or a count of."""
    if request.unpriced:
        said = f"{request.unpriced} is not sold here: its vendor charges for it without a limit or without a count"
        raise InvalidRequest(said, code="tool_not_sold", param=request.unpriced)
    if model.price.search is None:
        raise InvalidRequest(f"{model.id} is sold without searches", code="tool_not_sold", param="tools")


def _wrong_kind(asked: Kind, model: Model) -> InvalidRequest:
    (wanted, _), (found, path) = NAMES[asked], NAMES[model.kind]
    code = "not_" + wanted.replace(" ", "_")
    return InvalidRequest(f"{model.id} is {found}, not {wanted}: ask it at POST {path}", code=code, param="model")


def _too_little(error: CreditShort, bound: Usage, model: Model, request: CallRequest) -> KymaError:
    """402 with the figures a caller needs to act: balance, hold, and the largest `max_tokens` that would fit."""
    affordable = affordable_max_tokens(error.available, bound, model, request.n)
    hint, remedy = "even a single output token would not fit", "lower max_tokens"
    if not request.max_tokens:
        hint, remedy = "nothing is generated, so all of it is input", "send less at once"
    elif affordable:
        hint = f"max_tokens of at most {affordable} would fit"
    return InsufficientCredits(
        f"insufficient credits: this request needs ${usd_text(error.needed)} set aside, "
        f"${usd_text(max(0, error.available))} of your balance of ${usd_text(error.posted)} is free; {hint}. "
        f"Add credits, or {remedy}."
    )


def affordable_max_tokens(available: Nanos, bound: Usage, model: Model, n: int) -> int:
    """The largest `max_tokens` whose hold `available` covers; 0 when none does."""
    others = bound.picos(model.price) - bound.output * model.price.output
    left = available * PICOS_PER_NANO - others
    return max(0, left // (model.price.output * n)) if model.price.output else 0
