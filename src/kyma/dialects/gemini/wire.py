"""The words of Gemini generateContent on the wire, and how its usage counts.

Source: google-genai 3.4 types and ai.google.dev, November 2026.
"""

from typing import Any

import msgspec

from kyma.core.answer import FinishReason, UsageReport
from kyma.core.chat import Effort
from kyma.core.model import Usage

NAME = "gemini"
NULL = msgspec.Raw(b"null")
EMPTY = (NULL, msgspec.Raw(b"[]"), msgspec.Raw(b"{}"))
"""Members that ask for nothing."""
EMPTY_OBJECT = msgspec.Raw(b"{}")
MAX_TOKENS = 2**40
"""More than this in one answer is no count."""

RawFields = dict[str, msgspec.Raw]
fields_decoder = msgspec.json.Decoder(RawFields)
encoder = msgspec.json.Encoder()

FINISH_REASONS = {
    "STOP": FinishReason.STOP,
    "TOO_MANY_TOOL_CALLS": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.LENGTH,
    "SAFETY": FinishReason.CONTENT_FILTER,
    "RECITATION": FinishReason.CONTENT_FILTER,
    "LANGUAGE": FinishReason.CONTENT_FILTER,
    "BLOCKLIST": FinishReason.CONTENT_FILTER,
    "PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "SPII": FinishReason.CONTENT_FILTER,
    "MODEL_ARMOR": FinishReason.CONTENT_FILTER,
    "IMAGE_SAFETY": FinishReason.CONTENT_FILTER,
    "IMAGE_PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "IMAGE_RECITATION": FinishReason.CONTENT_FILTER,
    "IMAGE_OTHER": FinishReason.CONTENT_FILTER,
}
"""Anything else is a failure, e.g. MALFORMED_FUNCTION_CALL or OTHER."""

UNFINISHED = "FINISH_REASON_UNSPECIFIED"

FINISH_WORDS = {
    FinishReason.STOP: "STOP",
    FinishReason.TOOL_CALLS: "STOP",
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.CONTENT_FILTER: "SAFETY",
}
MALFORMED_CALL = "MALFORMED_FUNCTION_CALL"
"""What an answer is said to end with when another upstream's call has arguments that are no JSON object."""

CANDIDATE_FIELDS = (
    "finishMessage",
    "safetyRatings",
    "citationMetadata",
    "groundingMetadata",
    "urlContextMetadata",
    "avgLogprobs",
    "logprobsResult",
    "tokenCount",
    "continuationToken",
)
"""What stands beside the content of a candidate and travels to a customer of this dialect as it came."""

NATIVE_PARTS = (
    "inlineData",
    "fileData",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)
"""Parts of an answer that only this dialect knows."""

EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class WireUsage(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None


_usage_decoder = msgspec.json.Decoder(WireUsage)


def parse_usage(raw: msgspec.Raw) -> UsageReport | None:
    """Gemini's `usageMetadata` in disjoint buckets; None where nothing is counted, an invalid report for nonsense.

    Its prompt includes what was cached but not what its own tools read, its candidates leave thoughts out.
    """
    if raw is NULL or raw == NULL:
        return None
    try:
        wire = _usage_decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return UsageReport(Usage(), is_valid=False)
    if wire.prompt_token_count is None and wire.candidates_token_count is None:
        return None
    prompt, cached = wire.prompt_token_count or 0, wire.cached_content_token_count or 0
    said, thought, tools = (
        wire.candidates_token_count or 0,
        wire.thoughts_token_count or 0,
        wire.tool_use_prompt_token_count or 0,
    )
    fresh = prompt - cached
    is_valid = min(fresh, cached, said, thought, tools) >= 0 and prompt + said + thought + tools < MAX_TOKENS
    return UsageReport(Usage(fresh + tools, cached, 0, said + thought, thought) if is_valid else Usage(), is_valid)


def head(raw: msgspec.Raw) -> bytes:
    """The first byte of a raw value: what kind of JSON it is, without decoding it."""
    return bytes(memoryview(raw)[:1])


def to_raw(value: Any) -> msgspec.Raw:
    """A value as raw JSON, to stand among fields that only travel."""
    return msgspec.Raw(encoder.encode(value))


def as_object(text: str) -> msgspec.Raw | None:
    """The arguments of a call as the object that this dialect wants; none at all is an empty one.

    None for text that is no JSON object.
    """
    if not text.strip():
        return EMPTY_OBJECT
    try:
        fields_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    return msgspec.Raw(text.encode())


def is_gemini_3(model: str) -> bool:
    """Of the generation that demands proof of thought on calls and takes levels of thinking."""
    return model.rpartition("/")[2].startswith("gemini-3")
