"""A conversation as Converse wants it: turns that alternate, results first, thoughts only where they are at home."""

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

import msgspec

from kyma.core.chat import (
    AudioPart,
    CacheMark,
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
from kyma.dialects.bedrock_converse.makers import Maker
from kyma.dialects.bedrock_converse.media import Block, Media, concept, to_block
from kyma.dialects.bedrock_converse.wire import HOUR, NAME, encoder
from kyma.dialects.report import Report

USER, ASSISTANT = "user", "assistant"
GO_ON = "(The conversation goes on.)"
"""Opens a conversation that starts with the assistant, and stands for one in which nothing was said."""
NOTHING = "(nothing)"
"""What a tool answered that answered nothing: a result without content, or with blank text, is a 400."""
SEE_DOCUMENT = "(See the document.)"
"""A turn with a document must have a text beside it."""

MAX_CACHE_POINTS = 4
MAX_ID_CHARS = 64

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_.:-]")
_fields_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Turns:
    """Messages as `system` blocks and `turns`; `called` and `references` are the tools that they name.

    `keeps_unsigned`: thoughts that nobody signed go back too.
    """

    def __init__(self, maker: Maker, keeps_unsigned: bool, report: Report) -> None:
        self.system: list[Block] = []
        self.turns: list[Block] = []
        self.called: dict[str, None] = {}
        self.references: set[str] = set()
        self._maker = maker
        self._keeps_unsigned = keeps_unsigned
        self._report = report
        self._documents: set[str] = set()

    @property
    def has_results(self) -> bool:
        return any("toolResult" in block for turn in self.turns for block in turn["content"])

    def write(self, messages: Iterable[Message]) -> None:
        """Add messages in their order, and make of them what Converse takes for a conversation."""
        for message in messages:
            if message.name is not None:
                self._report.drop("name")
            if message.role in ("system", "developer"):
                self._instruct(message)
            elif message.role == ASSISTANT:
                self._extend(ASSISTANT, [block for part in message.parts for block in self._said(part)])
            else:
                self._extend(USER, [block for part in message.parts for block in self._heard(part)])
        self._tidy()

    def marked(self, blocks: list[Block], mark: CacheMark | None) -> list[Block]:
        """The blocks with a cache point behind them, if they are marked and the maker has such."""
        if mark is None or not blocks:
            return blocks
        if not self._maker.caches:
            self._report.drop("cache")
            return blocks
        if mark not in self._maker.caches:
            self._report.emulate("cache")
        point = {"type": "default", "ttl": HOUR} if mark == HOUR and mark in self._maker.caches else {"type": "default"}
        return [*blocks, {"cachePoint": point}]

    def _instruct(self, message: Message) -> None:
        """Before anything was said it is the system prompt, later a marked text of the user's turn."""
        parts = [part for part in message.parts if isinstance(part, TextPart) and part.text.strip()]
        if not self.turns:
            for part in parts:
                self.system += self.marked([{"text": part.text}], part.cache)
            return
        self._report.emulate("messages")
        for part in parts:
            self._extend(USER, self.marked([{"text": f"<system>\n{part.text}\n</system>"}], part.cache))

    def _extend(self, role: str, blocks: list[Block]) -> None:
        """Joined to the turn before if that is of the same role."""
        if not blocks:
            return
        if not self.turns or self.turns[-1]["role"] != role:
            self.turns.append({"role": role, "content": []})
        self.turns[-1]["content"] += blocks

    def _said(self, part: Part) -> Iterator[Block]:
        """What the assistant said; media in its turns is refused."""
        match part:
            case TextPart(text=text, cache=mark):
                yield from self.marked([{"text": text}] if text.strip() else [], mark)
            case ThinkingPart():
                yield from self._thought(part)
            case ToolCallPart():
                yield from self.marked([self._call(part)], part.cache)
            case ImagePart() | AudioPart() | FilePart():
                self._report.drop(concept(part))

    def _heard(self, part: Part) -> Iterator[Block]:
        """What the user said and the tools answered."""
        match part:
            case TextPart(text=text, cache=mark):
                yield from self.marked([{"text": text}] if text.strip() else [], mark)
            case ImagePart() | FilePart():
                yield from self.marked(self._media(part), part.cache)
            case AudioPart():
                yield from self._media(part)
            case ToolResultPart():
                yield from self._result(part)

    def _thought(self, part: ThinkingPart) -> Iterator[Block]:
        is_ours = part.origin == NAME
        if is_ours and part.redacted:
            yield {"reasoningContent": {"redactedContent": part.redacted}}
        elif is_ours and part.signature:
            yield {"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.signature}}}
        elif self._keeps_unsigned and part.text:
            yield {"reasoningContent": {"reasoningText": {"text": part.text}}}
        else:
            self._report.drop("thinking")

    def _call(self, part: ToolCallPart) -> Block:
        if part.signature:
            self._report.drop("thinking")
        self.called[part.name] = None
        arguments = None if part.is_custom else _as_object(part.arguments)
        if arguments is None:
            self._report.emulate("custom_tools" if part.is_custom else "arguments")
            arguments = msgspec.Raw(encoder.encode({"input": part.arguments}))
        return {"toolUse": {"toolUseId": tool_id(part.id), "name": part.name, "input": arguments}}

    def _result(self, part: ToolResultPart) -> Iterator[Block]:
        """Media that the model does not take inside a result follows behind it."""
        content: list[Block] = []
        behind: list[Block] = []
        for inner in part.content:
            if isinstance(inner, ImagePart | AudioPart | FilePart):
                is_inside = self._maker.media_in_results and not isinstance(inner, AudioPart)
                blocks = self._media(inner)
                if blocks and not is_inside:
                    self._report.emulate(concept(inner))
                (content if is_inside else behind).extend(blocks)
            else:
                content += self._told(inner)
        said: dict[str, Any] = {"toolUseId": tool_id(part.call_id), "content": content or [{"text": NOTHING}]}
        if part.is_error:
            said["status"] = "error"
        yield from self.marked([{"toolResult": said}], part.cache)
        yield from behind

    def _told(self, content: ResultContent) -> list[Block]:
        match content:
            case TextPart(text=text):
                return [{"text": text}] if text.strip() else []
            case ToolReferencePart(name=name):
                self.references.add(name)
                self._report.emulate("deferred_tools")
                return [{"text": f"The tool {name} can be called from now on."}]
        return []

    def _media(self, part: Media) -> list[Block]:
        if isinstance(part, ImagePart) and part.detail not in (None, "auto"):
            self._report.drop("detail")
        block = to_block(part, self._documents)
        if block is None:
            self._report.drop(concept(part))
        return [] if block is None else [block]

    def _tidy(self) -> None:
        if not self.turns:
            self._report.emulate("messages")
            words = [block for block in self.system if "text" in block]
            self.turns.append({"role": USER, "content": words or [{"text": GO_ON}]})
            self.system = []
        elif self.turns[0]["role"] == ASSISTANT:
            self._report.emulate("messages")
            self.turns.insert(0, {"role": USER, "content": [{"text": GO_ON}]})
        for turn in self.turns:
            content = turn["content"]
            if turn["role"] == USER:
                content[:] = _results_first(content)
                if any("document" in block for block in content) and not any("text" in block for block in content):
                    self._report.emulate("file")
                    content.append({"text": SEE_DOCUMENT})
        last = self.turns[-1]
        if last["role"] == ASSISTANT and "text" in last["content"][-1]:
            last["content"][-1]["text"] = last["content"][-1]["text"].rstrip()


def limit_cache_points(places: Iterable[list[Block]]) -> None:
    """Of all cache points, in the order that the model reads them, only the last few stay: they reach the furthest."""
    points = [(place, block) for place in places for block in place if "cachePoint" in block]
    for place, point in points[:-MAX_CACHE_POINTS]:
        place[:] = [block for block in place if block is not point]


def tool_id(wanted: str) -> str:
    """A call's id in the letters and the length that Converse allows; a call and its result share it with no other."""
    allowed = _NOT_IN_IDS.sub("_", wanted)
    if wanted and allowed == wanted and len(wanted) <= MAX_ID_CHARS:
        return wanted
    return f"{allowed[:48]}_{sha256(wanted.encode()).hexdigest()[:8]}"


def _results_first(content: list[Block]) -> list[Block]:
    """Results answer the turn before; a cache point stays with what it stands behind."""
    results: list[Block] = []
    others: list[Block] = []
    place = others
    for block in content:
        if "cachePoint" not in block:
            place = results if "toolResult" in block else others
        place.append(block)
    return results + others


def _as_object(arguments: str) -> msgspec.Raw | None:
    """A call's arguments as an object, nothing as `{}`; None for what is no object."""
    if not arguments.strip():
        return msgspec.Raw(b"{}")
    try:
        _fields_decoder.decode(arguments)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    return msgspec.Raw(arguments.encode())
