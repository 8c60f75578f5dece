"""Text calls in every dialect: a request in the customer's words, the answer in the same words."""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import msgspec

from kyma.api.asgi import ARRAY_LINES, JSON_TYPE, STREAM_LINES, ExchangeOutlet, header, identify, send_body
from kyma.calls import Terms, model_counted
from kyma.calls.meter import input_estimate
from kyma.core.chat import CallRequest, ChatRequest
from kyma.core.errors import KymaError
from kyma.core.principal import Principal
from kyma.dialects import (
    anthropic_messages,
    gemini,
    openai_chat,
    openai_completions,
    openai_embeddings,
    openai_moderations,
    openai_responses,
    rerank,
)
from kyma.dialects.base import CustomerDialect
from kyma.dialects.gemini import array_out
from kyma.gateway import Gateway
from kyma.server.exchange import Exchange, HeaderLines, Scope
from kyma.usage import app_of

Handler = Callable[[Gateway, Exchange], Awaitable[None]]
Parse = Callable[[Exchange], ChatRequest]

GEMINI_PATH = re.compile(r"(?:/v1)?(?:/v1beta|/v1alpha|/v1)?/models/(.*):([a-zA-Z]+)")
"""Google's SDKs say v1 or v1beta of themselves, behind whatever base address they were given."""


class Hot(msgspec.Struct, frozen=True):
    """A hot route: what answers a POST, and how its errors are worded."""

    handle: Handler
    render_error: Callable[[KymaError], bytes]


def speaking(
    dialect: CustomerDialect,
    parse: Callable[[Exchange], CallRequest],
    id_header: str = "",
    stream_lines: HeaderLines = STREAM_LINES,
) -> Hot:
    """A route on which customers speak `dialect`; `parse` reads their request, `id_header` repeats its id for them."""

    async def create(gateway: Gateway, exchange: Exchange) -> None:
        """Raises: KymaError for what is wrong before a call is opened; then nothing was sent."""
        principal = await identify(gateway.accounts, exchange.scope)
        call = await gateway.calls.open(principal, parse(exchange), _terms(gateway, principal, exchange.scope))
        exchange.watch(call.abandon)
        more = f"{id_header}: {call.request_id}\r\n".encode() if id_header else b""
        await gateway.calls.run(call, dialect, ExchangeOutlet(exchange, dialect.render_error, more, stream_lines))

    return Hot(create, dialect.render_error)


def counting(dialect: CustomerDialect, parse: Parse, render: Callable[[int], bytes]) -> Hot:
    """A route that tells about how many tokens a request has. Nobody is called and nothing is charged."""

    async def count(gateway: Gateway, exchange: Exchange) -> None:
        await identify(gateway.accounts, exchange.scope)
        request = parse(exchange)
        model = model_counted(request, gateway.catalog)
        await send_body(exchange.send, 200, [JSON_TYPE], render(input_estimate(request, model)))

    return Hot(count, dialect.render_error)


def _messages(exchange: Exchange) -> ChatRequest:
    beta = header(exchange.scope, b"anthropic-beta")
    headers = ((b"anthropic-beta", beta),) if beta else ()
    return anthropic_messages.parse_request(exchange.take_body(), headers)


HOT: dict[str, Hot] = {
    "/v1/chat/completions": speaking(openai_chat, lambda exchange: openai_chat.parse_request(exchange.take_body())),
    "/v1/responses": speaking(openai_responses, lambda exchange: openai_responses.parse_request(exchange.take_body())),
    "/v1/completions": speaking(
        openai_completions, lambda exchange: openai_completions.parse_request(exchange.take_body())
    ),
    "/v1/messages": speaking(anthropic_messages, _messages, "request-id"),
    "/v1/messages/count_tokens": counting(
        anthropic_messages,
        lambda exchange: anthropic_messages.parse_count(exchange.take_body()),
        anthropic_messages.render_count,
    ),
    "/v1/embeddings": speaking(
        openai_embeddings, lambda exchange: openai_embeddings.parse_request(exchange.take_body())
    ),
    "/v1/rerank": speaking(rerank, lambda exchange: rerank.parse_request(exchange.take_body())),
    "/v1/moderations": speaking(
        openai_moderations, lambda exchange: openai_moderations.parse_request(exchange.take_body())
    ),
}
"""Hot routes by path, all of them POST."""

TOLERATED = HOT | {path.removeprefix("/v1"): hot for path, hot in HOT.items()}
TOLERATED |= {f"/v1{path}": hot for path, hot in HOT.items()}
"""Half of the tools want a base address with `/v1`, half without, and their users mix them up."""


def _named(exchange: Exchange) -> str:
    """The model that a Gemini path names."""
    found = GEMINI_PATH.fullmatch(exchange.scope["path"])
    return found[1] if found else ""


def _stream(exchange: Exchange) -> ChatRequest:
    return gemini.parse_request(exchange.take_body(), _named(exchange), True)


SSE = speaking(gemini, _stream)
ARRAY = speaking(array_out, _stream, stream_lines=ARRAY_LINES)


async def _create_stream(gateway: Gateway, exchange: Exchange) -> None:
    """Events for those who ask for them, as Google's SDKs do; else an array."""
    asked = parse_qs(exchange.scope["query_string"].decode())  # as bytes, nothing but ASCII could be escaped in it
    await (SSE if asked.get("alt") == ["sse"] else ARRAY).handle(gateway, exchange)


GEMINI: dict[str, Hot] = {
    "generateContent": speaking(
        gemini, lambda exchange: gemini.parse_request(exchange.take_body(), _named(exchange), False)
    ),
    "streamGenerateContent": Hot(_create_stream, gemini.render_error),
    "countTokens": counting(
        gemini, lambda exchange: gemini.parse_count(exchange.take_body(), _named(exchange)), gemini.render_count
    ),
}
"""What follows the colon of `/v1beta/models/{model}:…`."""

HOT_PATHS = (*HOT, *(f"/v1beta/models/{{model}}:{verb}" for verb in GEMINI))
"""As the document lists them: each once, however many addresses lead to it."""


def hot_route(path: str) -> Hot | None:
    """What answers a POST to `path`; None leaves it to the control plane."""
    if (hot := TOLERATED.get(path)) is not None:
        return hot
    found = GEMINI_PATH.fullmatch(path)
    return GEMINI.get(found[2]) if found else None


def _terms(gateway: Gateway, principal: Principal, scope: Scope) -> Terms:
    """What the caller's headers say; remembered for a connection whose next head is the same."""
    memo = scope["memo"]
    terms: Terms | None = memo.get("terms")
    if terms is None:
        is_strict, stays = _is_true(scope, b"x-kyma-strict"), _is_true(scope, b"x-kyma-no-substitute")
        app = gateway.apps.counted_as(principal.account_id, app_of(scope["headers"]))
        terms = memo["terms"] = Terms(is_strict, stays, app)
    return terms


def _is_true(scope: Scope, name: bytes) -> bool:
    return (header(scope, name) or b"").strip().lower() in (b"true", b"1")
