"""Whatever parses as HTTP and is wrong gets a clear JSON error, is never a 500, and costs nothing."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.server.api import HELLO, Api

CHAT = "/v1/chat/completions"
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module", autouse=True)
def nothing_is_charged(operator: Api) -> Iterator[None]:
    """The operator's balance is the same after all of this."""
    before = operator.get("/v1/credits/balance").json()
    yield
    assert operator.get("/v1/credits/balance").json() == before


def chat(**fields: Any) -> bytes:
    return json.dumps({"model": "good", "messages": HELLO, **fields}).encode()


def message(**fields: Any) -> bytes:
    return chat(messages=[{"role": "user", **fields}])


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


BODIES: Mapping[str, tuple[bytes, str, str | None]] = {
    "empty": (b"", "invalid_json", None),
    "blank": (b"  \n", "invalid_json", None),
    "cut": (b'{"model": "good", "messages": [', "invalid_json", None),
    "two values": (chat() + b" {}", "invalid_json", None),
    "no utf-8": (b'{"model": "\xff\xfe"}', "invalid_json", None),
    "utf-16": ('{"model": "good"}'.encode("utf-16"), "invalid_json", None),
    "nan": (b'{"model": "good", "messages": [], "temperature": NaN}', "invalid_json", None),
    "form": (b"model=good&messages=hello", "invalid_json", None),
    "list": (b"[]", "invalid_request", None),
    "null": (b"null", "invalid_request", None),
    "text": (b'"hello"', "invalid_request", None),
    "nothing in it": (b"{}", "invalid_request", "messages"),
    "no messages": (b'{"model": "good"}', "invalid_request", "messages"),
    "no model": (json.dumps({"messages": HELLO}).encode(), "invalid_request", "model"),
    "model is null": (chat(model=None), "invalid_request", "model"),
    "model is empty": (chat(model=""), "invalid_request", "model"),
    "model is a list": (chat(model=["good"]), "invalid_request", "model"),
    "messages is a text": (chat(messages="hello"), "invalid_request", "messages"),
    "messages is empty": (chat(messages=[]), "invalid_request", "messages"),
    "a message is a text": (chat(messages=["hello"]), "invalid_request", "messages.0"),
    "a message without role": (chat(messages=[{"content": "x"}]), "invalid_request", "messages.0.role"),
    "an unknown role": (chat(messages=[{"role": "pope", "content": "x"}]), "invalid_request", "messages.0.role"),
    "content is a number": (message(content=5), "invalid_request", "messages.0.content"),
    "content is an object": (message(content={"a": 1}), "invalid_request", "messages.0.content"),
    "a part is a text": (message(content=["x"]), "invalid_request", "messages.0.content.0"),
    "a part without type": (message(content=[{"text": "x"}]), "invalid_request", "messages.0.content.0.type"),
    "a part without text": (message(content=[{"type": "text"}]), "invalid_request", "messages.0.content.0"),
    "an image without url": (
        message(content=[{"type": "image_url", "image_url": {}}]),
        "invalid_request",
        "messages.0.content.0.image_url.url",
    ),
    "an image for a blind model": (
        message(content=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]),
        "unsupported_modality",
        "messages",
    ),
    "a tool answer to no call": (
        chat(messages=[{"role": "tool", "content": "x"}]),
        "invalid_request",
        "messages.0.tool_call_id",
    ),
    "stream is a text": (chat(stream="yes"), "invalid_request", "stream"),
    "max_tokens is a text": (chat(max_tokens="5"), "invalid_request", "max_tokens"),
    "max_tokens is a fraction": (chat(max_tokens=1.5), "invalid_request", "max_tokens"),
    "max_tokens is zero": (chat(max_tokens=0), "invalid_request", "max_tokens"),
    "max_tokens is negative": (chat(max_tokens=-1), "invalid_request", "max_tokens"),
    "max_tokens is huge": (chat(max_tokens=10**30), "invalid_request", "max_tokens"),
    "max_tokens is true": (chat(max_tokens=True), "invalid_request", "max_tokens"),
    "max_completion_tokens is zero": (chat(max_completion_tokens=0), "invalid_request", "max_completion_tokens"),
    "n is zero": (chat(n=0), "invalid_request", "n"),
    "n is too large": (chat(n=129), "invalid_request", "n"),
    "temperature is a text": (chat(temperature="hot"), "invalid_request", "temperature"),
    "temperature is negative": (chat(temperature=-0.1), "invalid_request", "temperature"),
    "top_p is above one": (chat(top_p=1.1), "invalid_request", "top_p"),
    "stop is a number": (chat(stop=5), "invalid_request", "stop"),
    "stop holds a number": (chat(stop=["x", 5]), "invalid_request", "stop.1"),
    "tools is a text": (chat(tools="x"), "invalid_request", "tools"),
    "a tool without name": (
        chat(tools=[{"type": "function", "function": {}}]),
        "invalid_request",
        "tools.0.function.name",
    ),
    "stream_options is a text": (chat(stream_options="x"), "invalid_request", "stream_options"),
    "include_usage is a number": (
        chat(stream_options={"include_usage": 1}),
        "invalid_request",
        "stream_options.include_usage",
    ),
    "a deep list": (chat(x=0).replace(b"0", nested(100).encode()), "invalid_json", None),
    "a very deep list": (nested(100_000).encode(), "invalid_json", None),
    "a deep object": (('{"a":' * 200 + "1" + "}" * 200).encode(), "invalid_json", None),
    "an open deep list": (b"[" * 1_000_000, "invalid_json", None),
}
"""Name to body, code and param of the 400 it gets."""


@pytest.mark.parametrize("name", BODIES)
def test_a_wrong_body_is_a_400_that_names_the_field(operator: Api, name: str) -> None:
    body, code, param = BODIES[name]
    answer = operator.send("POST", CHAT, body)
    assert (answer.status, answer.error["code"]) == (400, code)
    assert answer.error["type"] == "invalid_request"
    assert answer.error["param"] == param


STRANGE_BUT_SOUND: Mapping[str, bytes] = {
    "a lone surrogate": b'{"model": "echo", "messages": [{"role": "user", "content": "\\ud800"}]}',
    "repeated fields": b'{"model": "nope", "model": "good", "messages": [{"role": "user", "content": "x"}]}',
    "a byte order mark": b"\xef\xbb\xbf" + chat(),
    "null fields": chat(max_tokens=None, n=None, stop=None, tools=None, stream=None, temperature=None),
    "content is null": message(content=None),
    "an unknown part": message(content=[{"type": "video_url", "video_url": {"url": "x"}}]),
    "a huge number": chat(seed=10**400),
    "a lot of small values": chat(x=list(range(10_000))),
    "64 levels": chat(x=0).replace(b"0", nested(60).encode()),
    "an empty name": chat(**{"": 1}),
}


@pytest.mark.parametrize("name", STRANGE_BUT_SOUND)
def test_what_is_only_strange_is_answered_or_refused_but_no_bug(customer: Api, name: str) -> None:
    answer = customer.send("POST", CHAT, STRANGE_BUT_SOUND[name])
    if answer.status != 200:
        assert answer.status in (400, 502, 503) and answer.error["type"] != "internal_error", answer


MODELS = ["gpt-4o-micro", "good ", " good", "../../etc/passwd", "good\x00", "x" * 10_000, "sk-secret", "模型", "%2e%2e"]


@pytest.mark.parametrize("model", MODELS)
def test_an_unknown_model_is_a_404_with_close_matches(operator: Api, model: str) -> None:
    answer = operator.chat(model)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (404, "model_not_found", "model")
    assert answer.error["type"] == "not_found"
    assert len(answer.error["message"]) < 1_000


def test_the_close_matches_are_close(operator: Api) -> None:
    assert "repeated-usage" in operator.chat("repeat-usage").error["message"]


@pytest.mark.parametrize("path", [CHAT, "/v1/auth/register", "/v1/auth/login", "/v1/auth/keys"])
def test_a_body_of_eleven_megabytes_is_a_413(operator: Api, path: str) -> None:
    answer = operator.send("POST", path, b'{"email": "' + b"x" * (11 * MEGABYTE) + b'"}')
    assert (answer.status, answer.error["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("path", [CHAT, "/v1/auth/register"])
def test_an_encoded_body_is_a_415(operator: Api, path: str) -> None:
    answer = operator.send("POST", path, b"\x1f\x8b", {"content-encoding": "gzip"})
    assert (answer.status, answer.error["code"]) == (415, "unsupported_media_type")


def test_the_control_plane_says_which_content_type_it_takes(operator: Api) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = operator.send("POST", "/v1/auth/register", b'{"email": "a@b.co", "password": "x"}', headers)
    assert (answer.status, answer.error["code"]) == (415, "unsupported_media_type")
    assert "application/json" in answer.error["message"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "application/json; charset=utf-16"])
def test_the_content_type_of_a_json_body_does_not_matter(customer: Api, content_type: str) -> None:
    assert customer.send("POST", CHAT, chat(), {"content-type": content_type}).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *itertools.product(["GET", "PUT", "PATCH", "DELETE", "HEAD", "BREW"], [CHAT]),
        *itertools.product(["POST", "DELETE"], ["/v1/models", "/v1/credits/balance", "/healthz"]),
        *itertools.product(["GET", "PUT"], ["/v1/auth/register", "/v1/auth/keys/x"]),
    ],
)
def test_a_wrong_method_is_a_405_that_says_the_right_one(operator: Api, method: str, path: str) -> None:
    answer = operator.send(method, path)
    if method == "BREW" and answer.status == 400:
        assert answer.error["code"] == "invalid_http"
        return
    assert answer.status == 405
    assert answer.headers["allow"]
    if method != "HEAD":
        assert answer.error["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/v1", "/v1/", "/v2/models", "/v1/chat", "/v1/complete", "/nowhere", "/favicon.ico", "/v1/auth"),
        *(
            "//v1/models",
            "/v1/../etc/passwd",
            "/%ff%fe",
            "/%00",
            "/v1/models/%00",
            "/v1/models/nope",
            "/" + "x" * 8_000,
        ),
        *("/v1/chat/completions/", "/V1/CHAT/COMPLETIONS"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_a_404(operator: Api, method: str, path: str) -> None:
    answer = operator.send(method, path, b"{}" if method == "POST" else None)
    assert answer.status in ((404, 405) if path.startswith("/v1/models/") else (404,)), answer
    assert answer.error["type"] in ("not_found", "invalid_request")


@pytest.mark.parametrize("query", ["?x=1", "?", "?" + "a" * 1_000, "?%ff", "?include=%00"])
def test_a_query_on_a_hot_route_does_no_harm(customer: Api, query: str) -> None:
    assert customer.send("POST", CHAT + query, chat()).status == 200


def test_a_wrong_query_value_is_a_400(operator: Api) -> None:
    answer = operator.get("/v1/models?include=everything")
    assert (answer.status, answer.error["param"]) == (400, "include")


@pytest.mark.parametrize("path", ["/v1/auth/register", "/v1/auth/login", "/v1/auth/keys"])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"5", b'"x"', b"\xff", nested(100_000).encode(), b'{"email": {"a": 1}, "name": 5}'],
    ids=["empty", "cut", "list", "null", "number", "text", "no utf-8", "deep", "wrong types"],
)
def test_a_wrong_body_of_the_control_plane_is_a_400(operator: Api, path: str, body: bytes) -> None:
    answer = operator.send("POST", path, body)
    assert answer.status == 400
    assert answer.error["type"] == "invalid_request"


@pytest.mark.parametrize("name", ["", " ", "x" * 1_000, "a\nb", "\u202e", "\ud800"])
def test_a_keys_name_is_short_and_printable(operator: Api, name: str) -> None:
    answer = operator.post("/v1/auth/keys", {"name": name})
    assert (answer.status, answer.error["type"]) == (400, "invalid_request")


@pytest.mark.parametrize("email", ["a@b", "@", "x" * 400 + "@example.com", "a@example.com\x00", "\ud800@example.com"])
def test_an_address_that_is_none_is_a_400(operator: Api, email: str) -> None:
    answer = operator.post("/v1/auth/register", {"email": email})
    assert (answer.status, answer.error["param"]) == (400, "email")


@pytest.mark.parametrize("password", ["\ud800" * 8, "x" * 200, "\x00" * 9, "日本語パスワード?!"])
def test_a_strange_password_is_taken_or_refused(operator: Api, password: str) -> None:
    email = f"nobody-{len(password)}@example.com"
    answer = operator.post("/v1/auth/login", {"email": email, "password": password})
    assert answer.status in (400, 401)
    assert answer.error["type"] in ("invalid_request", "auth_error")


@pytest.mark.parametrize("key_id", ["nope", "%2e%2e", "x" * 5_000, "a%00b", "%ff"])
def test_a_key_that_is_not_there_is_not_deleted(operator: Api, key_id: str) -> None:
    answer = operator.send("DELETE", f"/v1/auth/keys/{key_id}")
    assert (answer.status, answer.error["type"]) == (404, "not_found")
