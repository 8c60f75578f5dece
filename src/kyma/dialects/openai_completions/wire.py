"""The shapes of legacy completions on the wire, and how their usage counts."""

import msgspec

from kyma.core.answer import FinishReason
from kyma.dialects.base import Reply

NAME = "openai_completions"
NULL = msgspec.Raw(b"null")

RawFields = dict[str, msgspec.Raw]
fields_decoder = msgspec.json.Decoder(RawFields)
encoder = msgspec.json.Encoder()

FINISH_WORDS = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.TOOL_CALLS: "stop",
}
"""This dialect knows three words; a call of a tool that was never offered is none of them."""


def completion_id(reply: Reply) -> str:
    """`cmpl-` and the digits of our request id, so that a customer can look the request up."""
    return "cmpl-" + reply.request_id.removeprefix("req_")
