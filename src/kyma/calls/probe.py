"""One small real call to each source that an operator names, charged to the operator like any other."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from kyma.calls.calls import Calls
from kyma.calls.outlet import HeaderLines, HeaderList
from kyma.calls.scrub import reasons_for_operators
from kyma.core.chat import CallRequest
from kyma.core.errors import InvalidRequest, KymaError, NoRouteLeft
from kyma.core.ids import Clock
from kyma.core.model import Kind, Model, Route
from kyma.core.principal import Principal
from kyma.dialects import openai_chat, openai_embeddings, openai_moderations, rerank
from kyma.dialects.base import CustomerDialect

PATIENCE_S = 30.0
AT_ONCE = 4

QUESTIONS: Mapping[Kind, Mapping[str, object]] = {
    "chat": {"messages": [{"role": "user", "content": "Say ok."}], "max_tokens": 16},
    "embedding": {"input": "ok"},
    "rerank": {"query": "ok", "documents": ["ok", "not ok"]},
    "moderation": {"input": "ok"},
}


class Probed(msgspec.Struct, frozen=True):
    """How a source did. `latency_ms` is to the end of its answer, whole; `error` is in our words."""

    route: str
    model: str
    is_ok: bool
    latency_ms: int
    error: str | None


async def probe(
    calls: Calls, clock: Clock, principal: Principal, sources: Sequence[tuple[Model, Route]]
) -> list[Probed]:
    """Ask each source once, whether or not it is switched on or left alone. Each has `PATIENCE_S`."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(model: Model, route: Route) -> Probed:
        async with turns:
            started_at = clock.monotonic()
            error = await _ask(calls, principal, model, route)
            latency_ms = round((clock.monotonic() - started_at) * 1000)
            return Probed(route.id, model.id, error is None, latency_ms, error)

    return await asyncio.gather(*(one(model, route) for model, route in sources))


async def _ask(calls: Calls, principal: Principal, model: Model, route: Route) -> str | None:
    """What went wrong, or None."""
    dialect, request = _question(model)
    try:
        call = await calls.open(principal, request)
    except KymaError as error:
        return f"not asked: {error.message}"
    ear = _Ear()
    asking = asyncio.get_running_loop().create_task(calls.run(call, dialect, ear, pinned=route))
    try:
        await asyncio.wait((asking,), timeout=PATIENCE_S)
        if asking.done():
            return ear.error
        call.abandon()
        call.cut()
        await asking
        return f"no answer within {PATIENCE_S:g} s"
    finally:
        asking.cancel()  # only a shutdown finds it under way; it settles what it must


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

    async def wait_writable(self) -> None: ...

    def begin(self, lines: HeaderLines) -> None: ...

    def write(self, data: bytes) -> bool:
        return True

    def end(self, data: bytes) -> None: ...

    def answer(self, lines: HeaderLines, body: bytes) -> None: ...

    async def fail(self, error: KymaError, headers: HeaderList) -> None:
        if isinstance(error, NoRouteLeft):
            self.error = reasons_for_operators(error) or error.message
        elif isinstance(error, InvalidRequest):  # its message is the vendor's
            self.error = f"refuses the request: {error.code}"
        else:
            self.error = error.message
