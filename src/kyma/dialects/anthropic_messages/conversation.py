"""Messages of a Messages request in Kyma's words, with the report on what stands inside them."""

from collections.abc import Iterator

import msgspec

from kyma.core.chat import (
    CacheMark,
    FilePart,
    ImagePart,
    Message,
    NativePart,
    Part,
    ResultContent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReferencePart,
    ToolResultPart,
)
from kyma.dialects.anthropic_messages.blocks import WireBlock, WireMessage, WireSource
from kyma.dialects.anthropic_messages.proofs import unwrap
from kyma.dialects.anthropic_messages.tools import Report, read_mark
from kyma.dialects.anthropic_messages.wire import EMPTY, NAME, NULL, RawFields, fields_decoder, to_raw

KNOWN = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source", "title"),
    "search_result": ("source", "title", "content"),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id", "content", "is_error"),
    "tool_reference": ("tool_name",),
}
"""The members of each kind of block that Kyma has a word for, `type` and `cache_control` aside."""

Marked = TextPart | ImagePart | FilePart | ToolCallPart | ToolResultPart

_messages_decoder = msgspec.json.Decoder(list[WireMessage])
_sent_decoder = msgspec.json.Decoder(list[RawFields])
_system_decoder = msgspec.json.Decoder(str | list[WireBlock])
_raws_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def read_messages(raw: msgspec.Raw, system: msgspec.Raw | None, report: Report) -> tuple[Message, ...]:
    """Checked messages, `system` first. What tools answered comes before what the user says in the same turn."""
    messages: list[Message] = []
    if system is not None:
        said = _system_decoder.decode(system)
        sent = [] if isinstance(said, str) else _raws_decoder.decode(system)
        if parts := _parts(said, sent, "system", report):
            messages.append(Message("system", parts))
    for wire, fields in zip(_messages_decoder.decode(raw), _sent_decoder.decode(raw), strict=True):
        for name, value in fields.items():
            if name not in ("role", "content") and value not in EMPTY:
                report.lose(f"messages.{name}")
        sent = [] if isinstance(wire.content, str) else _raws_decoder.decode(fields["content"])
        parts = _parts(wire.content, sent, "messages.content", report)
        results = [Message("tool", (part,)) for part in parts if isinstance(part, ToolResultPart)]
        rest = tuple([part for part in parts if not isinstance(part, ToolResultPart)]) if results else parts
        messages += results
        if rest or not parts:
            messages.append(Message(wire.role, rest))
    return tuple(messages)


def mark_last(messages: tuple[Message, ...], mark: CacheMark) -> tuple[Message, ...]:
    """A cache breakpoint behind the last part that can have one."""
    for at in range(len(messages) - 1, -1, -1):
        parts = list(messages[at].parts)
        for position in range(len(parts) - 1, -1, -1):
            part = parts[position]
            if isinstance(part, Marked):
                parts[position] = msgspec.structs.replace(part, cache=mark)
                changed = Message(messages[at].role, tuple(parts), messages[at].name)
                return (*messages[:at], changed, *messages[at + 1 :])
    return messages


def _parts(said: str | list[WireBlock], sent: list[msgspec.Raw], where: str, report: Report) -> tuple[Part, ...]:
    if isinstance(said, str):
        return (TextPart(said),) if said else ()
    parts: list[Part] = []
    proof: tuple[str, str] | None = None
    for block, raw in zip(said, sent, strict=True):
        _lose_members(block, raw, where, report)
        if block.type == "thinking" and not block.thinking:
            signature, origin, is_of_call = unwrap(block.signature or "")
            if is_of_call:
                proof = (signature, origin)
                continue
        if block.type == "tool_use" and proof is not None:
            parts.append(msgspec.structs.replace(_tool_use(block, where, report), signature=proof[0], origin=proof[1]))
            proof = None
        elif block.type == "tool_result":
            parts.append(_tool_result(block, raw, where, report))
        else:
            parts.extend(_read_block(block, raw, where, report))
    return tuple(parts)


def _read_block(block: WireBlock, raw: msgspec.Raw, where: str, report: Report) -> Iterator[Part]:
    match block.type:
        case "thinking":
            signature, origin, _ = unwrap(block.signature or "")
            report.name("thinking", f"{where}.thinking")
            yield ThinkingPart(block.thinking or "", signature or None, origin if signature else "")
        case "redacted_thinking":
            data, origin, _ = unwrap(block.data or "")
            report.name("thinking", f"{where}.redacted_thinking")
            yield ThinkingPart("", origin=origin, redacted=data)
        case "tool_use":
            yield _tool_use(block, where, report)
        case _:
            for part in _marked_content(block, raw, where, report):
                if isinstance(part, ToolReferencePart):
                    report.lose(f"{where}.tool_reference")
                else:
                    yield part


def _marked_content(block: WireBlock, raw: msgspec.Raw, where: str, report: Report) -> list[ResultContent]:
    content = list(_read_content(block, raw, where, report))
    if (mark := read_mark(block, where, report)) and content and isinstance(last := content[-1], Marked):
        content[-1] = msgspec.structs.replace(last, cache=mark)
    return content


def _read_content(block: WireBlock, raw: msgspec.Raw, where: str, report: Report) -> Iterator[ResultContent]:
    """Blocks that may stand both in a message and in a tool's result."""
    source = block.source
    match block.type:
        case "text":
            yield TextPart(block.text or "")
        case "image" if isinstance(source, WireSource) and (url := _url(source)):
            report.name("image", f"{where}.image")
            yield ImagePart(url)
        case "document" if isinstance(source, WireSource) and source.type in ("text", "content"):
            yield from _document_text(block.title, source, where, report)
        case "document" if isinstance(source, WireSource) and source.type == "base64":
            report.name("file", f"{where}.document")
            yield FilePart(_url(source), None, block.title)
        case "document" if isinstance(source, WireSource) and source.type == "url":
            report.name("file", f"{where}.document")
            yield FilePart(None, None, block.title, url=source.url)
        case "search_result":
            found = block.content if isinstance(block.content, list) else ()
            texts = [inner.text or "" for inner in found if inner.type == "text"]
            heading = [line for line in (block.title, source) if isinstance(line, str) and line]
            yield TextPart("\n".join([*heading, *texts]))
        case "tool_reference":
            report.name("deferred_tools", "tools.defer_loading")
            yield ToolReferencePart(block.tool_name or "")
        case _:
            report.lose(f"{where}.{block.type}")
            yield NativePart(NAME, block.type, raw.copy())


def _url(source: WireSource) -> str | None:
    """Where media is, or itself as a `data:` URL; None for a file in a vendor's keeping."""
    if source.type == "base64":
        return f"data:{source.media_type};base64,{source.data}"
    return source.url if source.type == "url" else None


def _document_text(title: str | None, source: WireSource, where: str, report: Report) -> Iterator[ResultContent]:
    """A document that is text already, said as text under its title."""
    if title:
        yield TextPart(title)
    if source.type == "text":
        yield TextPart(source.data or "")
    elif isinstance(source.content, str):
        yield TextPart(source.content)
    else:
        for block in source.content or ():
            yield from _read_content(block, NULL, where, report)


def _tool_use(block: WireBlock, where: str, report: Report) -> ToolCallPart:
    arguments = bytes(block.input).decode()
    return ToolCallPart(block.id or "", block.name or "", arguments, cache=read_mark(block, where, report))


def _tool_result(block: WireBlock, raw: msgspec.Raw, where: str, report: Report) -> ToolResultPart:
    content: list[ResultContent] = []
    if isinstance(block.content, str):
        content.append(TextPart(block.content))
    elif isinstance(block.content, list):
        inside = f"{where}.content"
        for inner, sent in zip(block.content, _raws_decoder.decode(fields_decoder.decode(raw)["content"]), strict=True):
            _lose_members(inner, sent, inside, report)
            content.extend(_marked_content(inner, sent, inside, report))
    elif block.content is not None:
        content.append(TextPart(bytes(to_raw(block.content)).decode()))
    if block.is_error:
        report.name("is_error", f"{where}.is_error")
    return ToolResultPart(
        block.tool_use_id or "", tuple(content), bool(block.is_error), read_mark(block, where, report)
    )


def _lose_members(block: WireBlock, raw: msgspec.Raw, where: str, report: Report) -> None:
    known = KNOWN.get(block.type)
    if known is None:
        return
    for name, value in fields_decoder.decode(raw).items():
        if name not in known and name not in ("type", "cache_control") and value not in EMPTY:
            report.lose(f"{where}.{name}")
