"""The shapes of Anthropic Messages on the wire, how its usage counts, and how proofs of thought are marked.

Source: anthropic-python 2.11 and 2.12 types, Anthropic's Messages reference, November 2026.
"""

from typing import Any

import msgspec
from msgspec.structs import astuple

from kyma.core.answer import Bill, FinishReason, UsageReport
from kyma.core.model import Usage
from kyma.core.money import usd_number

NAME = "anthropic_messages"
NULL = msgspec.Raw(b"null")
EMPTY = (NULL, msgspec.Raw(b"[]"))
"""Members that say nothing."""

MAX_TOKENS = 2**40
MAX_SEARCHES = 10_000
"""More than this in one answer is no count."""

RawFields = dict[str, msgspec.Raw]
fields_decoder = msgspec.json.Decoder(RawFields)
encoder = msgspec.json.Encoder()

FINISH_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "pause_turn": FinishReason.STOP,
    "compaction": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}
"""Anthropic's stop reasons; anything else is a failure."""

STOP_REASONS = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
}

OUTER_FIELDS = ("stop_details", "container", "context_management")
"""Members beside an answer's content that travel to a customer of this dialect; others may name the vendor."""


class WireWritten(msgspec.Struct):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class WireLookups(msgspec.Struct):
    web_search_requests: int | None = None
    web_fetch_requests: int | None = None


class WireThought(msgspec.Struct):
    thinking_tokens: int | None = None


class WireCount(msgspec.Struct):
    """Tokens as Anthropic counts: cached and written ones stand beside `input_tokens`, thoughts inside the output."""

    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: WireWritten | None = None
    output_tokens: int | None = None


class WireIteration(WireCount):
    type: str = ""


class WireUsage(WireCount):
    """The count of an answer. A compaction on the way to it is charged too, and stands among the `iterations` alone.

    Source: Anthropic's page on compaction, October 2026, whose example counts 23,000 tokens of input and a compaction
    of 180,000 beside them.
    """

    iterations: list[WireIteration] | None = None
    output_tokens_details: WireThought | None = None
    server_tool_use: WireLookups | None = None


_usage_decoder = msgspec.json.Decoder(WireUsage)
NO_LOOKUPS = WireLookups()


class UsageTally:
    """The reports of one answer, each of them a total so far: what a later one does not mention still holds."""

    __slots__ = ("_compacted", "_is_valid", "_usage")

    def __init__(self) -> None:
        self._usage = Usage()
        self._compacted: Usage | None = None
        self._is_valid = True

    def see(self, raw: msgspec.Raw) -> UsageReport | None:
        """All that is known after `raw`; None for `null`. Nonsense, once seen, stays."""
        if raw is NULL or raw == NULL:
            return None
        try:
            wire = _usage_decoder.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            self._is_valid = False
        else:
            self._merge(wire)
        if not self._is_valid:
            return UsageReport(Usage(), is_valid=False)
        return UsageReport(self._usage if self._compacted is None else _sum(self._usage, self._compacted))

    def _merge(self, wire: WireUsage) -> None:
        known = self._usage
        if wire.iterations:
            self._compacted = _compacted(wire.iterations)
        fresh, cached, total = wire.input_tokens, wire.cache_read_input_tokens, wire.cache_creation_input_tokens
        said = wire.cache_creation
        if fresh or cached or total or (said and (said.ephemeral_5m_input_tokens or said.ephemeral_1h_input_tokens)):
            written, hour = _written(wire, known)
        else:  # some vendors' last report counts the output alone
            fresh, cached, written, hour = known.input, known.cached_input, known.cache_write, known.cache_write_1h
        details, looked_up = wire.output_tokens_details, wire.server_tool_use or NO_LOOKUPS
        output, reasoning = wire.output_tokens, details.thinking_tokens if details is not None else None
        searches, fetches = looked_up.web_search_requests, looked_up.web_fetch_requests
        usage = Usage(
            known.input if fresh is None else fresh,
            known.cached_input if cached is None else cached,
            written,
            known.output if output is None else output,
            known.reasoning if reasoning is None else reasoning,
            hour,
            known.searches if searches is None else searches,
            known.fetches if fetches is None else fetches,
        )
        self._is_valid = self._is_valid and _is_sane(usage) and (self._compacted is None or _is_sane(self._compacted))
        self._usage = usage


def _is_sane(usage: Usage) -> bool:
    return (
        min(astuple(usage)) >= 0
        and usage.reasoning <= usage.output
        and usage.total < MAX_TOKENS
        and usage.searches <= MAX_SEARCHES
    )


def _compacted(iterations: list[WireIteration]) -> Usage | None:
    """What compactions took, all of them together; None where there was none."""
    total: Usage | None = None
    for said in iterations:
        if said.type == "compaction":
            written, hour = _written(said, Usage())
            fresh, cached, output = said.input_tokens or 0, said.cache_read_input_tokens or 0, said.output_tokens or 0
            one = Usage(fresh, cached, written, output, cache_write_1h=hour)
            total = one if total is None else _sum(total, one)
    return total


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(*(mine + its for mine, its in zip(astuple(one), astuple(other), strict=True)))


def _written(wire: WireCount, known: Usage) -> tuple[int, int]:
    """Input written for minutes and for an hour. A total alone is made up of what was said to be for an hour before."""
    total, said = wire.cache_creation_input_tokens, wire.cache_creation
    if said is not None:
        hour = said.ephemeral_1h_input_tokens or 0
        return (said.ephemeral_5m_input_tokens or 0) if total is None else total - hour, hour
    if total is None:
        return known.cache_write, known.cache_write_1h
    hour = known.cache_write_1h if total else 0
    return total - hour, hour


class WrittenOut(msgspec.Struct):
    ephemeral_5m_input_tokens: int
    ephemeral_1h_input_tokens: int


class LookupsOut(msgspec.Struct):
    web_search_requests: int
    web_fetch_requests: int


class ThoughtOut(msgspec.Struct):
    thinking_tokens: int


class UsageOut(msgspec.Struct, omit_defaults=True):
    """`usage` as Anthropic counts it, and Kyma's additions in USD."""

    input_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int
    cache_creation: WrittenOut
    output_tokens: int
    output_tokens_details: ThoughtOut | None = None
    server_tool_use: LookupsOut | None = None
    cost: msgspec.Raw | None = None
    cache_discount: msgspec.Raw | None = None


NOTHING_WRITTEN = WrittenOut(0, 0)
ZERO = usd_number(0)


def count_usage(usage: Usage) -> UsageOut:
    """Tokens alone, for a message that has only begun."""
    written = usage.total_written
    return UsageOut(
        usage.input,
        written,
        usage.cached_input,
        WrittenOut(usage.cache_write, usage.cache_write_1h) if written else NOTHING_WRITTEN,
        usage.output,
        ThoughtOut(usage.reasoning) if usage.reasoning else None,
        LookupsOut(usage.searches, usage.fetches) if usage.searches or usage.fetches else None,
    )


def render_usage(bill: Bill) -> UsageOut:
    """The bill as a customer of this dialect reads it."""
    out = count_usage(bill.usage)
    out.cost = usd_number(bill.cost)
    out.cache_discount = usd_number(bill.cache_discount) if bill.cache_discount else ZERO
    return out


def stop_reason(reason: FinishReason, word: str | None, origin: str, stop_sequence: str | None) -> str:
    """Why an answer ended, in this dialect's words; its own word says more than Kyma's."""
    if word is not None and origin == NAME and word in FINISH_REASONS:
        return word
    if stop_sequence is not None and reason is FinishReason.STOP:
        return "stop_sequence"
    return STOP_REASONS[reason]


def head(raw: msgspec.Raw) -> bytes:
    """The first byte of a raw value: what kind of JSON it is, without decoding it."""
    return bytes(memoryview(raw)[:1])


def to_raw(value: Any) -> msgspec.Raw:
    """A value as raw JSON, to stand among fields that only travel."""
    return msgspec.Raw(encoder.encode(value))
