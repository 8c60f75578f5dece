"""Proofs of thought over a conversation of three turns: they come home to the vendor that signed them, and to no other.

Each turn has a thought, with Anthropic a redacted one behind it, and all but the last a call.
"""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import msgspec
import openai
import pytest
from google import genai
from google.genai import types

from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.upstream import anthropic_talk, gemini_talk
from tests.upstream.process import UpstreamProcess

HI: Any = [{"role": "user", "content": "hi"}]
TOOL: Any = {"name": "look_up", "description": "Looks up", "input_schema": {"type": "object", "properties": {}}}
RESPONSES_TOOL: Any = {"type": "function", "name": "look_up", "parameters": {"type": "object"}, "strict": False}
CALLS = 2
ANSWER = "w0 w1 w2 w3 w4"


class Content(msgspec.Struct):
    content: list[msgspec.Raw]
    stop_reason: str


def thinking(turn: int) -> str:
    """A thought's JSON as the vendor writes it in a whole answer."""
    signature = anthropic_talk.SIGNATURE
    return f'{{"type":"thinking","thinking":"Step {turn} – hüm \U0001f914","signature":"{signature}"}}'


REDACTED = f'{{"type":"redacted_thinking","data":"{anthropic_talk.REDACTED}"}}'
ALL_SIGNED = [block for turn in range(CALLS) for block in (thinking(turn), REDACTED)]


@pytest.fixture
def claude(gateway: GatewayProcess) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.base_url, api_key=gateway.key, max_retries=0, timeout=15) as client:
        yield client


def converse(customer: Api, model: str) -> list[Any]:
    """The conversation by raw Messages requests, each answer sent back to the byte; every answer."""
    turns = [b'{"role":"user","content":"hi"}']
    answers = []
    while True:
        body = b'{"model":"%b","max_tokens":500,"tools":%b,"messages":[%b]}' % (
            *(model.encode(), json.dumps([TOOL]).encode()),
            b",".join(turns),
        )
        answer = customer.send("POST", "/v1/messages", body)
        assert answer.status == 200, answer
        answers.append(answer)
        said = msgspec.json.decode(answer.body, type=Content)
        if said.stop_reason != "tool_use":
            return answers
        calls = [block["id"] for block in map(json.loads, map(bytes, said.content)) if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": call, "content": "42"} for call in calls]
        turns.append(b'{"role":"assistant","content":[%b]}' % b",".join(map(bytes, said.content)))
        turns.append(json.dumps({"role": "user", "content": results}).encode())


def test_a_whole_conversation_keeps_its_signed_blocks_to_the_byte(customer: Api, upstream: UpstreamProcess) -> None:
    answers = converse(customer, "reasoner-anthropic")
    assert len(answers) == CALLS + 1
    assert upstream.log()[-1].signed == ALL_SIGNED
    assert not any("x-kyma-dropped" in answer.headers for answer in answers)


def test_a_streamed_conversation_keeps_its_signed_blocks(
    claude: anthropic.Anthropic, upstream: UpstreamProcess
) -> None:
    messages = list(HI)
    for _ in range(CALLS):
        with claude.messages.stream(
            model="reasoner-anthropic", max_tokens=500, messages=messages, tools=[TOOL]
        ) as stream:
            said = stream.get_final_message().content
        kinds = [block.type for block in said]
        assert kinds == ["thinking", "redacted_thinking", "text", "tool_use"], "in the vendor's own order"
        results = [{"type": "tool_result", "tool_use_id": said[-1].id, "content": "42"}]  # type: ignore[union-attr]
        messages += [{"role": "assistant", "content": said}, {"role": "user", "content": results}]
    with claude.messages.stream(model="reasoner-anthropic", max_tokens=500, messages=messages, tools=[TOOL]) as stream:
        assert stream.get_final_message().stop_reason == "end_turn"
    assert list(map(json.loads, upstream.log()[-1].signed)) == list(map(json.loads, ALL_SIGNED))


@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
def test_the_same_conversation_with_an_openai_vendor_says_what_it_dropped(
    customer: Api, upstream: UpstreamProcess, is_streaming: bool
) -> None:
    """The turns that Anthropic signed are continued elsewhere: the words and calls go on, the thoughts stay behind."""
    call = {"type": "tool_use", "id": "toolu_0", "name": "look_up", "input": {"city": "Paris"}}
    said = [json.loads(thinking(0)), json.loads(REDACTED), {"type": "text", "text": "I look."}, call]
    results = [{"type": "tool_result", "tool_use_id": "toolu_0", "content": "42"}]
    turns = [*HI, {"role": "assistant", "content": said}, {"role": "user", "content": results}]
    body = {"model": "reasoner", "max_tokens": 500, "messages": turns, "tools": [TOOL], "stream": is_streaming}
    answer = customer.post("/v1/messages", body)
    assert answer.status == 200
    dropped = answer.headers["x-kyma-dropped"].split(", ")
    assert dropped == ["messages.content.thinking", "messages.content.redacted_thinking"]
    (last,) = upstream.log()[-1:]
    assert [message["role"] for message in last.body["messages"]] == ["user", "assistant", "tool"]  # type: ignore[attr-defined]
    strict = customer.send("POST", "/v1/messages", json.dumps(body).encode(), {"X-Kyma-Strict": "true"})
    assert (strict.status, "messages.content.redacted_thinking" in strict.body.decode()) == (400, True)


def test_a_whole_conversation_with_an_openai_vendor_comes_to_its_answer(customer: Api) -> None:
    answers = converse(customer, "reasoner")
    assert answers[-1].json()["content"][-1]["text"] == ANSWER
    assert "x-kyma-dropped" not in answers[0].headers
    assert answers[-1].headers["x-kyma-dropped"] == "messages.content.thinking"


def test_geminis_proof_of_a_call_survives_a_messages_customer(customer: Api, upstream: UpstreamProcess) -> None:
    answers = converse(customer, "reasoner-gemini")
    assert [block["text"] for block in answers[-1].json()["content"] if block["type"] == "text"] == [ANSWER]
    assert gemini_proofs(upstream) == [gemini_talk.SIGNATURE] * CALLS


@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("family", ["-anthropic", "-gemini"])
def test_encrypted_reasoning_is_the_vendors_proof(
    sdk: openai.OpenAI, upstream: UpstreamProcess, family: str, is_streaming: bool
) -> None:
    items: Any = list(HI)
    include: Any = ["reasoning.encrypted_content"]
    asked: Any = {"model": f"reasoner{family}", "tools": [RESPONSES_TOOL], "include": include, "store": False}
    for _ in range(CALLS):
        if is_streaming:
            with sdk.responses.stream(input=items, **asked) as stream:
                response = stream.get_final_response()
        else:
            response = sdk.responses.create(input=items, **asked)
        items += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in response.output]
        (call,) = [item.call_id for item in response.output if item.type == "function_call"]
        items.append({"type": "function_call_output", "call_id": call, "output": "42"})
    assert sdk.responses.create(input=items, **asked).output_text == ANSWER
    if family == "-anthropic":
        assert list(map(json.loads, upstream.log()[-1].signed)) == list(map(json.loads, ALL_SIGNED))
    else:
        assert gemini_proofs(upstream) == [gemini_talk.SIGNATURE] * CALLS


def test_reasoning_without_its_proof_is_dropped_and_named(customer: Api) -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA=="}
    answer = customer.post("/v1/responses", {"model": "good-anthropic", "input": [thought, *HI], "store": False})
    assert answer.status == 200
    dropped = answer.headers["x-kyma-dropped"].split(", ")
    assert sorted(dropped) == ["input.reasoning", "input.reasoning.encrypted_content"]


@pytest.mark.parametrize("family", ["-anthropic", "-gemini"])
def test_thought_signatures_come_home(gateway: GatewayProcess, upstream: UpstreamProcess, family: str) -> None:
    """Google's SDK calls the function itself, and sends back what it was given."""
    with genai.Client(api_key=gateway.key, http_options=types.HttpOptions(base_url=gateway.base_url)) as client:
        config = types.GenerateContentConfig(tools=[look_up], max_output_tokens=500)
        answer = client.models.generate_content(model=f"reasoner{family}", contents="hi", config=config)
    assert answer.text == ANSWER
    if family == "-gemini":
        assert [urlsafe(proof) for proof in gemini_proofs(upstream)] == [urlsafe(gemini_talk.SIGNATURE)] * CALLS
    else:
        signed = list(map(json.loads, upstream.log()[-1].signed))
        assert [block["signature"] for block in signed if block["type"] == "thinking"] == [anthropic_talk.SIGNATURE] * 2
        assert [block["data"] for block in signed if block["type"] == "redacted_thinking"] == [
            anthropic_talk.REDACTED
        ] * 2


def look_up(city: str) -> str:
    """Looks a city up."""
    return "42"


def gemini_proofs(upstream: UpstreamProcess) -> list[str]:
    """The proofs that came back on calls."""
    parts = map(json.loads, upstream.log()[-1].signed)
    return [part["thoughtSignature"] for part in parts if "functionCall" in part]


def urlsafe(base64: str) -> str:
    """In the alphabet in which Google's SDK writes what it was given in the other."""
    return base64.replace("+", "-").replace("/", "_")
