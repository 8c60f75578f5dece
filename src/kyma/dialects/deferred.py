"""Deferred tools, towards vendors that have none: each is offered once the conversation has referred to it."""

from kyma.core.chat import Chat, Tool, ToolReferencePart, ToolResultPart
from kyma.dialects.report import Report


def due_tools(chat: Chat, report: Report) -> list[Tool]:
    """The tools to offer now."""
    if not any(tool.is_deferred for tool in chat.tools):
        return list(chat.tools)
    report.emulate("deferred_tools")
    referenced = {
        part.name
        for message in chat.messages
        for result in message.parts
        if isinstance(result, ToolResultPart)
        for part in result.content
        if isinstance(part, ToolReferencePart)
    }
    return [tool for tool in chat.tools if not tool.is_deferred or tool.name in referenced]
