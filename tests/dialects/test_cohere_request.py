"""Chats of other dialects as Cohere is sent them, and the report on what that costs."""

import json
from typing import Any

import pytest

from kyma.core.chat import ChatRequest
from kyma.core.model import Quirks
from kyma.dialects import anthropic_messages, cohere_chat, openai_chat

HI = {"role": "user", "content": "hi"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "now", "parameters": SCHEMA}}
OTHER = {"type": "function", "function": {"name": "time"}}
PNG = "data:image/png;base64,iVBORw0KGgo="
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}

Json = dict[str, Any]
Told = tuple[Json, tuple[str, ...], tuple[str, ...]]


def chat(*messages: Json, **fields: object) -> ChatRequest:
    body = {"model": "m", "messages": list(messages) or [HI], **fields}
    return openai_chat.parse_request(json.dumps(body).encode())


def claude(*messages: Json, **fields: object) -> ChatRequest:
    body = {"model": "m", "max_tokens": 9, "messages": list(messages) or [HI], **fields}
    return anthropic_messages.parse_request(json.dumps(body).encode())


def sent(request: ChatRequest, quirks: Quirks | None = None) -> Told:
    rendered = cohere_chat.render_request(request, "command-a", quirks or Quirks())
    return json.loads(rendered.body), rendered.dropped, rendered.emulated


def test_the_least_that_is_a_chat() -> None:
    assert cohere_chat.target("command-a", True) == "/chat"
    assert sent(chat(max_tokens=9)) == ({"model": "command-a", "messages": [HI], "max_tokens": 9}, (), ())
    assert sent(chat(stream=True))[0]["stream"] is True


def test_sampling_has_coheres_words() -> None:
    asked = chat(
        temperature=0.5, top_p=0.5, top_k=3, stop=["x"], seed=1, presence_penalty=0.1, frequency_penalty=0.2,
        max_tokens=9,
    )  # fmt: skip
    body, dropped, emulated = sent(asked)
    assert {name: value for name, value in body.items() if name not in ("model", "messages")} == {
        "temperature": 0.5,
        "p": 0.5,
        "k": 3,
        "stop_sequences": ["x"],
        "seed": 1,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "max_tokens": 9,
    }
    assert (dropped, emulated) == ((), ())


def test_what_is_out_of_coheres_range_is_brought_into_it_and_told() -> None:
    body, _, emulated = sent(chat(top_p=1, top_k=1000, presence_penalty=-1, frequency_penalty=2))
    assert (body["p"], body["k"], body["presence_penalty"], body["frequency_penalty"]) == (0.99, 500, 0, 1)
    assert emulated == ("top_p", "top_k", "presence_penalty", "frequency_penalty")


def test_what_cohere_has_no_words_for_is_told() -> None:
    asked = chat(n=2, logit_bias={"1": 2}, user="u", prompt_cache_key="k", verbosity="low", logprobs=True)
    assert set(sent(asked)[1]) == {"n", "logit_bias", "user", "prompt_cache_key", "verbosity", "logprobs"}
    assert sent(chat(tools=[TOOL], parallel_tool_calls=False, service_tier="flex"))[1] == (
        "parallel_tool_calls",
        "service_tier",
    )
    assert sent(claude(stop_sequences=["a", "b", "c", "d", "e", "f"]))[1] == ("stop_sequences",)


def test_the_system_speaks_first_and_later_as_a_user() -> None:
    asked = chat(
        {"role": "system", "content": "be brief"},
        {"role": "developer", "content": "be kind"},
        HI,
        {"role": "system", "content": "now sing"},
    )
    body, _, emulated = sent(asked)
    assert body["messages"] == [
        {"role": "system", "content": "be brief\n\nbe kind"},
        HI,
        {"role": "user", "content": "now sing"},
    ]
    assert emulated == ("messages",)


def test_images_travel_by_address_or_inline() -> None:
    image = {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}
    content = [{"type": "text", "text": "what?"}, image]
    assert sent(chat({"role": "user", "content": content}))[0]["messages"][0]["content"] == content
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    body, dropped, _ = sent(chat({"role": "user", "content": [{"type": "text", "text": "what?"}, sound]}))
    assert body["messages"] == [{"role": "user", "content": "what?"}]
    assert dropped == ("messages.content.input_audio",)


def test_calls_have_a_plan_and_results_an_id() -> None:
    asked = chat(
        HI,
        {"role": "assistant", "content": "I look.", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        tools=[TOOL],
    )
    body, dropped, emulated = sent(asked)
    assert body["messages"][1:] == [
        {"role": "assistant", "tool_calls": [CALL], "tool_plan": "I look."},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    assert (dropped, emulated) == ((), ())


def test_a_thought_before_a_call_comes_back_as_its_plan() -> None:
    """It was given out as a thought; one that another vendor has signed goes home alone."""
    plan = {"role": "assistant", "content": None, "reasoning_content": "I need it.", "tool_calls": [CALL]}
    body, dropped, _ = sent(chat(HI, plan))
    assert (body["messages"][1]["tool_plan"], dropped) == ("I need it.", ())
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    call = {"type": "tool_use", "id": "t", "name": "weather", "input": {}}
    body, dropped, _ = sent(claude(HI, {"role": "assistant", "content": [thought, call]}))
    assert "tool_plan" not in body["messages"][1]
    assert dropped == ("messages.content.thinking",)


def test_a_failed_call_says_so_in_words_and_its_images_follow() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    use = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "weather", "input": {}}]}
    answer = {"type": "tool_result", "tool_use_id": "t", "is_error": True, "content": [image]}
    body, _, emulated = sent(claude(HI, use, {"role": "user", "content": [answer]}))
    assert body["messages"][2] == {"role": "tool", "tool_call_id": "t", "content": "Error: "}
    assert body["messages"][3]["content"][1]["image_url"] == {"url": PNG}
    assert set(emulated) == {"messages.content.is_error", "messages.content.content.image"}


@pytest.mark.parametrize(
    ("choice", "field", "names", "told"),
    [
        ("auto", None, ["weather", "time"], ()),
        ("none", "NONE", ["weather", "time"], ()),
        ("required", "REQUIRED", ["weather", "time"], ()),
        ({"type": "function", "function": {"name": "time"}}, "REQUIRED", ["time"], ("tool_choice",)),
    ],
)
def test_a_choice_is_made_by_what_is_offered(
    choice: object, field: str | None, names: list[str], told: tuple[str, ...]
) -> None:
    body, dropped, emulated = sent(chat(tools=[TOOL, OTHER], tool_choice=choice))
    assert body.get("tool_choice") == field
    assert [tool["function"]["name"] for tool in body["tools"]] == names
    assert (dropped, emulated) == ((), told)


def test_every_tool_has_parameters() -> None:
    body, _, emulated = sent(chat(tools=[TOOL, OTHER, {"type": "custom", "custom": {"name": "sh"}}]))
    assert [tool["function"]["parameters"]["properties"] for tool in body["tools"]] == [
        SCHEMA["properties"],
        {},
        {"input": {"type": "string"}},
    ]
    assert emulated == ("tools.custom",)


JSON_SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}


def test_json_is_forced_by_its_schema() -> None:
    body, dropped, emulated = sent(chat(response_format=JSON_SCHEMA))
    assert body["response_format"] == {"type": "json_object", "json_schema": SCHEMA}
    assert (body["messages"], dropped, emulated) == ([HI], (), ())


def test_any_json_is_asked_for_in_words_too() -> None:
    """Otherwise a model may write blanks without end, its documentation warns."""
    body, _, emulated = sent(chat(response_format={"type": "json_object"}))
    assert body["response_format"] == {"type": "json_object"}
    assert "JSON" in body["messages"][0]["content"]
    assert emulated == ("response_format",)


def test_beside_tools_json_is_asked_for_in_words_alone() -> None:
    body, _, emulated = sent(chat(response_format=JSON_SCHEMA, tools=[TOOL]))
    assert "response_format" not in body
    assert json.dumps(SCHEMA) in body["messages"][0]["content"]
    assert emulated == ("response_format",)


@pytest.mark.parametrize(
    ("request_", "thinking", "told"),
    [
        (chat(reasoning_effort="none"), {"type": "disabled"}, ()),
        (chat(reasoning_effort="low"), {"type": "enabled", "token_budget": 1024}, ("reasoning_effort",)),
        (chat(reasoning_effort="high"), {"type": "enabled"}, ("reasoning_effort",)),
        (
            claude(max_tokens=4096, thinking={"type": "enabled", "budget_tokens": 2000}),
            {"type": "enabled", "token_budget": 2000},
            (),
        ),
        (claude(thinking={"type": "disabled"}), {"type": "disabled"}, ()),
    ],
)
def test_thinking_is_a_budget(request_: ChatRequest, thinking: Json, told: tuple[str, ...]) -> None:
    body, _, emulated = sent(request_)
    assert (body["thinking"], emulated) == (thinking, told)


def test_a_row_can_leave_fields_out_and_force_others() -> None:
    quirks = Quirks(drop=("thinking", "k"), tool_choices=("auto",))
    body, dropped, _ = sent(chat(reasoning_effort="none", top_k=3, tools=[TOOL], tool_choice="required"), quirks)
    assert not {"thinking", "k", "tool_choice"} & body.keys()
    assert set(dropped) == {"reasoning_effort", "top_k", "tool_choice"}


def test_a_conversation_without_a_turn_gets_one() -> None:
    body, _, emulated = sent(chat({"role": "system", "content": "be brief"}))
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert emulated == ("messages",)
