"""The scripts: what a `model` field such as `script:cut:k=3,mode=rst` makes the upstream do.

A script is a function; its keyword arguments with their defaults are the options it takes. Every script also takes
the options of `Pace`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

import msgspec

from tests.upstream.editing import Say, next_step
from tests.upstream.quoting import mirror, quoted, tells_key
from tests.upstream.talk import Json, Talk
from tests.upstream.toolbox import Broken
from tests.upstream.wire import render

HTML = b"<!DOCTYPE html><html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>"


class Turn(msgspec.Struct):
    """Where a script stands: which request to its model string this is, and that string's dice."""

    number: int
    dice: Callable[[int], random.Random]
    is_busy: bool = False


Script = Callable[..., Awaitable[None]]


async def ok(talk: Talk, turn: Turn) -> None:
    """A good answer."""
    await talk.begin()
    await talk.done(await talk.say())


async def slow_first_byte(talk: Talk, turn: Turn, *, s: float = 2.0, head: int = 0) -> None:
    """Silence for `s` seconds, then a good answer; with head=1 a stream sends its head at once."""
    if head:
        await talk.begin()
    await asyncio.sleep(s)
    if not head:
        await talk.begin()
    await talk.done(await talk.say())


async def cut(talk: Talk, turn: Turn, *, k: int = 3, mode: str = "fin") -> None:
    """Closes the socket after `k` tokens, or inside a whole body; mode=rst resets it."""
    await talk.begin()
    await talk.say(k)
    await talk.break_off(mode == "rst")


async def cut_call(talk: Talk, turn: Turn, *, k: int = 1) -> None:
    """Closes the socket after a word and `k` fragments, at most two, of a tool call's arguments."""
    await talk.begin()
    await talk.say(1)
    await talk.call_tool(0, "call_cut", "get_weather")
    for fragment in ('{"city"', ':"Par')[:k]:
        await talk.add_arguments(0, fragment)
    await talk.break_off(False)


async def cut_before(talk: Talk, turn: Turn, *, mode: str = "fin") -> None:
    """Closes the socket before any byte."""
    await talk.exchange.cut(mode == "rst")


async def throttled(talk: Talk, turn: Turn, *, s: int = 1) -> None:
    """429 that asks for `s` seconds of patience, in the family's way."""
    await talk.refuse(429, "Rate limit reached for requests", "rate_limit_exceeded", s)


async def status(talk: Talk, turn: Turn, *, code: int = 500, body: str = "json") -> None:
    """A bare failure with that status; body=html sends a page."""
    if body == "html":
        await talk.exchange.send_raw(render(code, HTML, "text/html"))
    else:
        await talk.refuse(code, f"The server answered {code}", f"error_{code}")


async def html_200(talk: Talk, turn: Turn) -> None:
    """A page of HTML as success."""
    await talk.exchange.send_raw(render(200, HTML, "text/html"))


async def garbage_chunk(talk: Talk, turn: Turn, *, k: int = 2) -> None:
    """After `k` tokens a chunk of broken JSON, then on as if nothing were; a whole body breaks off in the middle."""
    await talk.begin()
    await talk.say(k)
    await talk.garble()
    await talk.done(await talk.say())


async def negative_usage(talk: Talk, turn: Turn) -> None:
    """Counts below zero."""
    await _say_and_report(talk, talk.counted(-5, -7, -12))


async def huge_usage(talk: Talk, turn: Turn, *, n: int = 10**12) -> None:
    """Counts of `n` tokens each way."""
    await _say_and_report(talk, talk.counted(n, n, 2 * n))


async def float_usage(talk: Talk, turn: Turn) -> None:
    """Counts with a fraction."""
    await _say_and_report(talk, talk.counted(3.5, 2.25, 5.75))


async def string_usage(talk: Talk, turn: Turn) -> None:
    """Counts in quotes."""
    await _say_and_report(talk, talk.counted("12", "5", "17"))


async def no_usage(talk: Talk, turn: Turn) -> None:
    """No count at all, even when asked."""
    await _say_and_report(talk)


async def repeated_usage(talk: Talk, turn: Turn) -> None:
    """A running count after every word and the final one twice; in a whole body the key stands there twice."""
    await talk.begin()
    finish = await talk.say(0)
    for _ in range(talk.pace.tokens):
        finish = await talk.say(1)
        await talk.report_now()
    await talk.report(talk.usage, talk.usage)
    await talk.done(finish)


async def error_in_stream(talk: Talk, turn: Turn, *, k: int = 2, code: int = 503) -> None:
    """An error object of that status after `k` tokens and no more; in a whole body, in place of the answer."""
    await talk.begin()
    await talk.say(k)
    await talk.fail(code, "The engine is overloaded", "overloaded")


async def empty(talk: Talk, turn: Turn, *, body: str = "json") -> None:
    """A 200 that says nothing: blank content, or with body=none not one byte."""
    if body == "none":
        await talk.exchange.send_raw(render(200, b"", "application/json"))
        return
    await talk.begin()
    await talk.done("stop")


async def tools(talk: Talk, turn: Turn, *, parallel: int = 1, ids: int = 1) -> None:
    """`parallel` tool calls, their arguments in fragments; names are those the request offers, in turn.

    With ids=0 they have an empty id, in Gemini none.
    """
    names = talk.asked.tool_names or ("get_weather",)
    await talk.begin()
    for index in range(parallel):
        await talk.call_tool(index, f"call_{index}" if ids else "", names[index % len(names)])
    for fragment in ('{"city"', ':"Par', 'is"}'):
        for index in range(parallel):
            await talk.add_arguments(index, fragment)
    await talk.done("tool_calls")


async def think(talk: Talk, turn: Turn, *, thoughts: int = 3, tags: int = 0) -> None:
    """Thinks first, in the family's place for it; with tags=1 in the content between think tags."""
    await talk.begin()
    if tags:
        await talk.say_text("<think>")
        await talk.say_text("hm</think>")
    else:
        for index in range(thoughts):
            await talk.think(f"{' ' if index else ''}t{index}")
    await talk.done(await talk.say())


async def agent(talk: Talk, turn: Turn, *, again: int = 0) -> None:
    """Thinks, then calls the first tool offered, or answers when the conversation has a tool result.

    With again=1 an earlier result does not count: it calls whenever the last turn is none.
    """
    asked = talk.asked
    has_result = asked.ends_in_tool_result if again else bool(asked.results)
    await talk.begin()
    for thought in ("Let", " me", " see"):
        await talk.think(thought)
    if has_result or not asked.tool_names:
        await talk.done(await talk.say())
        return
    await talk.call_tool(0, f"call_{turn.number}", asked.tool_names[0])
    for fragment in ('{"city"', ':"Par', 'is"}'):
        await talk.add_arguments(0, fragment)
    await talk.done("tool_calls")


async def reasoner(talk: Talk, turn: Turn, *, steps: int = 2) -> None:
    """Thinks before each of `steps` tool calls, one a turn, and before the answer; behind a thought a redacted one."""
    asked = talk.asked
    await talk.begin()
    for thought in ("Step", f" {len(asked.results)}", " – h\u00fcm \U0001f914"):
        await talk.think(thought)
    await talk.redact()
    if len(asked.results) >= steps or not asked.tool_names:
        await talk.done(await talk.say())
        return
    await talk.say_text("I look.")
    await talk.call_tool(0, f"call_{len(asked.results)}", asked.tool_names[0])
    for fragment in ('{"city"', ':"Par', 'is"}'):
        await talk.add_arguments(0, fragment)
    await talk.done("tool_calls")


async def structured(talk: Talk, turn: Turn) -> None:
    """An answer in JSON."""
    await talk.begin()
    for piece in ('{"city":"Z', "\u00fcrich", '","days":[1,', "2]}"):
        await talk.say_text(piece)
    await talk.done("stop")


async def decline(talk: Talk, turn: Turn) -> None:
    """The model refuses, in words."""
    await talk.begin()
    for piece in ("I can't", " help", " with that."):
        await talk.decline(piece)
    await talk.done("refusal")


async def edit(talk: Talk, turn: Turn, *, shell: int = 0) -> None:
    """Does what the user wishes of a file (see `editing`), turn by turn, thinking before each.

    A history that has changed on its way is a 400. With shell=1 it takes a shell, even if there are better tools.
    """
    try:
        step = next_step(talk.asked, bool(shell))
    except Broken as error:
        await talk.refuse(400, str(error), "broken_history")
        return
    await talk.begin()
    for thought in ("Let", " me", " see"):
        await talk.think(thought)
    if isinstance(step, Say):
        for token in step.tokens:
            await talk.say_text(token)
        await talk.done("stop")
        return
    for index, call in enumerate(step):
        await talk.call_tool(index, call.id, call.name)
    for index, call in enumerate(step):
        for fragment in call.fragments:
            await talk.add_arguments(index, fragment)
    await talk.done("tool_calls")


async def interleaved(talk: Talk, turn: Turn) -> None:
    """A word, then two tool calls with arguments of their own whose fragments come in turn, where the form has any."""
    names = talk.asked.tool_names or ("get_weather",)
    await talk.begin()
    await talk.say(1)
    await talk.call_tool(0, "call_paris", names[0])
    await talk.add_arguments(0, '{"city"')
    await talk.call_tool(1, "call_oslo", names[-1])
    for index, fragment in ((1, '{"ci'), (0, ':"Par'), (1, 'ty":"'), (1, "Os"), (0, 'is"}'), (1, 'lo"}')):
        await talk.add_arguments(index, fragment)
    await talk.done("tool_calls")


async def cached(talk: Talk, turn: Turn, *, read: int = 2, written: int = 1, hour: int = 0, searches: int = 0) -> None:
    """A good answer; so many tokens of the prompt (no more than it has) were read from a cache and written to it.

    `hour` of the written ones are kept for an hour, and so many searches were made; only Anthropic says either.
    """
    talk.cached = min(read, talk.asked.prompt_tokens)
    talk.written = min(written, talk.asked.prompt_tokens - talk.cached)
    talk.written_for_an_hour = min(hour, talk.written)
    talk.searches = searches
    await ok(talk, turn)


async def echo(talk: Talk, turn: Turn) -> None:
    """Says the last user message again, word by word."""
    await talk.begin()
    for index, word in enumerate(talk.asked.last_user_text.split()):
        await talk.say_text(f"{' ' if index else ''}{word}")
    await talk.done("stop")


async def hang(talk: Talk, turn: Turn) -> None:
    """Never answers."""
    await asyncio.Event().wait()


async def stall(talk: Talk, turn: Turn, *, k: int = 2) -> None:
    """After `k` tokens nothing more, and no end."""
    await talk.begin()
    await talk.say(k)
    await asyncio.Event().wait()


async def busy_at_times(talk: Talk, turn: Turn) -> None:
    """429 while the upstream is told to be busy, else a good answer."""
    await (throttled if turn.is_busy else ok)(talk, turn)


async def flaky(talk: Talk, turn: Turn, *, p: float = 0.3, seed: int = 1, busy: int = 1) -> None:
    """Fails before any content with probability `p`, each time in one of many ways; otherwise a good answer.

    With busy=0 none of them is a 429, which would have the key rest for a second.
    """
    dice = turn.dice(seed)
    if dice.random() >= p:
        await ok(talk, turn)
        return
    match dice.randrange(8):
        case 0 | 1 as which:
            await status(talk, turn, code=(500, 503)[which])
        case 2:
            await status(talk, turn, code=502, body="html")
        case 3 if busy:
            await throttled(talk, turn)
        case 4:
            await cut_before(talk, turn, mode=dice.choice(("fin", "rst")))
        case 5:
            await html_200(talk, turn)
        case 6:
            await error_in_stream(talk, turn, k=0)
        case _:
            await empty(talk, turn)


async def die_after(talk: Talk, turn: Turn, *, n: int = 5) -> None:
    """`n` good answers to this model string, then 500 for ever."""
    await (ok if turn.number <= n else status)(talk, turn)


async def wrong_content_type(talk: Talk, turn: Turn, *, type: str = "text/plain") -> None:
    """A good answer under a false name."""
    await talk.begin(type)
    await talk.done(await talk.say())


async def keepalive_comments(talk: Talk, turn: Turn) -> None:
    """A sign of life before every word: a comment, in Anthropic's stream a ping."""
    await talk.begin()
    finish = await talk.say(0)
    for _ in range(talk.pace.tokens):
        await talk.comment()
        finish = await talk.say(1)
    await talk.done(finish)


async def paced(talk: Talk, turn: Turn, *, interval_ms: float = 20, events: int = 50) -> None:
    """A word every `interval_ms`; events=0 goes on for ever."""
    await talk.begin()
    said = 0
    while events == 0 or said < events:
        await asyncio.sleep(interval_ms / 1000)
        if await talk.say(1) == "length":
            await talk.done("length")
            return
        said += 1
    await talk.done("stop")


async def _say_and_report(talk: Talk, *usages: Json) -> None:
    await talk.report(*usages)
    await talk.begin()
    await talk.done(await talk.say())


SCRIPTS: dict[str, Script] = {
    "429": throttled,
    **{
        script.__name__.replace("_", "-"): script
        for script in (
            *(ok, slow_first_byte, cut, cut_before, status, html_200, garbage_chunk, error_in_stream, empty, tools),
            *(negative_usage, huge_usage, float_usage, string_usage, no_usage, repeated_usage, think, echo, hang),
            *(flaky, die_after, wrong_content_type, keepalive_comments, paced, agent, reasoner, interleaved, cached),
            *(structured, decline, edit, stall, cut_call, mirror, quoted, tells_key, busy_at_times),
        )
    },
}
