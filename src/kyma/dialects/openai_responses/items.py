"""The shapes of a request's input: items, and the content inside them. Kinds not listed are skipped, not refused."""

from typing import Any, Literal

import msgspec

from kyma.dialects.documents import UNSEEN_DOCUMENT_BYTES, decoded_size
from kyma.dialects.json_input import decode_at
from kyma.dialects.openai_responses.wire import NULL, RawFields, fields_decoder, refuse


class WireAudio(msgspec.Struct):
    data: str
    format: str


class WirePart(msgspec.Struct):
    """Content of any kind: of messages, of results, of reasoning."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    input_audio: WireAudio | None = None

    @property
    def media_bytes(self) -> int:
        """How much of the part is media, which a model does not read as text."""
        audio = len(self.input_audio.data) if self.input_audio else 0
        return len(self.image_url or "") + len(self.file_data or "") + audio

    @property
    def document_bytes(self) -> int:
        """How large a document it is; one that stands elsewhere is guessed."""
        if self.type != "input_file":
            return 0
        return decoded_size(self.file_data) if self.file_data else UNSEEN_DOCUMENT_BYTES


Content = str | list[WirePart]


class WireMessage(msgspec.Struct):
    role: Literal["user", "system", "developer", "assistant"]
    content: Content | None = None


class WireFunctionCall(msgspec.Struct):
    call_id: str
    name: str
    arguments: str = ""
    namespace: str | None = None


class WireCustomCall(msgspec.Struct):
    call_id: str
    name: str
    input: str = ""
    namespace: str | None = None


class WireCallOutput(msgspec.Struct):
    call_id: str
    output: Content


class WireReasoning(msgspec.Struct):
    summary: list[WirePart] | None = None
    content: list[WirePart] | None = None
    encrypted_content: str | None = None


class WireSearchCall(msgspec.Struct):
    """The model looked for tools; without `call_id` the vendor itself did, and answered itself."""

    call_id: str | None = None
    arguments: msgspec.Raw = NULL


class WireSearchOutput(msgspec.Struct):
    call_id: str | None = None
    tools: list[msgspec.Raw] = []


class WireAdditionalTools(msgspec.Struct):
    """Tools that are offered in the input, beside those in `tools` or in their place."""

    tools: list[msgspec.Raw] = []


WireItem = (
    WireMessage
    | WireFunctionCall
    | WireCustomCall
    | WireCallOutput
    | WireReasoning
    | WireSearchCall
    | WireSearchOutput
    | WireAdditionalTools
)

Input = str | list[msgspec.Raw]

KINDS: dict[str, type[WireItem]] = {
    "message": WireMessage,
    "function_call": WireFunctionCall,
    "function_call_output": WireCallOutput,
    "custom_tool_call": WireCustomCall,
    "custom_tool_call_output": WireCallOutput,
    "reasoning": WireReasoning,
    "tool_search_call": WireSearchCall,
    "tool_search_output": WireSearchOutput,
    "additional_tools": WireAdditionalTools,
}

OFFERING = ("additional_tools", "tool_search_output")
"""Kinds of items that bring tools along."""

TEXTS = ("input_text", "output_text", "text")
MEMBERS: dict[str, tuple[str, ...]] = {
    "input_text": ("text",),
    "output_text": ("text",),
    "text": ("text",),
    "summary_text": ("text",),
    "reasoning_text": ("text",),
    "refusal": ("refusal",),
    "input_image": ("image_url", "file_id"),
    "input_file": ("file_data", "file_url", "file_id"),
    "input_audio": ("input_audio",),
}
"""Of these members a part of each known type needs one; parts of other types are skipped."""

STORED = "nothing is stored here, so an item cannot be referred to; send the item itself"


class Item(msgspec.Struct, frozen=True):
    """An item's kind, what of it can be read, and its members as they came; `wire` is None for a kind that is skipped.

    A message that was said as a string alone has no members.
    """

    kind: str
    wire: WireItem | None
    fields: RawFields

    @property
    def parts(self) -> list[WirePart]:
        """Its content, as far as that is parts."""
        wire = self.wire
        content: Content | None = None
        if isinstance(wire, WireMessage):
            content = wire.content
        elif isinstance(wire, WireCallOutput):
            content = wire.output
        return content if isinstance(content, list) else []


class _Head(msgspec.Struct):
    type: str | None = None
    role: msgspec.Raw = NULL


_head_decoder = msgspec.json.Decoder(_Head)
_input_decoder: msgspec.json.Decoder[Input] = msgspec.json.Decoder(Input)
_kinds = {msgspec.json.encode(kind): kind for kind in KINDS}
_decoders: dict[str, msgspec.json.Decoder[Any]] = {kind: msgspec.json.Decoder(wire) for kind, wire in KINDS.items()}


def read_items(given: Input) -> list[Item]:
    """The items of `input`, one message of the user if it is a string. Raises: InvalidRequest naming the field."""
    if isinstance(given, str):
        return [Item("message", WireMessage("user", given), {})]
    return [_item(item, f"input.{index}") for index, item in enumerate(given)]


def items_of(fields: RawFields) -> list[Item]:
    """The items of a request that was checked."""
    return read_items(_input_decoder.decode(fields["input"]))


def _item(raw: msgspec.Raw, where: str) -> Item:
    fields = decode_at(fields_decoder, raw, where)
    kind = _kinds.get(bytes(fields.get("type", NULL))) or _kind(raw, where)
    decoder = _decoders.get(kind)
    return Item(kind, None if decoder is None else decode_at(decoder, raw, where), fields)


def _kind(raw: msgspec.Raw, where: str) -> str:
    """What an item is that does not say it in plain letters."""
    opening = decode_at(_head_decoder, raw, where)
    kind = opening.type or ("message" if opening.role != NULL else "item_reference")
    if kind == "item_reference":
        refuse(f"{STORED} at {where}", where, "unsupported_parameter")
    return kind
