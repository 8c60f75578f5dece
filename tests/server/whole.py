"""Requests to the endpoints that answer whole, as raw as `Api` makes them."""

from collections.abc import Sequence

from tests.server.api import Answer, Api

INPUT = 1_000
"""Nano-dollars a token of every scripted model but the dear one."""

DOCUMENTS = ("red apples", "green pears", "blue plums")
PATHS = {"embedding": "/v1/embeddings", "rerank": "/v1/rerank", "moderation": "/v1/moderations"}


def embed(api: Api, model: str, texts: str | Sequence[str], **fields: object) -> Answer:
    return api.post("/v1/embeddings", {"model": model, "input": texts, **fields})


def rank(api: Api, model: str, query: str, documents: Sequence[object], **fields: object) -> Answer:
    return api.post("/v1/rerank", {"model": model, "query": query, "documents": documents, **fields})


def ask(api: Api, kind: str, model: str) -> Answer:
    """A request of that kind which its source counts as eight tokens."""
    match kind:
        case "embedding":
            return embed(api, model, ["one two three four five", "six seven eight"])
        case "rerank":
            return rank(api, model, "which fruit", DOCUMENTS)
    return api.post("/v1/moderations", {"model": model, "input": ["one two three four", "five six seven eight"]})
