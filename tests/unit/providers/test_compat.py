"""The request that a provider row makes, and how the generic adapter reads what comes back."""

from typing import Any, Literal

import msgspec
import pytest

from kyma.core.answer import ChatResponse
from kyma.core.chat import CallRequest, ChatRequest, TextPart
from kyma.core.credential import Credential
from kyma.core.errors import Garbled, RefusedUs
from kyma.core.model import Provider, Quirks, Route
from kyma.core.upstream import Timeouts, UpstreamRequest
from kyma.dialects import openai_embeddings, openai_moderations, rerank
from kyma.providers.compat import adapter_for, chat_adapter
from tests.unit.calls.rows import PRICE, chat, provider

ADAPTER = chat_adapter("openai_chat")
ANSWER = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'


def source(row: Provider) -> Route:
    return Route("acme/owl", row, "acme-owl-v2", PRICE, "tests")


def key(secret: str = "s3cret") -> Credential:
    return Credential("acme#1", "acme", secret)


def built(route: Route, secret: str | None, request: ChatRequest) -> UpstreamRequest:
    return ADAPTER.build_request(route, key(secret) if secret else None, request)[0]


def headers(row: Provider, secret: str | None = "s3cret", *, is_streaming: bool = False) -> dict[bytes, bytes]:
    return dict(built(source(row), secret, chat(is_streaming=is_streaming)).headers)


def test_the_request_goes_to_the_providers_address() -> None:
    request = built(source(provider()), "s3cret", chat())
    assert (request.method, request.target) == ("POST", "/openai/v1/chat/completions")
    assert request.origin == provider().origin


def test_the_body_names_the_providers_model_and_keeps_unknown_fields() -> None:
    request = built(source(provider()), None, chat(max_tokens=9, fields={"seed": 7}))
    body: dict[str, Any] = msgspec.json.decode(request.body)
    assert (body["model"], body["max_tokens"], body["seed"]) == ("acme-owl-v2", 9, 7)


def test_quirks_shape_the_body() -> None:
    row = provider(quirks=Quirks(max_tokens_field="max_completion_tokens", drop=("seed",)))
    body = msgspec.json.decode(built(source(row), None, chat(fields={"seed": 7})).body)
    assert body["max_completion_tokens"] == 100
    assert "max_tokens" not in body and "seed" not in body


@pytest.mark.parametrize(
    ("form", "name", "value"),
    [
        ("authorization", b"authorization", b"Bearer s3cret"),
        ("x-api-key", b"x-api-key", b"s3cret"),
        ("api-key", b"api-key", b"s3cret"),
    ],
)
def test_the_key_goes_where_the_provider_wants_it(
    form: Literal["authorization", "x-api-key", "api-key"], name: bytes, value: bytes
) -> None:
    sent = headers(provider(key_header=form))
    assert sent[name] == value
    assert sum(b"s3cret" in said for said in sent.values()) == 1


def test_without_a_key_none_is_sent() -> None:
    assert set(headers(provider(), None)) == {b"content-type", b"accept"}


def test_the_providers_own_headers_are_sent() -> None:
    assert headers(provider(headers=((b"x-title", b"Kyma"),)))[b"x-title"] == b"Kyma"


def test_a_stream_is_asked_for_as_events() -> None:
    assert headers(provider(), is_streaming=True)[b"accept"] == b"text/event-stream"
    assert headers(provider())[b"accept"] == b"application/json"


@pytest.mark.parametrize(
    ("is_streaming", "first_byte_s", "idle_s", "waited_s"),
    [(True, 5, 300, 5), (False, 5, 300, 300), (False, 60, 20, 60)],
)
def test_a_whole_answer_is_waited_for_as_long_as_a_stream_may_be_silent(
    is_streaming: bool, first_byte_s: float, idle_s: float, waited_s: float
) -> None:
    row = provider(timeouts=Timeouts(connect_s=3, first_byte_s=first_byte_s, idle_s=idle_s))
    timeouts = built(source(row), None, chat(is_streaming=is_streaming)).timeouts
    assert timeouts == Timeouts(connect_s=3, first_byte_s=waited_s, idle_s=idle_s)


def test_an_answer_is_read_in_the_providers_dialect() -> None:
    answer = ADAPTER.parse_response(source(provider()), ANSWER, chat())
    assert isinstance(answer, ChatResponse)
    assert answer.choices[0].parts == (TextPart("hi"),)


def test_what_is_no_answer_is_garbled() -> None:
    with pytest.raises(Garbled):
        ADAPTER.parse_response(source(provider()), b"<html>", chat())


def test_a_status_is_read_in_the_providers_dialect() -> None:
    assert isinstance(ADAPTER.parse_error(401, {}, b"{}"), RefusedUs)


def test_a_dialect_we_do_not_speak_has_no_adapter() -> None:
    with pytest.raises(KeyError):
        chat_adapter("klingon")


@pytest.mark.parametrize(
    ("body", "target"),
    [
        (openai_embeddings.parse_request(b'{"model":"m","input":"hi"}'), "/embeddings"),
        (rerank.parse_request(b'{"model":"m","query":"q","documents":["d"]}'), "/rerank"),
        (openai_moderations.parse_request(b'{"input":"hi"}'), "/moderations"),
    ],
)
def test_a_vendor_of_openais_dialect_is_asked_for_more_than_chats(body: CallRequest, target: str) -> None:
    row = provider()
    request, _ = adapter_for(row.dialect, body.kind).build_request(source(row), key(), body)
    assert request.target == row.base_path + target
    assert msgspec.json.decode(request.body)["model"] == "acme-owl-v2"
    assert (b"authorization", b"Bearer s3cret") in request.headers


BEDROCK = msgspec.structs.replace(
    provider(host="bedrock-runtime.eu-west-1.amazonaws.com"), dialect="bedrock_converse", base_path="", auth="aws"
)


def at_bedrock(secret: str, *, is_streaming: bool = False) -> UpstreamRequest:
    route = Route("bedrock/owl", BEDROCK, "us.owl-v1:0", PRICE, "tests")
    return chat_adapter("bedrock_converse").build_request(route, key(secret), chat(is_streaming=is_streaming))[0]


def test_a_key_of_aws_signs_what_is_sent_and_is_not_sent() -> None:
    request = at_bedrock("AKID\nSECRET\nTOKEN")
    said = dict(request.headers)
    assert request.target == "/model/us.owl-v1%3A0/converse"
    assert said[b"authorization"].startswith(b"AWS4-HMAC-SHA256 Credential=AKID/")
    assert b"/eu-west-1/bedrock/aws4_request, SignedHeaders=accept;content-type;host;" in said[b"authorization"]
    assert said[b"x-amz-security-token"] == b"TOKEN"
    assert not any(b"SECRET" in value for value in said.values())


def test_an_api_key_of_bedrock_is_sent() -> None:
    said = dict(at_bedrock("bedrock-key").headers)
    assert said[b"authorization"] == b"Bearer bedrock-key" and b"x-amz-date" not in said


def test_a_stream_of_bedrock_is_asked_for_as_frames() -> None:
    request = at_bedrock("AKID\nSECRET", is_streaming=True)
    assert request.target.endswith("/converse-stream")
    assert dict(request.headers)[b"accept"] == b"application/vnd.amazon.eventstream"


def test_customers_own_keys_are_not_remembered() -> None:
    adapter = chat_adapter("openai_chat")
    row = source(provider())
    for number in range(3):
        own = Credential(f"pk_{number}/1", "acme", f"own-{number}", is_own=True)
        sent, _ = adapter.build_request(row, own, chat())
        assert (b"authorization", b"Bearer " + own.secret.encode()) in sent.headers
    assert adapter._forms == {}
    adapter.build_request(row, key(), chat())
    assert len(adapter._forms) == 1
