"""Checked contents in Kyma's words: turns become messages, calls without ids get some, results find their calls."""

from typing import TypeVar

import msgspec

from kyma.core.chat import (
    AudioPart,
    ImagePart,
    Message,
    NativePart,
    Part,
    ResultContent,
    Role,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from kyma.dialects.gemini.conversation import WireCall, WireContent, WirePart, WireResult
from kyma.dialects.gemini.media import MediaPart, from_blob, from_file
from kyma.dialects.gemini.signatures import unwrap
from kyma.dialects.gemini.wire import NAME, NULL, RawFields, encoder, fields_decoder, head
from kyma.dialects.report import note

T = TypeVar("T")

OUTPUT_KEYS = ("output", "result")
"""A result that holds one of these and nothing else is what it says there."""

_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_content_decoder = msgspec.json.Decoder(WireContent)
_part_decoder = msgspec.json.Decoder(WirePart)
_text_decoder = msgspec.json.Decoder(str)


def read_turns(contents: msgspec.Raw, system: msgspec.Raw) -> "Turns":
    """All messages of a request, and the report on what stands inside them."""
    turns = Turns()
    if head(system) == b'"':
        turns.messages.append(Message("system", (TextPart(_text_decoder.decode(system)),)))
    elif system != NULL:
        turns.read(system, "systemInstruction", "system")
    for raw in one_or_many(contents):
        role = _content_decoder.decode(raw).role
        turns.read(raw, "contents", "assistant" if role == "model" else "user")
    return turns


class Turns:
    """What has been read so far. Calls that no result has answered yet wait in `_waiting` as `(id, name)`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.names: dict[str, str] = {}
        self.lost: dict[str, None] = {}
        self._waiting: list[tuple[str, str]] = []
        self._calls = 0
        self._parts: list[Part] = []
        self._thought = ""

    def read(self, raw: msgspec.Raw, where: str, role: Role) -> None:
        """Add one turn; results in it become messages of their own."""
        fields = fields_decoder.decode(raw)
        self.lost.update(dict.fromkeys(f"{where}.{name}" for name in fields if name not in ("role", "parts")))
        for part in one_or_many(fields.get("parts", NULL)):
            self._read_part(part, f"{where}.parts", role)
        self._close_message(role)

    def _read_part(self, raw: msgspec.Raw, where: str, role: Role) -> None:
        wire = _part_decoder.decode(raw)
        fields = {name: value for name, value in fields_decoder.decode(raw).items() if value != NULL}
        if wire.thought_signature:
            note(self.names, "thinking", f"{where}.thoughtSignature")
        if wire.text is not None:
            self._read_text(wire.text, wire, where)
        elif wire.function_call is not None:
            self._close_thought()
            self._parts.append(self._call(wire.function_call, wire.thought_signature))
            self._note_unknown(fields["functionCall"], WireCall, f"{where}.functionCall")
        elif wire.function_response is not None:
            self._close_message(role)
            self.messages.append(Message("tool", (self._result(wire.function_response, where),)))
            self._note_unknown(fields["functionResponse"], WireResult, f"{where}.functionResponse")
        else:
            self._read_other(wire, fields, raw, where)
        known = WirePart.__struct_encode_fields__
        self.lost.update(dict.fromkeys(f"{where}.{name}" for name in fields if name not in known))

    def _read_text(self, text: str, wire: WirePart, where: str) -> None:
        """Thoughts are gathered until their signature comes, which may stand on an empty part behind them."""
        if wire.thought:
            note(self.names, "thinking", f"{where}.thought")
            self._thought += text
        elif text:
            self._close_thought()
            self._parts.append(TextPart(text))
        signature = unwrap(wire.thought_signature) if wire.thought_signature else None
        if signature is None:
            return
        if signature.is_redacted:
            self._close_thought()
            self._parts.append(ThinkingPart("", origin=signature.origin, redacted=signature.text))
        else:
            self._parts.append(ThinkingPart(self._thought, signature.text, signature.origin))
            self._thought = ""

    def _read_other(self, wire: WirePart, fields: RawFields, raw: msgspec.Raw, where: str) -> None:
        self._close_thought()
        media: MediaPart | None = None
        if wire.inline_data is not None:
            media = from_blob(wire.inline_data)
        elif wire.file_data is not None:
            media = from_file(wire.file_data)
        if media is not None:
            self._parts.append(self._note_media(media, where, "inlineData" if wire.inline_data else "fileData"))
            return
        kind = next((name for name in fields if name not in ("thought", "thoughtSignature")), "")
        if kind:
            self._parts.append(NativePart(NAME, kind, raw.copy()))
            self.lost[f"{where}.{kind}"] = None

    def _call(self, wire: WireCall, carried: str | None) -> ToolCallPart:
        call_id = wire.id or f"call_{self._calls}"
        self._calls += 1
        self._waiting.append((call_id, wire.name))
        arguments = encoder.encode(wire.args or {}).decode()
        signature = unwrap(carried) if carried else None
        if signature is None:
            return ToolCallPart(call_id, wire.name, arguments)
        return ToolCallPart(call_id, wire.name, arguments, signature=signature.text, origin=signature.origin)

    def _result(self, wire: WireResult, where: str) -> ToolResultPart:
        is_error, text = _said(wire.response or {})
        if is_error:
            self.names["is_error"] = f"{where}.functionResponse.response.error"
        content: list[ResultContent] = [TextPart(text)] if text or not wire.parts else []
        for part in wire.parts or ():
            media = from_blob(part.inline_data) if part.inline_data else None
            if part.file_data:
                media = from_file(part.file_data)
            if media is None:
                self.lost[f"{where}.functionResponse.parts"] = None
            else:
                content.append(self._note_media(media, where, "functionResponse.parts"))
        return ToolResultPart(self._answered(wire), tuple(content), is_error)

    def _answered(self, wire: WireResult) -> str:
        """The id of the call that a result answers: its own if that is known, else the oldest open of its name."""
        by_id = [call for call in self._waiting if call[0] == wire.id]
        by_name = [call for call in self._waiting if call[1] == wire.name]
        call = next(iter(by_id or by_name), None)
        if call is None:
            return wire.id or f"call_{wire.name}"
        self._waiting.remove(call)
        return call[0]

    def _note_media(self, media: T, where: str, member: str) -> T:
        concept = "image" if isinstance(media, ImagePart) else "audio" if isinstance(media, AudioPart) else "file"
        note(self.names, concept, f"{where}.{member}")
        return media

    def _note_unknown(self, raw: msgspec.Raw, shape: type[msgspec.Struct], where: str) -> None:
        known = shape.__struct_encode_fields__
        self.lost.update(dict.fromkeys(f"{where}.{name}" for name in fields_decoder.decode(raw) if name not in known))

    def _close_thought(self) -> None:
        if self._thought:
            self._parts.append(ThinkingPart(self._thought))
            self._thought = ""

    def _close_message(self, role: Role) -> None:
        self._close_thought()
        if self._parts:
            self.messages.append(Message(role, tuple(self._parts)))
            self._parts = []


def one_or_many(raw: msgspec.Raw) -> list[msgspec.Raw]:
    """What may be one value or a list of them, as a list."""
    if raw == NULL:
        return []
    return _list_decoder.decode(raw) if head(raw) == b"[" else [raw]


def _said(response: RawFields) -> tuple[bool, str]:
    """`(is an error, the words)` of a result object; one of several members stays JSON."""
    if len(response) == 1:
        ((name, raw),) = response.items()
        if name in OUTPUT_KEYS or name == "error":
            return name == "error", _text_decoder.decode(raw) if head(raw) == b'"' else bytes(raw).decode()
    return False, encoder.encode(response).decode() if response else ""
