"""What a vendor of Anthropic Messages is sent: a customer's own bytes, or another dialect's chat in its words."""

import json
import re
from typing import Any

import msgspec
import pytest

from kyma.core.chat import (
    AudioPart,
    Chat,
    ChatRequest,
    FilePart,
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
from kyma.dialects.anthropic_messages import NAME, parse_request, render_request, target

USER = Message("user", (TextPart("hi"),))
TOOL = Tool("f", "does f", msgspec.Raw(b'{"type":"object"}'))

SIGNED = (
    '[{"role":"user","content":"hi"},\n {"role": "assistant", "content": [\n'
    '{"type":"thinking","thinking":"let me \\u0073ee \\/","signature":"EqQBCgIY+/=="},'
    '{"type":"redacted_thinking","data":"EmwKAhgB+/=="}, '
    '{"type":"tool_use","id":"toolu_1","name":"f","input":{"x": 1.0}}]},'
    '{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"42",'
    '"cache_control":{"type":"ephemeral"}}]}]'
)


def native(messages: str = '[{"role":"user","content":"hi"}]', **fields: object) -> bytes:
    more = "".join(f", {json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items())
    return f'{{"model": "m", "max_tokens": 10, "messages": {messages}{more}}}'.encode()


def send(body: bytes, quirks: Quirks | None = None) -> Rendered:
    return render_request(parse_request(body), "vendor/m", quirks or Quirks())


def translated(quirks: Quirks | None = None, **fields: Any) -> tuple[dict[str, Any], Rendered]:
    """What is sent for a chat of another dialect, whose paths are the concepts' own names in capitals."""
    given = {"messages": (USER,), "max_tokens": 10, **fields}
    names = {name: name.upper() for name in (*Chat.__struct_fields__, "thinking", "cache", "audio", "file", "detail")}
    chat = Chat(**given, names=names | {"custom_tools": "CUSTOM", "name": "NAME"})
    request = ChatRequest(
        model="m",
        max_tokens=10,
        is_streaming=False,
        temperature=chat.temperature,
        chat=lambda: chat,
        native=Native("openai_chat", {}),
        input_bytes=1,
    )
    rendered = render_request(request, "claude-x", quirks or Quirks())
    return json.loads(rendered.body), rendered


def test_the_target() -> None:
    assert target("claude-x", True) == "/messages"


def test_signed_thoughts_go_back_to_the_byte() -> None:
    rendered = send(native(SIGNED))
    assert SIGNED.encode() in rendered.body
    assert (rendered.dropped, rendered.emulated) == ((), ())


def test_only_the_model_is_replaced() -> None:
    fields = {"x_new": {"a": [1, None]}, "temperature": 0.1, "context_management": {"edits": []}, "stream": True}
    body = native(SIGNED, **fields)
    assert json.loads(send(body).body) == {**json.loads(body), "model": "vendor/m"}


def test_what_a_vendor_refuses_is_dropped_and_reported() -> None:
    rendered = send(native(top_k=5, temperature=0.5), Quirks(drop=("top_k", "seed")))
    assert "top_k" not in json.loads(rendered.body)
    assert rendered.dropped == ("top_k",)


def test_a_schema_becomes_words_where_a_vendor_knows_none() -> None:
    config = {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}}
    rendered = send(native(output_config=config, system="be brief"), Quirks(json_schema=False))
    sent = json.loads(rendered.body)
    assert sent["output_config"] == {"effort": "low"}
    assert sent["system"][0]["text"] == "be brief"
    assert '{"type": "object"}' in sent["system"][1]["text"]
    assert rendered.emulated == ("output_config.format",)


def test_the_nearest_effort_is_asked_for() -> None:
    rendered = send(native(output_config={"effort": "xhigh"}), Quirks(efforts=("low", "high")))
    assert json.loads(rendered.body)["output_config"] == {"effort": "high"}
    assert rendered.emulated == ("output_config.effort",)


def test_a_tool_choice_that_a_vendor_refuses_becomes_auto() -> None:
    rendered = send(native(tool_choice={"type": "any"}), Quirks(tool_choices=("auto", "none")))
    assert json.loads(rendered.body)["tool_choice"] == {"type": "auto"}
    assert rendered.dropped == ("tool_choice",)


def test_an_empty_id_is_mended_too() -> None:
    turns = [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "", "content": "1"}]},
    ]
    called, answered = json.loads(send(native(json.dumps(turns))).body)["messages"]
    assert called["content"][0]["id"] == answered["content"][0]["tool_use_id"] != ""


def test_thoughts_and_ids_from_elsewhere_are_mended_and_the_rest_keeps_its_bytes() -> None:
    mixed = json.dumps(
        [
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "unsigned", "signature": ""},
                    {"type": "thinking", "thinking": "theirs", "signature": "kyma.openai_responses.g"},
                    {"type": "tool_use", "id": "functions.f:0", "name": "f", "input": {}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "functions.f:0", "content": "1"}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "only", "signature": ""}]},
        ]
    )
    rendered = send(native(mixed[:-1] + "," + SIGNED[1:]))
    messages = json.loads(rendered.body)["messages"]
    (call,) = messages[0]["content"]
    assert call == {"type": "tool_use", "id": call["id"], "name": "f", "input": {}}
    assert re.fullmatch("functions_f_0_[0-9a-f]{8}", call["id"])
    assert messages[1]["content"][0]["tool_use_id"] == call["id"]
    assert len(messages) == 2 + 3
    assert rendered.dropped == ("messages.content.thinking",)
    assert b'"signature":"EqQBCgIY+/=="' in rendered.body
    assert b"let me \\u0073ee \\/" in rendered.body


def test_a_vendor_that_wants_thoughts_back_gets_unsigned_ones() -> None:
    messages = '[{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""}]}]'
    assert messages.encode() in send(native(messages), Quirks(reasoning_required=True)).body


def test_system_at_the_start_is_hoisted_and_later_it_joins_the_users_turn() -> None:
    sent, rendered = translated(
        messages=(
            Message("system", (TextPart("a"),)),
            Message("developer", (TextPart("b"),)),
            USER,
            Message("assistant", (TextPart("yes"),)),
            Message("system", (TextPart("now in French"),)),
            USER,
        )
    )
    assert [block["text"] for block in sent["system"]] == ["a", "b"]
    assert [turn["role"] for turn in sent["messages"]] == ["user", "assistant", "user"]
    said = [block["text"] for block in sent["messages"][2]["content"]]
    assert said == ["<system>\nnow in French\n</system>", "hi"]
    assert rendered.emulated == ("MESSAGES",)


def test_results_stand_in_one_turn_and_first_in_it() -> None:
    sent, _ = translated(
        messages=(
            USER,
            Message("assistant", (TextPart("ok"), ToolCallPart("call:1", "f", '{"x":1}'), ToolCallPart("b", "f", ""))),
            Message("tool", (ToolResultPart("call:1", (TextPart("1"),)),)),
            Message("user", (TextPart("and?"),)),
            Message("tool", (ToolResultPart("b", (TextPart("2"), ImagePart("data:image/png;base64,AA")), True),)),
        )
    )
    calls = [block for block in sent["messages"][1]["content"] if block["type"] == "tool_use"]
    mended = calls[0]["id"]
    assert re.fullmatch("[a-zA-Z0-9_-]+", mended)
    assert [(call["id"], call["input"]) for call in calls] == [(mended, {"x": 1}), ("b", {})]
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
    assert sent["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": mended, "content": "1"},
        {
            "type": "tool_result",
            "tool_use_id": "b",
            "content": [{"type": "text", "text": "2"}, image],
            "is_error": True,
        },
        {"type": "text", "text": "and?"},
    ]


def test_turns_of_one_role_are_merged_and_blank_text_is_left_out() -> None:
    sent, _ = translated(messages=(USER, Message("user", (TextPart("  "),)), Message("user", (TextPart("there"),))))
    assert sent["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": "there"}]}
    ]


@pytest.mark.parametrize(
    "messages", [(Message("system", (TextPart("a"),)),), (Message("assistant", (TextPart("a"),)),)]
)
def test_a_conversation_opens_with_the_user(messages: tuple[Message, ...]) -> None:
    sent, rendered = translated(messages=messages)
    assert sent["messages"][0]["role"] == "user"
    assert rendered.emulated == ("MESSAGES",)


def test_media_are_said_in_this_dialect() -> None:
    parts = (
        ImagePart("https://example.com/a.png", detail="high"),
        FilePart("data:application/pdf;base64,BBBB", None, "a.pdf"),
        FilePart("data:text/plain;base64,aGk=", None, None),
        FilePart(None, "file-1", None),
        AudioPart("AAAA", "wav"),
    )
    sent, rendered = translated(messages=(Message("user", parts),))
    assert sent["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "BBBB"},
            "title": "a.pdf",
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}},
    ]
    assert set(rendered.dropped) == {"DETAIL", "FILE", "AUDIO"}


def test_only_thoughts_signed_for_this_dialect_go_along() -> None:
    parts = (
        ThinkingPart("a", "sig", NAME),
        ThinkingPart("", None, NAME, "red"),
        ThinkingPart("b", "g", "gemini"),
        ThinkingPart("c"),
        TextPart("yes"),
    )
    sent, rendered = translated(messages=(USER, Message("assistant", parts), USER))
    assert sent["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "a", "signature": "sig"},
        {"type": "redacted_thinking", "data": "red"},
        {"type": "text", "text": "yes"},
    ]
    assert rendered.dropped == ("THINKING",)


@pytest.mark.parametrize(
    ("choice", "parallel", "expected", "emulated"),
    [
        (None, None, None, ()),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}, ()),
        (ToolChoice("required"), True, {"type": "any"}, ()),
        (ToolChoice("required", ("f",)), False, {"type": "tool", "name": "f", "disable_parallel_tool_use": True}, ()),
        (ToolChoice("auto", ("f",)), None, {"type": "auto"}, ("TOOL_CHOICE",)),
        (ToolChoice("none"), False, {"type": "none"}, ()),
    ],
)
def test_tool_choices(
    choice: ToolChoice | None, parallel: bool | None, expected: object, emulated: tuple[str, ...]
) -> None:
    tools = (TOOL, Tool("g", None, None))
    sent, rendered = translated(tools=tools, tool_choice=choice, parallel_tool_calls=parallel)
    assert sent.get("tool_choice") == expected
    assert rendered.emulated == emulated
    assert [tool["name"] for tool in sent["tools"]] == (["f"] if emulated else ["f", "g"])


def test_tools_are_said_in_this_dialect() -> None:
    tools = (
        Tool("f", "does f", msgspec.Raw(b'{"properties":{}}'), strict=True, cache="1h"),
        Tool("g", None, None),
        Tool("h", "free", None, is_custom=True, format=msgspec.Raw(b'{"type":"text"}')),
        Tool("later", None, None, is_deferred=True),
    )
    result = ToolResultPart("a", (ToolReferencePart("later"), ToolReferencePart("gone")))
    sent, rendered = translated(tools=tools, messages=(USER, Message("tool", (result,))))
    f, g, h, later = sent["tools"]
    assert f == {
        "name": "f",
        "description": "does f",
        "input_schema": {"type": "object", "properties": {}},
        "strict": True,
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
    }
    assert g == {"name": "g", "input_schema": {"type": "object", "properties": {}}}
    assert h["input_schema"]["properties"] == {"input": {"type": "string"}}
    assert later["defer_loading"] is True
    assert sent["messages"][0]["content"][0]["content"][0] == {"type": "tool_reference", "tool_name": "later"}
    assert rendered.emulated == ("CUSTOM",)


def test_no_more_than_four_marks_are_sent() -> None:
    parts = tuple(TextPart(str(at), "5m") for at in range(6))
    sent, _ = translated(messages=(Message("user", parts),))
    marked = ["cache_control" in block for block in sent["messages"][0]["content"]]
    assert marked == [False, False, True, True, True, True]


@pytest.mark.parametrize(
    ("reasoning", "effort", "emulated"),
    [
        (Reasoning("high"), "high", ()),
        (Reasoning("minimal"), "low", ("REASONING",)),
        (Reasoning(budget_tokens=10_000), "medium", ("REASONING",)),
        (Reasoning(budget_tokens=60_000), "high", ("REASONING",)),
    ],
)
def test_reasoning_becomes_an_effort(reasoning: Reasoning, effort: str, emulated: tuple[str, ...]) -> None:
    sent, rendered = translated(reasoning=reasoning)
    assert sent["output_config"] == {"effort": effort}
    assert sent["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert rendered.emulated == emulated


@pytest.mark.parametrize("reasoning", [Reasoning("none"), Reasoning(budget_tokens=0), None])
def test_no_thinking_is_asked_for_without_a_wish_for_it(reasoning: Reasoning | None) -> None:
    sent, _ = translated(reasoning=reasoning)
    assert "thinking" not in sent
    assert "output_config" not in sent


def test_a_forced_tool_forbids_thinking() -> None:
    sent, rendered = translated(reasoning=Reasoning("high"), tools=(TOOL,), tool_choice=ToolChoice("required"))
    assert "thinking" not in sent
    assert rendered.emulated == ("REASONING",)


def test_sampling_is_clamped_and_left_out_beside_thinking() -> None:
    sent, rendered = translated(temperature=1.7, top_k=5)
    assert (sent["temperature"], sent["top_k"], rendered.emulated) == (1.0, 5, ("TEMPERATURE",))
    sent, rendered = translated(temperature=0.2, top_p=0.9)
    assert (sent["temperature"], "top_p" in sent, rendered.dropped) == (0.2, False, ("TOP_P",))
    sent, rendered = translated(temperature=0.2, reasoning=Reasoning("low"))
    assert ("temperature" in sent, rendered.dropped) == (False, ("TEMPERATURE",))


def test_a_schema_becomes_the_output_format_with_closed_objects() -> None:
    schema = msgspec.Raw(b'{"type":"object","properties":{"a":{"type":"array","items":{"type":"object"}}}}')
    sent, _ = translated(output_format=OutputFormat("json_schema", schema=schema))
    said = sent["output_config"]["format"]
    assert said["type"] == "json_schema"
    assert said["schema"]["additionalProperties"] is False
    assert said["schema"]["properties"]["a"]["items"]["additionalProperties"] is False


def test_any_json_becomes_an_instruction() -> None:
    sent, rendered = translated(output_format=OutputFormat("json_object"))
    assert "JSON" in sent["system"][-1]["text"]
    assert rendered.emulated == ("OUTPUT_FORMAT",)


def test_what_this_dialect_cannot_say_is_reported() -> None:
    unsayable: dict[str, Any] = {
        "n": 2,
        "seed": 1,
        "presence_penalty": 0.5,
        "frequency_penalty": 0.5,
        "logit_bias": msgspec.Raw(b"{}"),
        "top_logprobs": 0,
        "verbosity": "low",
        "cache_key": "k",
        "service_tier": "flex",
    }
    sent, rendered = translated(**unsayable, lost=("their_own",), user="u", stop=("END", " "))
    assert set(rendered.dropped) == {*(name.upper() for name in unsayable), "their_own", "STOP"}
    assert (sent["metadata"], sent["stop_sequences"]) == ({"user_id": "u"}, ["END"])


SAID: dict[str, Any] = {
    "tools": (TOOL,),
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "stop": ("x",),
    "n": 2,
    "seed": 1,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.1,
    "logit_bias": msgspec.Raw(b"{}"),
    "top_logprobs": 2,
    "output_format": OutputFormat("json_object"),
    "reasoning": Reasoning("low"),
    "verbosity": "high",
    "user": "u",
    "cache_key": "k",
    "service_tier": "default",
    "tool_choice": ToolChoice("required"),
}


@pytest.mark.parametrize("concept", SAID)
def test_every_concept_is_sent_or_reported(concept: str) -> None:
    plain, _ = translated()
    sent, rendered = translated(**{concept: SAID[concept]})
    assert (sent != plain) or concept.upper() in rendered.dropped + rendered.emulated


def test_system_in_the_middle_joins_the_users_turn_where_a_vendor_takes_it_only_at_the_start() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "1"}
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "system", "content": "in Paris"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "system", "content": [{"type": "text", "text": "be quick", "cache_control": {"type": "ephemeral"}}]},
        {"role": "user", "content": [result]},
    ]
    rendered = send(native(json.dumps(messages)), Quirks(single_system=True))
    assert json.loads(rendered.body)["messages"] == [
        messages[0],
        {"role": "user", "content": "<system>\nin Paris\n</system>"},
        messages[2],
        messages[4],
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "<system>\nbe quick\n</system>", "cache_control": {"type": "ephemeral"}}
            ],
        },
    ]
    assert rendered.emulated == ("messages.role",)
    assert json.loads(send(native(json.dumps(messages))).body)["messages"] == messages


def test_asking_for_no_tokens_stays_so_at_home_and_is_the_least_elsewhere() -> None:
    sent = b'{"model":"m","max_tokens":0,"messages":[{"role":"user","content":"hi"}]}'
    request = parse_request(sent)
    assert json.loads(render_request(request, "m", Quirks()).body)["max_tokens"] == 0
    assert (request.max_tokens, request.chat().max_tokens) == (1, 1), "what is held covers what others are asked for"
