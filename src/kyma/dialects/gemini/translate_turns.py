"""Messages of another dialect as Gemini's turns: two roles that alternate, results that name their function."""

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from kyma.core.chat import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReferencePart,
    ToolResultPart,
)
from kyma.dialects.gemini.media import MediaPart, to_wire
from kyma.dialects.gemini.signatures import PLACEHOLDER
from kyma.dialects.gemini.wire import NAME, as_object

USER, MODEL = "user", "model"
UNKNOWN_FUNCTION = "unknown_function"
"""What a result is called whose call is not in the history."""

Wire = dict[str, Any]


class TurnWriter:
    """Turns written so far, and the concepts that they could not hold.

    `system` is what stands before the conversation. `takes_ids` is false for endpoints that refuse ids on calls.
    """

    def __init__(self, needs_proof: bool, takes_ids: bool) -> None:
        self.system: list[str] = []
        self.contents: list[Wire] = []
        self.dropped: set[str] = set()
        self.emulated: set[str] = set()
        self._needs_proof = needs_proof
        self._takes_ids = takes_ids
        self._called: dict[str, str] = {}

    def write(self, messages: Iterable[Message]) -> None:
        """Add messages in their order; turns of one role that follow each other are one."""
        for message in messages:
            if message.role in ("system", "developer"):
                self._write_system(message)
            elif message.role == "assistant":
                self._write_model(message)
            else:
                for part in message.parts:
                    self._write_user(part)
        for content in self.contents:
            if content["role"] == USER:  # results answer the turn before, so they stand first
                content["parts"].sort(key=lambda part: "functionResponse" not in part)

    def _write_system(self, message: Message) -> None:
        texts = [part.text for part in message.parts if isinstance(part, TextPart) and part.text]
        if not self.contents:
            self.system += texts
            return
        self.emulated.add("messages")
        for text in texts:
            self._add(USER, {"text": text})

    def _write_model(self, message: Message) -> None:
        """The first call of a step proves the thought before it; a call that another model made is let pass.

        A customer whose calls have no place for a proof carries it as a thought right before the call.
        """
        is_first, proof = True, None
        for part, following in zip_longest(message.parts, message.parts[1:]):
            match part:
                case TextPart(text):
                    if text:
                        self._add(MODEL, {"text": text})
                case ThinkingPart():
                    is_carrier = isinstance(following, ToolCallPart) and following.signature is None
                    proof = self._write_thought(part, is_carrier)
                case ToolCallPart():
                    self._add(MODEL, self._call(part, is_first, proof))
                    is_first, proof = False, None
                case ImagePart() | AudioPart() | FilePart():
                    self._write_media(MODEL, part)

    def _write_thought(self, part: ThinkingPart, is_carrier: bool) -> str | None:
        """Only Gemini's own proven thoughts go back to it; a proof alone stands on an empty text.

        Returns the proof that belongs to the call behind it.
        """
        if part.origin != NAME or part.signature is None:
            self.dropped.add("thinking")
            return None
        proof: Wire = {} if is_carrier else {"thoughtSignature": part.signature}
        if part.text:
            self._add(MODEL, {"text": part.text, "thought": True, **proof})
        elif proof:
            self._add(MODEL, {"text": "", **proof})
        return part.signature if is_carrier else None

    def _call(self, part: ToolCallPart, is_first: bool, proof: str | None) -> Wire:
        self._called[part.id] = part.name
        arguments = None if part.is_custom else as_object(part.arguments)
        if arguments is None:
            self.emulated.add("custom_tools" if part.is_custom else "arguments")
        call: Wire = {"name": part.name, "args": {"input": part.arguments} if arguments is None else arguments}
        wire: Wire = {"functionCall": {"id": part.id, **call} if self._takes_ids and part.id else call}
        if part.signature is not None and part.origin == NAME:
            wire["thoughtSignature"] = part.signature
        elif proof is not None:
            wire["thoughtSignature"] = proof
        elif is_first and self._needs_proof:
            wire["thoughtSignature"] = PLACEHOLDER
        if part.signature is not None and part.origin != NAME:
            self.dropped.add("thinking")
        return wire

    def _write_user(self, part: Part) -> None:
        match part:
            case TextPart(text):
                if text:
                    self._add(USER, {"text": text})
            case ImagePart() | AudioPart() | FilePart():
                self._write_media(USER, part)
            case ToolResultPart():
                self._write_result(part)

    def _write_result(self, part: ToolResultPart) -> None:
        """Before Gemini 3 a result cannot hold media: it follows in the same turn."""
        texts: list[str] = []
        media: list[Wire] = []
        moved: set[str] = set()
        for content in part.content:
            match content:
                case TextPart(text):
                    texts.append(text)
                case ToolReferencePart(name):
                    self.emulated.add("deferred_tools")
                    texts.append(f"The tool {name} can be called from now on.")
                case ImagePart() | AudioPart() | FilePart() if wire := self._media(content):
                    media.append(wire)
                    moved.add(_concept(content))
        if part.is_error:
            self.emulated.add("is_error")
        response = {"error" if part.is_error else "output": "\n".join(texts)}
        result: Wire = {"name": self._called.get(part.call_id, UNKNOWN_FUNCTION), "response": response}
        if self._takes_ids and part.call_id:
            result = {"id": part.call_id, **result}
        if media and self._needs_proof:
            result["parts"] = media
        self._add(USER, {"functionResponse": result})
        if media and not self._needs_proof:
            self.emulated |= moved
            for wire in media:
                self._add(USER, wire)

    def _write_media(self, role: str, part: MediaPart) -> None:
        if wire := self._media(part):
            self._add(role, wire)

    def _media(self, part: MediaPart) -> Wire | None:
        if isinstance(part, ImagePart) and part.detail not in (None, "auto"):
            self.dropped.add("detail")
        wire = to_wire(part)
        if wire is None:
            self.dropped.add(_concept(part))
        return wire

    def _add(self, role: str, part: Wire) -> None:
        if not self.contents or self.contents[-1]["role"] != role:
            self.contents.append({"role": role, "parts": []})
        self.contents[-1]["parts"].append(part)


def _concept(media: MediaPart) -> str:
    return "image" if isinstance(media, ImagePart) else "audio" if isinstance(media, AudioPart) else "file"
