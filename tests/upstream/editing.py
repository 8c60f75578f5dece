"""What a model does to have a file edited: a user's wish, the tools a request really offers, the next calls or words.

The wish is one sentence, as `wish` writes it. Whoever has tools is given calls that read the file, two at once where
that is possible, and then one that edits it; whoever has none, an edit block in the text form that the system message
asks for. Before each step the history is checked: what was called and answered must come back as it was.
"""

import json
import re
import shlex
from collections.abc import Sequence
from itertools import accumulate, chain
from pathlib import PurePath

import msgspec

from tests.upstream.talk import Asked, Json
from tests.upstream.toolbox import Broken, Toolbox

_QUOTED = r'"(?:[^"\\]|\\.)*"'
WISH = re.compile(rf"In the file (\S+) replace ({_QUOTED}) by ({_QUOTED})\.")
TOKEN = re.compile(r"\s*\S{1,5}|\s+$")
FRAGMENT_CHARS = 7
TITLE = "A short title"
CLOSING = "Done: the file says it now."
SEARCHED = "WebFetch"
"""The tool that is looked for when an agent keeps some of its tools back."""


class Wish(msgspec.Struct, frozen=True):
    """`old` stands in the file once."""

    path: str
    old: str
    new: str


class Call(msgspec.Struct, frozen=True):
    """One tool call; `fragments` split its arguments anywhere, escapes and surrogates included."""

    id: str
    name: str
    arguments: Json

    @property
    def fragments(self) -> list[str]:
        text = json.dumps(self.arguments)
        return [text[at : at + FRAGMENT_CHARS] for at in range(0, len(text), FRAGMENT_CHARS)]


class Say(msgspec.Struct, frozen=True):
    """Words that end the turn; `tokens` join to exactly `text`."""

    text: str

    @property
    def tokens(self) -> list[str]:
        return TOKEN.findall(self.text)


Turn = Sequence[Call]


def wish(path: str, old: str, new: str) -> str:
    """The sentence that asks for an edit."""
    return f"In the file {path} replace {_quoted(old)} by {_quoted(new)}."


def next_step(asked: Asked, by_shell: bool) -> Turn | Say:
    """What to say now. A request without a wish is some side errand and gets words. Raises: Broken."""
    wanted = next((found for text in asked.texts if (found := _read_wish(text))), None)
    if wanted is None:
        return Say(TITLE)
    if not asked.tools:
        return Say(_edit_block(asked, wanted))
    turns = _number(_plan(Toolbox(asked.tools), wanted, by_shell))
    _check(asked, list(chain(*turns)), wanted)
    ends = [0, *accumulate(len(turn) for turn in turns)]
    if len(asked.calls) not in ends:
        raise Broken(f"{len(asked.calls)} calls came back; after whole turns there are {ends}")
    turn = ends.index(len(asked.calls))
    return turns[turn] if turn < len(turns) else Say(CLOSING)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _read_wish(text: str) -> Wish | None:
    found = WISH.search(text)
    return Wish(found[1], json.loads(found[2]), json.loads(found[3])) if found else None


def _edit_block(asked: Asked, wanted: Wish) -> str:
    """An edit as text, if the system message asks for one: a SEARCH/REPLACE block, or the file as a whole."""
    told = "\n".join(asked.texts)
    name = PurePath(wanted.path).name
    if "SEARCH/REPLACE" in told:
        block = f"<<<<<<< SEARCH\n{wanted.old}\n=======\n{wanted.new}\n>>>>>>> REPLACE"
        return f"I change one line.\n\n{name}\n```\n{block}\n```\n"
    shown = re.search(rf"{re.escape(name)}\n```\n(.*?)\n```", told, re.DOTALL)
    if "file listing" in told and shown:
        return f"I change one line.\n\n{name}\n```\n{shown[1].replace(wanted.old, wanted.new)}\n```\n"
    return TITLE


def _plan(box: Toolbox, wanted: Wish, by_shell: bool) -> list[list[tuple[str, Json]]]:
    """Read, then edit, by the best tools there are; by turns. Raises: Broken."""
    reading, rewriting = f"cat {shlex.quote(wanted.path)}", _rewriting(wanted)
    listing = {"command": f"ls {shlex.quote(str(PurePath(wanted.path).parent))}"}
    if box.has("read", "edit") and not by_shell:
        besides = [box.fill("search", query=f"select:{SEARCHED}", count=5)] if box.has("search") else []
        if not besides and box.has("shell"):
            besides = [box.fill("shell", **listing)]
        edit = box.fill("edit", path=wanted.path, old=wanted.old, new=wanted.new)
        return [[box.fill("read", path=wanted.path), *besides], [edit]]
    if box.has("script"):
        return [[box.fill("script", text=_javascript(command))] for command in (reading, rewriting)]
    besides = [box.fill("close", target="nobody")] if box.has("close") else [box.fill("shell", **listing)]
    first = [box.fill("shell", command=reading), *besides]
    if box.has("patch") and not by_shell:
        patch = f"*** Begin Patch\n*** Update File: {wanted.path}\n@@\n-{wanted.old}\n+{wanted.new}\n*** End Patch\n"
        return [first, [box.fill("patch", text=patch)]]
    return [first, [box.fill("shell", command=rewriting)]]


def _rewriting(wanted: Wish) -> str:
    """A shell command; the text travels through JSON, so it need not be quoted for two languages.

    Not in ASCII alone: Claude Code undoes escapes of characters that it finds in a command (2.1.330).
    """
    change = json.dumps([wanted.path, wanted.old, wanted.new], ensure_ascii=False)
    code = (
        "import json, pathlib, sys; path, old, new = json.loads(sys.argv[1]); file = pathlib.Path(path);"
        " file.write_text(file.read_text().replace(old, new))"
    )
    return f"python3 -c {shlex.quote(code)} {shlex.quote(change)}"


def _javascript(command: str) -> str:
    """For agents whose one tool runs scripts that call all others."""
    return f"text((await tools.exec_command({{cmd: {json.dumps(command)}}})).output)"


def _number(plan: list[list[tuple[str, Json]]]) -> list[list[Call]]:
    """The plan with ids, which are the same whenever it is made."""
    ids = iter(f"call_edit_{number}" for number in range(sum(map(len, plan))))
    return [[Call(next(ids), name, arguments) for name, arguments in turn] for turn in plan]


def _check(asked: Asked, planned: Sequence[Call], wanted: Wish) -> None:
    """Every call came back as it was made and was answered once, and what was read says what is to be replaced.

    Agents write defaults of their own into the arguments; they may. Vendors without ids are asked by name.
    """
    for call, made in zip(asked.calls, planned, strict=False):
        if call.name != made.name or not made.arguments.items() <= call.arguments.items():
            raise Broken(f"{made} has come back as {call}")
    ids = sorted(call.id for call in asked.calls)
    answered = sorted(result.call_id for result in asked.results)
    if ids != answered or len(set(ids)) != len(ids):
        raise Broken(f"calls {ids} were answered as {answered}")
    if asked.results and not any(wanted.old in result.text for result in asked.results):
        raise Broken(f"{wanted.old!r} is not in what the file was read as")
    has_searched = any("select:" in str(call.arguments) for call in asked.calls)
    if has_searched and SEARCHED not in asked.tool_names:
        raise Broken(f"{SEARCHED} was found but is not offered")
