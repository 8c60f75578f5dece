"""The ASGI entry: an exact-match table of hot routes, FastAPI for everything else, one place that renders errors."""

import logging

from kyma.api.asgi import CORS_HEADERS, refuse_encoded, send_error
from kyma.api.control import FIRST_SEGMENTS, build_control
from kyma.api.text import HOT_PATHS, hot_route
from kyma.core.errors import Bug, KymaError, MethodNotAllowed
from kyma.dialects import openai_chat
from kyma.gateway import Gateway
from kyma.server.exchange import Message, Receive, Scope, Send

log = logging.getLogger("kyma.app")

PREFLIGHT_HEADERS = [
    *CORS_HEADERS,
    (b"access-control-allow-methods", b"GET, POST, PUT, DELETE, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, x-api-key, x-goog-api-key, anthropic-version, anthropic-beta, Idempotency-Key,"
        b" If-None-Match, X-Kyma-SDK, X-Kyma-Strict, X-Kyma-No-Substitute, X-Title, HTTP-Referer",
    ),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
]


def render_refusal(path: str, error: KymaError) -> bytes:
    """Words for what the server refuses before it is a request, in the dialect of the path."""
    hot = hot_route(path)
    return (hot.render_error if hot else openai_chat.render_error)(error)


class AnsweredError(Exception):
    """A handler failed after its answer had begun, so no other can be sent."""


class App:
    """One gateway as an ASGI application."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._control = build_control(gateway, HOT_PATHS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a handler; what it raises before it has answered becomes an answer in the route's dialect."""
        if scope["type"] != "http":
            return
        hot = hot_route(scope["path"])
        try:
            if hot is not None and scope["method"] == "POST":
                await hot.handle(self._gateway, scope["exchange"])
            elif scope["method"] == "OPTIONS":
                await send({"type": "http.response.start", "status": 204, "headers": PREFLIGHT_HEADERS})
                await send({"type": "http.response.body", "body": b""})
            elif hot is not None:
                raise _takes_post(scope)
            else:
                await self._run_control(scope, receive, send)
        except AnsweredError:
            log.exception("a control-plane handler failed")
        except KymaError as error:
            await send_error(send, error, hot.render_error if hot else openai_chat.render_error)
        except Exception:
            log.exception("a handler failed")
            bug = Bug("an error of ours; it is in the gateway's log")
            await send_error(send, bug, hot.render_error if hot else openai_chat.render_error)

    async def _run_control(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The control plane; its answers may be read from any origin."""
        refuse_encoded(scope)
        scope["path"] = _with_prefix(scope["path"])
        if scope["method"] == "HEAD":  # the server leaves the body out
            scope["method"] = "GET"
        has_started = False

        async def send_open(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                message["headers"] = [*message.get("headers", ()), *CORS_HEADERS]
            await send(message)

        try:
            await self._control(scope, receive, send_open)
        except Exception as error:
            if has_started:
                raise AnsweredError from error
            raise


def _with_prefix(path: str) -> str:
    """The path with one `/v1` where a tool has doubled it or left it out."""
    if path.startswith("/v1/v1/"):
        return path[len("/v1") :]
    return f"/v1{path}" if path.removeprefix("/").partition("/")[0] in FIRST_SEGMENTS else path


def _takes_post(scope: Scope) -> MethodNotAllowed:
    error = MethodNotAllowed(f"{scope['path']} takes POST, not {scope['method']}")
    error.headers = ((b"allow", b"POST, OPTIONS"),)
    return error
