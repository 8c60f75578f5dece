"""A conversation as Messages wants it: turns that alternate, results first, thoughts only where they are at home."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any

from kyma.core.chat import (
    AudioPart,
    CacheMark,
    Chat,
    FilePart,
    ImagePart,
    Message,
    Part,
    ResultContent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReferencePart,
    ToolResultPart,
)
from kyma.core.model import Quirks
from kyma.dialects.anthropic_messages.content import as_input, as_object
from kyma.dialects.anthropic_messages.mend import as_system, tool_id
from kyma.dialects.anthropic_messages.outcome import Outcome
from kyma.dialects.anthropic_messages.wire import NAME
from kyma.dialects.data_urls import inline

Block = dict[str, Any]

MAX_MARKS = 4
"""Cache breakpoints that one request may have."""

GO_ON = "(The conversation goes on.)"
"""Opens a conversation that starts with the assistant: the first turn must be the user's."""

_DATA_URL = re.compile(r"data:([^;,]*)(?:;[^;,]*)*?(;base64)?,(.*)", re.DOTALL)


class Turns:
    """A chat's messages, said in this dialect: `system` blocks and `turns`, the report kept on the way."""

    def __init__(self, chat: Chat, quirks: Quirks, outcome: Outcome) -> None:
        self._outcome = outcome
        self._keeps_unsigned = quirks.reasoning_required
        self._tool_names = {tool.name for tool in chat.tools}
        self.system: list[Block] = []
        self.turns: list[Block] = []
        for message in chat.messages:
            self._add(message)
        self._tidy()

    def _add(self, message: Message) -> None:
        if message.name is not None:
            self._outcome.drop("name")
        match message.role:
            case "system" | "developer":
                self._instruct(message)
            case "assistant":
                self._extend("assistant", self._blocks(message.parts))
            case "user" | "tool":
                blocks = self._blocks(message.parts)
                results = [block for block in blocks if block["type"] == "tool_result"]
                self._extend("user", [block for block in blocks if block["type"] != "tool_result"], results)

    def _instruct(self, message: Message) -> None:
        """Before anything was said it is the system prompt, later a marked text of the user's turn."""
        blocks = self._blocks(message.parts)
        if not self.turns:
            self.system.extend(blocks)
            return
        self._outcome.emulate("messages")
        for block in blocks:
            if block["type"] == "text":
                block["text"] = as_system(block["text"])
        self._extend("user", blocks)

    def _extend(self, role: str, blocks: list[Block], results: list[Block] | None = None) -> None:
        """Joined to the turn before if that is of the same role; results stand first in it, in their order."""
        if not blocks and not results:
            return
        if not self.turns or self.turns[-1]["role"] != role:
            self.turns.append({"role": role, "content": []})
        content: list[Block] = self.turns[-1]["content"]
        if results:
            after = sum(block["type"] == "tool_result" for block in content)
            content[after:after] = results
        content.extend(blocks)

    def _tidy(self) -> None:
        """What the dialect wants of the first turn and the last."""
        if not self.turns:
            self._outcome.emulate("messages")
            self.turns.append({"role": "user", "content": self.system or [{"type": "text", "text": GO_ON}]})
            self.system = []
        if self.turns[0]["role"] == "assistant":
            self._outcome.emulate("messages")
            self.turns.insert(0, {"role": "user", "content": [{"type": "text", "text": GO_ON}]})
        last = self.turns[-1]["content"][-1]
        if self.turns[-1]["role"] == "assistant" and last["type"] == "text":
            last["text"] = last["text"].rstrip()

    def _blocks(self, parts: tuple[Part, ...]) -> list[Block]:
        return [block for part in parts if (block := self._block(part)) is not None]

    def _block(self, part: Part) -> Block | None:
        match part:
            case ThinkingPart():
                return self._thought(part)
            case ToolCallPart(id=call_id, name=name, arguments=arguments):
                if part.signature:
                    self._outcome.drop("thinking")
                tool_input = None if part.is_custom else as_object(arguments)
                if tool_input is None:
                    self._outcome.emulate("custom_tools" if part.is_custom else "arguments")
                said = {
                    "type": "tool_use",
                    "id": tool_id(call_id),
                    "name": name,
                    "input": tool_input or as_input(arguments),
                }
                return _marked(said, part.cache)
            case ToolResultPart():
                return self._result(part)
            case _:
                return self._content(part)

    def _content(self, part: ResultContent) -> Block | None:
        """Text, media and references; None for blank text, which is refused, and for what cannot be said."""
        match part:
            case TextPart(text=text):
                return _marked({"type": "text", "text": text}, part.cache) if text.strip() else None
            case ImagePart():
                if part.detail not in (None, "auto"):
                    self._outcome.drop("detail")
                return _marked({"type": "image", "source": _source(part.url)}, part.cache)
            case FilePart():
                return self._document(part)
            case AudioPart():
                self._outcome.drop("audio")
            case ToolReferencePart(name=name):
                if name in self._tool_names:
                    return {"type": "tool_reference", "tool_name": name}
                return {"type": "text", "text": f"The tool {name} is available now."}
        return None

    def _thought(self, part: ThinkingPart) -> Block | None:
        if part.origin == NAME and part.redacted:
            return {"type": "redacted_thinking", "data": part.redacted}
        if part.origin == NAME and part.signature:
            return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        if self._keeps_unsigned and part.text:
            return {"type": "thinking", "thinking": part.text, "signature": ""}
        self._outcome.drop("thinking")
        return None

    def _result(self, part: ToolResultPart) -> Block:
        said: Block = {"type": "tool_result", "tool_use_id": tool_id(part.call_id)}
        content = [block for inner in part.content if (block := self._content(inner)) is not None]
        if content:
            only = content[0]
            is_plain = len(content) == 1 and only["type"] == "text" and "cache_control" not in only
            said["content"] = only["text"] if is_plain else content
        if part.is_error:
            said["is_error"] = True
        return _marked(said, part.cache)

    def _document(self, part: FilePart) -> Block | None:
        source = _document_source(part)
        if source is None:
            self._outcome.drop("file")
            return None
        said: Block = {"type": "document", "source": source}
        if part.filename:
            said["title"] = part.filename
        return _marked(said, part.cache)


def cache_control(mark: CacheMark) -> Block:
    """A cache breakpoint; five minutes is what goes without saying."""
    return {"type": "ephemeral"} if mark == "5m" else {"type": "ephemeral", "ttl": mark}


def limit_marks(blocks: list[Block]) -> None:
    """Only the last few breakpoints stay: they reach the furthest."""
    marked = [block for block in blocks if "cache_control" in block]
    for block in marked[:-MAX_MARKS]:
        del block["cache_control"]


def _marked(block: Block, mark: CacheMark | None) -> Block:
    if mark is not None:
        block["cache_control"] = cache_control(mark)
    return block


def _source(url: str) -> Block:
    if (media := inline(url)) is not None:
        return {"type": "base64", "media_type": media[0] or "image/png", "data": media[1]}
    return {"type": "url", "url": url}


def _document_source(part: FilePart) -> Block | None:
    """A PDF, a text, or where one is; None for other kinds, and for a file in another vendor's keeping."""
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if part.data is None:
        return None
    found = _DATA_URL.fullmatch(part.data)
    if found is None:  # some clients send the base64 alone
        return {"type": "base64", "media_type": "application/pdf", "data": part.data}
    media_type, is_base64, data = found[1], found[2], found[3]
    if media_type == "application/pdf" and is_base64:
        return {"type": "base64", "media_type": media_type, "data": data}
    if not media_type.startswith("text/") and media_type != "application/json":
        return None
    try:
        text = b64decode(data, validate=True).decode() if is_base64 else data
    except (NotBase64, UnicodeDecodeError):
        return None
    return {"type": "text", "media_type": "text/plain", "data": text}
