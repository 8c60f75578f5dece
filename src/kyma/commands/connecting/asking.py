"""Asking the gateway what an agent will ask: which model to take, and one tiny chat in the agent's own dialect."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from kyma.catalog.agents import AgentDialect

T = TypeVar("T")

ASK_S, CHAT_S = 10.0, 120.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
GREETING = "Say hello in one word."
CHATS: Mapping[AgentDialect, tuple[str, Mapping[str, Any]]] = {
    "openai_chat": ("/v1/chat/completions", {"max_tokens": 32, "messages": [{"role": "user", "content": GREETING}]}),
    "openai_responses": ("/v1/responses", {"max_output_tokens": 32, "input": GREETING}),
    "anthropic_messages": ("/v1/messages", {"max_tokens": 32, "messages": [{"role": "user", "content": GREETING}]}),
}
"""Path and body of the smallest chat in each dialect that agents speak."""


class Refused(Exception):
    """The gateway did not do it; the message is its own."""


class Away(Refused):
    """There is no gateway at this address."""


class Sized(msgspec.Struct, frozen=True):
    """A model to ask for, and how much it takes and gives."""

    alias: str
    context_window: int
    max_output_tokens: int | None


class Recommended(Sized, frozen=True):
    """What a gateway recommends to an agent."""

    small_model: Sized
    notes: list[str]


class Row(msgspec.Struct, frozen=True):
    """What matters here of a row of `/v1/models`."""

    id: str
    context_window: int
    max_output_tokens: int | None


class Answered(msgspec.Struct, frozen=True):
    """A chat that went well: who answered, and after how long."""

    model: str
    latency_ms: int


def recommended(origin: str, agent_id: str) -> Recommended:
    """What the gateway recommends to this agent. Raises: Refused."""
    try:
        body, _ = _ask(f"{origin}/v1/models/recommend?agent={quote(agent_id)}", None, None, ASK_S)
    except Away:
        raise
    except Refused as error:
        raise Refused(f"{origin} recommends nothing: {error}") from error
    return _convert(body, Recommended, origin)


def sized(origin: str, model: str) -> Sized:
    """A model by id or alias. Raises: Refused, with the closest names."""
    body, _ = _ask(f"{origin}/v1/models/{quote(model, safe='')}", None, None, ASK_S)
    row = _convert(body, Row, origin)
    return Sized(model, row.context_window, row.max_output_tokens)


def chat(origin: str, dialect: AgentDialect, key: str, model: str) -> Answered:
    """One tiny chat. Raises: Refused, in the gateway's words."""
    path, body = CHATS[dialect]
    started_at = time.monotonic()
    _, headers = _ask(f"{origin}{path}", key, {"model": model, **body}, CHAT_S)
    return Answered(headers.get("x-kyma-model", model), round((time.monotonic() - started_at) * 1000))


def _ask(
    url: str, key: str | None, body: Mapping[str, Any] | None, timeout_s: float
) -> tuple[bytes, Mapping[str, str]]:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(url, data, headers)
        with _opener(url).open(request, timeout=timeout_s) as answer:
            return answer.read(), {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as error:
        with error:
            raise Refused(_words(error.code, error.read())) from error
    except (OSError, ValueError) as error:
        origin = "://".join(urlsplit(url)[:2])
        reason = getattr(error, "reason", None) or error
        raise Away(f"no gateway answers at {origin} ({reason})") from error


def _opener(url: str) -> urllib.request.OpenerDirector:
    """A proxy cannot reach this machine's own loopback."""
    own = urlsplit(url).hostname in LOOPBACK
    return urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if own else []))


def _words(status: int, body: bytes) -> str:
    """The message of an error in any dialect."""
    try:
        return f"{json.loads(body)['error']['message']} ({status})"
    except (ValueError, KeyError, TypeError):
        return f"the address answers with status {status}, and not as a Kyma gateway does"


def _convert(body: bytes, kind: type[T], origin: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise Refused(f"what answers at {origin} is no Kyma gateway") from error
