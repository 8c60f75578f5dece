"""What is changed in a file, value by value, so that each can be undone when the file has moved on meanwhile."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from kyma.catalog import AgentFile
from kyma.commands.connecting.forms import Form, Steps, Tree, Unreadable, nested

ABSENT = object()


class Change(msgspec.Struct, frozen=True):
    """A value that was put, and what was there before. `depth` levels of its path were there already.

    With an `item` it was put into the list there, as the item of that name. One that `is_own` is ours whatever others
    have added to it.
    """

    steps: Steps
    new: Any
    depth: int
    had: bool = False
    old: Any = None
    item: str = ""
    is_own: bool = False


def put_all(form: Form, file: AgentFile, text: str, wanted: Tree) -> tuple[str, list[Change]]:
    """The text with all that is wanted, and what that changed. Raises: Unreadable, when more than that would change."""
    changes: list[Change] = []
    expected = form.read(text)
    for steps, value, item in _leaves(wanted, file):
        content = form.read(text)
        if (steps[0] in file.defaults and steps[0] in content) or (not item and _get(content, steps) == value):
            continue
        change = _change(content, steps, value, item, file.own)
        text = form.put_item(text, steps, value) if item else form.put(text, change.steps, change.new)
        _apply(expected, change)
        changes.append(change)
    if form.read(text) != expected:
        raise Unreadable("it cannot be changed without touching what is not ours")
    return text, changes


def planned(file: AgentFile, wanted: Tree) -> list[Change]:
    """What `put_all` changes in an empty file."""
    changes: list[Change] = []
    content: Tree = {}
    for steps, value, item in _leaves(wanted, file):
        changes.append(_change(content, steps, value, item, file.own))
        _apply(content, changes[-1])
    return changes


def undo_all(form: Form, text: str, changes: Sequence[Change]) -> tuple[str, list[str]]:
    """The text with the old values again, and the keys that somebody else has changed since, which stay.

    Raises: Unreadable.
    """
    kept: list[str] = []
    for change in reversed(changes):
        content = form.read(text)
        if change.item:
            text = _undo_item(form, text, content, change, kept)
            continue
        found = _get(content, change.steps)
        if found == change.new or (change.is_own and found is not ABSENT):
            if change.had:
                text = form.put(text, change.steps, change.old)
            else:
                text = _prune(form, form.drop(text, change.steps), change)
        elif found is not ABSENT and not (change.had and found == change.old):
            kept.append(".".join(change.steps))
    return text, kept


def _undo_item(form: Form, text: str, content: Tree, change: Change, kept: list[str]) -> str:
    items = _get(content, change.steps)
    found = [item for item in items if _name(item) == change.item] if isinstance(items, list) else []
    if found == [change.new]:
        text = form.drop_item(text, change.steps, change.item)
        if change.depth == 0 and not _get(form.read(text), change.steps):
            text = form.drop(text, change.steps)
    elif found:
        kept.append(f"{'.'.join(change.steps)}: {change.item}")
    return text


def _prune(form: Form, text: str, change: Change) -> str:
    """Without the objects that were made for the value and are empty now."""
    for length in range(len(change.steps) - 1, change.depth, -1):
        if _get(form.read(text), change.steps[:length]) != {}:
            break
        text = form.drop(text, change.steps[:length])
    return text


def _leaves(wanted: Mapping[str, Any], file: AgentFile) -> Iterator[tuple[Steps, Any, str]]:
    for key, value in wanted.items():
        if key in file.lists:
            yield from (((key,), item, str(_name(item))) for item in value)
        else:
            yield from ((steps, leaf, "") for steps, leaf in _below((key,), value, file.own))


def _below(steps: Steps, value: Any, own: Sequence[str]) -> Iterator[tuple[Steps, Any]]:
    if isinstance(value, dict) and value and ".".join(steps) not in own:
        for key, inner in value.items():
            yield from _below((*steps, key), inner, own)
    else:
        yield steps, value


def _change(content: Tree, steps: Steps, value: Any, item: str, own: Sequence[str]) -> Change:
    """A value on the way that is no object gives way as a whole, and comes back as a whole."""
    if item:
        items = content.get(steps[0])
        if isinstance(items, list) and any(_name(there) == item for there in items):
            raise Unreadable(f"{steps[0]} already has a {item} that was not put there by this command")
        return Change(steps, value, int(steps[0] in content), item=item)
    is_own = ".".join(steps) in own
    for depth in range(1, len(steps)):
        there = _get(content, steps[:depth])
        if there is ABSENT:
            return Change(steps, value, depth - 1, is_own=is_own)
        if not isinstance(there, dict):
            return Change(steps[:depth], nested(steps[depth:], value), depth, had=True, old=there)
    there = _get(content, steps)
    if there is ABSENT:
        return Change(steps, value, len(steps) - 1, is_own=is_own)
    return Change(steps, value, len(steps), had=True, old=there, is_own=is_own)


def _apply(content: Tree, change: Change) -> None:
    """The same change to plain values."""
    if change.item:
        content[change.steps[0]] = [copy.deepcopy(change.new), *(content.get(change.steps[0]) or ())]
        return
    for step in change.steps[:-1]:
        content = content.setdefault(step, {})
    content[change.steps[-1]] = copy.deepcopy(change.new)


def _get(content: Any, steps: Steps) -> Any:
    for step in steps:
        if not isinstance(content, dict) or step not in content:
            return ABSENT
        content = content[step]
    return content


def _name(item: Any) -> Any:
    return item.get("name") if isinstance(item, dict) else None
