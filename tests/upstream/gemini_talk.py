"""One chat answered as Gemini's generateContent: whole responses as stream events, or one of them."""

import msgspec

from tests.upstream.talk import Finish, Json, Talk, ToolCall, WholeTalk

DIALECT = "gemini"
SIGNATURE = "CiQBcsjafEt5bWEgdXBzdHJlYW0gdGhvdWdodCD7777//j9+0zAxMjM0NTY3ODkuLg=="
"""What signs an answer's first function call or, after thoughts, its last text: opaque."""

FINISH_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "refusal": "SAFETY"}
ERROR_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


def error(status: int, message: str, code: str, *details: Json) -> Json:
    """An error in Google's envelope; `code` has no place there."""
    name = ERROR_STATUSES.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")
    fields: Json = {"code": status, "message": message, "status": name}
    return {"error": fields | ({"details": details} if details else {})}


class _Gemini(Talk):
    @property
    def usage(self) -> Json:
        """Cached tokens stand inside the prompt's; thoughts beside the candidates'. Writing to a cache is no token."""
        usage = self.counted(self.asked.prompt_tokens, self._words, self.asked.prompt_tokens + self.said)
        if self.thoughts:
            usage["thoughtsTokenCount"] = self.thoughts
        if self.cached:
            usage["cachedContentTokenCount"] = self.cached
        return usage

    def counted(self, prompt: object, said: object, total: object) -> Json:
        return {"promptTokenCount": prompt, "candidatesTokenCount": said, "totalTokenCount": total}

    async def refuse(self, status: int, message: str, code: str, retry_after_s: int | None = None) -> None:
        """The delay stands in the body's details, not in a header."""
        details: list[Json] = []
        if retry_after_s is not None:
            details.append({"@type": RETRY_INFO, "retryDelay": f"{retry_after_s}s"})
        await self._send_refusal(status, error(status, message, code, *details), ())

    def _error(self, status: int, message: str, code: str) -> Json:
        return error(status, message, code)

    def _response(self, parts: list[Json], finish: Finish | None) -> Json:
        candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish is not None:
            candidate["finishReason"] = FINISH_REASONS[finish]
        return {"candidates": [candidate], "modelVersion": self._entry.model, "responseId": self._entry.id}


class StreamedGemini(_Gemini):
    """Server-sent events without names, each a whole response; calls are said when they are complete."""

    _has_called = False

    async def begin(self, content_type: str | None = None) -> None:
        await self.exchange.begin(200, content_type or "text/event-stream")
        self._open: dict[int, ToolCall] = {}

    async def report_now(self) -> None:
        await self._send_data(self._response([{"text": ""}], None) | {"usageMetadata": self.usage})

    async def comment(self) -> None:
        await self.exchange.send(b": keep-alive\n\n")

    async def garble(self) -> None:
        await self.exchange.send(b'data: {"candidates":[{"content":{"parts":[{"te\n\n')

    async def fail(self, status: int, message: str, code: str) -> None:
        await self._send_data(self._error(status, message, code))
        await self.exchange.end()

    async def break_off(self, reset: bool) -> None:
        await self.exchange.cut(reset)

    async def done(self, finish: Finish) -> None:
        await self._send_calls()
        last: Json = {"text": ""}
        if self.thoughts and not self._has_called:
            last["thoughtSignature"] = SIGNATURE
        response = self._response([last], self._finish(finish))
        for usage in self._reported:
            await self._send_data(response | {"usageMetadata": usage})
        if not self._reported:
            await self._send_data(response)
        await self.exchange.end()

    async def _put_text(self, text: str) -> None:
        await self._send_calls()
        await self._send_part({"text": text})
        self._count()

    async def _put_thought(self, text: str) -> None:
        await self._send_calls()
        await self._send_part({"text": text, "thought": True})
        self._count()

    async def _put_call(self, index: int, id: str, name: str) -> None:
        self._open[index] = ToolCall(id, name)

    async def _put_arguments(self, index: int, fragment: str) -> None:
        self._open[index].fragments.append(fragment)

    async def _send_calls(self) -> None:
        for call in self._open.values():
            for part in _call_parts([call], not self._has_called):
                await self._send_part(part)
                self._count(call.token_count)
                self._has_called = True
        self._open = {}

    async def _send_part(self, part: Json) -> None:
        response = self._response([part], None)
        for usage in self._reported[:1]:
            response["usageMetadata"] = usage
        await self._send_data(response)

    async def _send_data(self, data: Json) -> None:
        await self.exchange.send(b"data: %b\r\n\r\n" % msgspec.json.encode(data))


class WholeGemini(_Gemini, WholeTalk):
    """One response."""

    USAGE_KEY = "usageMetadata"

    def _answer(self, finish: Finish) -> Json:
        parts: list[Json] = []
        if self._reasoning:
            parts.append({"text": "".join(self._reasoning), "thought": True})
        calls = _call_parts(self._calls, True)
        if self._text or not calls:
            said: Json = {"text": "".join(self._text)}
            parts.append(said | ({"thoughtSignature": SIGNATURE} if self._reasoning and not calls else {}))
        return self._response(parts + calls, finish)


def _call_parts(calls: list[ToolCall], is_first: bool) -> list[Json]:
    """The calls whose arguments are complete, without an id if they have none; the first of an answer is signed."""
    parts: list[Json] = []
    for call in calls:
        try:
            args = msgspec.json.decode(call.arguments or "{}", type=Json)
        except msgspec.DecodeError:
            continue
        function = ({"id": call.id} if call.id else {}) | {"name": call.name, "args": args}
        signature = {"thoughtSignature": SIGNATURE} if is_first and not parts else {}
        parts.append({"functionCall": function, **signature})
    return parts
