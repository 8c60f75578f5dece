"""Text calls in every dialect: a request in the customer's words, the answer in the same words."""

from collections.abc import Awaitable, Callable

import msgspec

from kyma.api.asgi import ExchangeOutlet, header, identify
from kyma.core.chat import ChatRequest
from kyma.core.errors import KymaError
from kyma.dialects import openai_chat
from kyma.dialects.base import CustomerDialect
from kyma.gateway import Gateway
from kyma.server.exchange import Exchange, Scope

Handler = Callable[[Gateway, Exchange], Awaitable[None]]


class Hot(msgspec.Struct, frozen=True):
    """A hot route: what answers a POST, and how its errors are worded."""

    handle: Handler
    render_error: Callable[[KymaError], bytes]


def speaking(dialect: CustomerDialect, parse: Callable[[Exchange], ChatRequest]) -> Hot:
    """A route on which customers speak `dialect`; `parse` reads their request."""

    async def create(gateway: Gateway, exchange: Exchange) -> None:
        """Raises: KymaError for what is wrong before a call is opened; then nothing was sent."""
        principal = await identify(gateway.accounts, exchange.scope)
        call = await gateway.calls.open(principal, parse(exchange), is_strict=_is_strict(exchange.scope))
        exchange.watch(call.abandon)
        await gateway.calls.run(call, dialect, ExchangeOutlet(exchange, dialect.render_error))

    return Hot(create, dialect.render_error)


OPENAI_CHAT = speaking(openai_chat, lambda exchange: openai_chat.parse_request(exchange.take_body()))

HOT: dict[str, Hot] = {
    "/v1/chat/completions": OPENAI_CHAT,
}
"""Hot routes by path, all of them POST."""

UNPREFIXED = {path.removeprefix("/v1"): hot for path, hot in HOT.items()}
DOUBLED = {f"/v1{path}": hot for path, hot in HOT.items()}
TOLERATED: dict[str, Hot] = HOT | UNPREFIXED | DOUBLED
"""Half of the tools want a base address with `/v1`, half without, and their users mix them up."""


def hot_route(path: str) -> Hot | None:
    """What answers a POST to `path`; None leaves it to the control plane."""
    return TOLERATED.get(path)


def _is_strict(scope: Scope) -> bool:
    memo = scope["memo"]
    if "strict" not in memo:
        memo["strict"] = (header(scope, b"x-kyma-strict") or b"").strip().lower() in (b"true", b"1")
    return bool(memo["strict"])
