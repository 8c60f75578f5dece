"""Tools as Cohere takes them: functions, all of which it may call, must call, or must not."""

from typing import Any

from kyma.core.chat import Chat, Tool
from kyma.core.model import Quirks
from kyma.dialects.deferred import due_tools
from kyma.dialects.report import Report
from kyma.dialects.schemas import FREE_TEXT, NO_PARAMETERS


def offer(chat: Chat, report: Report) -> list[dict[str, Any]]:
    """The tools to offer now: deferred ones once they were referenced, and of those that are named only those."""
    due = due_tools(chat, report)
    if any(tool.is_custom for tool in chat.tools):
        report.emulate("custom_tools")
    choice = chat.tool_choice
    named = choice.names if choice is not None and choice.mode != "none" else ()
    if named and chat.tools:
        report.emulate("tool_choice")
    return [_tool(tool) for tool in due if not named or tool.name in named]


def tool_choice(chat: Chat, quirks: Quirks, report: Report) -> str | None:
    """Left open is said by silence."""
    choice = chat.tool_choice
    if choice is None or choice.mode == "auto":
        return None
    form = "named" if choice.mode == "required" and choice.names else choice.mode
    if form not in quirks.tool_choices:
        report.drop("tool_choice")
        return None
    return {"none": "NONE", "required": "REQUIRED"}[choice.mode]


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    parameters = FREE_TEXT if tool.is_custom else tool.parameters
    function["parameters"] = NO_PARAMETERS if parameters is None else parameters
    return {"type": "function", "function": function}
