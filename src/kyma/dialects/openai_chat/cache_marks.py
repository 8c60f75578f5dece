"""Cache breakpoints in chats: Anthropic's mark, which many clients write at a part, a message or a tool here too.

Source: opencode 1.18, seen on the wire in November 2026.
"""

from typing import Literal

import msgspec

from kyma.core.chat import CacheMark, FilePart, ImagePart, Part, TextPart, ToolCallPart
from kyma.dialects.openai_chat.wire import NULL
from kyma.dialects.report import note


class WireCache(msgspec.Struct):
    type: Literal["ephemeral"]
    ttl: CacheMark | None = None


_cache_decoder = msgspec.json.Decoder(WireCache)


def read_mark(raw: msgspec.Raw) -> CacheMark | None:
    """None for what is absent or no such mark."""
    if raw == NULL:
        return None
    try:
        return _cache_decoder.decode(raw).ttl or "5m"
    except msgspec.DecodeError:
        return None


def note_mark(raw: msgspec.Raw, path: str, names: dict[str, str], lost: dict[str, None]) -> None:
    """Report what stands at `path`."""
    if read_mark(raw) is not None:
        note(names, "cache", path)
    elif raw != NULL:
        lost[path] = None


def mark_last(parts: tuple[Part, ...], mark: CacheMark | None) -> tuple[Part, ...]:
    """A message's own mark stands behind its last part that can bear one."""
    if mark is None or not parts:
        return parts
    *before, last = parts
    if isinstance(last, TextPart | ImagePart | FilePart | ToolCallPart):
        return (*before, msgspec.structs.replace(last, cache=last.cache or mark))
    return (*mark_last(tuple(before), mark), last)
