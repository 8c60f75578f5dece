"""JSON files as agents take them, with comments, trailing commas and JSON5's other liberties.

What is changed is cut into the text; every other character stays. No well-kept library does that in Python.
"""

import json
from collections.abc import Mapping

from kyma.commands.connecting.forms import Steps, Tree, Unreadable, nested
from kyma.commands.connecting.json_reading import Member, Node, parse

UNIT = "  "


def read(text: str) -> Tree:
    """The content. Raises: Unreadable."""
    content: Tree = _root(text).plain()
    return content


def put(text: str, steps: Steps, value: object) -> str:
    """The text with this value there; a value on the way that is no object gives way. Raises: Unreadable."""
    node, depth = _root(text), 0
    while depth < len(steps) and node.members is not None and (member := node.find(steps[depth])):
        node, depth = member.value, depth + 1
    if depth == len(steps) or node.members is None:
        shown = _shown(nested(steps[depth:], value), _indent_at(text, node.start), _unit(text))
        return text[: node.start] + shown + text[node.end :]
    return _insert(text, node, steps[depth], nested(steps[depth + 1 :], value))


def drop(text: str, steps: Steps) -> str:
    """The text without this key and the comma that parted it from the others. Raises: Unreadable."""
    node = _root(text)
    for step in steps[:-1]:
        member = node.find(step)
        if member is None:
            raise Unreadable(f"{step} is not there")
        node = member.value
    members = node.members or []
    at = next((at for at, member in enumerate(members) if member.key == steps[-1]), None)
    if at is None:
        raise Unreadable(f"{steps[-1]} is not there")
    gone = members[at]
    start, end = _line_begin(text, gone.start), gone.value.end
    if gone.comma is not None:
        return text[:start] + text[gone.comma + 1 :]
    if at > 0 and (comma := members[at - 1].comma) is not None:
        return text[:comma] + text[comma + 1 : start] + text[end:]
    return text[:start] + text[end:]


def put_item(text: str, steps: Steps, value: Mapping[str, object]) -> str:
    """Raises: Unreadable, always: no agent keeps a list in JSON that we add to."""
    raise Unreadable("lists of JSON files are not added to")


def drop_item(text: str, steps: Steps, name: str) -> str:
    """Raises: Unreadable, always."""
    raise Unreadable("lists of JSON files are not added to")


def _root(text: str) -> Node:
    root = parse(text)
    if root.members is None:
        raise Unreadable("there is no object in it")
    return root


def _insert(text: str, node: Node, key: str, value: object) -> str:
    """A new last member, on a line of its own unless the others share one."""
    name, unit, newline = json.dumps(key, ensure_ascii=False), _unit(text), "\r\n" if "\r\n" in text else "\n"
    if not node.members:
        outer = _indent_at(text, node.start)
        inner = outer + unit
        rest = text[node.start + 1 :]
        closing = "" if "\n" in text[node.start : node.end] else newline + outer
        return f"{text[: node.start + 1]}{newline}{inner}{name}: {_shown(value, inner, unit, newline)}{closing}{rest}"
    last = node.members[-1]
    if "\n" not in text[node.start : node.members[0].start]:
        shown = f"{name}: {json.dumps(value, ensure_ascii=False)}"
        at = last.value.end if last.comma is None else last.comma + 1
        return f"{text[:at]}{', ' if last.comma is None else ' '}{shown}{'' if last.comma is None else ','}{text[at:]}"
    return _insert_line(text, last, f"{name}: ", value, newline)


def _insert_line(text: str, last: Member, name: str, value: object, newline: str) -> str:
    indent = _indent_at(text, last.start)
    shown = f"{newline}{indent}{name}{_shown(value, indent, _unit(text), newline)}"
    at = _rest_of_line(text, last.value.end if last.comma is None else last.comma + 1)
    if last.comma is not None:
        return f"{text[:at]}{shown},{text[at:]}"
    return f"{text[: last.value.end]},{text[last.value.end : at]}{shown}{text[at:]}"


def _shown(value: object, indent: str, unit: str, newline: str = "\n") -> str:
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", newline + indent)


def _unit(text: str) -> str:
    """What the file indents by: that of its first member, else two blanks."""
    members = _root(text).members
    if not members or "\n" not in text[: members[0].start]:
        return UNIT
    return _indent_at(text, members[0].start) or UNIT


def _indent_at(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _line_begin(text: str, at: int) -> int:
    """Where the line with `at` begins, its break included, if nothing but blanks is before it."""
    begin = len(text[:at].rstrip(" \t"))
    if text[:begin].endswith("\r\n"):
        return begin - 2
    return begin - 1 if text[:begin].endswith("\n") else begin


def _rest_of_line(text: str, at: int) -> int:
    """The end of the line if nothing follows in it but blanks and a comment, else `at`."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    rest = text[at:end].strip()
    is_comment = rest.startswith("//") or (rest.startswith("/*") and rest.find("*/") == len(rest) - 2)
    if rest and not is_comment:
        return at
    return end - 1 if text[at:end].endswith("\r") else end
