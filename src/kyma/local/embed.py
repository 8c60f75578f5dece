"""The child's program (`python -m kyma.local.embed`): the embedding model behind HTTP, on the loopback.

It speaks OpenAI's embeddings and the common rerank, as a vendor does, by the same codecs. A text to embed that is
longer than the model reads is refused; of a document to rank the rest is left out, as rerankers do it.
"""

import asyncio
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import uvloop

from kyma.core.answer import Bill
from kyma.core.errors import InvalidRequest, KymaError, NotFound, Rejected, Unauthenticated
from kyma.core.model import Usage
from kyma.dialects import openai_embeddings, rerank
from kyma.dialects.openai_shared import render_error
from kyma.local.child import Child, take_orders
from kyma.local.embedding import MAX_TOKENS, LocalEmbedder
from kyma.local.handshake import EmbeddingAssignment
from kyma.server import Server, ServerLimits, listen
from kyma.server.exchange import Receive, Scope, Send

TEXTS_AT_ONCE = 32
"""After so many texts another request has its turn."""
BODY_BYTES = 256 * 1024 * 1024
IDLE_S = 3600.0
SHUTDOWN_S = 1.0

T = TypeVar("T")


class OurReply(NamedTuple):
    """How answers name themselves; the gateway gives them its own names."""

    model_id: str
    request_id: str = "req_local"
    created: int = 0
    input_estimate: int = 0


class EmbeddingServer:
    """The model as an ASGI application."""

    def __init__(self, embedder: LocalEmbedder, name: str, api_key: str) -> None:
        self._embedder = embedder
        self._reply = OurReply(name)
        self._authorization = f"Bearer {api_key}".encode()
        self._worker = ThreadPoolExecutor(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            status, body = 200, await self._answer(scope, (await receive())["body"])
        except Rejected as error:
            refusal = error.as_request_error(error.caller_message)
            status, body = refusal.status, render_error(refusal)
        except KymaError as error:
            status, body = error.status, render_error(error)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, body: bytes) -> bytes:
        if scope["path"] == "/health":
            return b"{}"
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if not secrets.compare_digest(given, self._authorization):
            raise Unauthenticated("this is not the key of this child")
        match scope["method"], scope["path"]:
            case "POST", "/v1/embeddings":
                return await self._embed(openai_embeddings.parse_request(body))
            case "POST", "/v1/rerank":
                return await self._rerank(rerank.parse_request(body))
        raise NotFound(f"nothing lives at {scope['method']} {scope['path']}")

    async def _embed(self, request: openai_embeddings.EmbeddingRequest) -> bytes:
        if request.has_token_ids:
            raise InvalidRequest("this model takes texts, not token ids", param="input")
        place = await self._compute(partial(self._embedder.find_too_long, request.texts))
        if place is not None:
            raise InvalidRequest(
                f"this model's maximum context length is {MAX_TOKENS} tokens a text; input.{place} has more",
                code="context_length_exceeded",
                param="input",
            )
        vectors: list[list[float]] = []
        tokens = 0
        for texts in _slices(request.texts):
            embedded = await self._compute(partial(self._embedder.embed, texts))
            vectors += embedded.vectors
            tokens += sum(embedded.tokens)
        response = openai_embeddings.respond(request, vectors, tokens)
        return openai_embeddings.render_response(response, self._reply, _counted(tokens), request)

    async def _rerank(self, request: rerank.RerankRequest) -> bytes:
        (query_tokens,) = await self._compute(partial(self._embedder.count_tokens, [request.query]))
        scores: list[float] = []
        tokens = query_tokens
        for documents in _slices(request.documents):
            ranked = await self._compute(partial(self._embedder.rerank, request.query, documents))
            scores += ranked.scores
            tokens += ranked.tokens - query_tokens
        response = rerank.respond(request, scores, tokens)
        return rerank.render_response(response, self._reply, _counted(tokens), request)

    async def _compute(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)


def main() -> None:
    """Serve one assignment for as long as the supervisor lives."""
    child = take_orders(EmbeddingAssignment)
    if child is not None:
        uvloop.run(_serve(child))


async def _serve(child: Child[EmbeddingAssignment]) -> None:
    orders = child.assignment
    embedder = LocalEmbedder(Path(orders.model), Path(orders.tokenizer))
    app = EmbeddingServer(embedder, orders.name, orders.api_key)
    listener = listen("127.0.0.1", orders.port)
    server = Server(app, lambda path, error: render_error(error), ServerLimits(body_bytes=BODY_BYTES, idle_s=IDLE_S))
    threading.Thread(target=child.live_on, daemon=True).start()
    child.announce(listener.getsockname()[1])
    await server.serve([listener], SHUTDOWN_S)
    child.end()


def _slices(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        yield texts[start : start + TEXTS_AT_ONCE]


def _counted(tokens: int) -> Bill:
    return Bill(Usage(tokens), 0, 0, is_estimated=False)


if __name__ == "__main__":
    main()
