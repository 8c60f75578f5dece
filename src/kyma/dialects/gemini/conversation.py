"""Contents and their parts as customers write them: the shapes that a request is checked against."""

from typing import TypeVar

import msgspec

from kyma.dialects.documents import UNSEEN_DOCUMENT_BYTES, decoded_size
from kyma.dialects.gemini.wire import NULL

T = TypeVar("T")
OTHER_MEDIA = ("image/", "audio/", "video/")
"""Any other kind is a document."""


class WireBlob(msgspec.Struct, rename="camel"):
    data: str
    mime_type: str = ""
    display_name: str | None = None


class WireFileData(msgspec.Struct, rename="camel"):
    file_uri: str
    mime_type: str = ""


class WireCall(msgspec.Struct):
    name: str
    id: str | None = None
    args: dict[str, msgspec.Raw] | None = None


class WireResultPart(msgspec.Struct, rename="camel"):
    inline_data: WireBlob | None = None
    file_data: WireFileData | None = None


class WireResult(msgspec.Struct):
    name: str
    id: str | None = None
    response: dict[str, msgspec.Raw] | None = None
    parts: list[WireResultPart] | None = None


class WirePart(msgspec.Struct, rename="camel"):
    """One of the members is set; `thought` and `thought_signature` say more about it."""

    text: str | None = None
    inline_data: WireBlob | None = None
    file_data: WireFileData | None = None
    function_call: WireCall | None = None
    function_response: WireResult | None = None
    thought: bool | None = None
    thought_signature: str | None = None

    @property
    def media_bytes(self) -> int:
        """How much of the part is media or proof of thought, which a model does not read as text."""
        size = len(self.thought_signature or "")
        if self.inline_data is not None:
            size += len(self.inline_data.data)
        if self.function_response is not None:
            for part in self.function_response.parts or ():
                size += len(part.inline_data.data) if part.inline_data else 0
        return size

    @property
    def image_count(self) -> int:
        """How many images the model is shown."""
        return sum(source.mime_type.startswith("image/") for source in self._media())

    @property
    def document_bytes(self) -> int:
        """How large its documents are; those that stand elsewhere are guessed."""
        size = 0
        for source in self._media():
            if not source.mime_type.startswith(OTHER_MEDIA):
                size += decoded_size(source.data) if isinstance(source, WireBlob) else UNSEEN_DOCUMENT_BYTES
        return size

    def _media(self) -> list[WireBlob | WireFileData]:
        sources: list[WireBlob | WireFileData | None] = [self.inline_data, self.file_data]
        if self.function_response is not None:
            for part in self.function_response.parts or ():
                sources += [part.inline_data, part.file_data]
        return [source for source in sources if source is not None]


class WireContent(msgspec.Struct):
    """Google takes a single part where a list is meant, and shows it so in its own examples."""

    parts: list[WirePart] | WirePart | None = None
    role: str | None = None


class WireFunctionDeclaration(msgspec.Struct, rename="camel"):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = NULL
    parameters_json_schema: msgspec.Raw = NULL


class WireTool(msgspec.Struct, rename="camel"):
    function_declarations: list[WireFunctionDeclaration] | WireFunctionDeclaration | None = None


def as_list(value: list[T] | T | None) -> list[T]:
    """What may be one or many, as many."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
