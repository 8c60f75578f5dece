"""Tools and cache marks of a Messages request in Kyma's words, and the report that its readers keep together."""

import msgspec

from kyma.core.chat import CacheMark, Tool
from kyma.dialects.anthropic_messages.blocks import WireBlock, WireTool
from kyma.dialects.anthropic_messages.wire import EMPTY, RawFields
from kyma.dialects.report import note

PLACEHOLDER = "DeferredToolPlaceholder"
"""Claude Code's tool that only keeps the place of deferred ones; nobody is to call it."""

_tools_decoder = msgspec.json.Decoder(list[WireTool] | None)
_sent_tools_decoder = msgspec.json.Decoder(list[RawFields] | None)


class Report:
    """Where the customer said what, and what no word of ours can hold."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._lost: dict[str, None] = {}

    def name(self, concept: str, path: str) -> None:
        note(self.names, concept, path)

    def lose(self, path: str) -> None:
        self._lost[path] = None

    @property
    def lost(self) -> tuple[str, ...]:
        return tuple(self._lost)


def read_tools(raw: msgspec.Raw, report: Report) -> tuple[Tool, ...]:
    """Checked tools. Server tools are lost: only Anthropic has them."""
    tools: list[Tool] = []
    for wire, sent in zip(_tools_decoder.decode(raw) or (), _sent_tools_decoder.decode(raw) or (), strict=True):
        if not wire.is_customers:
            report.lose(f"tools.{wire.type}")
            continue
        for name, value in sent.items():
            if name not in WireTool.__struct_fields__ and value not in EMPTY:
                report.lose(f"tools.{name}")
        if wire.defer_loading:
            report.name("deferred_tools", "tools.defer_loading")
            if wire.name == PLACEHOLDER:
                continue
        if wire.strict:
            report.name("strict", "tools.strict")
        schema, cache, is_deferred = sent["input_schema"], read_mark(wire, "tools", report), bool(wire.defer_loading)
        tools.append(Tool(wire.name, wire.description, schema, wire.strict, is_deferred=is_deferred, cache=cache))
    if tools:
        report.name("tools", "tools")
    return tuple(tools)


def read_mark(said: WireBlock | WireTool, where: str, report: Report) -> CacheMark | None:
    if said.cache_control is None:
        return None
    report.name("cache", f"{where}.cache_control")
    return said.cache_control.ttl or "5m"
