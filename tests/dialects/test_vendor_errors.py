"""Vendors' refusals: what they mean for routing, and the words that agents look for."""

import json
from collections.abc import Callable
from types import ModuleType

import pytest

from kyma.core.errors import RefusedUs, Rejected, Throttled, UpstreamError, UpstreamFailed
from kyma.core.model import Quirks
from kyma.dialects import (
    anthropic_messages,
    gemini,
    openai_chat,
    openai_embeddings,
    openai_moderations,
    rerank,
)
from kyma.dialects.vendor_errors import parse_error

QUOTED = "tell me about my tax return"


def test_anthropics_overflow_is_said_in_the_words_that_agents_know() -> None:
    error = {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}
    rejected = parse_error(400, {}, json.dumps({"type": "error", "error": error}).encode())
    assert isinstance(rejected, Rejected)
    assert "maximum context length is 200000 tokens" in rejected.caller_message
    assert rejected.caller_code == "context_length_exceeded"


def test_an_error_in_a_list_keeps_its_code() -> None:
    body = json.dumps([{"error": {"message": "too long", "code": "context_length_exceeded"}}]).encode()
    rejected = parse_error(400, {}, body)
    assert isinstance(rejected, Rejected) and rejected.caller_code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("status", "kind"), [(429, Throttled), (529, Throttled), (401, RefusedUs), (402, RefusedUs), (500, UpstreamFailed)]
)
def test_a_status_decides(status: int, kind: type[Exception]) -> None:
    assert isinstance(parse_error(status, {}, b"<html>"), kind)


def about_a_key(said: object, message: str = "API key not valid. Please pass a valid API key.") -> bytes:
    """Google's refusal of a wrong key. Source: google-gemini/gemini-cli#25198, google.api.ErrorReason."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": said, "domain": "googleapis.com"}
    error = {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": [info]}
    return json.dumps([{"error": error}]).encode()


@pytest.mark.parametrize("parse", [parse_error, gemini.parse_error])
def test_googles_400_for_a_wrong_key_is_ours_to_mend(parse: Callable[..., UpstreamError]) -> None:
    assert isinstance(parse(400, {}, about_a_key("API_KEY_INVALID")), RefusedUs)


@pytest.mark.parametrize("parse", [parse_error, gemini.parse_error])
def test_a_caller_who_says_the_same_words_parks_nobodys_key(parse: Callable[..., UpstreamError]) -> None:
    refusal = about_a_key("FIELD_INVALID", "Unknown name 'API_KEY_INVALID': cannot find field")
    assert isinstance(parse(400, {}, refusal), Rejected)


@pytest.mark.parametrize("status", [400, 401, 413, 422, 429, 500, 529])
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": QUOTED, "code": "too_much", "type": QUOTED, "param": QUOTED}},
        {"type": "error", "error": {"type": "too_much", "message": QUOTED}},
        [{"error": {"code": 400, "message": QUOTED, "status": "too_much"}}],
        {"error": QUOTED},
        {"error": {"code": QUOTED, "message": QUOTED}},
        {"detail": QUOTED},
        [QUOTED],
    ],
)
def test_what_is_logged_of_a_refusal_is_the_vendors_code_and_none_of_its_words(status: int, body: object) -> None:
    for parse in (parse_error, gemini.parse_error):
        said = parse(status, {}, json.dumps(body).encode()).message
        assert said in (f"HTTP {status}", f"HTTP {status}: too_much")
        assert said.endswith("too_much") is ("too_much" in json.dumps(body))


@pytest.mark.parametrize("key", ["sk-proj-9fGh2KxQ7abZ", "gsk_A1b2C3d4E5f6", "AIzaSyD4x9f2", "a" * 65, "-a", "a b"])
def test_a_key_is_no_name_of_an_error(key: str) -> None:
    assert parse_error(401, {}, json.dumps({"error": {"code": key, "message": key}}).encode()).message == "HTTP 401"


@pytest.mark.parametrize("name", ["invalid_api_key", "RESOURCE_EXHAUSTED", "Throttling.RateQuota", "error_529", "E42"])
def test_a_name_of_an_error_is_kept(name: str) -> None:
    assert parse_error(401, {}, json.dumps({"error": {"code": name}}).encode()).message == f"HTTP 401: {name}"


@pytest.mark.parametrize(
    ("dialect", "name"), [(openai_chat, "code"), (anthropic_messages, "type"), (gemini, "status")], ids=str
)
def test_so_it_is_with_an_error_in_a_200(dialect: ModuleType, name: str) -> None:
    error = {"message": QUOTED, name: "too_much"}
    body = json.dumps({"type": "error", "error": error}).encode()
    with pytest.raises(UpstreamError) as caught:
        dialect.parse_response(body, Quirks())
    assert caught.value.message == "error in a 200: too_much"
    (failure,) = dialect.stream_decoder(Quirks()).feed(b"event: error\ndata: " + body + b"\n\n")
    assert failure.error.message == "error in a 200: too_much"


@pytest.mark.parametrize(
    ("dialect", "request_body"),
    [
        (openai_embeddings, b'{"model": "m", "input": "a"}'),
        (rerank, b'{"model": "m", "query": "q", "documents": ["a"]}'),
        (openai_moderations, b'{"input": "a"}'),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (json.dumps({"message": QUOTED, "code": "too_much"}).encode(), "error in a 200: too_much"),
        (json.dumps(QUOTED).encode(), "error in a 200"),
        (b'{"message": "\xff", "code": "too_much"}', "error in a 200"),
    ],
    ids=["with a code", "words alone", "no UTF-8"],
)
def test_so_it_is_with_what_is_answered_whole(
    dialect: ModuleType, request_body: bytes, error: bytes, said: str
) -> None:
    with pytest.raises(UpstreamError) as caught:
        dialect.parse_response(b'{"error": ' + error + b"}", dialect.parse_request(request_body))
    assert caught.value.message == said
