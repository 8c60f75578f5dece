"""Content blocks, messages and tools as customers of Anthropic Messages send them, and their check.

One struct holds the members of all kinds of block: what a kind cannot be without is a table, and kinds that are not in
it are Anthropic's own business (server tools, browser states, compactions) and are taken as they come.
"""

from typing import Annotated, Literal, NoReturn

import msgspec

from kyma.core.errors import InvalidRequest
from kyma.dialects.anthropic_messages.proofs import is_ours
from kyma.dialects.anthropic_messages.wire import NULL, head
from kyma.dialects.documents import UNSEEN_DOCUMENT_BYTES, decoded_size


class WireCache(msgspec.Struct):
    type: str = "ephemeral"
    ttl: Literal["5m", "1h"] | None = None


class WireSource(msgspec.Struct):
    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: "str | list[WireBlock] | None" = None


class WireBlock(msgspec.Struct):
    type: str
    text: str | None = None
    source: WireSource | str | None = None
    title: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = NULL
    tool_use_id: str | None = None
    content: "str | list[WireBlock] | dict[str, msgspec.Raw] | None" = None
    is_error: bool | None = None
    tool_name: str | None = None
    cache_control: WireCache | None = None


class WireMessage(msgspec.Struct):
    role: Literal["user", "assistant", "system"]
    content: str | list[WireBlock]


class WireTool(msgspec.Struct):
    """A tool of the customer's own has `input_schema`; any other is a server tool, known by its dated `type`."""

    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, msgspec.Raw] | None = None
    strict: bool | None = None
    defer_loading: bool | None = None
    cache_control: WireCache | None = None
    max_uses: Annotated[int, msgspec.Meta(ge=0, le=2**31)] | None = None

    @property
    def is_customers(self) -> bool:
        return self.type in (None, "custom")


MEMBERS = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source",),
    "search_result": ("source", "content"),
    "thinking": ("thinking",),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name"),
    "tool_result": ("tool_use_id",),
    "tool_reference": ("tool_name",),
}
"""The members that a block of each known kind cannot be without."""

THOUGHTS = ("thinking", "redacted_thinking")
SOURCES = {"base64": ("media_type", "data"), "url": ("url",), "file": ("file_id",), "text": ("data",)}


class Census:
    """What a check has counted: media, and what only an upstream of this dialect can honour."""

    __slots__ = ("document_bytes", "has_results", "images", "keeps_an_hour", "media_bytes", "needs_native")

    def __init__(self) -> None:
        self.images = self.media_bytes = self.document_bytes = 0
        self.needs_native = self.has_results = self.keeps_an_hour = False

    def check(self, blocks: list[WireBlock], where: str) -> None:
        """Raises: InvalidRequest naming the block."""
        for index, block in enumerate(blocks):
            kind = block.type
            for member in MEMBERS.get(kind, ()):
                if getattr(block, member) is None:
                    _refuse(f"a block of type {kind} needs the member {member}", f"{where}.{index}.{member}")
            if block.cache_control is not None:
                self.mark(block.cache_control)
            if kind == "text":
                continue
            if kind not in MEMBERS or (kind in THOUGHTS and is_ours(block.signature or block.data)):
                self.needs_native = True
            elif kind == "tool_use" and head(block.input) != b"{":
                _refuse("a block of type tool_use needs an object as its input", f"{where}.{index}.input")
            elif kind in ("image", "document"):
                self._check_media(block, f"{where}.{index}")
            elif kind == "tool_result":
                self.has_results = True
            if isinstance(block.content, list) and kind in MEMBERS:
                self.check(block.content, f"{where}.{index}.content")

    def mark(self, cache: WireCache) -> None:
        """A breakpoint of the cache."""
        self.needs_native = True
        self.keeps_an_hour = self.keeps_an_hour or cache.ttl == "1h"

    def _check_media(self, block: WireBlock, where: str) -> None:
        source = block.source
        if not isinstance(source, WireSource):
            _refuse(f"the source of a block of type {block.type} is an object", f"{where}.source")
        for member in SOURCES.get(source.type, ()):
            if getattr(source, member) is None:
                _refuse(f"a source of type {source.type} needs the member {member}", f"{where}.source.{member}")
        if block.type == "image":
            self.images += 1
        if source.type == "base64":
            self.media_bytes += len(source.data or "")
        if block.type == "document" and source.type in ("base64", "url", "file"):
            self.document_bytes += decoded_size(source.data) if source.data else UNSEEN_DOCUMENT_BYTES
        if source.type == "file":
            self.needs_native = True
        if isinstance(source.content, list):
            self.check(source.content, f"{where}.source.content")


def _refuse(message: str, param: str) -> NoReturn:
    raise InvalidRequest(message, param=param)
