"""A customer's rerank request, checked."""

from typing import Annotated, NoReturn

import msgspec

from kyma.core.chat import Native
from kyma.core.errors import InvalidRequest
from kyma.dialects.json_input import decode_body
from kyma.dialects.preferences import take_preferences
from kyma.dialects.raw_fields import RawFields, fields_decoder
from kyma.dialects.rerank.wire import NAME, RerankRequest

MAX_DOCUMENTS = 10_000
"""As many as Cohere takes in one request; others take fewer and say so themselves."""

DOCUMENTS_A_SEARCH, CHUNK_TOKENS = 100, 500
"""What a vendor that charges by the search takes for one: a document longer than a chunk, query included, is several.

Source: Cohere's pricing page, November 2026.
"""
LEAST_CHUNK = 100
"""What a query is taken to leave of a chunk at least; nobody says."""

Top = Annotated[int, msgspec.Meta(ge=1, le=2**31)]


class WireDocument(msgspec.Struct):
    text: str


class RerankBody(msgspec.Struct, kw_only=True):
    """Body of POST /v1/rerank; `top_k` is Voyage's word for `top_n`. Fields not listed here travel to the model."""

    model: str = ""
    query: str
    documents: list[str | WireDocument]
    top_n: Top | None = None
    top_k: Top | None = None
    return_documents: bool | None = None


class _Documents(msgspec.Struct):
    documents: list[msgspec.Raw]


_body_decoder = msgspec.json.Decoder(RerankBody)
_documents_decoder = msgspec.json.Decoder(_Documents)


def parse_request(body: bytes) -> RerankRequest:
    """Read a request body. Raises: InvalidRequest naming the field."""
    wire = decode_body(_body_decoder, body)
    fields = fields_decoder.decode(body)
    as_sent = tuple(_documents_decoder.decode(body).documents)
    model, preferences = wire.model, None
    if "provider" in fields or "models" in fields:
        model, preferences = take_preferences(fields, model)
    if not model:
        _refuse("model must name a model or an alias", "model")
    if not wire.query:
        _refuse("query must not be empty", "query")
    if not wire.documents:
        _refuse("documents must hold at least one document", "documents")
    if len(wire.documents) > MAX_DOCUMENTS:
        _refuse(f"documents may be at most {MAX_DOCUMENTS}; these are {len(wire.documents)}", "documents")
    if wire.top_n and wire.top_k and wire.top_n != wire.top_k:
        _refuse("top_n and top_k say the same; send one of them", "top_k")
    documents = tuple([document if isinstance(document, str) else document.text for document in wire.documents])
    return RerankRequest(
        model=model,
        preferences=preferences,
        query=wire.query,
        documents=documents,
        as_sent=as_sent,
        top_n=wire.top_n or wire.top_k,
        returns_documents=bool(wire.return_documents),
        native=Native(NAME, fields),
        lost=_beside_text(wire.documents, as_sent),
        input_bytes=len(memoryview(fields["query"])) * len(as_sent) + len(memoryview(fields["documents"])),
        readings=len(as_sent),
        searches=_searches(wire.query, documents),
        least_searches=-(-len(documents) // DOCUMENTS_A_SEARCH),
    )


def _searches(query: str, documents: tuple[str, ...]) -> int:
    """At most how many searches it is, with a token for each byte."""
    room = max(LEAST_CHUNK, CHUNK_TOKENS - len(query.encode()))
    chunks = sum(max(1, -(-len(document.encode()) // room)) for document in documents)
    return -(-chunks // DOCUMENTS_A_SEARCH)


def _beside_text(documents: list[str | WireDocument], as_sent: tuple[msgspec.Raw, ...]) -> tuple[str, ...]:
    """The paths of members that no model will read."""
    paths: dict[str, None] = {}
    for document, raw in zip(documents, as_sent, strict=True):
        if isinstance(document, WireDocument):
            members: RawFields = fields_decoder.decode(raw)
            paths.update(dict.fromkeys(f"documents.{name}" for name in members if name != "text"))
    return tuple(paths)


def _refuse(message: str, param: str) -> NoReturn:
    raise InvalidRequest(message, param=param)
