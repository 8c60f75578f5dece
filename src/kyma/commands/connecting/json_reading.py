"""Where in a JSON or JSON5 text each value stands. Reads more than the standards allow and refuses what it cannot."""

import json
from typing import Any

import msgspec

from kyma.commands.connecting.forms import Tree, Unreadable

BLANKS = " \t\r\n\ufeff\v\f\u00a0"
ENDS = ",:]}[{\"'/" + BLANKS


class Member(msgspec.Struct):
    """A key of an object: where the key starts, its value, and where the comma behind it is."""

    key: str
    start: int
    value: "Node"
    comma: int | None = None


class Node(msgspec.Struct):
    """A value: where it starts and ends. `members` are an object's, `items` a list's; else `scalar` is it."""

    start: int
    end: int
    members: list[Member] | None = None
    items: list["Node"] | None = None
    scalar: Any = None

    def find(self, key: str) -> Member | None:
        """The member of that key: the last one, which is the one that counts."""
        return next((member for member in reversed(self.members or []) if member.key == key), None)

    def plain(self) -> Any:
        """The value without its places."""
        if self.members is not None:
            found: Tree = {member.key: member.value.plain() for member in self.members}
            return found
        return [item.plain() for item in self.items] if self.items is not None else self.scalar


def parse(text: str) -> Node:
    """The one value of a text. Raises: Unreadable, with the line."""
    reader = _Reader(text)
    try:
        root = reader.value()
    except RecursionError:
        raise Unreadable("it is nested too deep") from None
    if reader.peek():
        raise reader.unreadable()
    return root


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def unreadable(self) -> Unreadable:
        return Unreadable(f"line {self._text.count(chr(10), 0, self._at) + 1} is no JSON")

    def peek(self) -> str:
        """The next character that means something; empty at the end."""
        while self._at < len(self._text):
            if self._text[self._at] in BLANKS:
                self._at += 1
            elif self._text.startswith("//", self._at):
                self._go_behind("\n", at_end=True)
            elif self._text.startswith("/*", self._at):
                self._go_behind("*/")
            else:
                return self._text[self._at]
        return ""

    def value(self) -> Node:
        first = self.peek()
        if first == "{":
            return self._object()
        if first == "[":
            return self._list()
        start = self._at
        scalar = self._quoted() if first and first in "\"'" else _word(self._bare())
        return Node(start, self._at, scalar=scalar)

    def _object(self) -> Node:
        node = Node(self._at, 0, members=[])
        members: list[Member] = []
        self._at += 1
        while self.peek() != "}":
            if members and members[-1].comma is None:
                raise self.unreadable()
            start = self._at
            key = self._quoted() if self._text[start : start + 1] in ('"', "'") else self._bare()
            if self.peek() != ":":
                raise self.unreadable()
            self._at += 1
            member = Member(key, start, self.value())
            if self.peek() == ",":
                member.comma = self._at
                self._at += 1
            members.append(member)
        self._at += 1
        node.members, node.end = members, self._at
        return node

    def _list(self) -> Node:
        node, items, is_parted = Node(self._at, 0), list[Node](), True
        self._at += 1
        while self.peek() != "]":
            if not is_parted:
                raise self.unreadable()
            items.append(self.value())
            if is_parted := self.peek() == ",":
                self._at += 1
        self._at += 1
        node.items, node.end = items, self._at
        return node

    def _quoted(self) -> str:
        quote, start = self._text[self._at], self._at
        self._at += 1
        while (character := self._text[self._at : self._at + 1]) != quote:
            if not character or character == "\n":
                raise self.unreadable()
            self._at += 2 if character == "\\" else 1
        self._at += 1
        inner = self._text[start + 1 : self._at - 1]
        if quote == "'":
            inner = inner.replace("\\'", "'").replace('"', '\\"')
        try:
            return str(json.loads(f'"{inner}"', strict=False))
        except ValueError:
            return inner

    def _bare(self) -> str:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in ENDS:
            self._at += 1
        if start == self._at:
            raise self.unreadable()
        return self._text[start : self._at]

    def _go_behind(self, end: str, at_end: bool = False) -> None:
        found = self._text.find(end, self._at + 2)
        if found < 0 and not at_end:
            raise self.unreadable()
        self._at = len(self._text) if found < 0 else found + len(end)


def _word(word: str) -> Any:
    """A number or a word of JSON's; one of JSON5's own, such as `0x1F`, as it is written."""
    try:
        return json.loads(word)
    except ValueError:
        if not (word[0] in "+-.0123456789" or word in ("Infinity", "NaN")):
            raise Unreadable(f"{word[:20]!r} is no JSON") from None
        return word
