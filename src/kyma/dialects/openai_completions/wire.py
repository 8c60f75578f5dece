"""The shapes of legacy completions on the wire, and how their usage counts."""

import msgspec

from kyma.core.answer import Bill, FinishReason
from kyma.core.money import usd_number
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


class CachedOut(msgspec.Struct):
    cached_tokens: int
    cache_write_tokens: int


class ReasonedOut(msgspec.Struct):
    reasoning_tokens: int


class UsageOut(msgspec.Struct):
    """`usage` as OpenAI counts it, and Kyma's additions in USD."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedOut
    completion_tokens_details: ReasonedOut
    cached_tokens: int
    cache_write_tokens: int
    cost: msgspec.Raw
    cache_discount: msgspec.Raw


def render_usage(bill: Bill) -> UsageOut:
    """The bill as a customer of this dialect reads it."""
    usage = bill.usage
    return UsageOut(
        usage.total_input,
        usage.output,
        usage.total,
        CachedOut(usage.cached_input, usage.cache_write),
        ReasonedOut(usage.reasoning),
        usage.cached_input,
        usage.cache_write,
        usd_number(bill.cost),
        usd_number(bill.cache_discount),
    )


def completion_id(reply: Reply) -> str:
    """`cmpl-` and the digits of our request id, so that a customer can look the request up."""
    return "cmpl-" + reply.request_id.removeprefix("req_")
