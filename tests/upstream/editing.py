"""What a model does to have a file edited: a user's wish, the tools a request really offers, the next call or words.

The wish is one sentence, as `wish` writes it. Whoever has tools is given a call that reads the file and then one that
edits it, with arguments by the schemas that came along; whoever has none, an edit block in the text form that the
system message asks for. Before each step the history is checked: what was called and answered must come back as it was.
"""

import json
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import PurePath

import msgspec

from tests.upstream.talk import Asked, Json, Offered

_QUOTED = r'"(?:[^"\\]|\\.)*"'
WISH = re.compile(rf"In the file (\S+) replace ({_QUOTED}) by ({_QUOTED})\.")
TOKEN = re.compile(r"\s*\S{1,5}|\s+$")
FRAGMENT_CHARS = 7
CLOSING = "Done: the file says it now."


class Broken(Exception):
    """The request is not one that could follow from what was said before."""


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


Plan = Sequence[tuple[str, Json]]


def wish(path: str, old: str, new: str) -> str:
    """The sentence that asks for an edit."""
    return f"In the file {path} replace {_quoted(old)} by {_quoted(new)}."


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def next_step(asked: Asked, by_shell: bool) -> Call | Say:
    """What to say now. A request without a wish is some side errand and gets words. Raises: Broken."""
    wanted = next((found for text in asked.texts if (found := _read_wish(text))), None)
    if wanted is None:
        return Say("A short title")
    if not asked.tools:
        return Say(_edit_block(asked, wanted))
    plan = _plan(asked.tools, wanted, by_shell)
    _check(asked, plan, wanted)
    if len(asked.calls) == len(plan):
        return Say(CLOSING)
    name, arguments = plan[len(asked.calls)]
    return Call(_call_id(len(asked.calls)), name, arguments)


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
    return "A short title"


def _plan(tools: Sequence[Offered], wanted: Wish, by_shell: bool) -> Plan:
    """Read, then edit, by the best tools there are."""
    by_kind = {kind: tool for tool in tools if (kind := _kind(tool)) is not None}
    edited = {"old": wanted.old, "new": wanted.new}
    if {"read", "edit"} <= by_kind.keys() and not by_shell:
        return [
            _fill(by_kind["read"], {"path": wanted.path}),
            _fill(by_kind["edit"], {"path": wanted.path, **edited}),
        ]
    if "shell" not in by_kind:
        raise Broken(f"no tools to edit a file with among {', '.join(tool.name for tool in tools)}")
    shell = by_kind["shell"]
    reading = _fill(shell, {"command": f"cat {shlex.quote(wanted.path)}"})
    if "patch" in by_kind:
        patch = f"*** Begin Patch\n*** Update File: {wanted.path}\n@@\n-{wanted.old}\n+{wanted.new}\n*** End Patch\n"
        return [reading, _fill(by_kind["patch"], {"patch": patch})]
    return [reading, _fill(shell, {"command": _rewriting(wanted)})]


def _rewriting(wanted: Wish) -> str:
    """A shell command; the text travels through JSON, so it need not be quoted for two languages."""
    change = json.dumps([wanted.path, wanted.old, wanted.new])
    code = (
        "import json, pathlib, sys; path, old, new = json.loads(sys.argv[1]); file = pathlib.Path(path);"
        " file.write_text(file.read_text().replace(old, new))"
    )
    return f"python3 -c {shlex.quote(code)} {shlex.quote(change)}"


MEANINGS: dict[str, tuple[str, ...]] = {
    "path": ("file_path", "filePath", "path"),
    "old": ("old_string", "oldString"),
    "new": ("new_string", "newString"),
    "command": ("command", "cmd"),
    "patch": ("input", "patch", "patchText"),
    "description": ("description",),
}
"""What agents call the arguments that mean this."""

KINDS: dict[str, tuple[Callable[[str], bool], frozenset[str]]] = {
    "read": (lambda name: name == "read", frozenset(("path",))),
    "edit": (lambda name: name == "edit", frozenset(("path", "old", "new"))),
    "shell": (lambda name: name in ("bash", "exec_command", "shell", "shell_command"), frozenset(("command",))),
    "patch": (lambda name: name == "apply_patch", frozenset(("patch",))),
}
"""Kinds of tools by name, and the arguments that each must take."""


def _kind(tool: Offered) -> str | None:
    for kind, (is_named, wanted) in KINDS.items():
        if is_named(tool.name.lower()):
            if not wanted <= set(_meanings(tool)):
                raise Broken(f"the schema of {tool.name} has come without {', '.join(wanted)}: {tool.schema}")
            return kind
    return None


def _meanings(tool: Offered) -> dict[str, str]:
    """The tool's own names of arguments by what they mean."""
    properties = tool.schema.get("properties")
    names = properties if isinstance(properties, dict) else {}
    return {meaning: name for meaning, own in MEANINGS.items() for name in own if name in names}


def _fill(tool: Offered, values: dict[str, str]) -> tuple[str, Json]:
    """A call to that tool. Raises: Broken when its schema requires what nobody has."""
    names = _meanings(tool)
    required = tool.schema.get("required")
    if "description" in names and isinstance(required, list) and names["description"] in required:
        values = {**values, "description": "One step of an edit"}
    arguments: Json = {names[meaning]: value for meaning, value in values.items()}
    missing = set(required if isinstance(required, list) else ()) - arguments.keys()
    if missing:
        raise Broken(f"{tool.name} requires {', '.join(sorted(missing))}")
    return tool.name, arguments


def _check(asked: Asked, plan: Plan, wanted: Wish) -> None:
    """Every call came back as it was made and was answered once, and what was read says what is to be replaced.

    Agents write defaults of their own into the arguments; they may.
    """
    for call, (name, arguments) in zip(asked.calls, plan, strict=False):
        if call.name != name or not arguments.items() <= call.arguments.items():
            raise Broken(f"a call to {name} with {arguments} has come back as {call}")
    if len(asked.calls) > len(plan):
        raise Broken(f"of {len(asked.calls)} calls only {len(plan)} were made here")
    ids = [call.id for call in asked.calls]
    answered = [result.call_id for result in asked.results]
    if ids != answered or len(set(ids)) != len(ids):
        raise Broken(f"calls {ids} were answered as {answered}")
    if asked.results and wanted.old not in asked.results[0].text:
        raise Broken(f"{wanted.old!r} is not in what the file was read as")


def _call_id(number: int) -> str:
    return f"call_edit_{number}"
