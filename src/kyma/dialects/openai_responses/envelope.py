"""The `response` object around the output: who answers, how it went, what it cost, and what settings were asked."""

from typing import Any, Literal

import msgspec

from kyma.core.answer import Bill, FinishReason
from kyma.core.money import usd_number
from kyma.dialects.base import Reply
from kyma.dialects.openai_responses.wire import NULL, RawFields, encoder, fields_decoder

Status = Literal["in_progress", "completed", "incomplete", "failed"]

INCOMPLETE = {FinishReason.LENGTH: "max_output_tokens", FinishReason.CONTENT_FILTER: "content_filter"}
"""Ends that leave an answer incomplete, in this dialect's words; any other end is a completion."""

TEXT_FORMAT = msgspec.Raw(b'{"type":"text"}')
ECHOED = {
    "instructions": NULL,
    "max_output_tokens": NULL,
    "max_tool_calls": NULL,
    "metadata": msgspec.Raw(b"{}"),
    "parallel_tool_calls": msgspec.Raw(b"true"),
    "prompt_cache_key": NULL,
    "reasoning": msgspec.Raw(b'{"effort":null,"summary":null}'),
    "safety_identifier": NULL,
    "temperature": NULL,
    "text": msgspec.Raw(b'{"format":%b}' % TEXT_FORMAT),
    "tool_choice": msgspec.Raw(b'"auto"'),
    "tools": msgspec.Raw(b"[]"),
    "top_p": NULL,
    "user": NULL,
}
"""Settings that an answer repeats as they were asked, and what stands there when they were not."""

FIXED = b'"background":false,"previous_response_id":null,"service_tier":null,"store":false,"truncation":"disabled"'
"""What holds for every answer, whatever was asked."""


class InputDetails(msgspec.Struct):
    cached_tokens: int
    cache_write_tokens: int


class OutputDetails(msgspec.Struct):
    reasoning_tokens: int


class UsageOut(msgspec.Struct):
    """`usage` as this dialect counts it, cached and written tokens inside the input, and Kyma's additions in USD."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int
    cost: msgspec.Raw
    cache_discount: msgspec.Raw


ZERO = usd_number(0)
NO_CACHE, NO_REASONING = InputDetails(0, 0), OutputDetails(0)


class State(msgspec.Struct):
    """The members that change as an answer grows."""

    status: Status
    error: dict[str, str | None] | None
    incomplete_details: dict[str, str] | None
    output: list[dict[str, Any]]
    usage: UsageOut | None


class Envelope:
    """Writes the `response` object of one request, again and again as it grows."""

    __slots__ = ("_echo", "_head", "_reply")

    def __init__(self, fields: RawFields, reply: Reply) -> None:
        self._reply = reply
        self._echo = _echo(fields)
        self._head = b""

    def write(
        self,
        status: Status,
        output: list[dict[str, Any]],
        *,
        finish: FinishReason | None = None,
        bill: Bill | None = None,
        error: dict[str, str | None] | None = None,
    ) -> bytes:
        """The object as JSON; `bill` is None while nothing is billed."""
        reason = INCOMPLETE.get(finish) if finish and status == "incomplete" else None
        usage = None if bill is None else usage_out(bill)
        state = State(status, error, {"reason": reason} if reason else None, output, usage)
        return b"%b%b,%b}" % (self._prefix(), encoder.encode(state)[1:-1], self._echo)

    def _prefix(self) -> bytes:
        """Who answers, written once that is known."""
        if not self._head:
            reply = self._reply
            who = (response_id(reply).encode(), reply.created, encoder.encode(reply.model_id))
            self._head = b'{"id":"%b","object":"response","created_at":%d,"model":%b,' % who
        return self._head


def response_id(reply: Reply) -> str:
    """`resp_` and the digits of our request id, so that a customer can look the request up."""
    return "resp_" + digits(reply)


def digits(reply: Reply) -> str:
    return reply.request_id.removeprefix("req_")


def final_status(finish: FinishReason) -> Literal["completed", "incomplete"]:
    return "incomplete" if finish in INCOMPLETE else "completed"


def usage_out(bill: Bill) -> UsageOut:
    """The bill as a customer of this dialect reads it."""
    usage = bill.usage
    prompt, cached, written = usage.total_input, usage.cached_input, usage.total_written
    return UsageOut(
        prompt,
        InputDetails(cached, written) if cached or written else NO_CACHE,
        usage.output,
        OutputDetails(usage.reasoning) if usage.reasoning else NO_REASONING,
        prompt + usage.output,
        usd_number(bill.cost),
        usd_number(bill.cache_discount) if bill.cache_discount else ZERO,
    )


def _echo(fields: RawFields) -> bytes:
    """The members that repeat the request's settings."""
    echo = ECHOED.copy()
    for name, raw in fields.items():
        if name in echo and raw != NULL:
            echo[name] = raw
    if "text" in fields:
        text = fields_decoder.decode(echo["text"])
        if text.get("format", NULL) == NULL:
            echo["text"] = msgspec.Raw(encoder.encode(text | {"format": TEXT_FORMAT}))
    return b"%b,%b" % (encoder.encode(echo)[1:-1], FIXED)
