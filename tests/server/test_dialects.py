"""Every dialect of customers on every family of vendors, with the official SDKs on a real gateway process."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.gateway_catalog import SUFFIXES
from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.catalog import FAILURES
from tests.upstream.anthropic_talk import SIGNATURE
from tests.upstream.process import UpstreamProcess

FAMILIES = list(SUFFIXES.values())
HI: Any = [{"role": "user", "content": "hi"}]
TEXT = "w0 w1 w2 w3 w4"
LOOK_UP: Any = {"name": "look_up", "description": "Looks up", "input_schema": {"type": "object", "properties": {}}}
LOOK_UP_CHAT: Any = {
    "type": "function",
    "function": {"name": "look_up", "description": "Looks up", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture
def claude(gateway: GatewayProcess) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.base_url, api_key=gateway.key, max_retries=0, timeout=15) as client:
        yield client


@pytest.mark.parametrize("family", FAMILIES)
def test_messages_whole_and_streamed(claude: anthropic.Anthropic, family: str) -> None:
    whole = claude.messages.create(model=f"good{family}", max_tokens=50, messages=HI)
    assert [block.text for block in whole.content if block.type == "text"] == [TEXT]
    assert (whole.stop_reason, whole.model, whole.usage.output_tokens) == ("end_turn", f"good{family}", 5)
    assert whole._request_id is not None and whole._request_id.startswith("req_")
    with claude.messages.stream(model=f"good{family}", max_tokens=50, messages=HI) as stream:
        assert "".join(stream.text_stream) == TEXT
        final = stream.get_final_message()
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 5)


def test_a_failed_message_names_its_request(claude: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.APIStatusError) as failed:
        claude.messages.create(model=next(iter(FAILURES)), max_tokens=50, messages=HI)
    assert (failed.value.request_id or "").startswith("req_")


@pytest.mark.parametrize("family", FAMILIES)
def test_messages_think_then_call_a_tool_then_answer(claude: anthropic.Anthropic, family: str) -> None:
    messages: Any = list(HI)
    first = claude.messages.create(model=f"tool-agent{family}", max_tokens=500, messages=messages, tools=[LOOK_UP])
    assert first.stop_reason == "tool_use"
    (call,) = [block for block in first.content if block.type == "tool_use"]
    messages.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]})
    messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "42"}]})
    second = claude.messages.create(model=f"tool-agent{family}", max_tokens=500, messages=messages, tools=[LOOK_UP])
    assert second.stop_reason == "end_turn"
    assert any(block.type == "text" and block.text for block in second.content)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_cut_stream_is_no_finished_message(claude: anthropic.Anthropic, family: str) -> None:
    with pytest.raises(anthropic.APIStatusError, match="broke off"):
        with claude.messages.stream(model=f"cut-late{family}", max_tokens=50, messages=HI) as stream:
            stream.get_final_message()


def test_errors_have_the_sdks_classes(claude: anthropic.Anthropic, gateway: GatewayProcess) -> None:
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.create(model="nobody", max_tokens=5, messages=HI)
    with pytest.raises(anthropic.BadRequestError):
        claude.messages.create(model="good", max_tokens=-5, messages=HI)
    with pytest.raises(anthropic.AuthenticationError):
        claude.with_options(api_key="ky-wrong").messages.create(model="good", max_tokens=5, messages=HI)


def test_tokens_are_counted_without_a_charge(claude: anthropic.Anthropic, operator: Api) -> None:
    before = operator.balance()
    assert claude.messages.count_tokens(model="good", messages=HI).input_tokens > 0
    assert operator.balance() == before


@pytest.mark.parametrize("family", FAMILIES)
def test_chat_whole_streamed_and_with_tools(sdk: openai.OpenAI, family: str) -> None:
    whole = sdk.chat.completions.create(model=f"good{family}", messages=HI)
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == (TEXT, "stop")
    assert whole.usage is not None and whole.usage.completion_tokens == 5
    chunks = list(sdk.chat.completions.create(model=f"good{family}", messages=HI, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    called = sdk.chat.completions.create(model=f"tool-agent{family}", messages=HI, tools=[LOOK_UP_CHAT])
    assert called.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("family", FAMILIES)
def test_responses_whole_and_streamed(sdk: openai.OpenAI, family: str) -> None:
    whole = sdk.responses.create(model=f"good{family}", input="hi")
    assert (whole.output_text, whole.status) == (TEXT, "completed")
    with sdk.responses.stream(model=f"good{family}", input="hi") as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text == TEXT


@pytest.mark.parametrize("family", FAMILIES)
def test_a_cut_response_has_failed(sdk: openai.OpenAI, family: str) -> None:
    events = list(sdk.responses.create(model=f"cut-late{family}", input="hi", stream=True))
    assert events[-1].type == "response.failed"


def test_responses_are_not_stored(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="stores no answers"):
        sdk.responses.retrieve("resp_1")
    with pytest.raises(openai.BadRequestError):
        sdk.responses.create(model="good", input="hi", previous_response_id="resp_1")


@pytest.mark.parametrize("family", FAMILIES)
def test_geminis_own_form_whole_streamed_and_counted(customer: Api, family: str) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    whole = customer.post(f"/v1beta/models/good{family}:generateContent", body)
    assert whole.status == 200, whole
    candidate = whole.json()["candidates"][0]
    assert ("".join(part.get("text", "") for part in candidate["content"]["parts"])) == TEXT
    assert (candidate["finishReason"], whole.json()["usageMetadata"]["candidatesTokenCount"]) == ("STOP", 5)
    streamed = customer.post(f"/v1beta/models/good{family}:streamGenerateContent?alt=sse", body)
    pieces = [json.loads(line[6:]) for line in streamed.body.split(b"\n") if line.startswith(b"data: ")]
    texts = [part.get("text", "") for piece in pieces for part in piece["candidates"][0]["content"]["parts"]]
    assert "".join(texts) == TEXT
    assert customer.post(f"/v1beta/models/good{family}:countTokens", body).json()["totalTokens"] > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gemini_stream_without_events_is_an_array(customer: Api, family: str) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    whole = customer.post(f"/v1beta/models/good{family}:streamGenerateContent", body)
    assert whole.headers["content-type"].startswith("application/json")
    texts = [part.get("text", "") for piece in whole.json() for part in piece["candidates"][0]["content"]["parts"]]
    assert "".join(texts) == TEXT
    assert whole.json()[-1]["candidates"][0]["finishReason"] == "STOP"
    cut = customer.post(f"/v1beta/models/cut-late{family}:streamGenerateContent", body).json()
    assert cut[-1]["error"]["status"] == "UNAVAILABLE"
    assert not any("finishReason" in candidate for piece in cut[:-1] for candidate in piece["candidates"])


def test_a_query_may_escape_letters_that_are_no_ascii(customer: Api) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    answer = customer.post("/v1beta/models/good:streamGenerateContent?alt=%FC&name=%C3%BC", body)
    assert answer.status == 200 and isinstance(answer.json(), list)


def test_gemini_errors_have_googles_envelope(customer: Api) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    answer = customer.post("/v1beta/models/no%2541body:generateContent", body)
    assert (answer.status, answer.json()["error"]["status"]) == (404, "NOT_FOUND")
    assert "no%41body" in answer.json()["error"]["message"], "a path is decoded once"
    empty = customer.post("/v1beta/models/good:generateContent", {"contents": []})
    assert (empty.status, empty.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_legacy_completions(sdk: openai.OpenAI) -> None:
    assert sdk.completions.create(model="good", prompt="hi").choices[0].text == TEXT


def test_what_was_dropped_is_named_and_refused_when_strict(customer: Api) -> None:
    body = {
        "model": "good",
        "max_tokens": 50,
        "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
        "messages": HI,
        "top_k": 3,
        "context_management": {"edits": []},
    }
    answer = customer.post("/v1/messages", body)
    assert answer.status == 200
    assert set(answer.headers["x-kyma-dropped"].split(", ")) == {"context_management", "top_k", "system.cache_control"}
    before = customer.balance()
    strict = customer.send("POST", "/v1/messages", json.dumps(body).encode(), {"X-Kyma-Strict": "true"})
    assert strict.status == 400 and "context_management" in strict.json()["error"]["message"]
    assert customer.balance() == before
    same = customer.post("/v1/messages", body | {"model": "good-anthropic"})
    assert same.status == 200 and "x-kyma-dropped" not in same.headers


def test_a_translation_is_shown_without_a_call(customer: Api) -> None:
    request = {"model": "m", "max_tokens": 5, "messages": HI, "top_k": 3}
    shown = customer.post("/v1/translate", {"from": "anthropic", "to": "openai_chat", "request": request})
    assert shown.json()["request"]["messages"] == HI
    assert shown.json()["dropped"] == ["top_k"]


def test_signed_thoughts_come_home_to_the_byte(customer: Api, upstream: UpstreamProcess) -> None:
    first = customer.post(
        "/v1/messages", {"model": "tool-agent-anthropic", "max_tokens": 500, "messages": HI, "tools": [LOOK_UP]}
    ).json()
    assert [block["signature"] for block in first["content"] if block["type"] == "thinking"] == [SIGNATURE]
    (call,) = [block["id"] for block in first["content"] if block["type"] == "tool_use"]
    signed = rb'{"type" : "thinking", "thinking":"h\u00fcm \ud83e\udd14", "signature":"%b" }' % SIGNATURE.encode()
    redacted = rb'{"data":"Ab+/==", "type":"redacted_thinking"}'
    body = b"""{"model":"tool-agent-anthropic","max_tokens":500,"tools":%b,"messages":[{"role":"user","content":"hi"},
        {"role":"assistant","content":[%b,%b,{"type":"tool_use","id":"%b","name":"look_up","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"%b","content":"42"}]}]}""" % (
        *(json.dumps([LOOK_UP]).encode(), signed, redacted),
        *(call.encode(), call.encode()),
    )
    answer = customer.send("POST", "/v1/messages", body)
    assert (answer.status, answer.json()["stop_reason"]) == (200, "end_turn")
    assert upstream.log()[-1].signed == [signed.decode(), redacted.decode()]


def test_the_same_conversation_with_another_family_names_what_it_dropped(customer: Api) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": SIGNATURE}
    call = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "42"}
    messages = [*HI, {"role": "assistant", "content": [thought, call]}, {"role": "user", "content": [result]}]
    body = {"model": "tool-agent", "max_tokens": 500, "messages": messages, "tools": [LOOK_UP]}
    answer = customer.post("/v1/messages", body)
    assert (answer.status, answer.json()["stop_reason"]) == (200, "end_turn")
    assert "thinking" in answer.headers["x-kyma-dropped"]
