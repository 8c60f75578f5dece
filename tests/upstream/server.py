"""The upstream's addresses: chats by script, the model list, and its own log. One process, one loop, loopback only."""

import asyncio
import itertools
import signal
import socket

import msgspec

from tests.upstream.aws_signature import Unsigned
from tests.upstream.families import OPENAI, Family, family_at
from tests.upstream.journal import Entry, Journal, now_ms
from tests.upstream.listen import Acceptor
from tests.upstream.pick import BadScript, prepare
from tests.upstream.scripts import SCRIPTS, Turn
from tests.upstream.talk import Json
from tests.upstream.wire import Connection, Exchange, Request, render

PLAIN_MODEL = "mock"
PLAIN_BODY_BYTES = 1024


class _ModelOnly(msgspec.Struct):
    model: str = ""
    stream: bool = False


_read_model = msgspec.json.Decoder(_ModelOnly).decode


class Upstream:
    """Answers requests; OpenAI's `mock` without stream is one constant reply that leaves no entry, for speed."""

    def __init__(self) -> None:
        self._journal = Journal()
        self._is_busy = False
        self._ids = itertools.count(1)
        self._plain = render(200, _plain_body(), "application/json")

    def answer_at_once(self, request: Request) -> bytes | None:
        """The constant reply, the model list, the log and every refusal."""
        if request.method == "POST" and (family := family_at(request.path)) is not None:
            return self._answer_chat_at_once(request, family)
        match request.method, request.path:
            case "GET", "/v1/models":
                ids = [PLAIN_MODEL, *(f"script:{name}" for name in SCRIPTS)]
                rows = [{"id": id, "object": "model", "created": 0, "owned_by": "tests"} for id in ids]
                return _json({"object": "list", "data": rows})
            case "GET", "/_log":
                return _json({"requests": list(self._journal.entries)})
            case "GET", "/_stats":
                return _json(self._journal.stats())
            case "POST", "/_busy" | "/_idle":
                self._is_busy = request.path == "/_busy"
                return _json({})
            case "POST", "/_reset":
                self._journal.reset()
                return _json({})
        return _refuse(OPENAI, 404, f"nothing lives at {request.method} {request.path}")

    async def answer(self, request: Request, exchange: Exchange) -> None:
        """Play the script that a chat names, and write down how it ended."""
        family = family_at(request.path)
        assert family is not None, "only chats are answered late"
        reading = family.read(request)
        pace, play = prepare(_script(reading.model))
        entry = Entry(
            id=f"{family.id_prefix}{next(self._ids)}",
            model=reading.model,
            is_streaming=reading.asked.is_streaming,
            body=reading.body,
            headers=request.headers,
            started_at=now_ms(),
            dialect=family.dialect,
            signed=reading.signed,
            prompt_tokens=reading.asked.prompt_tokens,
        )
        number = self._journal.open(entry)
        turn = Turn(number, lambda seed: self._journal.dice(reading.model, seed), self._is_busy)
        exchange.is_bytewise = bool(pace.bytewise)
        talk = family.streamed if reading.asked.is_streaming else family.whole
        try:
            await play(talk(exchange, entry, reading.asked, pace), turn)
        except asyncio.CancelledError:
            self._journal.close(entry, "client_gone")
            raise
        self._journal.close(entry, "cut" if exchange.is_cut else "finished")

    def _answer_chat_at_once(self, request: Request, family: Family) -> bytes | None:
        try:
            if family is OPENAI:
                wanted = _read_model(request.body)
                if wanted.model == PLAIN_MODEL and not wanted.stream:
                    self._journal.requests_by_model[PLAIN_MODEL] += 1
                    return self._plain
            prepare(_script(family.read(request).model))
        except (msgspec.DecodeError, BadScript) as error:
            return _refuse(family, 400, str(error))
        except Unsigned as error:
            return _refuse(family, 403, str(error))
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


def _script(model: str) -> str:
    return "script:ok" if model == PLAIN_MODEL else model


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


def _refuse(family: Family, status: int, message: str) -> bytes:
    return render(status, msgspec.json.encode(family.error(status, message, "bad_script")), "application/json")
