"""One chat being answered in OpenAI's wire form: a stream of chunks or one whole body, behind the same verbs.

Scripts use the verbs; this file knows what they look like on the wire and counts the tokens that went out.
"""

import asyncio
import time
from typing import Literal

import msgspec

from tests.upstream.journal import Entry
from tests.upstream.wire import Exchange, render

Json = dict[str, object]
Finish = Literal["stop", "length", "tool_calls"]


class Asked(msgspec.Struct, frozen=True):
    """What of the request a script needs to know."""

    is_streaming: bool
    wants_usage: bool
    prompt_tokens: int
    max_tokens: int | None
    last_user_text: str
    tool_names: tuple[str, ...]


class Pace(msgspec.Struct, frozen=True):
    """How every script says its words: how many, with what pause before each, on which stem (`w0 w1 w2 …`)."""

    tokens: int = 5
    delay_ms: float = 0
    word: str = "w"


class _Function(msgspec.Struct):
    name: str
    arguments: str = ""


class _ToolCall(msgspec.Struct):
    id: str
    function: _Function
    type: str = "function"


class Talk:
    """The verbs of an answer. One token is one word, one thought or one fragment of a tool call."""

    def __init__(self, exchange: Exchange, entry: Entry, asked: Asked, pace: Pace) -> None:
        self.exchange = exchange
        self.asked = asked
        self.pace = pace
        self.thoughts = 0
        self._entry = entry
        self._words = 0
        self._created = int(time.time())

    @property
    def usage(self) -> Json:
        """An honest count of what was said so far."""
        said = self._words + self.thoughts
        usage: Json = {
            "prompt_tokens": self.asked.prompt_tokens,
            "completion_tokens": said,
            "total_tokens": self.asked.prompt_tokens + said,
        }
        if self.thoughts:
            usage["completion_tokens_details"] = {"reasoning_tokens": self.thoughts}
        return usage

    async def say(self, count: int | None = None) -> Finish:
        """The next `count` words (those that are left of the pace's by default), no more than max_tokens allows."""
        left = (self.pace.tokens if count is None else self._words + count) - self._words
        for _ in range(left):
            if self.asked.max_tokens is not None and self._words >= self.asked.max_tokens:
                return "length"
            space = " " if self._words else ""
            await self.say_text(f"{space}{self.pace.word}{self._words}")
        return "stop"

    async def say_text(self, text: str) -> None:
        """One token of content."""
        await self._pause()
        self._words += 1
        await self._send_delta({"content": text})

    async def think(self, text: str) -> None:
        """One token of reasoning, in the field of its own."""
        await self._pause()
        self.thoughts += 1
        await self._send_delta({"reasoning_content": text})

    async def call_tool(self, fragment: Json) -> None:
        """One fragment of a tool call, as in `delta.tool_calls`."""
        await self._pause()
        self._words += 1
        await self._send_delta({"tool_calls": [fragment]})

    async def begin(self, content_type: str | None = None) -> None:
        """The head of the answer, with another content type if given."""
        raise NotImplementedError

    async def report(self, *usages: Json) -> None:
        """What the upstream says it counted; nothing given is no usage at all."""
        raise NotImplementedError

    async def comment(self) -> None:
        """A keep-alive comment, where the form has one."""
        raise NotImplementedError

    async def garble(self) -> None:
        """Something that is not JSON where JSON belongs."""
        raise NotImplementedError

    async def fail(self, error: Json) -> None:
        """An error object inside the 200; ends the answer."""
        raise NotImplementedError

    async def break_off(self, reset: bool) -> None:
        """Close the socket inside the answer."""
        raise NotImplementedError

    async def done(self, finish: Finish) -> None:
        """The end, with its finish reason and whatever `report` was told."""
        raise NotImplementedError

    async def _send_delta(self, delta: Json) -> None:
        raise NotImplementedError

    async def _pause(self) -> None:
        if self.pace.delay_ms:
            await asyncio.sleep(self.pace.delay_ms / 1000)

    def _envelope(self, kind: str) -> Json:
        return {"id": self._entry.id, "object": kind, "created": self._created, "model": self._entry.model}


class StreamedTalk(Talk):
    """Server-sent events, each sent as it is said."""

    _usages: tuple[Json, ...] | None = None

    async def begin(self, content_type: str | None = None) -> None:
        await self.exchange.begin(200, content_type or "text/event-stream")
        await self._send_chunk({"role": "assistant", "content": ""}, None)

    async def report(self, *usages: Json) -> None:
        self._usages = usages

    async def comment(self) -> None:
        await self.exchange.send(b": keep-alive\n\n")

    async def garble(self) -> None:
        await self.exchange.send(b'data: {"id":"x","choices":[{"delta":{"cont\n\n')

    async def fail(self, error: Json) -> None:
        await self._send_data({"error": error})
        await self.exchange.end()

    async def break_off(self, reset: bool) -> None:
        await self.exchange.cut(reset)

    async def report_now(self, usage: Json) -> None:
        """A running count between the words, as some vendors send it."""
        await self._send_data(self._envelope("chat.completion.chunk") | {"choices": [], "usage": usage})

    async def done(self, finish: Finish) -> None:
        await self._send_chunk({}, finish)
        usages = (self.usage,) if self._usages is None else self._usages
        for usage in usages if self.asked.wants_usage else ():
            await self.report_now(usage)
        await self.exchange.send(b"data: [DONE]\n\n")
        await self.exchange.end()

    async def _send_delta(self, delta: Json) -> None:
        await self._send_chunk(delta, None)
        self._entry.count_token()

    async def _send_chunk(self, delta: Json, finish: Finish | None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        await self._send_data(self._envelope("chat.completion.chunk") | {"choices": [choice]})

    async def _send_data(self, data: Json) -> None:
        await self.exchange.send(b"data: %b\n\n" % msgspec.json.encode(data))


class WholeTalk(Talk):
    """One JSON body, sent at the end."""

    _usages: tuple[Json, ...] | None = None
    _content_type = "application/json"
    _is_garbled = False

    def __init__(self, exchange: Exchange, entry: Entry, asked: Asked, pace: Pace) -> None:
        super().__init__(exchange, entry, asked, pace)
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[_ToolCall] = []

    async def begin(self, content_type: str | None = None) -> None:
        self._content_type = content_type or self._content_type

    async def report(self, *usages: Json) -> None:
        self._usages = usages

    async def comment(self) -> None:
        return

    async def garble(self) -> None:
        self._is_garbled = True

    async def fail(self, error: Json) -> None:
        await self._send(msgspec.json.encode({"error": error}))

    async def break_off(self, reset: bool) -> None:
        response = render(200, self._body("stop"), self._content_type)
        await self.exchange.send_raw(response[: -len(response) // 4])
        await self.exchange.cut(reset)

    async def done(self, finish: Finish) -> None:
        body = self._body(finish)
        await self._send(body[: len(body) // 2] if self._is_garbled else body)
        for _ in range(self._words + self.thoughts):
            self._entry.count_token()

    async def _send_delta(self, delta: Json) -> None:
        match delta:
            case {"content": str(text)}:
                self._text.append(text)
            case {"reasoning_content": str(text)}:
                self._reasoning.append(text)
            case {"tool_calls": [{"id": str(id), "function": {"name": str(name)}}]}:
                self._calls.append(_ToolCall(id, _Function(name)))
            case {"tool_calls": [{"index": int(index), "function": {"arguments": str(arguments)}}]}:
                self._calls[index].function.arguments += arguments

    def _body(self, finish: Finish) -> bytes:
        message: Json = {"role": "assistant", "content": None if self._calls else "".join(self._text)}
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if self._calls:
            message["tool_calls"] = self._calls
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        body = msgspec.json.encode(self._envelope("chat.completion") | {"choices": choices})
        usages = (self.usage,) if self._usages is None else self._usages
        for usage in usages:  # a repeated key stands in the body twice
            body = body[:-1] + b',"usage":%b}' % msgspec.json.encode(usage)
        return body

    async def _send(self, body: bytes) -> None:
        await self.exchange.send_raw(render(200, body, self._content_type))
