"""One chat answered as Anthropic Messages: typed events around blocks that never overlap, or one message."""

import msgspec

from tests.upstream.talk import Finish, Json, Talk, ToolCall, WholeTalk

DIALECT = "anthropic_messages"
SIGNATURE = "EqoBCkYIBxgCKkDs+3/Kyma/Upstream+Thought/0123456789abcdef+/ErUBEgyUZXN0U2lnbmF0dXJlGgwx=="
"""What signs every thinking block: opaque, with all the signs that are easily lost on the way."""

REDACTED = "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP=="
"""What stands for a thought that is kept from its reader."""

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "refusal": "refusal"}
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
REQUEST_ID = "req_upstream"


def error(status: int, message: str, code: str) -> Json:
    """An error in Anthropic's envelope; `code` has no place there."""
    kind = ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": REQUEST_ID}


class _Anthropic(Talk):
    @property
    def usage(self) -> Json:
        """Cached and written tokens stand beside `input_tokens`; thoughts are among the output."""
        usage: Json = {
            "input_tokens": self.asked.prompt_tokens - self.cached - self.written,
            "cache_creation_input_tokens": self.written,
            "cache_read_input_tokens": self.cached,
            "output_tokens": self.said,
        }
        if self.written_for_an_hour:
            minutes, hour = self.written - self.written_for_an_hour, self.written_for_an_hour
            usage["cache_creation"] = {"ephemeral_5m_input_tokens": minutes, "ephemeral_1h_input_tokens": hour}
        if self.searches:
            usage["server_tool_use"] = {"web_search_requests": self.searches, "web_fetch_requests": 0}
        return usage | ({"output_tokens_details": {"thinking_tokens": self.thoughts}} if self.thoughts else {})

    def counted(self, prompt: object, said: object, total: object) -> Json:
        return {"input_tokens": prompt, "output_tokens": said}

    def _error(self, status: int, message: str, code: str) -> Json:
        return error(status, message, code)

    async def _send_refusal(self, status: int, error: Json, headers: tuple[tuple[str, str], ...]) -> None:
        await super()._send_refusal(status, error, (("request-id", REQUEST_ID), *headers))

    def _message(self, content: list[Json], stop_reason: str | None) -> Json:
        return {
            "id": self._entry.id,
            "type": "message",
            "role": "assistant",
            "model": self._entry.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
        }


class StreamedAnthropic(_Anthropic):
    """Server-sent events with names. A call that is begun while another is open waits until that one is closed."""

    _kind: str | None = None
    _block = -1
    _call = -1

    async def begin(self, content_type: str | None = None) -> None:
        await self.exchange.begin(200, content_type or "text/event-stream; charset=utf-8")
        message = self._message([], None)
        for usage in self._reported[:1]:
            message["usage"] = usage | {"output_tokens": min(1, self.asked.max_tokens or 0)}
        self._waiting: dict[int, ToolCall] = {}
        await self._send("message_start", {"message": message})
        await self.comment()

    async def report_now(self) -> None:
        await self._send("message_delta", {"delta": {"stop_reason": None, "stop_sequence": None}, "usage": self.usage})

    async def comment(self) -> None:
        await self._send("ping", {})

    async def garble(self) -> None:
        await self.exchange.send(
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"te\n\n'
        )

    async def fail(self, status: int, message: str, code: str) -> None:
        await self._send("error", self._error(status, message, code))
        await self.exchange.end()

    async def break_off(self, reset: bool) -> None:
        await self.exchange.cut(reset)

    async def done(self, finish: Finish) -> None:
        await self._close_blocks()
        delta: Json = {"delta": {"stop_reason": STOP_REASONS[self._finish(finish)], "stop_sequence": None}}
        for usage in self._reported:
            await self._send("message_delta", delta | {"usage": usage})
        if not self._reported:
            await self._send("message_delta", delta)
        await self._send("message_stop", {})
        await self.exchange.end()

    async def _put_text(self, text: str) -> None:
        if self._kind != "text":
            await self._close_blocks()
            await self._open("text", {"text": ""})
        await self._send_delta("text_delta", {"text": text})
        self._count()

    async def _put_thought(self, text: str) -> None:
        if self._kind != "thinking":
            await self._close_blocks()
            await self._open("thinking", {"thinking": "", "signature": ""})
        await self._send_delta("thinking_delta", {"thinking": text})
        self._count()

    async def redact(self) -> None:
        await self._close_blocks()
        await self._open("redacted_thinking", {"data": REDACTED})
        await self._close_blocks()

    async def _put_call(self, index: int, id: str, name: str) -> None:
        call = ToolCall(id, name)
        if self._kind == "tool_use":
            self._waiting[index] = call
        else:
            await self._close_blocks()
            self._call = index
            await self._open_call(call)

    async def _put_arguments(self, index: int, fragment: str) -> None:
        if self._kind == "tool_use" and index == self._call:
            await self._send_arguments(fragment)
        else:
            self._waiting[index].fragments.append(fragment)

    async def _close_blocks(self) -> None:
        """Close the open block, and say what had to wait for that."""
        await self._close()
        for call in self._waiting.values():
            await self._open_call(call)
            for fragment in call.fragments:
                await self._send_arguments(fragment)
            await self._close()
        self._waiting = {}

    async def _open_call(self, call: ToolCall) -> None:
        await self._open("tool_use", {"id": call.id, "name": call.name, "input": {}})
        await self._send_delta("input_json_delta", {"partial_json": ""})
        self._count()

    async def _send_arguments(self, fragment: str) -> None:
        await self._send_delta("input_json_delta", {"partial_json": fragment})
        self._count()

    async def _open(self, kind: str, fields: Json) -> None:
        self._kind, self._block = kind, self._block + 1
        block = {"type": kind, **fields}
        await self._send("content_block_start", {"index": self._block, "content_block": block})

    async def _close(self) -> None:
        if self._kind == "thinking":
            await self._send_delta("signature_delta", {"signature": SIGNATURE})
        if self._kind is not None:
            await self._send("content_block_stop", {"index": self._block})
        self._kind = None

    async def _send_delta(self, kind: str, fields: Json) -> None:
        await self._send("content_block_delta", {"index": self._block, "delta": {"type": kind, **fields}})

    async def _send(self, event: str, fields: Json) -> None:
        data = msgspec.json.encode({"type": event, **fields})
        await self.exchange.send(b"event: %b\ndata: %b\n\n" % (event.encode(), data))


class WholeAnthropic(_Anthropic, WholeTalk):
    """One message."""

    USAGE_KEY = "usage"
    _is_redacted = False

    async def redact(self) -> None:
        self._is_redacted = True

    def _answer(self, finish: Finish) -> Json:
        content: list[Json] = []
        if self._reasoning:
            content.append({"type": "thinking", "thinking": "".join(self._reasoning), "signature": SIGNATURE})
        if self._is_redacted:
            content.append({"type": "redacted_thinking", "data": REDACTED})
        if self._text:
            content.append({"type": "text", "text": "".join(self._text)})
        content += [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": input_of(call)} for call in self._calls
        ]
        return self._message(content, STOP_REASONS[finish])


def input_of(call: ToolCall) -> Json:
    """The arguments; nothing when max_tokens cut them short."""
    try:
        return msgspec.json.decode(call.arguments, type=Json)
    except msgspec.DecodeError:
        return {}
