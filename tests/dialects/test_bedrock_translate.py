"""Chats of other dialects in Converse's words, and the report on what those could not say."""

import json
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
from kyma.dialects.bedrock_converse import NAME, render_request, target

CLAUDE, NOVA, GPT_OSS = "global.anthropic.claude-sonnet-4-6", "us.amazon.nova-micro-v1:0", "openai.gpt-oss-120b-1:0"
QWEN, KIMI = "qwen.qwen3-32b-v1:0", "moonshotai.kimi-k2.5"
USER = Message("user", (TextPart("hi"),))
SCHEMA = msgspec.Raw(b'{"type":"object","properties":{"x":{"type":"object","properties":{}}}}')
CLOSED = {
    **{"type": "object", "additionalProperties": False},
    "properties": {"x": {"type": "object", "properties": {}, "additionalProperties": False}},
}
PNG = "data:image/png;base64,aGk="
PDF = "data:application/pdf;base64,aGk="
TOOLS = (Tool("f", "Does f", SCHEMA), Tool("g", None, None))
SPEC_F = {"toolSpec": {"name": "f", "description": "Does f", "inputSchema": {"json": json.loads(bytes(SCHEMA))}}}
SPEC_G = {"toolSpec": {"name": "g", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
CALLED = Message("assistant", (ToolCallPart("c1", "f", '{"x": 1}'),))
POINT = {"cachePoint": {"type": "default"}}
Fields = dict[str, Any]


def render(model: str = CLAUDE, quirks: Quirks | None = None, **fields: Any) -> Rendered:
    chat = Chat(**{"messages": (USER,), "max_tokens": 10, **fields})
    request = ChatRequest(
        model="m",
        max_tokens=chat.max_tokens,
        is_streaming=False,
        chat=lambda: chat,
        native=Native("openai_chat", {}),
        input_bytes=0,
    )
    return render_request(request, model, quirks or Quirks())


def sent(model: str = CLAUDE, quirks: Quirks | None = None, **fields: Any) -> Fields:
    body: Fields = json.loads(render(model, quirks, **fields).body)
    return body


def turns(*messages: Message, model: str = CLAUDE) -> Any:
    return sent(model, messages=messages)["messages"]


def answered(*content: Any, is_error: bool = False, model: str = CLAUDE) -> Any:
    result = ToolResultPart("c1", content, is_error)
    return turns(USER, CALLED, Message("tool", (result,)), model=model)[2]["content"]


def test_a_plain_chat() -> None:
    assert sent() == {"messages": [{"role": "user", "content": [{"text": "hi"}]}], "inferenceConfig": {"maxTokens": 10}}


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (CLAUDE, "/model/global.anthropic.claude-sonnet-4-6/converse"),
        (NOVA, "/model/us.amazon.nova-micro-v1%3A0/converse"),
        (
            "arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.anthropic.claude-opus-4-7",
            "/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-opus-4-7"
            "/converse",
        ),
    ],
)
def test_the_model_stands_in_the_path_encoded(model: str, path: str) -> None:
    assert target(model, False) == path
    assert target(model, True) == f"{path}-stream"


def test_system_at_the_start_is_the_system() -> None:
    body = sent(
        messages=(Message("system", (TextPart("a"), TextPart(" "))), Message("developer", (TextPart("b"),)), USER)
    )
    assert body["system"] == [{"text": "a"}, {"text": "b"}]
    assert len(body["messages"]) == 1


def test_system_in_the_middle_is_a_marked_text_of_the_user() -> None:
    rendered = render(
        messages=(USER, Message("assistant", (TextPart("yes"),)), Message("system", (TextPart("now"),)), USER)
    )
    said = json.loads(rendered.body)["messages"]
    assert said[2] == {"role": "user", "content": [{"text": "<system>\nnow\n</system>"}, {"text": "hi"}]}
    assert rendered.emulated == ("messages",)


def test_turns_alternate_and_begin_with_the_user() -> None:
    said = turns(Message("assistant", (TextPart("one"),)), Message("assistant", (TextPart("two "),)))
    assert [turn["role"] for turn in said] == ["user", "assistant"]
    assert said[1]["content"] == [{"text": "one"}, {"text": "two"}]


def test_a_chat_of_a_system_prompt_alone_is_a_users_turn() -> None:
    body = sent(messages=(Message("system", (TextPart("be brief"),)),))
    assert body["messages"] == [{"role": "user", "content": [{"text": "be brief"}]}] and "system" not in body


def test_blank_text_is_not_sent() -> None:
    assert turns(Message("user", (TextPart(" \n"), TextPart("hi"))))[0]["content"] == [{"text": "hi"}]


def test_an_image_is_sent_as_bytes_and_not_by_address() -> None:
    rendered = render(messages=(Message("user", (ImagePart(PNG), ImagePart("https://x.test/a.png"), TextPart("?"))),))
    content = json.loads(rendered.body)["messages"][0]["content"]
    assert content == [{"image": {"format": "png", "source": {"bytes": "aGk="}}}, {"text": "?"}]
    assert rendered.dropped == ("image",)


def test_documents_have_names_that_are_allowed_and_their_own_and_a_text_beside_them() -> None:
    names = ("My_report (v2).pdf", "My report (v2).pdf", None)
    rendered = render(messages=(Message("user", tuple(FilePart(PDF, None, name) for name in names)),))
    *documents, text = json.loads(rendered.body)["messages"][0]["content"]
    assert [block["document"]["name"] for block in documents] == ["My report (v2)", "My report (v2) 2", "document"]
    assert documents[0]["document"] | {"name": ""} == {"format": "pdf", "name": "", "source": {"bytes": "aGk="}}
    assert text == {"text": "(See the document.)"} and rendered.emulated == ("file",)


@pytest.mark.parametrize(
    "part",
    [
        FilePart(None, "file-1", None),
        FilePart("data:application/zip;base64,aGk=", None, "a.zip"),
        ImagePart("data:image/tiff;base64,aGk="),
        AudioPart("aGk=", "midi"),
    ],
)
def test_media_that_converse_does_not_know_is_reported(part: Any) -> None:
    assert render(messages=(Message("user", (part, TextPart("hi"))),)).dropped


def test_audio_is_sent() -> None:
    (block,) = turns(Message("user", (AudioPart("aGk=", "wav"),)))[0]["content"]
    assert block == {"audio": {"format": "wav", "source": {"bytes": "aGk="}}}


def test_calls_and_results() -> None:
    body = sent(tools=TOOLS, messages=(USER, CALLED, Message("tool", (ToolResultPart("c1", (TextPart("42"),)),))))
    call, result = body["messages"][1:]
    assert call["content"] == [{"toolUse": {"toolUseId": "c1", "name": "f", "input": {"x": 1}}}]
    assert result == {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "42"}]}}]}
    assert body["toolConfig"] == {"tools": [SPEC_F, SPEC_G]}


def test_results_come_first_in_one_turn_with_what_is_cached_behind_them() -> None:
    said = turns(
        USER,
        Message("assistant", (ToolCallPart("c1", "f", ""), ToolCallPart("c2", "f", "{}"))),
        Message("tool", (ToolResultPart("c1", (TextPart("1"),)),)),
        Message("user", (TextPart("so?"),)),
        Message("tool", (ToolResultPart("c2", (TextPart("2"),), cache="5m"),)),
    )
    assert [next(iter(block)) for block in said[2]["content"]] == ["toolResult", "toolResult", "cachePoint", "text"]


def test_a_result_that_failed_says_so_and_an_empty_one_says_something() -> None:
    assert answered(is_error=True) == [
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "(nothing)"}], "status": "error"}}
    ]


@pytest.mark.parametrize(("model", "is_inside"), [(CLAUDE, True), (NOVA, True), (KIMI, False), (QWEN, False)])
def test_media_in_results_follows_behind_where_the_model_takes_none_inside(model: str, is_inside: bool) -> None:
    content = answered(TextPart("see"), ImagePart(PNG), model=model)
    image = {"image": {"format": "png", "source": {"bytes": "aGk="}}}
    assert content[0]["toolResult"]["content"] == [{"text": "see"}, *([image] if is_inside else [])]
    assert content[1:] == ([] if is_inside else [image])


def test_ids_of_other_dialects_are_made_fit_and_stay_apart() -> None:
    long = "call_" + "x" * 70
    said = turns(
        USER,
        Message(
            "assistant",
            (ToolCallPart("functions.f:0", "f", ""), ToolCallPart(long, "f", ""), ToolCallPart("a b", "f", "")),
        ),
        Message("tool", tuple(ToolResultPart(call_id, ()) for call_id in ("functions.f:0", long, "a b"))),
    )
    called = [block["toolUse"]["toolUseId"] for block in said[1]["content"]]
    assert called == [block["toolResult"]["toolUseId"] for block in said[2]["content"]]
    assert called[0] == "functions.f:0" and len(set(called)) == 3
    assert all(len(call_id) <= 64 and " " not in call_id for call_id in called)


def test_arguments_that_are_no_object_are_wrapped() -> None:
    rendered = render(messages=(USER, Message("assistant", (ToolCallPart("c", "f", "not json"),))))
    (block,) = json.loads(rendered.body)["messages"][1]["content"]
    assert block["toolUse"]["input"] == {"input": "not json"} and "arguments" in rendered.emulated


def test_a_history_with_calls_is_never_sent_without_tools() -> None:
    rendered = render(messages=(USER, CALLED, Message("tool", (ToolResultPart("c1", (TextPart("42"),)),))))
    assert json.loads(rendered.body)["toolConfig"]["tools"] == [
        {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
    ]
    assert rendered.emulated == ("tools",)


def test_its_own_thoughts_go_back_and_no_others() -> None:
    thoughts = (
        ThinkingPart("mine", "Eu0C+/==", NAME),
        ThinkingPart("", origin=NAME, redacted="RXRr"),
        ThinkingPart("yours", "sig", "anthropic_messages"),
        ThinkingPart("nobody's"),
        TextPart("hi"),
    )
    rendered = render(messages=(USER, Message("assistant", thoughts), USER))
    assert json.loads(rendered.body)["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "mine", "signature": "Eu0C+/=="}}},
        {"reasoningContent": {"redactedContent": "RXRr"}},
        {"text": "hi"},
    ]
    assert rendered.dropped == ("thinking",)


def test_unsigned_thoughts_go_back_where_the_row_wants_them() -> None:
    said = sent(
        quirks=Quirks(reasoning_required=True), messages=(USER, Message("assistant", (ThinkingPart("hm"),)), USER)
    )
    assert said["messages"][1]["content"] == [{"reasoningContent": {"reasoningText": {"text": "hm"}}}]


def test_cache_marks_are_points_behind_what_they_mark() -> None:
    body = sent(
        tools=(Tool("f", None, None, cache="1h"),),
        messages=(
            Message("system", (TextPart("a", cache="5m"),)),
            Message("user", (TextPart("b", cache="5m"), TextPart("c"))),
        ),
    )
    assert body["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert body["system"] == [{"text": "a"}, POINT]
    assert body["messages"][0]["content"] == [{"text": "b"}, POINT, {"text": "c"}]


def test_only_the_last_four_cache_points_stay() -> None:
    body = sent(
        messages=(
            Message("system", (TextPart("s", cache="5m"),)),
            Message("user", tuple(TextPart(str(at), cache="5m") for at in range(5))),
        )
    )
    assert body["system"] == [{"text": "s"}]
    assert [block == POINT for block in body["messages"][0]["content"]] == [False, False] + [True, False] * 3 + [True]


@pytest.mark.parametrize(("model", "dropped", "emulated"), [(NOVA, (), ("cache",)), (GPT_OSS, ("cache",), ())])
def test_cache_marks_of_makers_that_know_less(model: str, dropped: tuple[str, ...], emulated: tuple[str, ...]) -> None:
    rendered = render(model, messages=(Message("user", (TextPart("b", cache="1h"),)),))
    assert (rendered.dropped, rendered.emulated) == (dropped, emulated)
    assert b"1h" not in rendered.body and (b"cachePoint" in rendered.body) == (not dropped)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (ToolChoice("auto"), None),
        (ToolChoice("required"), {"any": {}}),
        (ToolChoice("required", ("g",)), {"tool": {"name": "g"}}),
    ],
)
def test_tool_choices(choice: ToolChoice, said: Any) -> None:
    assert sent(tools=TOOLS, tool_choice=choice)["toolConfig"].get("toolChoice") == said


def test_some_of_the_tools_are_chosen_by_sending_no_others() -> None:
    rendered = render(tools=(*TOOLS, Tool("h", None, None)), tool_choice=ToolChoice("required", ("f", "g")))
    assert json.loads(rendered.body)["toolConfig"] == {"tools": [SPEC_F, SPEC_G], "toolChoice": {"any": {}}}
    assert rendered.emulated == ("tool_choice",)


def test_no_tool_is_chosen_by_sending_none_or_in_words_where_a_history_wants_them() -> None:
    none = ToolChoice("none")
    assert "toolConfig" not in sent(tools=TOOLS, tool_choice=none)
    result = Message("tool", (ToolResultPart("c1", ()),))
    body = sent(tools=TOOLS, tool_choice=none, messages=(USER, CALLED, result))
    assert body["system"] == [{"text": "Do not call any tool now."}] and body["toolConfig"] == {
        "tools": [SPEC_F, SPEC_G]
    }


def test_a_choice_that_the_source_does_not_take_is_reported() -> None:
    rendered = render(QWEN, Quirks(tool_choices=("none", "auto")), tools=TOOLS, tool_choice=ToolChoice("required"))
    assert "toolChoice" not in json.loads(rendered.body)["toolConfig"] and rendered.dropped == ("tool_choice",)


def test_one_call_at_a_time_is_said_to_claude_unless_a_tool_is_forced() -> None:
    more = {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    assert sent(tools=TOOLS, parallel_tool_calls=False)["additionalModelRequestFields"] == more
    forced = render(tools=TOOLS, parallel_tool_calls=False, tool_choice=ToolChoice("required"))
    assert forced.dropped == ("parallel_tool_calls",)
    assert render(KIMI, tools=TOOLS, parallel_tool_calls=False).dropped == ("parallel_tool_calls",)
    assert render(parallel_tool_calls=False) == render()


def test_strict_tools_are_strict_where_schemas_are_kept() -> None:
    tools = (Tool("f", None, SCHEMA, strict=True),)
    assert sent(tools=tools)["toolConfig"]["tools"][0]["toolSpec"]["strict"] is True
    assert render(quirks=Quirks(json_schema=False), tools=tools).dropped == ("strict",)


def test_custom_and_deferred_tools() -> None:
    custom = Tool("sql", "Runs SQL", None, is_custom=True, format=msgspec.Raw(b'{"type":"grammar"}'))
    later = Tool("later", None, None, is_deferred=True)
    rendered = render(tools=(custom, later))
    (spec,) = json.loads(rendered.body)["toolConfig"]["tools"]
    assert (
        spec["toolSpec"]["inputSchema"]["json"]["required"] == ["input"]
        and "grammar" in spec["toolSpec"]["description"]
    )
    assert rendered.emulated == ("deferred_tools", "custom_tools")
    found = ToolResultPart("c1", (ToolReferencePart("later"),))
    body = sent(tools=(custom, later), messages=(USER, CALLED, Message("tool", (found,))))
    assert [spec["toolSpec"]["name"] for spec in body["toolConfig"]["tools"]] == ["sql", "later"]


def test_a_schema_is_kept_closed_and_as_a_string() -> None:
    body = sent(output_format=OutputFormat("json_schema", "city", SCHEMA, description="A city"))
    (structure,) = body["outputConfig"]["textFormat"].pop("structure").values()
    assert body["outputConfig"] == {"textFormat": {"type": "json_schema"}}
    assert json.loads(structure.pop("schema")) == CLOSED
    assert structure == {"name": "city", "description": "A city"}


@pytest.mark.parametrize(
    ("wanted", "quirks"),
    [(OutputFormat("json_object"), Quirks()), (OutputFormat("json_schema", schema=SCHEMA), Quirks(json_schema=False))],
)
def test_json_is_asked_for_in_words_where_it_cannot_be_kept(wanted: OutputFormat, quirks: Quirks) -> None:
    rendered = render(quirks=quirks, output_format=wanted)
    body = json.loads(rendered.body)
    assert "outputConfig" not in body and "JSON object" in body["system"][0]["text"]
    assert rendered.emulated == ("output_format",)


@pytest.mark.parametrize(
    ("model", "asked", "more"),
    [
        (CLAUDE, Reasoning("high"), {"thinking": ("adaptive", "summarized"), "output_config": {"effort": "high"}}),
        (CLAUDE, Reasoning(is_shown=False), {"thinking": ("adaptive", "omitted")}),
        (CLAUDE, Reasoning("minimal"), {"thinking": ("adaptive", "summarized"), "output_config": {"effort": "low"}}),
        (
            CLAUDE,
            Reasoning(budget_tokens=9000),
            {"thinking": ("adaptive", "summarized"), "output_config": {"effort": "medium"}},
        ),
        (CLAUDE, Reasoning("none"), None),
        (GPT_OSS, Reasoning("high"), {"reasoning_effort": "high"}),
        (GPT_OSS, Reasoning("none"), {"reasoning_effort": "low"}),
        (QWEN, Reasoning("max"), {"reasoning_config": "high"}),
        (KIMI, Reasoning("high"), None),
    ],
)
def test_thought_is_asked_for_in_the_makers_words(model: str, asked: Reasoning, more: Fields | None) -> None:
    found = sent(model, reasoning=asked).get("additionalModelRequestFields")
    if more and "thinking" in more:
        more = more | {"thinking": dict(zip(("type", "display"), more["thinking"], strict=True))}
    assert found == more


def test_thought_that_cannot_be_asked_for_is_reported() -> None:
    assert render(KIMI, reasoning=Reasoning("high")).dropped == ("reasoning",)
    assert render(KIMI, reasoning=Reasoning("none")).dropped == ()


def test_efforts_are_those_of_the_row() -> None:
    rendered = render(quirks=Quirks(efforts=("low", "medium", "high", "max")), reasoning=Reasoning("xhigh"))
    assert json.loads(rendered.body)["additionalModelRequestFields"]["output_config"] == {"effort": "max"}
    assert rendered.emulated == ("reasoning",)


def test_a_forced_tool_forbids_claude_to_think() -> None:
    body = sent(tools=TOOLS, tool_choice=ToolChoice("required"), reasoning=Reasoning("high"))
    assert body["additionalModelRequestFields"] == {"output_config": {"effort": "high"}}


def test_beside_a_schema_the_effort_is_converses_own() -> None:
    body = sent(output_format=OutputFormat("json_schema", schema=SCHEMA), reasoning=Reasoning("low"))
    assert body["outputConfig"]["effort"] == "low"
    assert set(body["additionalModelRequestFields"]) == {"thinking"}


def test_sampling() -> None:
    body = sent(KIMI, temperature=0.5, top_p=0.9, stop=("x", " "))
    assert body["inferenceConfig"] == {"maxTokens": 10, "temperature": 0.5, "topP": 0.9, "stopSequences": ["x"]}
    assert sent(temperature=1.7)["inferenceConfig"]["temperature"] == 1.0
    assert render(temperature=0.5, top_p=0.9).dropped == ("top_p",)


@pytest.mark.parametrize(
    ("model", "more"), [(CLAUDE, {"top_k": 5}), (NOVA, {"inferenceConfig": {"topK": 5}}), (KIMI, None)]
)
def test_top_k_stands_where_the_maker_has_it(model: str, more: Fields | None) -> None:
    assert sent(model, top_k=5).get("additionalModelRequestFields") == more
    assert render(model, top_k=5).dropped == (() if more else ("top_k",))


def test_claude_is_not_sampled_while_it_thinks() -> None:
    rendered = render(reasoning=Reasoning("low"), temperature=0.5, top_p=0.9, top_k=5)
    assert rendered.dropped == ("temperature", "top_p", "top_k")
    assert sent(reasoning=Reasoning("low"), temperature=1)["inferenceConfig"]["temperature"] == 1


def test_what_the_row_refuses_is_left_out_and_named() -> None:
    rendered = render(
        quirks=Quirks(drop=("temperature", "top_p", "top_k", "service_tier", "speed")),
        temperature=0.5,
        top_p=0.5,
        top_k=5,
        service_tier="flex",
    )
    assert rendered.dropped == ("temperature", "top_p", "top_k", "service_tier")
    assert json.loads(rendered.body) == sent()


@pytest.mark.parametrize("tier", ["default", "flex", "priority"])
def test_service_tiers(tier: str) -> None:
    assert sent(service_tier=tier)["serviceTier"] == {"type": tier}


def test_wishes_without_words_are_named_by_the_customers_paths() -> None:
    rendered = render(
        seed=1,
        n=2,
        user="u",
        presence_penalty=0.1,
        frequency_penalty=0,
        names={"seed": "generationConfig.seed"},
        lost=("x",),
    )
    assert rendered.dropped == ("x", "generationConfig.seed", "user", "presence_penalty", "n")


def test_the_row_may_force_fields() -> None:
    force = {"performanceConfig": msgspec.Raw(b'{"latency":"optimized"}')}
    assert sent(quirks=Quirks(force=force))["performanceConfig"] == {"latency": "optimized"}
