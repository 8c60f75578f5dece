"""The verbs of an answer, the same in every family of vendors; scripts use them and never see a wire.

What they look like there is the business of `openai_talk`, `anthropic_talk`, `gemini_talk` and `cohere_talk`: each has
a stream and one whole body.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal

import msgspec

from tests.upstream.journal import Entry
from tests.upstream.wire import Exchange, render

Json = dict[str, object]
Finish = Literal["stop", "length", "tool_calls", "refusal"]


class Offered(msgspec.Struct, frozen=True):
    """A tool that a request offers, and the JSON schema of its arguments."""

    name: str
    schema: Json


class Called(msgspec.Struct, frozen=True):
    """A call that the model made earlier, as the request tells it."""

    id: str
    name: str
    arguments: Json


class Result(msgspec.Struct, frozen=True):
    """What a tool answered to the call of that id."""

    call_id: str
    text: str


class Asked(msgspec.Struct, frozen=True):
    """What of the request a script needs to know. `texts`: what system and user said; the rest in the order told."""

    is_streaming: bool
    wants_usage: bool
    prompt_tokens: int
    max_tokens: int | None
    last_user_text: str
    texts: tuple[str, ...]
    tools: tuple[Offered, ...]
    calls: tuple[Called, ...]
    results: tuple[Result, ...]
    ends_in_tool_result: bool

    @property
    def tool_names(self) -> tuple[str, ...]:
        return tuple(tool.name for tool in self.tools)


KEY_HEADERS = ("x-api-key", "x-goog-api-key", "api-key")


class Pace(msgspec.Struct, frozen=True):
    """How every script says its words: how many, with what pause before each, on which stem (`w0 w1 w2 …`).

    With bytewise=1 every byte of the answer is written alone.
    """

    tokens: int = 5
    delay_ms: float = 0
    word: str = "w"
    bytewise: int = 0


class ToolCall(msgspec.Struct):
    """A call as far as it was said."""

    id: str
    name: str
    fragments: list[str] = []

    @property
    def arguments(self) -> str:
        return "".join(self.fragments)

    @property
    def token_count(self) -> int:
        """Its name and every fragment."""
        return 1 + len(self.fragments)


class Talk:
    """The verbs. One token is one word, one thought, a tool call's name or one fragment of its arguments.

    No more tokens are said than the request allows: what comes later is left unsaid and the answer ends for length.
    """

    def __init__(self, exchange: Exchange, entry: Entry, asked: Asked, pace: Pace) -> None:
        self.exchange = exchange
        self.asked = asked
        self.pace = pace
        self.thoughts = 0
        self.cached = 0
        self.written = 0
        self.written_for_an_hour = 0
        self.searches = 0
        self.refusal_headers: tuple[tuple[str, str], ...] = ()
        self._entry = entry
        self._words = 0
        self._is_short = False
        self._usages: tuple[Json, ...] | None = None

    @property
    def said(self) -> int:
        """Tokens so far, thoughts among them."""
        return self._words + self.thoughts

    @property
    def key(self) -> str:
        """The key that the request came with, wherever the family has it."""
        headers = self._entry.headers
        places = (headers.get("authorization", "").removeprefix("Bearer "), *map(headers.get, KEY_HEADERS))
        return next(filter(None, places), "")

    @property
    def usage(self) -> Json:
        """An honest count of what was said so far."""
        raise NotImplementedError

    def counted(self, prompt: object, said: object, total: object) -> Json:
        """A count of any kind, honest or not, in the family's words."""
        raise NotImplementedError

    async def say(self, count: int | None = None) -> Finish:
        """The next `count` words (those that are left of the pace's by default), no more than max_tokens allows."""
        for _ in range(self.pace.tokens - self._words if count is None else count):
            if self._is_full:
                return "length"
            space = " " if self._words else ""
            await self.say_text(f"{space}{self.pace.word}{self._words}")
        return "stop"

    async def say_text(self, text: str) -> None:
        """One token of content."""
        if await self._may_speak():
            self._words += 1
            await self._put_text(text)

    async def think(self, text: str) -> None:
        """One token of reasoning, in the place that the family has for it."""
        if await self._may_speak():
            self.thoughts += 1
            await self._put_thought(text)

    async def redact(self) -> None:
        """A thought that the vendor keeps to itself, in families that have such."""

    async def decline(self, text: str) -> None:
        """One token of a refusal, in the place that the family has for it."""
        if await self._may_speak():
            self._words += 1
            await self._put_refusal(text)

    async def call_tool(self, index: int, id: str, name: str) -> None:
        """Begin a tool call; several may be under way."""
        if await self._may_speak():
            self._words += 1
            await self._put_call(index, id, name)

    async def add_arguments(self, index: int, fragment: str) -> None:
        """A fragment of the arguments of a call that was begun."""
        if await self._may_speak():
            self._words += 1
            await self._put_arguments(index, fragment)

    async def report(self, *usages: Json) -> None:
        """What the upstream says it counted, from `begin` on if said before; nothing given is no usage at all."""
        self._usages = usages

    async def refuse(self, status: int, message: str, code: str, retry_after_s: int | None = None) -> None:
        """A failure with that status in place of an answer."""
        headers = () if retry_after_s is None else (("retry-after", str(retry_after_s)),)
        await self._send_refusal(status, self._error(status, message, code), headers)

    async def begin(self, content_type: str | None = None) -> None:
        """The head of the answer, with another content type if given."""
        raise NotImplementedError

    async def report_now(self) -> None:
        """A running count between the words, as some vendors send it; a whole body has no place for one."""
        raise NotImplementedError

    async def comment(self) -> None:
        """A sign of life, where the form has one."""
        raise NotImplementedError

    async def garble(self) -> None:
        """Something that is not JSON where JSON belongs."""
        raise NotImplementedError

    async def fail(self, status: int, message: str, code: str) -> None:
        """The error of that status inside the 200; ends the answer."""
        raise NotImplementedError

    async def break_off(self, reset: bool) -> None:
        """Close the socket inside the answer."""
        raise NotImplementedError

    async def done(self, finish: Finish) -> None:
        """The end, with its finish reason and whatever `report` was told."""
        raise NotImplementedError

    def _error(self, status: int, message: str, code: str) -> Json:
        raise NotImplementedError

    async def _put_text(self, text: str) -> None:
        raise NotImplementedError

    async def _put_refusal(self, text: str) -> None:
        await self._put_text(text)

    async def _put_thought(self, text: str) -> None:
        raise NotImplementedError

    async def _put_call(self, index: int, id: str, name: str) -> None:
        raise NotImplementedError

    async def _put_arguments(self, index: int, fragment: str) -> None:
        raise NotImplementedError

    async def _send_refusal(self, status: int, error: Json, headers: tuple[tuple[str, str], ...]) -> None:
        more = (*headers, *self.refusal_headers)
        await self.exchange.send_raw(render(status, msgspec.json.encode(error), "application/json", more))

    @property
    def _is_full(self) -> bool:
        return self.asked.max_tokens is not None and self.said >= self.asked.max_tokens

    @property
    def _reported(self) -> Sequence[Json]:
        return (self.usage,) if self._usages is None else self._usages

    def _finish(self, finish: Finish) -> Finish:
        return "length" if self._is_short else finish

    async def _may_speak(self) -> bool:
        if self._is_full:
            self._is_short = True
            return False
        if self.pace.delay_ms:
            await asyncio.sleep(self.pace.delay_ms / 1000)
        return True

    def _count(self, tokens: int = 1) -> None:
        for _ in range(tokens):
            self._entry.count_token()


class WholeTalk(Talk):
    """One JSON body, sent at the end."""

    USAGE_KEY: str

    def __init__(self, exchange: Exchange, entry: Entry, asked: Asked, pace: Pace) -> None:
        super().__init__(exchange, entry, asked, pace)
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self._content_type = "application/json"
        self._is_garbled = False

    async def begin(self, content_type: str | None = None) -> None:
        self._content_type = content_type or self._content_type

    async def report_now(self) -> None:
        return

    async def comment(self) -> None:
        return

    async def garble(self) -> None:
        self._is_garbled = True

    async def fail(self, status: int, message: str, code: str) -> None:
        await self._send(msgspec.json.encode(self._error(status, message, code)))

    async def break_off(self, reset: bool) -> None:
        response = render(200, self._body("stop"), self._content_type)
        await self.exchange.send_raw(response[: -len(response) // 4])
        await self.exchange.cut(reset)

    async def done(self, finish: Finish) -> None:
        body = self._body(self._finish(finish))
        await self._send(body[: len(body) // 2] if self._is_garbled else body)
        self._count(self.said)

    def _answer(self, finish: Finish) -> Json:
        """The body but for its usage."""
        raise NotImplementedError

    def _body(self, finish: Finish) -> bytes:
        body = msgspec.json.encode(self._answer(finish))
        for usage in self._reported:  # a repeated key stands in the body twice
            body = body[:-1] + b',"%b":%b}' % (self.USAGE_KEY.encode(), msgspec.json.encode(usage))
        return body

    async def _put_text(self, text: str) -> None:
        self._text.append(text)

    async def _put_thought(self, text: str) -> None:
        self._reasoning.append(text)

    async def _put_call(self, index: int, id: str, name: str) -> None:
        self._calls.append(ToolCall(id, name))

    async def _put_arguments(self, index: int, fragment: str) -> None:
        self._calls[index].fragments.append(fragment)

    async def _send(self, body: bytes) -> None:
        await self.exchange.send_raw(render(200, body, self._content_type))
