"""The output item of a tool call, whichever kind of tool it is."""

import msgspec

from kyma.dialects.openai_responses.output import Item, Json, Pen, opening
from kyma.dialects.openai_responses.tools import SEARCH, Spoken
from kyma.dialects.openai_responses.wire import encoder

_object_decoder = msgspec.json.Decoder(Json)
_encode = encoder.encode


class CallItem(Item):
    """A call of a tool. Functions' arguments are told as they come; other kinds' once they are whole."""

    def __init__(self, item_id: str, index: int, call_id: str, spoken: Spoken) -> None:
        super().__init__(item_id, index)
        self._call_id = call_id
        self._spoken = spoken
        self._pieces: list[str] = []
        self._delta = opening("response.function_call_arguments.delta", self._at())

    def say(self, arguments: str) -> bytes:
        if not arguments:
            return b""
        self._pieces.append(arguments)
        return b"" if self._pen is None else self._told(self._pen, arguments)

    def json(self) -> Json:
        arguments = "".join(self._pieces)
        if self._spoken.kind == "custom":
            return self._blank() | {"status": self.status or "in_progress", "input": free_text(arguments)}
        if self._spoken.kind == SEARCH:
            return self._blank() | {"status": self.status or "in_progress", "arguments": _object(arguments)}
        if self.status == "completed":
            arguments = arguments or "{}"
        return self._blank() | {"status": self.status or "in_progress", "arguments": arguments}

    def _blank(self) -> Json:
        item: Json = {"id": self.id, "status": "in_progress", "call_id": self._call_id}
        if self._spoken.kind == SEARCH:
            return item | {"type": "tool_search_call", "execution": "client", "arguments": {}}
        space = {"namespace": self._spoken.namespace} if self._spoken.namespace else {}
        if self._spoken.kind == "custom":
            return item | {"type": "custom_tool_call", "name": self._spoken.name, "input": ""} | space
        return item | {"type": "function_call", "name": self._spoken.name, "arguments": ""} | space

    def _caught_up(self, pen: Pen) -> bytes:
        return self._told(pen, "".join(self._pieces)) if self._pieces else b""

    def _told(self, pen: Pen, arguments: str) -> bytes:
        if self._spoken.kind != "function":
            return b""
        return pen.write(self._delta, b',"delta":%b}\n\n' % _encode(arguments))

    def _closed(self, pen: Pen) -> bytes:
        if self._spoken.kind == SEARCH:
            return b""
        if self._spoken.kind == "custom":
            text = free_text("".join(self._pieces))
            told = pen.event("response.custom_tool_call_input.delta", self._at(delta=text))
            return told + pen.event("response.custom_tool_call_input.done", self._at(input=text))
        arguments = self.json()["arguments"]
        told = b"" if self._pieces or not arguments else self._told(pen, arguments)
        return told + pen.event("response.function_call_arguments.done", self._at(arguments=arguments))


def free_text(arguments: str) -> str:
    """A custom tool's input: vendors without such tools write it as the one member of an object."""
    try:
        said = _object_decoder.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments
    text = said.get("input")
    return text if len(said) == 1 and isinstance(text, str) else arguments


def _object(arguments: str) -> Json:
    try:
        return _object_decoder.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return {}
