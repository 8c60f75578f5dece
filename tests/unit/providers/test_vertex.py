"""What Vertex AI is sent by the packaged rows.

Paths and bodies: google-genai 3.4.0 and anthropic 2.12.0 SDKs; platform.claude.com, Claude on Vertex AI;
docs.cloud.google.com/vertex-ai/generative-ai/docs/maas/call-open-model-apis; 2026-11-21.
"""

from datetime import date
from typing import Any

import msgspec
import pytest

from kyma.catalog import assemble, builtin_data, read
from kyma.core.chat import CallRequest, ChatRequest
from kyma.core.credential import Credential
from kyma.core.errors import Throttled
from kyma.core.model import Route
from kyma.core.upstream import UpstreamRequest
from kyma.dialects import anthropic_messages, gemini, openai_chat
from kyma.providers.compat import chat_adapter

HERE = {"GOOGLE_VERTEX_PROJECT": "acme-1", "GOOGLE_VERTEX_LOCATION": "global"}
CATALOG = assemble(read(builtin_data(), None), environment=HERE, engines={}, today=date(2026, 11, 21))
PLACE = "/projects/acme-1/locations/global"
BETA = ((b"anthropic-beta", b"effort-2025-11-24"),)


def route(model: str) -> Route:
    return CATALOG.models[model].routes[0]


def sent(model: str, request: CallRequest) -> UpstreamRequest:
    found = route(model)
    credential = Credential("vertex#minted", found.provider.id, "ya29.token")
    return chat_adapter(found.provider.dialect).build_request(found, credential, request)[0]


def body_of(request: UpstreamRequest) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(request.body)
    return body


def messages(more: str = "", headers: tuple[tuple[bytes, bytes], ...] = ()) -> ChatRequest:
    body = f'{{"model":"x","max_tokens":9,"messages":[{{"role":"user","content":"hi"}}]{more}}}'
    return anthropic_messages.parse_request(body.encode(), headers)


def completion(more: str = "") -> ChatRequest:
    return openai_chat.parse_request(f'{{"model":"x","messages":[{{"role":"user","content":"hi"}}]{more}}}'.encode())


STREAM = ',"stream":true'


@pytest.mark.parametrize("ask", [messages, completion])
@pytest.mark.parametrize(("more", "verb"), [("", "rawPredict"), (STREAM, "streamRawPredict")])
def test_claude_stands_in_the_path_and_its_version_in_the_body(ask: Any, more: str, verb: str) -> None:
    request = sent("claude-sonnet-4-6", ask(more))
    assert request.target == f"/v1{PLACE}/publishers/anthropic/models/claude-sonnet-4-6:{verb}"
    body = body_of(request)
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in body and body.get("stream", False) is (more == STREAM)


def test_the_model_in_the_path_is_no_field_that_was_dropped() -> None:
    found = route("claude-sonnet-4-6")
    credential = Credential("vertex#minted", found.provider.id, "ya29.token")
    assert chat_adapter("anthropic_messages").build_request(found, credential, messages())[1].dropped == ()


def test_a_beta_header_that_vertex_refuses_stays_behind_and_is_reported() -> None:
    found = route("claude-sonnet-4-6")
    credential = Credential("vertex#minted", found.provider.id, "ya29.token")
    request, rendered = chat_adapter("anthropic_messages").build_request(found, credential, messages(headers=BETA))
    assert b"anthropic-beta" not in dict(request.headers)
    assert rendered.dropped == ("anthropic-beta",)


@pytest.mark.parametrize(("more", "verb"), [("", "generateContent"), (STREAM, "streamGenerateContent?alt=sse")])
def test_gemini_is_asked_as_elsewhere_under_the_project(more: str, verb: str) -> None:
    request = sent("gemini-3-flash", completion(more))
    assert request.target == f"/v1beta1{PLACE}/publishers/google/models/gemini-3-flash-preview:{verb}"
    assert body_of(request)["contents"] == [{"role": "user", "parts": [{"text": "hi"}]}]


def test_gemini_on_vertex_is_told_no_ids_of_calls() -> None:
    call = (
        '{"role":"assistant","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}'
    )
    result = '{"role":"tool","tool_call_id":"call_1","content":"42"}'
    asked = f'{{"model":"x","messages":[{{"role":"user","content":"hi"}},{call},{result}]}}'
    said = sent("gemini-3-flash", openai_chat.parse_request(asked.encode())).body
    assert b'"functionCall"' in said and b'"functionResponse"' in said and b"call_1" not in said


def test_what_would_act_on_our_project_is_left_out() -> None:
    body = b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"labels":{"team":"x"},"cachedContent":"y"}'
    found = body_of(sent("gemini-3-flash", gemini.parse_request(body, "gemini-3-flash", False)))
    assert found.keys() == {"contents", "generationConfig"}


def test_open_models_are_asked_in_openais_words() -> None:
    request = sent("gpt-oss-120b", completion())
    assert request.target == f"/v1{PLACE}/endpoints/openapi/chat/completions"
    assert body_of(request)["model"] == "openai/gpt-oss-120b-maas"


@pytest.mark.parametrize("model", ["gemini-3-flash", "claude-sonnet-4-6", "gpt-oss-120b"])
def test_the_token_goes_as_a_bearer_and_nothing_goes_without_one(model: str) -> None:
    assert (b"authorization", b"Bearer ya29.token") in sent(model, completion()).headers
    found = route(model)
    with pytest.raises(Throttled):
        chat_adapter(found.provider.dialect).build_request(found, None, completion())
