"""OpenAI's embeddings and moderations and the common rerank, for the same scripts as chats: they read, and say no word.

A script that says nothing answers with an empty list. A vector is told by its place: the input at `index` gets
`vector_of(index)`; the document at `index` scores more the later it comes.
"""

import base64
import struct

import msgspec

from tests.upstream.openai_talk import error
from tests.upstream.reading import Reading, without_texts, words_in
from tests.upstream.talk import Asked, Finish, Json, WholeTalk
from tests.upstream.wire import Request

DIALECT = "openai_whole"
EMBEDDINGS, RERANK, MODERATIONS = "/v1/embeddings", "/v1/rerank", "/v1/moderations"
REST = (0.5, -0.25, 0.125)

_read = msgspec.json.Decoder(Json).decode


def vector_of(index: int) -> list[float]:
    """Of four dimensions, exact in 32 bits."""
    return [index + 1.0, *REST]


def owns(path: str) -> bool:
    """Whether this family lives there."""
    return path in (EMBEDDINGS, RERANK, MODERATIONS)


def read(request: Request) -> Reading:
    """The request, understood. Raises: msgspec.DecodeError."""
    body = _read(request.body)
    if not isinstance(body.get("model"), str):
        raise msgspec.ValidationError("model is needed")
    kept = {name: without_texts(value) for name, value in body.items()}
    given = [*_items(body.get("input")), *_items(body.get("documents")), *_items(body.get("query"))]
    asked = Asked(
        is_streaming=False,
        wants_usage=True,
        prompt_tokens=_tokens(given),
        max_tokens=None,
        last_user_text=" ".join(filter(None, map(_text, given))),
        texts=(),
        tools=(),
        calls=(),
        results=(),
        ends_in_tool_result=False,
    )
    return Reading(
        str(body["model"]), asked, kept | {"encoding_format": body.get("encoding_format"), "at": request.path}
    )


class WholeOpenAILists(WholeTalk):
    """One list."""

    USAGE_KEY = "usage"

    @property
    def usage(self) -> Json:
        return self.counted(self.asked.prompt_tokens, 0, self.asked.prompt_tokens)

    def counted(self, prompt: object, said: object, total: object) -> Json:
        return {"prompt_tokens": prompt, "total_tokens": total}

    def _error(self, status: int, message: str, code: str) -> Json:
        return error(status, message, code)

    def _answer(self, finish: Finish) -> Json:
        body = self._entry.body
        match body["at"] if self._text else "nothing":
            case "/v1/embeddings":
                return {"object": "list", "model": self._entry.model, "data": self._embeddings(body)}
            case "/v1/rerank":
                return {"object": "list", "model": self._entry.model, "results": _ranking(body)}
            case "/v1/moderations":
                self._usages = ()
                return {"id": "modr-upstream", "model": self._entry.model, "results": _verdicts(body)}
        return {"data": [], "results": []}

    def _embeddings(self, body: Json) -> list[Json]:
        given = body["input"]
        count = len(given) if isinstance(given, list) and not _is_ids(given) else 1
        wanted = body.get("dimensions")
        vectors = [vector_of(index)[: wanted if isinstance(wanted, int) else None] for index in range(count)]
        return [
            {"object": "embedding", "index": index, "embedding": _encoded(vector, body["encoding_format"])}
            for index, vector in enumerate(vectors)
        ]


def _encoded(vector: list[float], encoding: object) -> object:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() if encoding == "base64" else vector


def _ranking(body: Json) -> list[Json]:
    documents = body["documents"]
    assert isinstance(documents, list)
    places = list(range(len(documents)))[::-1]
    wanted = body.get("top_n")
    return [
        {"index": place, "relevance_score": (place + 1) / 100}
        for place in places[: wanted if isinstance(wanted, int) else None]
    ]


def _verdicts(body: Json) -> list[Json]:
    given = body["input"]
    is_parts = isinstance(given, list) and any(isinstance(part, dict) for part in given)
    count = len(given) if isinstance(given, list) and not is_parts else 1
    categories = {"violence": True, "self-harm": False}
    return [
        {"flagged": True, "categories": categories, "category_scores": {"violence": 0.75, "self-harm": 1e-07}}
        for _ in range(count)
    ]


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_ids(given: list[object]) -> bool:
    return all(isinstance(part, int) for part in given)


def _text(part: object) -> str:
    """Nothing for token ids and images."""
    return part if isinstance(part, str) else str(part.get("text", "")) if isinstance(part, dict) else ""


def _tokens(given: list[object]) -> int:
    """Words of texts; ids as many as they are."""
    tokens = 0
    for part in given:
        match part:
            case str() | dict():
                tokens += words_in([_text(part)])
            case list():
                tokens += len(part)
            case int():
                tokens += 1
    return tokens
