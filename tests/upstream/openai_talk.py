"""One chat answered as OpenAI's chat completions: a stream of chunks, or one body."""

import msgspec

from tests.upstream.talk import Finish, Json, Talk, WholeTalk

DIALECT = "openai_chat"
FINISH_REASONS = {"refusal": "stop"}
"""A refusal ends like any answer: its words stand apart."""


def error(status: int, message: str, code: str) -> Json:
    """An error in OpenAI's envelope."""
    return {"error": {"message": message, "type": "server_error" if status >= 500 else "upstream", "code": code}}


class _OpenAI(Talk):
    @property
    def usage(self) -> Json:
        usage = self.counted(self.asked.prompt_tokens, self.said, self.asked.prompt_tokens + self.said)
        if self.thoughts:
            usage["completion_tokens_details"] = {"reasoning_tokens": self.thoughts}
        if self.cached or self.written:
            usage["prompt_tokens_details"] = {"cached_tokens": self.cached, "cache_write_tokens": self.written}
        return usage

    def counted(self, prompt: object, said: object, total: object) -> Json:
        return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": total}

    def _error(self, status: int, message: str, code: str) -> Json:
        return error(status, message, code)

    def _envelope(self, kind: str) -> Json:
        entry = self._entry
        return {"id": entry.id, "object": kind, "created": entry.started_at // 1000, "model": entry.model}


class StreamedOpenAI(_OpenAI):
    """Server-sent events, each sent as it is said."""

    async def begin(self, content_type: str | None = None) -> None:
        await self.exchange.begin(200, content_type or "text/event-stream")
        await self._send_chunk({"role": "assistant", "content": ""}, None)

    async def report_now(self) -> None:
        await self._send_usage(self.usage)

    async def comment(self) -> None:
        await self.exchange.send(b": keep-alive\n\n")

    async def garble(self) -> None:
        await self.exchange.send(b'data: {"id":"x","choices":[{"delta":{"cont\n\n')

    async def fail(self, status: int, message: str, code: str) -> None:
        await self._send_data(self._error(status, message, code))
        await self.exchange.end()

    async def break_off(self, reset: bool) -> None:
        await self.exchange.cut(reset)

    async def done(self, finish: Finish) -> None:
        await self._send_chunk({}, self._finish(finish))
        for usage in self._reported if self.asked.wants_usage else ():
            await self._send_usage(usage)
        await self.exchange.send(b"data: [DONE]\n\n")
        await self.exchange.end()

    async def _put_text(self, text: str) -> None:
        await self._send_delta({"content": text})

    async def _put_thought(self, text: str) -> None:
        await self._send_delta({"reasoning_content": text})

    async def _put_refusal(self, text: str) -> None:
        await self._send_delta({"refusal": text})

    async def _put_call(self, index: int, id: str, name: str) -> None:
        call = {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}
        await self._send_delta({"tool_calls": [call]})

    async def _put_arguments(self, index: int, fragment: str) -> None:
        await self._send_delta({"tool_calls": [{"index": index, "function": {"arguments": fragment}}]})

    async def _send_delta(self, delta: Json) -> None:
        await self._send_chunk(delta, None)
        self._count()

    async def _send_chunk(self, delta: Json, finish: Finish | None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": FINISH_REASONS.get(str(finish), finish)}
        await self._send_data(self._envelope("chat.completion.chunk") | {"choices": [choice]})

    async def _send_usage(self, usage: Json) -> None:
        await self._send_data(self._envelope("chat.completion.chunk") | {"choices": [], "usage": usage})

    async def _send_data(self, data: Json) -> None:
        await self.exchange.send(b"data: %b\n\n" % msgspec.json.encode(data))


class WholeOpenAI(_OpenAI, WholeTalk):
    """One chat completion."""

    USAGE_KEY = "usage"
    _refusal = ""

    async def _put_refusal(self, text: str) -> None:
        self._refusal += text

    def _answer(self, finish: Finish) -> Json:
        message: Json = {"role": "assistant", "content": None if self._calls else "".join(self._text)}
        if self._refusal:
            message |= {"content": None, "refusal": self._refusal}
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if self._calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self._calls
            ]
        choices = [{"index": 0, "message": message, "finish_reason": FINISH_REASONS.get(finish, finish)}]
        return self._envelope("chat.completion") | {"choices": choices}
