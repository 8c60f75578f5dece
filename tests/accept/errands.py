"""Everything that customers can send with a mark in it: good, broken, refused, failing upstream, left behind."""

import json
from collections.abc import Iterator, Mapping
from itertools import product

import msgspec

from tests.accept import dialects
from tests.accept.client import Question
from tests.accept.dialects import Dialect, Json
from tests.accept.marks import Marks
from tests.accept.tagged import MAX_TOKENS, tagged
from tests.accept.wholes import SUPPORTED, Asking, askings
from tests.gateway_catalog import FAMILIES, SUFFIXES, ModelSpec, ProviderSpec, RouteSpec, in_family

FATES: Mapping[str, str] = {
    "answered": "mirror",
    "left": "mirror:k=40,delay_ms=25",
    "held": "mirror:end=stall",
    "stalled": "mirror:end=stall",
    "cut": "mirror:end=cut",
    "reset": "mirror:end=rst",
    "garbled": "mirror:end=garbage",
    "broken": "mirror:end=error",
    **{f"refused-{code}": f"quoted:code={code}" for code in (400, 401, 413, 422, 429, 500, 503, 529)},
    "error-in-200": "quoted:code=200",
    "page": "quoted:code=502,body=html",
    "page-in-200": "quoted:code=200,body=html",
    "cut-before": "cut-before",
}
"""What becomes of a request upstream, by the model it asks for."""

QUOTED = ("refused-400", "refused-413", "refused-422")
"""Fates of which the customer reads the vendor's own words."""

SHORT = {"stalled": {"idle_s": 0.3, "first_byte_s": 0.3}}
ALL_SUPPORT = {"supports": ["tools", "vision", "reasoning", "structured_outputs"], "image_tokens": 100}
BODY_LIMIT_BYTES = 64 * 1024


class Errand(msgspec.Struct, frozen=True):
    """One request. `leaves`: its customer goes after the first word; `holds`: what its answer must hold."""

    question: Question
    kind: str
    leaves: bool = False
    holds: str = ""


def providers(base_url: str) -> list[ProviderSpec]:
    """One for each fate and family: some are left alone after a refusal."""
    rows = [ProviderSpec(fate, base_url, SHORT.get(fate, {})) for fate in FATES]
    return [in_family(row, family) for row in rows for family in FAMILIES]


def models() -> list[ModelSpec]:
    """`answered`, `answered-gemini`, `cut-anthropic` and so on, and `cut-rerank` for the kinds that answer whole."""
    chats = [
        ModelSpec(fate + suffix, [RouteSpec(fate + suffix, f"script:{script}")], fields=ALL_SUPPORT)
        for fate, script in FATES.items()
        for suffix in SUFFIXES.values()
    ]
    return chats + [
        ModelSpec(f"{fate}-{kind}", [RouteSpec(fate, f"script:{script}")], fields={"kind": kind, **supported})
        for fate, script in FATES.items()
        for kind, supported in SUPPORTED.items()
    ]


def errands(marks: Marks) -> list[Errand]:
    """All of them once."""
    pairs = [(dialect, suffix) for dialect in dialects.ALL for suffix in SUFFIXES.values()]
    chats = product((fate for fate in FATES if fate != "held"), pairs, (False, True))
    found = [chat(marks, dialect, fate, suffix, is_streaming) for fate, (dialect, suffix), is_streaming in chats]
    found += [whole(marks, one, fate) for fate in FATES if fate not in ("held", "left") for one in askings(marks)]
    for dialect in dialects.ALL:
        found += [Errand(question, f"bad {dialect.name}") for question in _bad(marks, dialect)]
    for one in {one.kind: one for one in askings(marks)}.values():
        found += [Errand(question, f"bad {one.kind}") for question in _bad_whole(marks, one)]
    found += [Errand(question, "other") for question in _others(marks)]
    return [_with_key(one, number) for number, one in enumerate(found)]


def chat(marks: Marks, dialect: Dialect, fate: str, suffix: str, is_streaming: bool) -> Errand:
    """A conversation full of marks for the model that meets that fate."""
    question = _question(dialect, fate + suffix, tagged(dialect, marks), is_streaming)
    return Errand(question, f"{fate} {dialect.name}", fate == "left", marks.stem[::-1] if fate == "answered" else "")


def whole(marks: Marks, one: Asking, fate: str) -> Errand:
    """A request full of marks for the model of its kind that meets that fate."""
    quoted = marks.stem if fate in QUOTED and one.has_words else ""
    return Errand(
        _asked(one, f"{fate}-{one.kind}"), f"{fate} {one.kind}", holds=one.holds if fate == "answered" else quoted
    )


def _with_key(errand: Errand, number: int) -> Errand:
    """The same with an idempotency key of its own: when it is sent again, its answer may be a replay."""
    headers = (*errand.question.headers, f"idempotency-key: errand-{number}")
    return msgspec.structs.replace(errand, question=msgspec.structs.replace(errand.question, headers=headers))


def _question(dialect: Dialect, model: str, body: Json, is_streaming: bool, *headers: str) -> Question:
    asked = dialect.ask("", model, MAX_TOKENS, is_streaming)
    path = dialect.path(model, is_streaming)
    return Question(dialect, path, json.dumps(asked | body).encode(), headers=headers)


def _bad(marks: Marks, dialect: Dialect) -> Iterator[Question]:
    """What is wrong in itself: the answer may quote it, and nobody else."""
    good, path = tagged(dialect, marks), dialect.path("answered", False)
    for name, value in good.items():
        wrong: object = [marks(f"wrong {name}")] if isinstance(value, str) else marks(f"wrong {name}")
        yield _question(dialect, "answered", good | {name: wrong}, False)
    for model in (marks("model"), "answered-embedding"):
        yield _question(dialect, model, good, False)
    yield _question(dialect, "answered", good, False, "x-kyma-strict: true")
    yield _question(dialect, "answered", good, False, f"x-note: {marks('long head') * 1500}")
    yield _question(dialect, "answered", good, False, "content-encoding: gzip")
    yield _question(dialect, "answered", good | {"n": 2**40, "max_tokens": marks("limit")}, False)
    yield _question(dialect, "answered", good | {"x": marks("large") * (BODY_LIMIT_BYTES // 16)}, False)
    written = json.dumps(good).encode()
    deep = b'{"a":' * 200 + json.dumps(marks("deep")).encode() + b"}" * 200
    half = written.replace(marks.stem.encode(), b"\\ud800" + marks.stem.encode())
    for broken in (written[:-3], written + marks("behind").encode(), half, deep, marks("no JSON").encode()):
        yield Question(dialect, path, broken)
    yield Question(dialect, path, written, method="PUT")
    yield Question(dialect, f"{path} {marks('no HTTP')}", written)
    yield Question(msgspec.structs.replace(dialect, key_header=f"x-api-key: {marks.stem}"), path, written)


def _bad_whole(marks: Marks, one: Asking) -> Iterator[Question]:
    """What is wrong in itself, and what models of other kinds are asked."""
    good = f"answered-{one.kind}"
    for model in (marks("model"), "answered", *(f"answered-{kind}" for kind in SUPPORTED if kind != one.kind)):
        yield _asked(one, model)
    for name, value in one.body.items():
        yield _asked(one, good, **{name: {marks.stem: value}})
    yield _asked(one, good, x=marks("large") * (BODY_LIMIT_BYTES // 16))
    question = _asked(one, good)
    yield msgspec.structs.replace(question, headers=("x-kyma-strict: true",))
    yield msgspec.structs.replace(question, body=question.body[:-3])


def _asked(one: Asking, model: str, **more: object) -> Question:
    return Question(dialects.CHAT, one.path, json.dumps({"model": model} | one.body | more).encode())


def _others(marks: Marks) -> Iterator[Question]:
    """Requests to everything else that takes a body, and addresses with a mark in them."""
    count = {"model": "answered"} | tagged(dialects.MESSAGES, marks)
    yield from _posts(dialects.MESSAGES, {"/v1/messages/count_tokens": count})
    contents = tagged(dialects.GEMINI, marks)
    yield from _posts(dialects.GEMINI, {"/v1beta/models/answered:countTokens": contents})
    for dialect, family in product(dialects.ALL, (*FAMILIES, marks("to"))):
        request = {"model": "answered", "max_tokens": MAX_TOKENS} | tagged(dialect, marks)
        yield from _posts(dialects.CHAT, {"/v1/translate": {"from": dialect.name, "to": family, "request": request}})
    bodies: dict[str, Json] = {
        "/v1/translate": {"from": marks("from"), "to": "gemini", "request": {"x": marks("request")}},
        "/v1/auth/register": {"email": marks("no address"), "password": marks("password")},
        "/v1/auth/login": {"email": "person0@example.com", "password": marks("password")},
        "/v1/auth/keys": {"name": [marks("key name")]},
    }
    yield from _posts(dialects.CHAT, bodies)
    for key in (f"sk-{marks.stem}-9Qx4", marks("no provider key"), [marks("provider keys")]):
        body = json.dumps({"key": key}).encode()
        yield Question(dialects.CHAT, "/v1/auth/provider-keys/answered", body, method="PUT")
    strange = [path for path in (*bodies, *{one.path for one in askings(marks)}) if "keys" not in path]
    yield from _posts(dialects.CHAT, {path: {marks.stem: marks("anything")} for path in strange})
    for path in ("/v1/", "/v1/models/", "/v1/responses/", "/v1/models?note=", "/healthz?note="):
        yield Question(dialects.CHAT, path + marks.stem, b"", method="GET")
    yield Question(dialects.GEMINI, f"/v1beta/models/{marks.stem}:generateContent", json.dumps(contents).encode())


def _posts(dialect: Dialect, bodies: Mapping[str, Json]) -> Iterator[Question]:
    for path, body in bodies.items():
        yield Question(dialect, path, json.dumps(body).encode())
