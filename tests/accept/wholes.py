"""What is asked of models that answer whole, with a mark wherever a customer can say something."""

from collections.abc import Mapping, Sequence

import msgspec

from kyma.core.model import Kind
from tests.accept.dialects import Json
from tests.accept.marks import Marks
from tests.accept.tagged import image

SUPPORTED: Mapping[Kind, Mapping[str, object]] = {
    "embedding": {"supports": ["token_ids"]},
    "rerank": {"supports": []},
    "moderation": {"supports": ["vision"], "image_tokens": 100},
}
"""By kind of model, what its row in the catalog says."""


class Asking(msgspec.Struct, frozen=True):
    """A request for a model of that kind, but for the model's name. `holds` stands in every good answer to it;
    where `has_words`, a vendor that quotes it quotes a mark."""

    kind: Kind
    path: str
    body: Json
    holds: str
    has_words: bool = True


def askings(marks: Marks) -> Sequence[Asking]:
    """Every form of input, each model's own."""
    return [
        *(_embedding(marks, given) for given in (marks("text"), [marks("text 1"), marks("text 2")])),
        _embedding(marks, [*marks("token ids").encode()], has_words=False),
        *(_rerank(marks, documents) for documents in _documents(marks)),
        *(_moderation(marks, given) for given in (marks("said"), [marks("said 1"), marks("said 2")], _parts(marks))),
    ]


def _embedding(marks: Marks, given: object, *, has_words: bool = True) -> Asking:
    body = _beside(marks) | {"input": given, "user": marks("user of texts")}
    return Asking("embedding", "/v1/embeddings", body, '"embedding":[', has_words)


def _rerank(marks: Marks, documents: object) -> Asking:
    body = _beside(marks) | {"query": marks("query"), "documents": documents, "return_documents": True}
    return Asking("rerank", "/v1/rerank", body, f"{marks.stem}.document")


def _moderation(marks: Marks, given: object) -> Asking:
    return Asking("moderation", "/v1/moderations", _beside(marks) | {"input": given}, '"flagged":')


def _documents(marks: Marks) -> list[object]:
    beside = {"title": marks("title"), f"x_{marks.stem}": marks("beside")}
    return [[marks("document"), "plums"], [{"text": marks("document")} | beside, {"text": "plums"}]]


def _parts(marks: Marks) -> list[Json]:
    url = {"url": f"data:image/png;base64,{image(marks, 'judged image')}"}
    return [{"type": "text", "text": marks("judged")}, {"type": "image_url", "image_url": url}]


def _beside(marks: Marks) -> Json:
    return {f"x_{marks.stem}": marks("unknown to all")}
