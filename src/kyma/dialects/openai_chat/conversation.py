"""Messages and tools as OpenAI chat writes them: the shapes that a request is checked against."""

import msgspec

from kyma.core.chat import Role
from kyma.dialects.documents import UNSEEN_DOCUMENT_BYTES, decoded_size
from kyma.dialects.openai_chat.wire import NULL


class WireFunction(msgspec.Struct):
    name: str
    arguments: str = ""


class WireCustom(msgspec.Struct):
    name: str
    input: str = ""


class WireToolCall(msgspec.Struct):
    id: str = ""
    type: str = "function"
    function: WireFunction | None = None
    custom: WireCustom | None = None


class WireImage(msgspec.Struct):
    url: str
    detail: str | None = None


class WireAudio(msgspec.Struct):
    data: str
    format: str


class WireFile(msgspec.Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class WirePart(msgspec.Struct):
    type: str
    text: str | None = None
    image_url: WireImage | str | None = None
    input_audio: WireAudio | None = None
    file: WireFile | None = None
    cache_control: msgspec.Raw = NULL

    @property
    def media_bytes(self) -> int:
        """How much of the part is media, which a model does not read as text."""
        image = self.image_url
        size = 0 if image is None else len(image if isinstance(image, str) else image.url)
        if self.input_audio is not None:
            size += len(self.input_audio.data)
        if self.file is not None and self.file.file_data is not None:
            size += len(self.file.file_data)
        return size

    @property
    def document_bytes(self) -> int:
        """How large a document it is; one that stands elsewhere is guessed."""
        if self.file is None:
            return 0
        return decoded_size(self.file.file_data) if self.file.file_data else UNSEEN_DOCUMENT_BYTES


MEMBERS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "image_url": "image_url",
    "input_audio": "input_audio",
    "file": "file",
}
"""The member that a part of each known type cannot be without; other types are the dialect's own."""


PART_CONCEPTS = {"image_url": "image", "input_audio": "audio", "file": "file"}


class WireMessage(msgspec.Struct):
    role: Role
    content: str | list[WirePart] | None = None
    name: str | None = None
    tool_calls: list[WireToolCall] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    cache_control: msgspec.Raw = NULL


class WireToolFunction(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = NULL
    strict: bool | None = None


class WireCustomTool(msgspec.Struct):
    name: str
    description: str | None = None
    format: msgspec.Raw = NULL


class WireTool(msgspec.Struct):
    type: str = "function"
    function: WireToolFunction | None = None
    custom: WireCustomTool | None = None
    cache_control: msgspec.Raw = NULL
