"""Chats of other dialects for OpenAI-compatible vendors: what is said, what is bent, what is left out and named."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyma.core.chat import (
    Chat,
    ChatRequest,
    ImagePart,
    Message,
    Native,
    OutputFormat,
    Reasoning,
    Rendered,
    TextPart,
    ThinkingPart,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolReferencePart,
    ToolResultPart,
)
from kyma.core.model import Quirks
from kyma.dialects.openai_chat import parse_request, render_request
from kyma.dialects.openai_chat.read import OURS

HI = Message("user", (TextPart("hi"),))
WEATHER = Tool("weather", "The weather", msgspec.Raw(b'{"type":"object"}'))


def rendered(chat: Chat, quirks: Quirks | None = None) -> Rendered:
    request = ChatRequest(
        model="m",
        max_tokens=chat.max_tokens,
        is_streaming=False,
        roles=frozenset(message.role for message in chat.messages),
        chat=lambda: chat,
        native=Native("somebody_else", {}),
        input_bytes=1,
    )
    return render_request(request, "vendor/m", quirks or Quirks())


def body(chat: Chat, quirks: Quirks | None = None) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(rendered(chat, quirks).body)
    return decoded


def test_a_plain_chat_is_said_plainly() -> None:
    chat = Chat(messages=(Message("system", (TextPart("be brief"),)), HI), max_tokens=7, temperature=0.5, stop=("x",))
    assert body(chat) == {
        "model": "vendor/m",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
        "max_tokens": 7,
        "temperature": 0.5,
        "stop": ["x"],
    }
    assert rendered(chat).dropped == rendered(chat).emulated == ()


def test_calls_and_results_keep_their_ids_and_order() -> None:
    calls = (ToolCallPart("c1", "weather", '{"city":"Oslo"}'), ToolCallPart("c2", "weather", ""))
    results = (ToolResultPart("c1", (TextPart("rain"),)), ToolResultPart("c2", (TextPart("sun"),)))
    chat = Chat(messages=(HI, Message("assistant", calls), Message("tool", results)), tools=(WEATHER,), max_tokens=1)
    _, assistant, first, second = body(chat)["messages"]
    assert assistant["content"] is None
    assert [call["function"]["arguments"] for call in assistant["tool_calls"]] == ['{"city":"Oslo"}', "{}"]
    assert first == {"role": "tool", "tool_call_id": "c1", "content": "rain"}
    assert second == {"role": "tool", "tool_call_id": "c2", "content": "sun"}


def test_an_image_in_a_result_follows_as_a_user_message() -> None:
    image = ImagePart("data:image/png;base64,AA==")
    results = (ToolResultPart("c1", (TextPart("a picture"), image)), ToolResultPart("c2", (TextPart("none"),)))
    chat = Chat(messages=(HI, Message("tool", results)), max_tokens=1, names={"image": "messages.content.image"})
    assert [message["role"] for message in body(chat)["messages"]] == ["user", "tool", "tool", "user"]
    assert body(chat)["messages"][3]["content"][1]["image_url"]["url"] == image.url
    assert rendered(chat).emulated == ("messages.content.image",)


def test_an_error_result_says_so_in_words() -> None:
    result = ToolResultPart("c1", (TextPart("no such city"),), is_error=True)
    chat = Chat(
        messages=(HI, Message("tool", (result,))), max_tokens=1, names={"is_error": "messages.content.is_error"}
    )
    assert body(chat)["messages"][1]["content"] == "Error: no such city"
    assert rendered(chat).emulated == ("messages.content.is_error",)


def test_thoughts_are_left_out_and_named_unless_the_vendor_wants_them() -> None:
    thought = Message("assistant", (ThinkingPart("hm", "sig", "somebody_else"), TextPart("yes")))
    chat = Chat(messages=(HI, thought), max_tokens=1, names={"thinking": "messages.content.thinking"})
    assert body(chat)["messages"][1] == {"role": "assistant", "content": "yes"}
    assert rendered(chat).dropped == ("messages.content.thinking",)
    assert body(chat, Quirks(reasoning_required=True))["messages"][1]["reasoning_content"] == "hm"


def test_deferred_tools_are_offered_once_they_were_referenced() -> None:
    later = Tool("fetch", None, None, is_deferred=True)
    never = Tool("placeholder", None, None, is_deferred=True)
    reference = ToolResultPart("c1", (ToolReferencePart("fetch"),))
    chat = Chat(
        messages=(HI, Message("tool", (reference,))),
        tools=(WEATHER, later, never),
        max_tokens=1,
        names={"deferred_tools": "tools.defer_loading"},
    )
    assert [tool["function"]["name"] for tool in body(chat)["tools"]] == ["weather", "fetch"]
    assert "fetch" in body(chat)["messages"][1]["content"]
    assert rendered(chat).emulated == ("tools.defer_loading",)


@pytest.mark.parametrize(
    ("choice", "said", "offered"),
    [
        (ToolChoice("none"), "none", ["weather", "time"]),
        (ToolChoice("required"), "required", ["weather", "time"]),
        (ToolChoice("required", ("time",)), {"type": "function", "function": {"name": "time"}}, ["weather", "time"]),
        (ToolChoice("auto", ("time",)), "auto", ["time"]),
        (ToolChoice("required", ("time", "weather")), "required", ["weather", "time"]),
    ],
)
def test_every_tool_choice_has_a_form(choice: ToolChoice, said: object, offered: list[str]) -> None:
    chat = Chat(messages=(HI,), tools=(WEATHER, Tool("time", None, None)), tool_choice=choice, max_tokens=1)
    assert body(chat)["tool_choice"] == said
    assert [tool["function"]["name"] for tool in body(chat)["tools"]] == offered


def test_a_custom_tool_becomes_a_function_of_one_text() -> None:
    tool = Tool("shell", "Runs it", None, is_custom=True)
    call = Message("assistant", (ToolCallPart("c1", "shell", "ls -l", is_custom=True),))
    chat = Chat(messages=(HI, call), tools=(tool,), max_tokens=1, names={"custom_tools": "tools.custom"})
    assert body(chat)["tools"][0]["function"]["parameters"]["required"] == ["input"]
    assert body(chat)["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"input":"ls -l"}'
    assert rendered(chat).emulated == ("tools.custom",)


@pytest.mark.parametrize(
    ("reasoning", "effort"),
    [
        (Reasoning(effort="xhigh"), "xhigh"),
        (Reasoning(budget_tokens=0), "none"),
        (Reasoning(budget_tokens=1024), "low"),
        (Reasoning(budget_tokens=10_000), "medium"),
        (Reasoning(budget_tokens=30_000), "high"),
    ],
)
def test_a_budget_becomes_an_effort(reasoning: Reasoning, effort: str) -> None:
    chat = Chat(messages=(HI,), reasoning=reasoning, max_tokens=1)
    assert body(chat)["reasoning_effort"] == effort


def test_a_schema_is_asked_for_in_the_dialects_own_form() -> None:
    wanted = OutputFormat("json_schema", "city", msgspec.Raw(b'{"type":"object"}'), True)
    chat = Chat(messages=(HI,), output_format=wanted, max_tokens=1)
    assert body(chat)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "city", "schema": {"type": "object"}, "strict": True},
    }


def test_what_a_vendor_refuses_is_reported_by_the_customers_own_path() -> None:
    chat = Chat(messages=(HI,), reasoning=Reasoning(effort="low"), max_tokens=1, names={"reasoning": "thinking"})
    result = rendered(chat, Quirks(drop=("reasoning_effort",)))
    assert (result.dropped, "reasoning_effort" in json.loads(result.body)) == (("thinking",), False)


SAYABLE = {
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 3,
    "stop": ["x"],
    "n": 2,
    "seed": 1,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.1,
    "logit_bias": {"1": 2},
    "logprobs": True,
    "top_logprobs": 2,
    "response_format": {"type": "json_object"},
    "reasoning_effort": "low",
    "verbosity": "low",
    "user": "u",
    "safety_identifier": "s",
    "prompt_cache_key": "k",
    "service_tier": "auto",
    "parallel_tool_calls": False,
    "tool_choice": "auto",
    "max_tokens": 5,
    "max_completion_tokens": 6,
    "stream": True,
    "stream_options": {"include_usage": True},
    "prediction": {"type": "content", "content": "x"},
    "modalities": ["text", "audio"],
    "store": True,
    "metadata": {"a": "b"},
    "somebodys_own": [1],
}


@given(st.sets(st.sampled_from(sorted(SAYABLE))))
def test_every_field_of_a_request_is_mapped_or_reported(names: set[str]) -> None:
    fields = {name: SAYABLE[name] for name in names}
    sent = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    chat = parse_request(json.dumps(sent).encode()).chat()
    told = set(chat.names.values()) | set(chat.lost)
    assert {name for name in names if name not in OURS} <= told | {"logprobs"}
    assert not set(chat.names.values()) & set(chat.lost)


def test_a_schema_and_a_custom_tools_format_are_read() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "schema": {"type": "object"}}}
    custom = {"type": "custom", "custom": {"name": "sh", "format": {"type": "text"}}}
    sent = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "response_format": wanted, "tools": [custom]}
    chat = parse_request(json.dumps(sent).encode()).chat()
    assert chat.output_format is not None and chat.output_format.schema == msgspec.Raw(b'{"type": "object"}')
    assert chat.tools[0].format == msgspec.Raw(b'{"type": "text"}')
    assert chat.lost == ()
