"""Scripts that say the caller's words again, in every place where a vendor may: for tests of what a gateway keeps.

Answers say them backwards, so that it shows whether a found text was asked or answered; refusals quote them.
"""

import asyncio

import msgspec

from tests.upstream.talk import Talk
from tests.upstream.wire import render


async def mirror(talk: Talk, turn: object, *, end: str = "done", k: int = 2) -> None:
    """Thinks the last user message backwards, says it `k` times, and calls the first tool offered with it.

    `end` other than done breaks off before the call: cut, rst, garbage, error or stall.
    """
    said = talk.asked.last_user_text[::-1]
    await talk.begin()
    await talk.think(f"{said} ")
    for _ in range(k):
        await talk.say_text(f"{said} ")
    if end != "done":
        await _break_off(talk, end, said)
        return
    if talk.asked.tool_names:
        await talk.call_tool(0, "call_mirror", talk.asked.tool_names[0])
        await talk.add_arguments(0, msgspec.json.encode({"said": said}).decode())
    await talk.done("tool_calls" if talk.asked.tool_names else "stop")


async def quoted(talk: Talk, turn: object, *, code: int = 400, body: str = "json") -> None:
    """A failure of that status whose explanation quotes the last user message; body=html puts it on a page."""
    said = talk.asked.last_user_text
    if body == "html":
        page = f"<html><head><title>{said}</title></head><body><h1>Cannot answer {said}</h1></body></html>"
        await talk.exchange.send_raw(render(code, page.encode(), "text/html"))
    else:
        await talk.refuse(code, f"Invalid value: {said!r}. Why would you say {said}?", f"error_{code}")


async def tells_key(talk: Talk, turn: object, *, code: int = 401, body: str = "json") -> None:
    """A failure of that status that repeats the key it was asked with, in its words, its code and its headers.

    With body=html on a page, with body=late inside an answer, after two words.
    """
    said = f"Incorrect API key provided: {talk.key}. Why {talk.key!r}?"
    match body:
        case "html":
            page = f"<html><head><title>{talk.key}</title></head><body><h1>{said}</h1></body></html>"
            await talk.exchange.send_raw(render(code, page.encode(), "text/html"))
        case "late":
            await talk.begin()
            await talk.say(2)
            await talk.fail(code, said, talk.key)
        case _:
            told = f'Bearer error="{talk.key}"'
            talk.refusal_headers = (("x-key", talk.key), ("www-authenticate", told), ("x-request-id", talk.key))
            await talk.refuse(code, said, talk.key)


async def _break_off(talk: Talk, end: str, said: str) -> None:
    match end:
        case "cut" | "rst":
            await talk.break_off(end == "rst")
        case "error":
            await talk.fail(500, f"The engine choked on {said}", "server_error")
        case "stall":
            await asyncio.Event().wait()
        case "garbage" if talk.asked.is_streaming:
            await talk.exchange.send(f'data: {{"choices":[{{"delta":{{"content":"{said}'.encode() + b"\n\n")
            await talk.exchange.end()
        case "garbage":
            await talk.exchange.send_raw(render(200, f'{{"choices":[{said}'.encode(), "application/json"))
