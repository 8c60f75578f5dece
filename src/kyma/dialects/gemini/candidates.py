"""A vendor's candidates read into Kyma's words: parts, why they ended, and what only this dialect says."""

import re

import msgspec

from kyma.core.answer import Choice, FinishReason
from kyma.core.chat import Native, Part, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled
from kyma.dialects.gemini.wire import (
    CANDIDATE_FIELDS,
    EMPTY_OBJECT,
    FINISH_REASONS,
    FINISH_WORDS,
    NAME,
    NATIVE_PARTS,
    NULL,
    UNFINISHED,
    RawFields,
    to_raw,
)

MAX_ID_CHARS = 24
"""Of a response's id in a call's: OpenAI refuses ids of more than 40, and the conversation may go on there."""

_NOT_FOR_IDS = re.compile(r"[^a-zA-Z0-9_-]")


class WireAnswerCall(msgspec.Struct, gc=False):
    name: str = ""
    id: str | None = None
    args: msgspec.Raw = EMPTY_OBJECT

    @property
    def arguments(self) -> str:
        """JSON text as the model wrote it."""
        return "{}" if self.args == NULL else bytes(self.args).decode()


class WireAnswerPart(msgspec.Struct, rename="camel", gc=False):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: WireAnswerCall | None = None
    inline_data: msgspec.Raw = NULL
    file_data: msgspec.Raw = NULL
    function_response: msgspec.Raw = NULL
    executable_code: msgspec.Raw = NULL
    code_execution_result: msgspec.Raw = NULL
    tool_call: msgspec.Raw = NULL
    tool_response: msgspec.Raw = NULL

    @property
    def native(self) -> RawFields:
        """What only this dialect knows, as a part of it; empty for a part that we know."""
        members = zip(NATIVE_PARTS, self._natives, strict=True)
        kept = {name: raw for name, raw in members if raw is not NULL and raw != NULL}
        if kept and self.thought_signature is not None:
            kept["thoughtSignature"] = to_raw(self.thought_signature)
        return kept

    @property
    def _natives(self) -> tuple[msgspec.Raw, ...]:
        return (
            self.inline_data,
            self.file_data,
            self.function_response,
            self.executable_code,
            self.code_execution_result,
            self.tool_call,
            self.tool_response,
        )


class WireAnswerContent(msgspec.Struct, gc=False):
    parts: list[WireAnswerPart] | None = None


class WireCandidate(msgspec.Struct, rename="camel", gc=False):
    content: WireAnswerContent | None = None
    finish_reason: str | None = None
    index: int | None = None
    finish_message: msgspec.Raw = NULL
    safety_ratings: msgspec.Raw = NULL
    citation_metadata: msgspec.Raw = NULL
    grounding_metadata: msgspec.Raw = NULL
    url_context_metadata: msgspec.Raw = NULL
    avg_logprobs: msgspec.Raw = NULL
    logprobs_result: msgspec.Raw = NULL
    token_count: msgspec.Raw = NULL
    continuation_token: msgspec.Raw = NULL

    @property
    def beside(self) -> RawFields:
        """What stands beside the content and only this dialect knows."""
        if not any(raw is not NULL for raw in self._beside):
            return {}
        members = zip(CANDIDATE_FIELDS, self._beside, strict=True)
        return {name: raw for name, raw in members if raw is not NULL and raw != NULL}

    @property
    def _beside(self) -> tuple[msgspec.Raw, ...]:
        return (
            self.finish_message,
            self.safety_ratings,
            self.citation_metadata,
            self.grounding_metadata,
            self.url_context_metadata,
            self.avg_logprobs,
            self.logprobs_result,
            self.token_count,
            self.continuation_token,
        )


_candidates_decoder = msgspec.json.Decoder(list[WireCandidate])


def read_candidates(raw: msgspec.Raw, response_id: str) -> tuple[Choice, ...]:
    """Raises: msgspec.DecodeError when they are none, Garbled when one ended for a reason that is a failure."""
    wires = _candidates_decoder.decode(raw)
    return tuple([_choice(wire, position, response_id) for position, wire in enumerate(wires)])


def finish_reason(word: str | None, has_calls: bool) -> FinishReason:
    """Calls end with STOP here, as speech does. Raises: Garbled for a word that means failure."""
    reason = FinishReason.STOP if word is None or word == UNFINISHED else FINISH_REASONS.get(word)
    if reason is None:
        raise Garbled("the answer ended for a reason that is a failure")
    return FinishReason.TOOL_CALLS if has_calls and reason is FinishReason.STOP else reason


def own_word(word: str | None, reason: FinishReason) -> str | None:
    """The vendor's word where it says more than `reason`."""
    return None if word == FINISH_WORDS[reason] or word == UNFINISHED else word


def invented_id(response_id: str, choice: int, index: int) -> str:
    """An id for a call that has none: the same each time the answer is read, and another in each answer."""
    return f"call_{_NOT_FOR_IDS.sub('', response_id)[-MAX_ID_CHARS:]}_{choice}_{index}"


def _choice(wire: WireCandidate, position: int, response_id: str) -> Choice:
    index = position if wire.index is None else wire.index
    parts: list[Part] = []
    natives: list[RawFields] = []
    calls = 0
    for part in (wire.content.parts if wire.content else None) or ():
        if part.function_call is not None:
            parts.append(_call(part.function_call, part.thought_signature, invented_id(response_id, index, calls)))
            calls += 1
        elif part.text is not None:
            _add_text(parts, part)
        elif native := part.native:
            natives.append(native)
    beside = wire.beside
    reason = finish_reason(wire.finish_reason, calls > 0)
    word = own_word(wire.finish_reason, reason)
    return Choice(
        index,
        tuple(parts),
        reason,
        Native(NAME, {"parts": to_raw(natives)}) if natives else None,
        Native(NAME, beside) if beside else None,
        word,
        NAME if word else "",
    )


def _call(wire: WireAnswerCall, signature: str | None, call_id: str) -> ToolCallPart:
    return ToolCallPart(
        wire.id or call_id, wire.name, wire.arguments, signature=signature, origin=NAME if signature else ""
    )


def _add_text(parts: list[Part], wire: WireAnswerPart) -> None:
    text, signature = wire.text or "", wire.thought_signature
    if wire.thought:
        parts.append(ThinkingPart(text, signature, NAME if signature else ""))
        return
    if text:
        parts.append(TextPart(text))
    if signature:
        parts.append(ThinkingPart("", signature, NAME))
