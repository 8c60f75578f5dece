"""One chat answered as Cohere's chat v2: a stream of typed events, or one body; and its lists of vectors and ranks."""

import msgspec

from tests.upstream.openai_whole import vector_of
from tests.upstream.talk import Finish, Json, Talk, WholeTalk

DIALECT = "cohere_chat"
WHOLE_DIALECT = "cohere_whole"
TEMPLATE_TOKENS = 495
"""What Cohere wraps around a request: counted and not billed."""
DOCUMENTS_A_SEARCH = 100
FINISH_REASONS = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL", "refusal": "COMPLETE"}


def error(status: int, message: str, code: str) -> Json:
    """A flat error; `code` has no place there."""
    return {"id": "error-upstream", "message": message}


class _Cohere(Talk):
    @property
    def usage(self) -> Json:
        """Thoughts are part of what is billed, what was found in a cache is not told apart there."""
        prompt = self.asked.prompt_tokens
        usage = self.counted(prompt, self.said, prompt + self.said)
        usage["tokens"] = {"input_tokens": prompt + TEMPLATE_TOKENS, "output_tokens": self.said + 3}
        return usage | {"cached_tokens": self.cached}

    def counted(self, prompt: object, said: object, total: object) -> Json:
        return {"billed_units": {"input_tokens": prompt, "output_tokens": said}}

    def _error(self, status: int, message: str, code: str) -> Json:
        return error(status, message, code)


class StreamedCohere(_Cohere):
    """Server-sent events named after their type. Thoughts and words stand in blocks of their own, calls beside them."""

    _block = ""
    _index = -1

    async def begin(self, content_type: str | None = None) -> None:
        await self.exchange.begin(200, content_type or "text/event-stream")
        self._open: list[int] = []
        empty: Json = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        await self._send("message-start", {"id": self._entry.id, "delta": {"message": empty}})

    async def report_now(self) -> None:
        return

    async def comment(self) -> None:
        await self.exchange.send(b": keep-alive\n\n")

    async def garble(self) -> None:
        await self.exchange.send(b'event: content-delta\ndata: {"type":"content-delta","delta":{"mess\n\n')

    async def fail(self, status: int, message: str, code: str) -> None:
        await self._send("message-end", {"delta": {"finish_reason": "ERROR", "error": message}})
        await self.exchange.end()

    async def break_off(self, reset: bool) -> None:
        await self.exchange.cut(reset)

    async def done(self, finish: Finish) -> None:
        await self._close()
        delta: Json = {"finish_reason": FINISH_REASONS[self._finish(finish)]}
        for usage in self._reported[-1:]:
            delta["usage"] = usage
        await self._send("message-end", {"delta": delta})
        await self.exchange.end()

    async def _put_text(self, text: str) -> None:
        await self._say("text", text)

    async def _put_thought(self, text: str) -> None:
        await self._say("thinking", text)

    async def _put_call(self, index: int, id: str, name: str) -> None:
        await self._close_block()
        self._open.append(index)
        call = {"id": id, "type": "function", "function": {"name": name, "arguments": ""}}
        await self._send_message("tool-call-start", index, {"tool_calls": call})
        self._count()

    async def _put_arguments(self, index: int, fragment: str) -> None:
        await self._send_message("tool-call-delta", index, {"tool_calls": {"function": {"arguments": fragment}}})
        self._count()

    async def _say(self, block: str, text: str) -> None:
        if self._block != block:
            await self._close()
            self._block, self._index = block, self._index + 1
            await self._send_message("content-start", self._index, {"content": {"type": block, block: ""}})
        await self._send_message("content-delta", self._index, {"content": {block: text}})
        self._count()

    async def _close(self) -> None:
        await self._close_block()
        for index in self._open:
            await self._send("tool-call-end", {"index": index})
        self._open = []

    async def _close_block(self) -> None:
        if self._block:
            await self._send("content-end", {"index": self._index})
        self._block = ""

    async def _send_message(self, kind: str, index: int, message: Json) -> None:
        await self._send(kind, {"index": index, "delta": {"message": message}})

    async def _send(self, kind: str, event: Json) -> None:
        data = msgspec.json.encode({"type": kind} | event)
        await self.exchange.send(b"event: %b\ndata: %b\n\n" % (kind.encode(), data))


class WholeCohere(_Cohere, WholeTalk):
    """One answer."""

    USAGE_KEY = "usage"

    def _answer(self, finish: Finish) -> Json:
        content: list[Json] = []
        if self._reasoning:
            content.append({"type": "thinking", "thinking": "".join(self._reasoning)})
        if self._text:
            content.append({"type": "text", "text": "".join(self._text)})
        message: Json = {"role": "assistant", "content": content}
        if self._calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self._calls
            ]
        return {"id": self._entry.id, "message": message, "finish_reason": FINISH_REASONS[finish]}


class WholeCohereLists(WholeTalk):
    """One list. Embeddings are billed by the token, a ranking by the hundred documents."""

    USAGE_KEY = "meta"

    @property
    def usage(self) -> Json:
        documents = self._entry.body.get("documents")
        searches = -(-len(documents) // DOCUMENTS_A_SEARCH) if isinstance(documents, list) else 0
        return self.counted(searches or self.asked.prompt_tokens, 0, 0)

    def counted(self, prompt: object, said: object, total: object) -> Json:
        unit = "search_units" if self._entry.body["at"] == "/v2/rerank" else "input_tokens"
        return {"api_version": {"version": "2"}, "billed_units": {unit: prompt}}

    def _error(self, status: int, message: str, code: str) -> Json:
        return error(status, message, code)

    def _answer(self, finish: Finish) -> Json:
        """Told by their place, as in `openai_whole`; a script that says nothing answers with nothing."""
        body = self._entry.body
        texts, documents = body.get("texts"), body.get("documents")
        if self._text and isinstance(texts, list):
            vectors = [vector_of(index) for index in range(len(texts))]
            return {"id": self._entry.id, "embeddings": {"float": vectors}, "response_type": "embeddings_by_type"}
        places = list(range(len(documents)))[::-1] if self._text and isinstance(documents, list) else []
        wanted = body.get("top_n")
        ranked = places[: wanted if isinstance(wanted, int) else None]
        results = [{"index": place, "relevance_score": (place + 1) / 100} for place in ranked]
        return {"id": self._entry.id, "results": results}
