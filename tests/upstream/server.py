"""The upstream's addresses: chats by script, the model list, and its own log. One process, one loop, loopback only."""

import asyncio
import itertools
import signal
import socket

import msgspec

from tests.upstream.journal import Entry, Journal, now_ms
from tests.upstream.listen import Acceptor
from tests.upstream.pick import BadScript, prepare
from tests.upstream.scripts import SCRIPTS, Turn
from tests.upstream.talk import Asked, Json, StreamedTalk, WholeTalk
from tests.upstream.wire import Connection, Exchange, Request, render

PLAIN_MODEL = "mock"
PLAIN_BODY_BYTES = 1024
CHAT_PATH = "/v1/chat/completions"


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, object]] | None = None


class _Function(msgspec.Struct):
    name: str


class _Tool(msgspec.Struct):
    function: _Function


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Chat(msgspec.Struct):
    model: str
    messages: list[_Message]
    stream: bool = False
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    tools: list[_Tool] = []


class _ModelOnly(msgspec.Struct):
    model: str = ""
    stream: bool = False


_read_chat = msgspec.json.Decoder(_Chat).decode
_read_model = msgspec.json.Decoder(_ModelOnly).decode


class Upstream:
    """Answers requests; `mock` without stream is one constant reply that leaves no entry, for speed."""

    def __init__(self) -> None:
        self._journal = Journal()
        self._ids = itertools.count(1)
        self._plain = render(200, _plain_body(), "application/json")

    def answer_at_once(self, request: Request) -> bytes | None:
        """The constant reply, the model list, the log and every refusal."""
        match request.method, request.path:
            case "POST", "/v1/chat/completions":
                return self._answer_chat_at_once(request)
            case "GET", "/v1/models":
                ids = [PLAIN_MODEL, *(f"script:{name}" for name in SCRIPTS)]
                rows = [{"id": id, "object": "model", "created": 0, "owned_by": "tests"} for id in ids]
                return _json({"object": "list", "data": rows})
            case "GET", "/_log":
                return _json({"requests": list(self._journal.entries)})
            case "GET", "/_stats":
                return _json(self._journal.stats())
            case "POST", "/_reset":
                self._journal.reset()
                return _json({})
        return _refuse(404, f"nothing lives at {request.method} {request.path}")

    async def answer(self, request: Request, exchange: Exchange) -> None:
        """Play the script that a chat names, and write down how it ended."""
        chat = _read_chat(request.body)
        asked = _asked(chat)
        name = "script:ok" if chat.model == PLAIN_MODEL else chat.model
        pace, play = prepare(name)
        entry = Entry(
            id=f"chatcmpl-{next(self._ids)}",
            model=chat.model,
            is_streaming=chat.stream,
            body=_without_content(msgspec.json.decode(request.body, type=dict)),
            headers=request.headers,
            started_at=now_ms(),
        )
        number = self._journal.open(entry)
        turn = Turn(number, lambda seed: self._journal.dice(chat.model, seed))
        try:
            await play((StreamedTalk if chat.stream else WholeTalk)(exchange, entry, asked, pace), turn)
        except asyncio.CancelledError:
            self._journal.close(entry, "client_gone")
            raise
        self._journal.close(entry, "cut" if exchange.is_cut else "finished")

    def _answer_chat_at_once(self, request: Request) -> bytes | None:
        try:
            wanted = _read_model(request.body)
            if wanted.model == PLAIN_MODEL and not wanted.stream:
                self._journal.requests_by_model[PLAIN_MODEL] += 1
                return self._plain
            _read_chat(request.body)
            if wanted.model != PLAIN_MODEL:
                prepare(wanted.model)
        except (msgspec.DecodeError, BadScript) as error:
            return _refuse(400, str(error))
        return None


async def serve(listener: socket.socket) -> None:
    """Answer on `listener` until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    upstream = Upstream()
    acceptor = Acceptor(listener, lambda: Connection(upstream))
    await stop.wait()
    acceptor.close()


def _asked(chat: _Chat) -> Asked:
    texts = [(message.role, _text(message.content)) for message in chat.messages]
    return Asked(
        is_streaming=chat.stream,
        wants_usage=chat.stream_options is not None and chat.stream_options.include_usage,
        prompt_tokens=sum(len(text.split()) for _, text in texts),
        max_tokens=chat.max_tokens if chat.max_completion_tokens is None else chat.max_completion_tokens,
        last_user_text=next((text for role, text in reversed(texts) if role == "user"), ""),
        tool_names=tuple(tool.function.name for tool in chat.tools),
    )


def _text(content: str | list[dict[str, object]] | None) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content)
    return content or ""


def _without_content(body: Json) -> Json:
    messages = body.get("messages")
    assert isinstance(messages, list)
    return body | {"messages": [{key: message[key] for key in message if key != "content"} for message in messages]}


def _plain_body() -> bytes:
    message = {"role": "assistant", "content": ""}
    body: Json = {
        "id": "chatcmpl-mock",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": PLAIN_MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 100, "total_tokens": 200},
    }
    missing = PLAIN_BODY_BYTES - len(msgspec.json.encode(body))
    message["content"] = ("word " * missing)[:missing]
    return msgspec.json.encode(body)


def _json(value: object) -> bytes:
    return render(200, msgspec.json.encode(value), "application/json")


def _refuse(status: int, message: str) -> bytes:
    error = {"error": {"message": message, "type": "invalid_request_error", "code": "bad_script"}}
    return render(status, msgspec.json.encode(error), "application/json")
