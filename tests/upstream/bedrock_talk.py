"""One chat answered as Bedrock's Converse: binary frames of events, or one body."""

from tests.dialects.bedrock_frames import event, exception
from tests.upstream.anthropic_talk import REDACTED, SIGNATURE, StreamedAnthropic, WholeAnthropic, input_of
from tests.upstream.talk import Finish, Json, Talk, ToolCall

DIALECT = "bedrock_converse"
STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "refusal": "content_filtered"}
ERROR_NAMES = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}


def error(status: int, message: str, code: str) -> Json:
    """A refusal's body; its name stands in a header, and `code` nowhere."""
    return {"message": message}


def error_name(status: int) -> str:
    return ERROR_NAMES.get(status, "InternalServerException")


class _Bedrock(Talk):
    @property
    def usage(self) -> Json:
        """Cached and written tokens stand beside `inputTokens`; thoughts are among the output."""
        usage: Json = {
            "inputTokens": self.asked.prompt_tokens - self.cached - self.written,
            "outputTokens": self.said,
            "totalTokens": self.asked.prompt_tokens + self.said,
            "cacheReadInputTokens": self.cached,
            "cacheWriteInputTokens": self.written,
        }
        if self.written:
            hour = self.written_for_an_hour
            lived = (("1h", hour), ("5m", self.written - hour))
            usage["cacheDetails"] = [{"ttl": ttl, "inputTokens": count} for ttl, count in lived if count]
        return usage

    def counted(self, prompt: object, said: object, total: object) -> Json:
        return {"inputTokens": prompt, "outputTokens": said, "totalTokens": total}

    def _error(self, status: int, message: str, code: str) -> Json:
        return error(status, message, code)

    async def _send_refusal(self, status: int, error: Json, headers: tuple[tuple[str, str], ...]) -> None:
        named = ("x-amzn-errortype", f"{error_name(status)}:http://internal.amazon.com/coral/com.amazon.bedrock/")
        await super()._send_refusal(status, error, (named, *headers))


class StreamedBedrock(_Bedrock, StreamedAnthropic):
    """Blocks that never overlap, as Anthropic's; only those of calls are opened, and the count comes last."""

    async def begin(self, content_type: str | None = None) -> None:
        await self.exchange.begin(200, content_type or "application/vnd.amazon.eventstream")
        self._waiting: dict[int, ToolCall] = {}
        await self.exchange.send(event("messageStart", role="assistant"))

    async def report_now(self) -> None:
        return

    async def comment(self) -> None:
        return

    async def garble(self) -> None:
        await self.exchange.send(b"\x00\x00\x00\x40 no frame at all, but as long as one")

    async def fail(self, status: int, message: str, code: str) -> None:
        name = error_name(status)
        await self.exchange.send(exception(name[0].lower() + name[1:], message=message))
        await self.exchange.end()

    async def done(self, finish: Finish) -> None:
        await self._close_blocks()
        await self.exchange.send(event("messageStop", stopReason=STOP_REASONS[self._finish(finish)]))
        for usage in self._reported:
            await self.exchange.send(event("metadata", usage=usage, metrics={"latencyMs": 9}))
        await self.exchange.end()

    async def _open(self, kind: str, fields: Json) -> None:
        self._kind, self._block = kind, self._block + 1
        if kind == "tool_use":
            start = {"toolUse": {"toolUseId": fields["id"], "name": fields["name"]}}
            await self.exchange.send(event("contentBlockStart", contentBlockIndex=self._block, start=start))
        elif kind == "redacted_thinking":
            await self._send_delta(kind, fields)

    async def _close(self) -> None:
        if self._kind == "thinking":
            await self._send_delta("signature_delta", {"signature": SIGNATURE})
        if self._kind is not None:
            await self.exchange.send(event("contentBlockStop", contentBlockIndex=self._block))
        self._kind = None

    async def _send_delta(self, kind: str, fields: Json) -> None:
        (value,) = fields.values()
        delta: dict[str, Json] = {
            "text_delta": {"text": value},
            "thinking_delta": {"reasoningContent": {"text": value}},
            "signature_delta": {"reasoningContent": {"signature": value}},
            "redacted_thinking": {"reasoningContent": {"redactedContent": value}},
            "input_json_delta": {"toolUse": {"input": value}},
        }
        await self.exchange.send(event("contentBlockDelta", contentBlockIndex=self._block, delta=delta[kind]))


class WholeBedrock(_Bedrock, WholeAnthropic):
    """One body."""

    def _answer(self, finish: Finish) -> Json:
        content: list[Json] = []
        if self._reasoning:
            thought = {"text": "".join(self._reasoning), "signature": SIGNATURE}
            content.append({"reasoningContent": {"reasoningText": thought}})
        if self._is_redacted:
            content.append({"reasoningContent": {"redactedContent": REDACTED}})
        if self._text:
            content.append({"text": "".join(self._text)})
        content += [
            {"toolUse": {"toolUseId": call.id, "name": call.name, "input": input_of(call)}} for call in self._calls
        ]
        message = {"role": "assistant", "content": content}
        return {"metrics": {"latencyMs": 9}, "output": {"message": message}, "stopReason": STOP_REASONS[finish]}
