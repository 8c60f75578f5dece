"""Tools as this dialect offers them, in Kyma's words, and how calls to them are given back.

Tools inside a namespace are offered under one flat name each; `Toolbox` leads from it back to both.
"""

import hashlib

import msgspec

from kyma.core.chat import Tool
from kyma.dialects.json_input import decode_at
from kyma.dialects.openai_responses.items import OFFERING, Item, WireAdditionalTools, WireSearchOutput
from kyma.dialects.openai_responses.wire import NULL, RawFields, fields_decoder, raws

SEARCH = "tool_search"
MAX_NAME = 64
"""Longer names are refused by most vendors."""


class WireTool(msgspec.Struct):
    """A function or a custom tool, flat."""

    name: str
    description: str | None = None
    parameters: msgspec.Raw = NULL
    strict: bool | None = None
    format: msgspec.Raw = NULL
    defer_loading: bool | None = None


class WireNamespace(msgspec.Struct):
    name: str
    description: str | None = None
    tools: list[msgspec.Raw] = []


class WireSearch(msgspec.Struct):
    """The tool that finds deferred tools; unless the client runs it, the vendor does, and then it is a hosted tool."""

    execution: str | None = None
    description: str | None = None
    parameters: msgspec.Raw = NULL


class Spoken(msgspec.Struct, frozen=True):
    """How a customer knows a tool."""

    name: str
    namespace: str | None = None
    kind: str = "function"


class _Kind(msgspec.Struct):
    type: str = "function"


_kind_decoder = msgspec.json.Decoder(_Kind)
_tool_decoder = msgspec.json.Decoder(WireTool)
_namespace_decoder = msgspec.json.Decoder(WireNamespace)
_search_decoder = msgspec.json.Decoder(WireSearch)


def flat_name(name: str, namespace: str | None) -> str:
    """The one name under which a tool is offered; too long a one ends in a digest, so that it stays itself."""
    flat = f"{namespace}__{name}" if namespace else name
    if not namespace or len(flat) <= MAX_NAME:
        return flat
    return f"{flat[: MAX_NAME - 9]}_{hashlib.sha256(flat.encode()).hexdigest()[:8]}"


def check_tools(tools: list[msgspec.Raw], where: str) -> bool:
    """Whether all tools are of kinds that can be offered. Raises: InvalidRequest naming the field."""
    box = Toolbox()
    box.add(tools, where, is_loaded=False)
    return not box.has_hosted


def read_tools(fields: RawFields, items: list[Item]) -> "Toolbox":
    """The checked tools of a request, those that its input adds, and those that its tool searches have loaded since."""
    box = Toolbox()
    if "tools" in fields:
        box.add(raws(fields["tools"]), "tools", is_loaded=False)
    for item in items:
        if item.kind not in OFFERING:
            continue
        if isinstance(item.wire, WireAdditionalTools):
            box.add(item.wire.tools, "input.additional_tools.tools", is_loaded=False)
        elif isinstance(item.wire, WireSearchOutput):
            box.add(item.wire.tools, "input.tool_search_output.tools", is_loaded=True)
    if "deferred_tools" in box.names and not box.has_search:
        del box.names["deferred_tools"]
        box.lost["tools.defer_loading"] = None
    return box


class Toolbox:
    """Tools in Kyma's words, and the report on what they say that Kyma cannot."""

    def __init__(self) -> None:
        self._tools: dict[str, Tool] = {}
        self._spoken: dict[str, Spoken] = {}
        self.names: dict[str, str] = {}
        self.lost: dict[str, None] = {}
        self.has_hosted = False

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Deferred ones stay so only if the client has a way to load them; else they are offered at once."""
        tools = self._tools.values()
        if not tools or self.has_search:
            return tuple(tools)
        return tuple([msgspec.structs.replace(tool, is_deferred=False) for tool in tools])

    @property
    def has_search(self) -> bool:
        """The client itself loads deferred tools."""
        return self.spoken(SEARCH).kind == SEARCH

    def spoken(self, flat: str) -> Spoken:
        """How the customer knows the tool offered as `flat`."""
        return self._spoken.get(flat) or Spoken(flat)

    def resolve(self, name: str, namespace: str | None = None) -> str | None:
        """The flat name of a tool that a customer names; a namespace may be left out where the name is clear."""
        flat = flat_name(name, namespace)
        if flat in self._tools:
            return flat
        found = [flat for flat, spoken in self._spoken.items() if spoken.name == name and namespace is None]
        return found[0] if len(found) == 1 else None

    def members(self, namespace: str) -> list[str]:
        """The flat names of all tools of a namespace."""
        return [flat for flat, spoken in self._spoken.items() if spoken.namespace == namespace]

    def add(self, tools: list[msgspec.Raw], where: str, *, is_loaded: bool) -> list[str]:
        """Take tools in; returns their flat names. Raises: InvalidRequest naming the field."""
        flats: list[str] = []
        for index, raw in enumerate(tools):
            at = f"{where}.{index}"
            kind = decode_at(_kind_decoder, raw, at).type
            if kind == "namespace":
                space = decode_at(_namespace_decoder, raw, at)
                if space.description:
                    self.lost["tools.namespace.description"] = None
                for inner_index, inner in enumerate(space.tools):
                    inner_at = f"{at}.tools.{inner_index}"
                    inner_kind = decode_at(_kind_decoder, inner, inner_at).type
                    flats += self._add(inner, inner_kind, space.name, inner_at, is_loaded=is_loaded)
            else:
                flats += self._add(raw, kind, None, at, is_loaded=is_loaded)
        return flats

    def _add(self, raw: msgspec.Raw, kind: str, namespace: str | None, at: str, *, is_loaded: bool) -> list[str]:
        if kind == SEARCH and decode_at(_search_decoder, raw, at).execution == "client":
            wire = decode_at(_search_decoder, raw, at)
            search = Tool(SEARCH, wire.description, _present(wire.parameters))
            return self._keep(search, Spoken(SEARCH, kind=SEARCH), is_loaded=is_loaded)
        if kind not in ("function", "custom"):
            self.lost[f"tools.{kind}"] = None
            self.has_hosted = True
            return []
        tool = decode_at(_tool_decoder, raw, at)
        self._report(raw, kind, tool)
        is_custom = kind == "custom"
        offered = Tool(
            name=flat_name(tool.name, namespace),
            description=tool.description,
            parameters=None if is_custom else _present(tool.parameters),
            strict=None if is_custom else tool.strict,
            is_custom=is_custom,
            format=_present(tool.format) if is_custom else None,
            is_deferred=bool(tool.defer_loading) and not is_loaded,
        )
        return self._keep(offered, Spoken(tool.name, namespace, kind), is_loaded=is_loaded)

    def _keep(self, tool: Tool, spoken: Spoken, *, is_loaded: bool) -> list[str]:
        """A name is offered once; a loaded tool that was announced before only keeps its place."""
        known = self._spoken.get(tool.name)
        if known is None:
            self._tools[tool.name], self._spoken[tool.name] = tool, spoken
            self.names["tools"] = "tools"
        elif known != spoken or not is_loaded:
            self.lost[f"tools.{spoken.name}"] = None
            return []
        return [tool.name]

    def _report(self, raw: msgspec.Raw, kind: str, tool: WireTool) -> None:
        if kind == "custom":
            self.names["custom_tools"] = "tools.custom"
        if tool.strict:
            self.names["strict"] = "tools.strict"
        if tool.defer_loading:
            self.names["deferred_tools"] = "tools.defer_loading"
        for name, value in fields_decoder.decode(raw).items():
            if name not in WireTool.__struct_fields__ and name != "type" and value != NULL:
                self.lost[f"tools.{kind}.{name}"] = None


def _present(raw: msgspec.Raw) -> msgspec.Raw | None:
    return None if raw == NULL else raw
