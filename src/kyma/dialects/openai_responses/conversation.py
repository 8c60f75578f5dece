"""A request's items as messages in Kyma's words: what the model says in a row, thoughts and calls too, is one."""

import msgspec

from kyma.core.chat import (
    AudioPart,
    CacheMark,
    FilePart,
    ImagePart,
    Message,
    Part,
    Role,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReferencePart,
    ToolResultPart,
)
from kyma.dialects.openai_responses.items import (
    MEMBERS,
    TEXTS,
    Item,
    WireAdditionalTools,
    WireCallOutput,
    WireCustomCall,
    WireFunctionCall,
    WireMessage,
    WirePart,
    WireReasoning,
    WireSearchCall,
    WireSearchOutput,
)
from kyma.dialects.openai_responses.tools import SEARCH, Toolbox, flat_name
from kyma.dialects.openai_responses.wire import EMPTY, NULL, RawFields, Sealed, head, unseal
from kyma.dialects.report import note

CALL_MEMBERS = ("type", "id", "status", "call_id", "name", "namespace")
KNOWN_MEMBERS: dict[str, set[str]] = {
    "message": {"type", "id", "status", "role", "content"},
    "function_call": {*CALL_MEMBERS, "arguments"},
    "custom_tool_call": {*CALL_MEMBERS, "input"},
    "function_call_output": {"type", "id", "status", "call_id", "output"},
    "custom_tool_call_output": {"type", "id", "status", "call_id", "output"},
    "reasoning": {"type", "id", "status", "summary", "content", "encrypted_content"},
    "tool_search_call": {*CALL_MEMBERS, "arguments", "execution"},
    "tool_search_output": {*CALL_MEMBERS, "tools", "execution"},
    "additional_tools": {"type", "id", "role", "tools"},
}
"""Members that are read; an item's own id and status mean nothing where nothing is stored."""

BREAKPOINT = "prompt_cache_breakpoint"
KNOWN_OF_PART = {"type", BREAKPOINT, *WirePart.__struct_fields__}
CACHE_MARK: CacheMark = "1h"
"""What a breakpoint asks for, 30 minutes or 12 hours, comes nearest to this."""

Said = TextPart | ImagePart | AudioPart | FilePart


class Conversation:
    """Messages so far, and the report on what stands inside them."""

    def __init__(self, tools: Toolbox) -> None:
        self.names: dict[str, str] = {}
        self.lost: dict[str, None] = {}
        self._tools = tools
        self._messages: list[tuple[Role, list[Part]]] = []
        self._proof: Sealed | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple([Message(role, tuple(parts)) for role, parts in self._messages])

    def instruct(self, text: str) -> None:
        """What `instructions` say stands before all else."""
        self._messages.append(("system", [TextPart(text)]))

    def add(self, item: Item) -> None:
        """Read one item; what of it Kyma cannot hold is reported."""
        if item.wire is None:
            self.lost[f"input.{item.kind}"] = None
            return
        fields, wire = item.fields, item.wire
        self._report(item.kind, fields)
        if isinstance(wire, WireMessage):  # apart, because a pattern takes longer
            if isinstance(wire.content, str):
                self._say(wire.role, [TextPart(wire.content)])
            else:
                self._say(wire.role, [*self._parts(item.parts, fields, "content")])
            return
        match wire:
            case WireReasoning():
                self._say("assistant", self._thoughts(wire))
            case WireFunctionCall(call_id, name, arguments, namespace):
                self.names["arguments"] = "input.function_call.arguments"
                self._call(call_id, flat_name(name, namespace), arguments, is_custom=False)
            case WireCustomCall(call_id, name, text, namespace):
                self.names["custom_tools"] = "input.custom_tool_call"
                self._call(call_id, flat_name(name, namespace), text, is_custom=True)
            case WireSearchCall(str(call_id), arguments):
                self._call(call_id, SEARCH, _arguments(arguments), is_custom=False)
            case WireCallOutput(call_id, output):
                parts = (TextPart(output),) if isinstance(output, str) else tuple(self._parts(output, fields, "output"))
                self._say("tool", [ToolResultPart(call_id, parts)])
            case WireSearchOutput(str(call_id), tools):
                loaded = self._tools.add(tools, "input.tool_search_output.tools", is_loaded=True)
                self._say("tool", [ToolResultPart(call_id, tuple(map(ToolReferencePart, loaded)))])
            case WireAdditionalTools():
                pass  # they are in the toolbox and say nothing
            case _:
                self.lost[f"input.{item.kind}"] = None

    def _say(self, role: Role, parts: list[Part]) -> None:
        if not parts:
            return
        if role in ("assistant", "tool") and self._messages and self._messages[-1][0] == role:
            self._messages[-1][1].extend(parts)
        else:
            self._messages.append((role, parts))

    def _call(self, call_id: str, name: str, arguments: str, *, is_custom: bool) -> None:
        proof, self._proof = self._proof, None
        signature, origin = (proof.opaque, proof.origin) if proof else (None, "")
        self._say("assistant", [ToolCallPart(call_id, name, arguments, is_custom, signature, origin)])

    def _thoughts(self, wire: WireReasoning) -> list[Part]:
        """A thought is the model's own if its proof came from here; a foreign proof is no use to others."""
        text = "\n\n".join(part.text or "" for part in wire.content or wire.summary or ())
        sealed = unseal(wire.encrypted_content) if wire.encrypted_content else None
        if wire.encrypted_content and sealed is None:
            self.lost["input.reasoning.encrypted_content"] = None
        if sealed is not None and sealed.kind == "call":
            self._proof = sealed
        elif sealed is not None:
            self.names["thinking"] = "input.reasoning"
            is_redacted = sealed.kind == "redacted"
            signature, redacted = (None, sealed.opaque) if is_redacted else (sealed.opaque, None)
            return [ThinkingPart(text, signature, sealed.origin, redacted)]
        if not text:
            return []
        self.names["thinking"] = "input.reasoning"
        return [ThinkingPart(text)]

    def _parts(self, parts: list[WirePart], item: RawFields, content: str) -> list[Said]:
        """What stands in the member `content` of a message or a result."""
        found: list[Said] = []
        as_sent = _parts_decoder.decode(item[content]) if parts else ()
        for wire, fields in zip(parts, as_sent, strict=True):
            if wire.type in TEXTS and wire.text is not None and len(fields) == len(("type", "text")):
                found.append(TextPart(wire.text))  # nearly all there is
                continue
            cache = self._cache(fields, f"input.{content}")
            part = self._part(wire, cache, f"input.{content}.{wire.type}")
            if part is None:
                continue
            found.append(part)
            for name in fields.keys() - KNOWN_OF_PART:
                if fields[name] not in EMPTY:
                    self.lost[f"input.{content}.{wire.type}.{name}"] = None
        return found

    def _part(self, wire: WirePart, cache: CacheMark | None, path: str) -> Said | None:
        match wire:
            case WirePart(type=kind, text=str(text)) if kind in TEXTS:
                return TextPart(text, cache)
            case WirePart(type="refusal", refusal=str(text)):
                return TextPart(text)
            case WirePart(type="input_image", image_url=str(url), detail=detail):
                note(self.names, "image", path)
                if detail not in (None, "auto"):
                    note(self.names, "detail", f"{path}.detail")
                return ImagePart(url, detail, cache)
            case WirePart(type="input_audio", input_audio=audio) if audio is not None:
                note(self.names, "audio", path)
                return AudioPart(audio.data, audio.format)
            case WirePart(type="input_file", file_data=data, file_id=file_id, filename=filename, file_url=url):
                note(self.names, "file", path)
                if wire.detail is not None:
                    self.lost[f"{path}.detail"] = None
                return FilePart(_data_url(data), file_id, filename, url, cache)
        self.lost[f"{path}.file_id" if wire.type in MEMBERS else path] = None
        return None

    def _cache(self, fields: RawFields, path: str) -> CacheMark | None:
        if fields.get(BREAKPOINT, NULL) == NULL:
            return None
        note(self.names, "cache", f"{path}.{BREAKPOINT}")
        return CACHE_MARK

    def _report(self, kind: str, fields: RawFields) -> None:
        known = KNOWN_MEMBERS[kind]
        for name in fields:
            if name not in known and fields[name] not in EMPTY:
                self.lost[f"input.{kind}.{name}"] = None


_text_decoder = msgspec.json.Decoder(str)
_parts_decoder = msgspec.json.Decoder(list[RawFields])


def _arguments(raw: msgspec.Raw) -> str:
    """A search's arguments, an object on the wire, as JSON text."""
    if head(raw) == b'"':
        return _text_decoder.decode(raw)
    return "{}" if raw == NULL else bytes(raw).decode()


def _data_url(data: str | None) -> str | None:
    """Some clients send the bare base64 of a PDF."""
    return data if data is None or data.startswith("data:") else f"data:application/pdf;base64,{data}"
