"""The vendor's side: a request in its form, and its 200 as a ranking."""

from collections.abc import Sequence

import msgspec

from kyma.core.answer import UsageReport
from kyma.core.chat import Rendered
from kyma.core.errors import Garbled
from kyma.core.model import Quirks, Usage
from kyma.dialects.raw_fields import NULL, RawFields, encoder, raw
from kyma.dialects.rerank.forms import FORMS
from kyma.dialects.rerank.wire import Ranked, RerankRequest, RerankResponse
from kyma.dialects.vendor_errors import error_in_answer

UNDERSTOOD = ("model", "query", "documents", "top_n", "top_k", "return_documents", "idempotency_key")
MAX_TOKENS = 2**40
"""More than this in one request is no count."""
FALSE = msgspec.Raw(b"false")


class WireRanked(msgspec.Struct):
    """`score` is the word of text-embeddings-inference."""

    index: int
    relevance_score: float | None = None
    score: float | None = None


class WireUsage(msgspec.Struct):
    """OpenRouter counts Cohere's searches here."""

    prompt_tokens: int | None = None
    total_tokens: int | None = None
    search_units: float | None = None


class WireTokens(msgspec.Struct):
    input_tokens: float | None = None


class WireBilled(msgspec.Struct):
    search_units: float | None = None


class WireMeta(msgspec.Struct):
    """Cohere's figures, which its schema calls numbers."""

    tokens: WireTokens | None = None
    billed_units: WireBilled | None = None


class WireAnswer(msgspec.Struct):
    """Cohere and Jina say `results`, Voyage `data`."""

    results: list[WireRanked] | None = None
    data: list[WireRanked] | None = None
    usage: msgspec.Raw = NULL
    meta: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_answer_decoder = msgspec.json.Decoder(WireAnswer | list[WireRanked])
_usage_decoder = msgspec.json.Decoder(WireUsage)
_meta_decoder = msgspec.json.Decoder(WireMeta)


def target(upstream_model: str, is_streaming: bool) -> str:
    """Path behind the provider's base path, the same in every form."""
    return "/rerank"


def render_request(request: RerankRequest, upstream_model: str, quirks: Quirks) -> Rendered:
    """The body to send. Of the quirks `rerank_form` and `drop` count; the others speak of chats."""
    form = FORMS[quirks.rerank_form]
    fields: RawFields = {
        "model": raw(upstream_model),
        "query": raw(request.query),
        form.documents: raw(request.documents),
    }
    if form.top and form.top not in quirks.drop and request.top_n is not None:
        fields[form.top] = raw(min(request.top_n, len(request.documents)))
    if form.repeats_unasked and "return_documents" not in quirks.drop:
        fields["return_documents"] = FALSE
    dropped = list(request.lost)
    for name, value in request.native.fields.items():
        if name in UNDERSTOOD or value == NULL:
            continue
        if (form.extras is None or name in form.extras) and name not in quirks.drop:
            fields[name] = value
        else:
            dropped.append(name)
    return Rendered(encoder.encode(fields), tuple(dropped))


def parse_response(body: bytes, request: RerankRequest) -> RerankResponse:
    """Read a vendor's 200, in whichever form it is.

    Raises: Garbled when it ranks nothing or what was not sent, UpstreamError when it holds an error.
    """
    try:
        wire = _answer_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is no ranking") from None
    if isinstance(wire, list):
        wire = WireAnswer(results=wire)
    if wire.error != NULL:
        raise error_in_answer(wire.error)
    found = wire.results if wire.results is not None else wire.data
    scores = {
        entry.index: entry.score if entry.relevance_score is None else entry.relevance_score for entry in found or ()
    }
    ranked = tuple([Ranked(index, score) for index, score in scores.items() if score is not None])
    is_whole = len(found or ()) == len(ranked) > 0
    if not is_whole or not all(0 <= entry.index < len(request.documents) for entry in ranked):
        raise Garbled("the answer ranks nothing, or documents that were not sent")
    return RerankResponse(_best(ranked, request.top_n), _counted(wire))


def respond(request: RerankRequest, scores: Sequence[float], input_tokens: int) -> RerankResponse:
    """The same from a score for each document that was computed here."""
    ranked = tuple([Ranked(index, score) for index, score in enumerate(scores)])
    return RerankResponse(_best(ranked, request.top_n), UsageReport(Usage(input_tokens)))


def _best(ranked: tuple[Ranked, ...], top_n: int | None) -> tuple[Ranked, ...]:
    """Sorted by score; of equals, the one that was sent first."""
    return tuple(sorted(ranked, key=lambda entry: (-entry.score, entry.index))[:top_n])


def _counted(wire: WireAnswer) -> UsageReport | None:
    """Tokens and searches from wherever the vendor says them; an invalid report for nonsense."""
    try:
        usage = WireUsage() if wire.usage == NULL else _usage_decoder.decode(wire.usage)
        meta = WireMeta() if wire.meta == NULL else _meta_decoder.decode(wire.meta)
    except msgspec.DecodeError:
        return UsageReport(Usage(), is_valid=False)
    tokens: float | None = usage.prompt_tokens or usage.total_tokens
    if tokens is None and meta.tokens is not None:
        tokens = meta.tokens.input_tokens
    searches = usage.search_units
    if searches is None and meta.billed_units is not None:
        searches = meta.billed_units.search_units
    if tokens is None and searches is None:
        return None
    figures = (tokens or 0, searches or 0)
    if not all(0 <= figure < MAX_TOKENS and figure == int(figure) for figure in figures):
        return UsageReport(Usage(), is_valid=False)
    return UsageReport(Usage(int(figures[0]), searches=int(figures[1])))
