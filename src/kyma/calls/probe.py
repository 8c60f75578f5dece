"""One small real call to a source, charged to the operator like any other."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from kyma.calls.asking import Terms
from kyma.calls.calls import Calls
from kyma.calls.meter import hold_bound
from kyma.calls.outlet import HeaderLines, HeaderList
from kyma.calls.scrub import reasons_for_operators
from kyma.core.chat import CallRequest
from kyma.core.errors import KymaError, NoRouteLeft, RequestError
from kyma.core.ids import Clock
from kyma.core.model import Kind, Model, Route
from kyma.core.money import Nanos
from kyma.core.principal import Principal
from kyma.dialects import openai_chat, openai_embeddings, openai_moderations, rerank
from kyma.dialects.base import CustomerDialect

PATIENCE_S = 30.0
AT_ONCE = 4
TERMS = Terms(refuses_substitutes=True, app="kyma-probe")
"""So that usage tells a probe from a call, and no substitute's price is set aside."""

QUESTIONS: Mapping[Kind, Mapping[str, object]] = {
    "chat": {"messages": [{"role": "user", "content": "Say ok."}], "max_tokens": 16},
    "embedding": {"input": "ok"},
    "rerank": {"query": "ok", "documents": ["ok", "not ok"]},
    "moderation": {"input": "ok"},
}


class Probed(msgspec.Struct, frozen=True):
    """How a source did. `latency_ms` is to the end of its answer, whole; `error` is in our words.

    `is_fault`: it was asked and could not answer, and not because it refuses what it was asked.
    """

    route: str
    model: str
    is_ok: bool
    latency_ms: int
    error: str | None
    is_fault: bool
    cost: Nanos


async def probe(
    calls: Calls, clock: Clock, principal: Principal, sources: Sequence[tuple[Model, Route]]
) -> list[Probed]:
    """Ask each source once, whether or not it is switched on or left alone. Each has `PATIENCE_S`."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(model: Model, route: Route) -> Probed:
        async with turns:
            return await probe_one(calls, clock, principal, model, route)

    return await asyncio.gather(*(one(model, route) for model, route in sources))


async def probe_one(calls: Calls, clock: Clock, principal: Principal, model: Model, route: Route) -> Probed:
    """The same for one source."""
    dialect, request = _question(model)
    try:
        call = await calls.open(principal, request, TERMS)
    except KymaError as error:
        return Probed(route.id, model.id, False, 0, f"not asked: {error.message}", False, 0)
    ear, started_at = _Ear(), clock.monotonic()
    asking = asyncio.get_running_loop().create_task(calls.run(call, dialect, ear, pinned=route))
    try:
        await asyncio.wait((asking,), timeout=PATIENCE_S)
        if not asking.done():
            call.abandon()
            call.cut()
            await asking
            ear.error, ear.is_fault = f"no answer within {PATIENCE_S:g} s", True
    finally:
        asking.cancel()  # only a shutdown finds it under way; it settles what it must
    latency_ms = round((clock.monotonic() - started_at) * 1000)
    return Probed(route.id, model.id, ear.error is None, latency_ms, ear.error, ear.is_fault, call.cost)


def probe_bound(model: Model) -> Nanos:
    """The most that a probe of one of its sources may cost, as long as that source keeps to what it is asked for."""
    _, request = _question(model)
    return hold_bound(request, model).cost(model.price)


def _question(model: Model) -> tuple[CustomerDialect, CallRequest]:
    body = msgspec.json.encode({"model": model.id, **QUESTIONS[model.kind]})
    match model.kind:
        case "chat":
            return openai_chat, openai_chat.parse_request(body)
        case "embedding":
            return openai_embeddings, openai_embeddings.parse_request(body)
        case "rerank":
            return rerank, rerank.parse_request(body)
        case "moderation":
            return openai_moderations, openai_moderations.parse_request(body)


class _Ear:
    """See `Outlet`: hears whether there was an answer, and forgets what it said."""

    def __init__(self) -> None:
        self.error: str | None = None
        self.is_fault = False

    async def wait_writable(self) -> None: ...

    def begin(self, lines: HeaderLines) -> None: ...

    def write(self, data: bytes) -> bool:
        return True

    def end(self, data: bytes) -> None: ...

    def answer(self, lines: HeaderLines, body: bytes) -> None: ...

    async def fail(self, error: KymaError, headers: HeaderList) -> None:
        self.is_fault = not isinstance(error, RequestError)
        if isinstance(error, NoRouteLeft):
            self.error = reasons_for_operators(error) or error.message
        elif isinstance(error, RequestError):  # its message is the vendor's
            self.error = f"refuses the request: {error.code}"
        else:
            self.error = error.message
