"""Tools that Anthropic itself runs: which of them it charges for, and how their number is kept within a limit.

Source: Anthropic's pages on its web search, web fetch and code execution tools, 2026: a search has a price, a fetched
page costs its tokens alone, both take `max_uses`; containers are charged by the hour, which no answer tells; an
advisor is another model at its own price.
"""

import msgspec

from kyma.dialects.anthropic_messages.blocks import WireTool
from kyma.dialects.anthropic_messages.outcome import Outcome
from kyma.dialects.anthropic_messages.wire import NULL, RawFields, to_raw

SEARCH, FETCH = "web_search_", "web_fetch_"
UNPRICED = ("code_execution_", "advisor_")
DEFAULT_USES = 5
"""The limit that is sent where the customer has set none."""

_tools_decoder = msgspec.json.Decoder(list[RawFields])
_type_decoder = msgspec.json.Decoder(str | None)


class Lookups(msgspec.Struct, frozen=True):
    """The most that a request's server tools can be used, and the path of what cannot be sold."""

    searches: int = 0
    fetches: int = 0
    unpriced: str = ""


NONE = Lookups()


def count_lookups(tools: list[WireTool]) -> Lookups:
    """What the server tools among `tools` may come to."""
    searches = fetches = 0
    unpriced = ""
    for tool in tools:
        kind = tool.type or ""
        uses = DEFAULT_USES if tool.max_uses is None else tool.max_uses
        if kind.startswith(SEARCH):
            searches += uses
        elif kind.startswith(FETCH):
            fetches += uses
        elif kind.startswith(UNPRICED):
            unpriced = unpriced or f"tools.{kind}"
    return Lookups(searches, fetches, unpriced)


def limit_lookups(fields: RawFields, outcome: Outcome) -> None:
    """Send the limit that was counted on; a tool that has one keeps its bytes."""
    tools = _tools_decoder.decode(fields["tools"])
    without = [tool for tool in tools if _looks_up(tool) and tool.get("max_uses", NULL) == NULL]
    for tool in without:
        tool["max_uses"] = to_raw(DEFAULT_USES)
    if without:
        fields["tools"] = to_raw(tools)
        outcome.emulate_field("tools.max_uses")


def _looks_up(tool: RawFields) -> bool:
    return (_type_decoder.decode(tool.get("type", NULL)) or "").startswith((SEARCH, FETCH))
