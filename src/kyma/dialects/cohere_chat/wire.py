"""What Cohere's answers have in common, whole or streamed: why they end, how they count, how calls stand in them."""

import msgspec

from kyma.core.answer import FinishReason, UsageReport
from kyma.core.errors import Garbled
from kyma.core.model import Usage
from kyma.dialects.raw_fields import NULL

NAME = "cohere_chat"
MAX_TOKENS = 2**40
"""More than this in one answer is no count."""

FINISH_REASONS = {
    "COMPLETE": FinishReason.STOP,
    "STOP_SEQUENCE": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "TOOL_CALL": FinishReason.TOOL_CALLS,
}
"""Anything else, `ERROR` and `TIMEOUT` among it, is a failure."""


class WireFunction(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class WireCall(msgspec.Struct):
    id: str | None = None
    function: WireFunction | None = None


class WireCount(msgspec.Struct):
    """Whole numbers that its schema calls numbers."""

    input_tokens: float | None = None
    output_tokens: float | None = None


class WireUsage(msgspec.Struct):
    """`tokens` counts what Cohere wraps around a request too; `billed_units` is what it charges for."""

    billed_units: WireCount | None = None
    tokens: WireCount | None = None
    cached_tokens: float | None = None


_usage_decoder = msgspec.json.Decoder(WireUsage | None)


def finish_reason(word: str | None) -> FinishReason:
    """Raises: Garbled for one that means failure."""
    reason = FINISH_REASONS.get(word or "")
    if reason is None:
        raise Garbled("the answer ended for a reason that is a failure")
    return reason


def parse_usage(raw: msgspec.Raw) -> UsageReport | None:
    """What Cohere charges for; None when it does not say, an invalid report for nonsense.

    Billed units know no cache: how many tokens were found there is said of `tokens` alone, which count only where
    nothing else does. Source: docs.cohere.com, how pricing works, November 2026; answers recorded in 2026.
    """
    if raw == NULL:
        return None
    try:
        wire = _usage_decoder.decode(raw)
    except msgspec.DecodeError:
        return UsageReport(Usage(), is_valid=False)
    count = wire and (wire.billed_units or wire.tokens)
    if wire is None or count is None:
        return None
    cached = (wire.cached_tokens or 0) if wire.billed_units is None else 0
    figures = ((count.input_tokens or 0) - cached, cached, count.output_tokens or 0)
    if not any(figures):
        return None
    if not all(0 <= figure < MAX_TOKENS and figure == int(figure) for figure in figures):
        return UsageReport(Usage(), is_valid=False)
    fresh, cached, output = map(int, figures)
    return UsageReport(Usage(fresh, cached, output=output))


def arguments_of(function: WireFunction) -> str:
    """Arguments as JSON text; Cohere writes `null` for a function that takes none."""
    said = function.arguments or ""
    return said if said.strip() not in ("", "null") else "{}"
