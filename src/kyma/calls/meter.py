"""What a call is billed for: the settlement table, executed.

A delivered token is counted as one per delta, the way vendors stream; a delta too long to be one token counts by its
bytes. Own counts are marked as estimated and never exceed `max_tokens`.
"""

from enum import StrEnum

import msgspec

from kyma.core.answer import (
    Answer,
    Bill,
    ChatEvent,
    ChatResponse,
    NativeDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import SAID, CallRequest, ToolCallPart
from kyma.core.model import Model, Price, Usage

BYTES_PER_TOKEN = 4
LONGEST_TOKEN_BYTES = 16
ABSURD_FACTOR = 2
"""A report above twice what the model can do is nonsense."""

PAGE_BYTES = 1024
"""A page takes at least so much of a document: nobody writes smaller ones but to deceive."""

PAGE_TOKENS = 3000
"""The most text of a page, besides its picture. Source: Anthropic's page on PDF support, 1,500 to 3,000, 2026."""

MAX_PAGES = 600
"""Of all documents of a request. Source: the same page; 100 where the context is 200,000 tokens."""

LOOKUP_TOKENS = 10_000
"""What a search or a fetched page brings into the input: our allowance, since no vendor names a limit."""


class Outcome(StrEnum):
    """How a call ended."""

    FINISHED = "finished"
    DRAINED = "drained"
    """The client left; the upstream was read to its end."""
    CANCELLED = "cancelled"
    """The client left; the upstream was cut, which stops its charge."""
    CUT = "cut"
    """The upstream broke off after the first byte."""
    FAILED = "failed"
    """Nothing came before the first byte."""
    BLANK = "blank"
    """The answer was empty."""

    __hash__ = str.__hash__  # an Enum's own is a call into Python, paid at each look-up in the settlement table


class Basis(StrEnum):
    """What is billed."""

    REPORTED = "the reported usage"
    COUNTED = "what was delivered, by our count"
    NOTHING = "nothing"


SETTLEMENT: dict[tuple[Outcome, bool], Basis] = {
    (Outcome.FINISHED, True): Basis.REPORTED,
    (Outcome.FINISHED, False): Basis.COUNTED,
    (Outcome.DRAINED, True): Basis.REPORTED,
    (Outcome.DRAINED, False): Basis.COUNTED,
    (Outcome.CANCELLED, True): Basis.COUNTED,
    (Outcome.CANCELLED, False): Basis.COUNTED,
    (Outcome.CUT, True): Basis.COUNTED,
    (Outcome.CUT, False): Basis.COUNTED,
    (Outcome.FAILED, True): Basis.NOTHING,
    (Outcome.FAILED, False): Basis.NOTHING,
    (Outcome.BLANK, True): Basis.NOTHING,
    (Outcome.BLANK, False): Basis.NOTHING,
}
"""`(outcome, the upstream reported sane usage)` to what is billed."""


class Meter:
    """Counts one call."""

    __slots__ = (
        "_is_sane",
        "_least_searches",
        "_lookups",
        "_model",
        "_n",
        "_readings",
        "_report",
        "_response",
        "_room",
        "_searches",
        "_streamed_tokens",
        "input_estimate",
    )

    def __init__(self, request: CallRequest, model: Model) -> None:
        self.input_estimate = input_estimate(request, model)
        self._n = request.n
        self._searches = request.searches
        self._least_searches = request.least_searches
        self._lookups = _lookups(request)
        self._readings = request.readings
        self._room = request.max_tokens * request.n
        self._model = model
        self._report: UsageReport | None = None
        self._is_sane = True
        self._response: ChatResponse | None = None
        self._streamed_tokens = 0

    def serve(self, request: CallRequest, model: Model) -> None:
        """Another model answers: its limits say what is absurd, and it reads pictures in its own way."""
        self._model = model
        self.input_estimate = input_estimate(request, model)

    @property
    def is_flagged(self) -> bool:
        """The upstream reported nonsense, or searches that nobody had asked for."""
        return not self._is_sane or (self._report is not None and self._report.usage.searches > self._searches)

    @property
    def delivered_tokens(self) -> int:
        """What reached the customer, by our count; a whole answer is counted when this is asked for."""
        return self._streamed_tokens if self._response is None else _tokens_of_response(self._response)

    def see(self, event: ChatEvent) -> None:
        """Count one event of a stream."""
        if type(event) is TextDelta:  # nearly all there is, and nearly all of it short
            text = event.text
            self._streamed_tokens += 1 if 0 < len(text) <= LONGEST_TOKEN_BYTES and text.isascii() else _tokens(text)
            return
        match event:
            case ThinkingDelta(_, text) | RefusalDelta(_, text):
                self._streamed_tokens += _tokens(text)
            case ToolCallStart(_, _, _, name, arguments):
                self._streamed_tokens += _tokens(name) + _tokens(arguments)
            case ToolCallDelta(_, _, arguments):
                self._streamed_tokens += _tokens(arguments)
            case NativeDelta(text_bytes=size):
                self._streamed_tokens += -(-size // BYTES_PER_TOKEN)
            case UsageReport():
                self._see_report(event)

    def see_response(self, response: Answer) -> None:
        """Count a whole answer. One that is no chat delivers no tokens."""
        if isinstance(response, ChatResponse):
            self._response = response
        if response.report is not None:
            self._see_report(response.report)

    def bill(self, outcome: Outcome, price: Price) -> Bill:
        """The charge for `outcome`, by the settlement table."""
        report = self._report if self._is_sane else None
        basis = SETTLEMENT[outcome, report is not None]
        if basis is Basis.NOTHING:
            return Bill(Usage(), 0, 0, is_estimated=False)
        usage = report.usage if report is not None and basis is Basis.REPORTED else self._counted(report)
        return Bill(usage, usage.cost(price), usage.cache_discount(price), is_estimated=basis is Basis.COUNTED)

    def _counted(self, report: UsageReport | None) -> Usage:
        output = min(self.delivered_tokens, self._room)
        if report is not None:
            usage = report.usage
            return msgspec.structs.replace(usage, output=output, reasoning=0)
        return Usage(input=self.input_estimate, output=output, searches=self._least_searches)

    def _see_report(self, report: UsageReport) -> None:
        """Later reports replace earlier ones, but nonsense stays on record."""
        if not self._is_sane:
            return
        usage, window = report.usage, self._model.context_window
        self._report = report
        self._is_sane = (
            report.is_valid
            and (not self._least_searches or usage.searches <= ABSURD_FACTOR * self._searches)
            and usage.total_input <= ABSURD_FACTOR * window * (self._readings + self._lookups)
            and usage.output <= ABSURD_FACTOR * max(window, self._model.max_output_tokens or 0) * self._n
        )


def input_estimate(request: CallRequest, model: Model) -> int:
    """About how many tokens the model will read."""
    documents = min(-(-request.document_bytes // BYTES_PER_TOKEN), model.context_window)
    return -(-request.input_bytes // BYTES_PER_TOKEN) + request.image_count * model.image_tokens + documents


def input_bound(request: CallRequest, model: Model) -> int:
    """At most how many tokens the model will read: a token is at least one byte, and a page so much text and an image.

    After each search or fetch it reads all of it again, and what it has found so far.
    """
    once = request.input_bytes + request.image_count * model.image_tokens
    if request.document_bytes:
        once += min(_pages_bound(request) * (PAGE_TOKENS + model.image_tokens), model.context_window)
    lookups = _lookups(request)
    if not lookups:
        return once
    found = LOOKUP_TOKENS * lookups * (lookups + 1) // 2
    return min(once * (1 + lookups) + found, max(once, model.context_window) * (1 + lookups))


def _lookups(request: CallRequest) -> int:
    """How often a chat may look something up and read on; what is answered whole is read once."""
    return request.searches + request.fetches if request.kind == "chat" else 0


def _pages_bound(request: CallRequest) -> int:
    return min(-(-request.document_bytes // PAGE_BYTES), MAX_PAGES)


def hold_bound(request: CallRequest, model: Model, price: Price | None = None) -> Usage:
    """The most expensive usage this request can come to, at the model's own price or another; what is set aside."""
    limit = max(model.max_output_tokens or 0, model.context_window)
    output = request.n * min(request.max_tokens, limit)
    price, tokens, searches = price or model.price, input_bound(request, model), request.searches
    if request.keeps_an_hour and price.cache_write_1h > max(price.input, price.cache_write):
        return Usage(cache_write_1h=tokens, output=output, searches=searches)
    if price.cache_write > price.input:
        return Usage(cache_write=tokens, output=output, searches=searches)
    return Usage(tokens, output=output, searches=searches)


def _tokens(text: str) -> int:
    if not text:
        return 0
    size = len(text) if text.isascii() else len(text.encode())
    return 1 if size <= LONGEST_TOKEN_BYTES else -(-size // BYTES_PER_TOKEN)


def _tokens_of_response(response: ChatResponse) -> int:
    tokens = 0
    for choice in response.choices:
        for part in choice.parts:
            if isinstance(part, SAID):
                tokens += _tokens_of_whole(part.text)
            elif isinstance(part, ToolCallPart):
                tokens += _tokens_of_whole(part.name + part.arguments)
    return tokens


def _tokens_of_whole(text: str) -> int:
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // BYTES_PER_TOKEN)
