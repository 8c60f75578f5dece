"""YAML files: ruamel.yaml says where things stand, and what is changed is cut into the text.

Only what agents need: plain values on the first level, and items of lists there. Whatever else would have to be
rewritten is refused, so that nothing of the user's is ever laid out anew.
"""

import json
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from kyma.commands.connecting.forms import Steps, Tree, Unreadable

NULL = "tag:yaml.org,2002:null"


def read(text: str) -> Tree:
    """The content. Raises: Unreadable."""
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError) as error:
        raise Unreadable(str(error).partition("\n")[0]) from error
    if not isinstance(content, dict | None):
        raise Unreadable("there is no mapping in it")
    return content or {}


def put(text: str, steps: Steps, value: object) -> str:
    """The text with this value on its first level. Raises: Unreadable."""
    (key,) = steps
    shown = _flow(value)
    found = _find(text, key)
    if found is None:
        return _append(text, f"{key}: {shown}")
    name, node = found
    if _is_null(node):
        at = text.index(":", name.end_mark.index) + 1
        return f"{text[:at]} {shown}{text[at:]}"
    if not isinstance(node, ScalarNode) or node.style in ("|", ">"):
        raise Unreadable(f"{key} is not a plain value in it")
    return text[: node.start_mark.index] + shown + text[node.end_mark.index :]


def drop(text: str, steps: Steps) -> str:
    """The text without the lines of this key. Raises: Unreadable."""
    (key,) = steps
    found = _find(text, key)
    if found is None:
        raise Unreadable(f"{key} is not there")
    name, node = found
    end = name.end_mark.index if _is_null(node) else _end(node)
    return text[: _line_begin(text, name.start_mark.index)] + text[_line_end(text, end) :]


def put_item(text: str, steps: Steps, value: Mapping[str, object]) -> str:
    """The text with this object as the first item of a list on its first level. Raises: Unreadable."""
    (key,) = steps
    found = _find(text, key)
    if found is None:
        return _append(text, f"{key}:\n{_item(value, '  ')}".rstrip("\n"))
    name, node = found
    if _is_null(node):
        at = _line_end(text, name.end_mark.index)
        return f"{_ended(text[:at])}{_item(value, '  ')}{text[at:]}"
    if not isinstance(node, SequenceNode):
        raise Unreadable(f"{key} is not a list in it")
    if node.flow_style:
        at = node.start_mark.index + 1
        return f"{text[:at]}{_flow(value)}{', ' if node.value else ''}{text[at:]}"
    at = _line_end(text, name.end_mark.index)  # before comments, which are on the item that was first
    return f"{text[:at]}{_item(value, ' ' * node.start_mark.column)}{text[at:]}"


def drop_item(text: str, steps: Steps, name: str) -> str:
    """The text without the lines of that item. Raises: Unreadable."""
    (key,) = steps
    found = _find(text, key)
    node = found[1] if found else None
    if not isinstance(node, SequenceNode) or node.flow_style:
        raise Unreadable(f"{key} is not a list of lines in it")
    for item in node.value:
        if isinstance(item, MappingNode) and any(each.value == "name" and to.value == name for each, to in item.value):
            begin = _line_begin(text, item.start_mark.index)
            return text[:begin] + text[_line_end(text, _end(item)) :]
    raise Unreadable(f"{name} is not there")


def _find(text: str, key: str) -> tuple[ScalarNode, Any] | None:
    """The nodes of a key on the first level and of its value. Raises: Unreadable."""
    try:
        root = YAML().compose(text)
    except (YAMLError, ValueError) as error:
        raise Unreadable(str(error).partition("\n")[0]) from error
    if root is None:
        return None
    if not isinstance(root, MappingNode) or root.flow_style or root.start_mark.column:
        raise Unreadable("it is not written as lines of keys and values")
    return next(((name, node) for name, node in root.value if name.value == key), None)


def _is_null(node: Any) -> bool:
    return isinstance(node, ScalarNode) and str(node.tag) == NULL and not node.value


def _end(node: Any) -> int:
    """Where the last plain value of a node ends; a node's own mark lies behind the comments that follow."""
    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        return _end(node.value[-1][1])
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        return _end(node.value[-1])
    return int(node.end_mark.index)


def _item(value: Mapping[str, object], indent: str) -> str:
    lines = [f"{name}: {_flow(each)}" for name, each in value.items()]
    return "".join(f"{indent}{'  ' if number else '- '}{line}\n" for number, line in enumerate(lines))


def _flow(value: object) -> str:
    """JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _append(text: str, lines: str) -> str:
    if text.rstrip().endswith(("\n...", "\n---")):
        raise Unreadable("it holds several documents")
    return f"{_ended(text)}{lines}\n"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _line_begin(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Behind the break of the line with `at`."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1
