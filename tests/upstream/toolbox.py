"""The tools of a request as a model sees them: known by name, called by the schema that really came along."""

from collections.abc import Mapping, Sequence

import msgspec

from tests.upstream.talk import Json, Offered


class Broken(Exception):
    """The request is not one that could follow from what was said before, or cannot be answered with its tools."""


class Kind(msgspec.Struct, frozen=True):
    """Names that agents have for a tool, a namespace left out, and what each of its arguments may be called."""

    names: tuple[str, ...]
    arguments: Mapping[str, tuple[str, ...]]


PATHS = ("file_path", "filePath", "path")
KINDS: Mapping[str, Kind] = {
    "read": Kind(("read",), {"path": PATHS}),
    "edit": Kind(("edit",), {"path": PATHS, "old": ("old_string", "oldString"), "new": ("new_string", "newString")}),
    "search": Kind(("toolsearch",), {"query": ("query",), "count": ("max_results",)}),
    "shell": Kind(("bash", "exec_command"), {"command": ("command", "cmd"), "why": ("description",)}),
    "patch": Kind(("apply_patch",), {"text": ("input", "patchText")}),
    "script": Kind(("exec",), {"text": ("input",)}),
    "close": Kind(("close_agent",), {"target": ("target",)}),
}
"""`why` is a note that some agents require."""


class Toolbox:
    """The tools of one request by kind. Those of other kinds are never called."""

    def __init__(self, tools: Sequence[Offered]) -> None:
        self._names = [tool.name for tool in tools]
        self._by_kind = {kind: tool for tool in tools if (kind := _kind(tool.name)) is not None}

    def has(self, *kinds: str) -> bool:
        return self._by_kind.keys() >= set(kinds)

    def fill(self, kind: str, **values: object) -> tuple[str, Json]:
        """A call by name with its arguments. Raises: Broken when the schema does not ask for just these."""
        tool = self._by_kind.get(kind)
        if tool is None:
            raise Broken(f"no tool to {kind} with among {', '.join(self._names)}")
        properties, required = _members(tool.schema, "properties"), set(_members(tool.schema, "required"))
        own = {
            meaning: name for meaning, names in KINDS[kind].arguments.items() for name in names if name in properties
        }
        if "why" in own and own["why"] in required:
            values = {**values, "why": "One step of an edit"}
        if not values.keys() <= own.keys() or not required <= {own[meaning] for meaning in values}:
            raise Broken(f"{tool.name} cannot be given {', '.join(values)}: {tool.schema}")
        return tool.name, {own[meaning]: value for meaning, value in values.items()}


def _kind(name: str) -> str | None:
    plain = name.rpartition("__")[2].lower()
    return next((kind for kind, known in KINDS.items() if plain in known.names), None)


def _members(schema: Json, key: str) -> Sequence[str]:
    """Names below `properties` or in `required`; none if it is not there."""
    value = schema.get(key)
    return [str(name) for name in value] if isinstance(value, dict | list) else []
