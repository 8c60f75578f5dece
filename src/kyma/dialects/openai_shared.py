"""What OpenAI's endpoints have in common: the envelope of errors, and usage with Kyma's additions."""

import msgspec

from kyma.core.answer import Bill
from kyma.core.errors import KymaError
from kyma.core.money import usd_number

_encoder = msgspec.json.Encoder()


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


class InputUsageOut(msgspec.Struct):
    """`usage` of what is only read, and what it cost in USD."""

    prompt_tokens: int
    total_tokens: int
    cost: msgspec.Raw


ZERO = usd_number(0)
NO_CACHE, NO_REASONING = CachedOut(0, 0), ReasonedOut(0)


def render_error(error: KymaError) -> bytes:
    """`{"error": {message, type, param, code}}`."""
    return _encoder.encode({"error": error_object(error)})


def error_object(error: KymaError) -> dict[str, str | None]:
    """The inner object, also what stands in a broken stream."""
    return {"message": error.message, "type": error.type, "param": error.param, "code": error.code}


def render_usage(bill: Bill) -> UsageOut:
    """The bill as customers of chat and legacy completions read it."""
    usage = bill.usage
    prompt, cached, written, output = usage.total_input, usage.cached_input, usage.total_written, usage.output
    return UsageOut(
        prompt,
        output,
        prompt + output,
        CachedOut(cached, written) if cached or written else NO_CACHE,
        ReasonedOut(usage.reasoning) if usage.reasoning else NO_REASONING,
        cached,
        written,
        usd_number(bill.cost),
        usd_number(bill.cache_discount) if bill.cache_discount else ZERO,
    )


def render_input_usage(bill: Bill) -> InputUsageOut:
    """The bill of an endpoint that generates nothing."""
    tokens = bill.usage.total_input
    return InputUsageOut(tokens, tokens, usd_number(bill.cost))
