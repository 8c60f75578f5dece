"""Chats of other dialects in Gemini's words, and the report on what those could not say."""

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
from kyma.dialects.gemini import render_request
from kyma.dialects.gemini.signatures import PLACEHOLDER

USER = Message("user", (TextPart("hi"),))
SCHEMA = msgspec.Raw(b'{"type":"object","properties":{"x":{"type":"integer"}}}')
Fields = dict[str, Any]


def render(model: str = "gemini-3-flash-preview", quirks: Quirks | None = None, **fields: Any) -> Rendered:
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


def sent(model: str = "gemini-3-flash-preview", **fields: Any) -> Fields:
    body: Fields = json.loads(render(model, **fields).body)
    return body


def contents(*messages: Message, model: str = "gemini-3-flash-preview") -> Any:
    return sent(model, messages=messages)["contents"]


def test_a_plain_chat() -> None:
    assert sent() == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"maxOutputTokens": 10},
    }


def test_system_and_developer_at_the_start_are_the_instruction() -> None:
    body = sent(messages=(Message("system", (TextPart("a"),)), Message("developer", (TextPart("b"),)), USER))
    assert body["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert len(body["contents"]) == 1


def test_system_in_the_middle_joins_the_next_user_turn_and_is_emulated() -> None:
    rendered = render(
        messages=(
            USER,
            Message("assistant", (TextPart("yes"),)),
            Message("system", (TextPart("now"),)),
            USER,
        ),
        names={"messages": "messages.role"},
    )
    assert json.loads(rendered.body)["contents"][2] == {"role": "user", "parts": [{"text": "now"}, {"text": "hi"}]}
    assert rendered.emulated == ("messages.role",)


def test_a_system_message_alone_is_the_user_turn() -> None:
    assert contents(Message("system", (TextPart("a"),))) == [{"role": "user", "parts": [{"text": "a"}]}]


def test_roles_alternate_by_merging() -> None:
    assert contents(USER, USER) == [{"role": "user", "parts": [{"text": "hi"}, {"text": "hi"}]}]


def test_results_name_their_function_and_stand_first_in_one_turn() -> None:
    turns = contents(
        Message("assistant", (ToolCallPart("a", "f", '{"x": 1}'), ToolCallPart("b", "g", ""))),
        Message("system", (TextPart("note"),)),
        Message("tool", (ToolResultPart("b", (TextPart("no"),), is_error=True),)),
        Message("tool", (ToolResultPart("a", (TextPart("1"), TextPart("2"))),)),
    )
    assert turns[1]["parts"] == [
        {"functionResponse": {"id": "b", "name": "g", "response": {"error": "no"}}},
        {"functionResponse": {"id": "a", "name": "f", "response": {"output": "1\n2"}}},
        {"text": "note"},
    ]
    assert [part["functionCall"] for part in turns[0]["parts"]] == [
        {"id": "a", "name": "f", "args": {"x": 1}},
        {"id": "b", "name": "g", "args": {}},
    ]


def test_only_the_first_foreign_call_of_a_step_has_the_placeholder() -> None:
    calls = (ToolCallPart("a", "f", "{}"), ToolCallPart("b", "f", "{}"))
    parts = contents(Message("assistant", calls))[0]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [PLACEHOLDER, None]


def test_models_before_gemini_3_need_no_placeholder() -> None:
    parts = contents(Message("assistant", (ToolCallPart("a", "f", "{}"),)), model="gemini-2.5-flash")[0]["parts"]
    assert "thoughtSignature" not in parts[0]


def test_ids_are_left_out_for_endpoints_that_refuse_them() -> None:
    messages = (Message("assistant", (ToolCallPart("a", "f", "{}"),)), Message("tool", (ToolResultPart("a", ()),)))
    body = sent(messages=messages, quirks=Quirks(drop_message_fields=("id",)))
    assert body["contents"][0]["parts"][0]["functionCall"] == {"name": "f", "args": {}}
    assert body["contents"][1]["parts"][0]["functionResponse"] == {"name": "f", "response": {"output": ""}}


def test_geminis_own_signatures_go_back_to_the_byte() -> None:
    parts = contents(
        Message(
            "assistant",
            (
                ThinkingPart("hm", "c2ln/+", "gemini"),
                TextPart("x"),
                ThinkingPart("", "c2ln2", "gemini"),
                TextPart("y"),
                ToolCallPart("a", "f", "{}", signature="c2ln3", origin="gemini"),
            ),
        )
    )[0]["parts"]
    assert parts == [
        {"text": "hm", "thought": True, "thoughtSignature": "c2ln/+"},
        {"text": "x"},
        {"text": "", "thoughtSignature": "c2ln2"},
        {"text": "y"},
        {"functionCall": {"id": "a", "name": "f", "args": {}}, "thoughtSignature": "c2ln3"},
    ]


def test_a_signature_carried_before_a_call_returns_to_the_call() -> None:
    message = Message("assistant", (ThinkingPart("", "c2ln", "gemini"), ToolCallPart("a", "f", "{}")))
    assert contents(message)[0]["parts"] == [
        {"functionCall": {"id": "a", "name": "f", "args": {}}, "thoughtSignature": "c2ln"}
    ]


@pytest.mark.parametrize("thought", [ThinkingPart("hm"), ThinkingPart("hm", "s", "anthropic_messages")])
def test_thoughts_of_others_are_dropped_and_reported(thought: ThinkingPart) -> None:
    rendered = render(
        messages=(USER, Message("assistant", (thought, TextPart("x")))),
        names={"thinking": "messages.reasoning_content"},
    )
    assert rendered.dropped == ("messages.reasoning_content",)
    assert b"hm" not in rendered.body


def test_media() -> None:
    parts = contents(
        Message(
            "user",
            (
                ImagePart("data:image/png;base64,AAAA"),
                ImagePart("https://x.test/a.jpg?b=c"),
                AudioPart("BBBB", "mp3"),
                FilePart("data:application/pdf;base64,CCCC", None, "a.pdf"),
                FilePart(None, None, None, url="https://x.test/a.pdf"),
            ),
        )
    )[0]["parts"]
    assert parts == [
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.test/a.jpg?b=c"}},
        {"inlineData": {"mimeType": "audio/mp3", "data": "BBBB"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "CCCC"}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.test/a.pdf"}},
    ]


def test_another_vendors_file_is_dropped_and_reported() -> None:
    message = Message("user", (FilePart(None, "file-1", None), TextPart("x")))
    assert render(messages=(message,), names={"file": "messages.content.file"}).dropped == ("messages.content.file",)


def test_images_in_results_stand_inside_from_gemini_3_on_and_behind_before() -> None:
    messages = (
        Message("assistant", (ToolCallPart("a", "f", "{}"),)),
        Message("tool", (ToolResultPart("a", (ImagePart("data:image/png;base64,AAAA"),)),)),
    )
    image = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    result = contents(*messages)[1]["parts"]
    assert result[0]["functionResponse"]["parts"] == [image]
    rendered = render("gemini-2.5-flash", messages=messages, names={"image": "messages.content.image"})
    assert json.loads(rendered.body)["contents"][1]["parts"][1] == image
    assert rendered.emulated == ("messages.content.image",)


def test_tools_are_said_with_their_json_schema_and_without_one_if_it_is_empty() -> None:
    tools = (
        Tool("f", "does f", SCHEMA),
        Tool("g", None, msgspec.Raw(b'{"type":"object","properties":{}}')),
        Tool("h", None, None),
    )
    assert sent(tools=tools)["tools"] == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "does f", "parametersJsonSchema": json.loads(bytes(SCHEMA))},
                {"name": "g"},
                {"name": "h"},
            ]
        }
    ]


def test_custom_tools_take_one_string() -> None:
    rendered = render(
        tools=(Tool("sh", None, None, is_custom=True),),
        messages=(USER, Message("assistant", (ToolCallPart("a", "sh", "ls -l", is_custom=True),))),
        names={"custom_tools": "tools.custom", "tools": "tools"},
    )
    body = json.loads(rendered.body)
    assert body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"]["required"] == ["input"]
    assert body["contents"][1]["parts"][0]["functionCall"]["args"] == {"input": "ls -l"}
    assert rendered.emulated == ("tools.custom",)


def test_deferred_tools_are_offered_once_they_were_referenced() -> None:
    rendered = render(
        tools=(Tool("f", None, None, is_deferred=True), Tool("g", None, None, is_deferred=True)),
        messages=(
            Message("assistant", (ToolCallPart("a", "search", "{}"),)),
            Message("tool", (ToolResultPart("a", (ToolReferencePart("f"),)),)),
        ),
        names={"deferred_tools": "tools.defer_loading"},
    )
    body = json.loads(rendered.body)
    assert body["tools"] == [{"functionDeclarations": [{"name": "f"}]}]
    assert "f" in body["contents"][1]["parts"][0]["functionResponse"]["response"]["output"]
    assert rendered.emulated == ("tools.defer_loading",)


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("auto", ("f",)), {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("required", ("f",)), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_tool_choices(choice: ToolChoice, config: Fields) -> None:
    body = sent(tools=(Tool("f", None, None),), tool_choice=choice)
    assert body["toolConfig"] == {"functionCallingConfig": config}


def test_a_choice_that_a_row_does_not_take_is_reported() -> None:
    rendered = render(
        tools=(Tool("f", None, None),),
        tool_choice=ToolChoice("required"),
        quirks=Quirks(tool_choices=("auto",)),
        names={"tool_choice": "tool_choice"},
    )
    assert json.loads(rendered.body)["toolConfig"] == {"functionCallingConfig": {"mode": "AUTO"}}
    assert rendered.dropped == ("tool_choice",)


def test_sampling() -> None:
    config = sent(
        temperature=0.5,
        top_p=0.25,
        top_k=3,
        stop=("a", "b"),
        n=2,
        seed=7,
        presence_penalty=0.5,
        frequency_penalty=-0.5,
    )["generationConfig"]
    assert config == {
        "maxOutputTokens": 10,
        "temperature": 0.5,
        "topP": 0.25,
        "topK": 3,
        "stopSequences": ["a", "b"],
        "candidateCount": 2,
        "seed": 7,
        "presencePenalty": 0.5,
        "frequencyPenalty": -0.5,
    }


def test_what_a_row_or_the_dialect_does_not_take_is_reported_in_the_customers_words() -> None:
    rendered = render(
        seed=7,
        n=2,
        stop=tuple("abcdef"),
        quirks=Quirks(drop=("seed",), n_must_be_one=True),
        names={"seed": "seed_field"},
    )
    assert set(rendered.dropped) == {"seed_field", "n", "stop"}
    assert json.loads(rendered.body)["generationConfig"] == {"maxOutputTokens": 10, "stopSequences": list("abcde")}


def test_a_tier_that_a_row_refuses_would_change_the_price_and_is_dropped() -> None:
    rendered = render(service_tier="priority", quirks=Quirks(drop=("serviceTier",)), names={"service_tier": "tier"})
    assert rendered.dropped == ("tier",) and "serviceTier" not in json.loads(rendered.body)
    assert "serviceTier" in sent(service_tier="priority")


def test_concepts_without_words_here_are_reported() -> None:
    names = {
        "logit_bias": "logit_bias",
        "user": "safety_identifier",
        "cache_key": "prompt_cache_key",
        "service_tier": "service_tier",
        "verbosity": "text.verbosity",
        "top_logprobs": "logprobs",
        "name": "messages.name",
        "strict": "tools.function.strict",
        "cache": "system.cache_control",
        "detail": "messages.content.image_url.detail",
        "parallel_tool_calls": "parallel_tool_calls",
    }
    rendered = render(
        messages=(Message("user", (ImagePart("https://x.test/a.png", "low"),)),),
        parallel_tool_calls=False,
        service_tier="scale",
        names=names,
        lost=("store",),
    )
    assert set(rendered.dropped) == {*names.values(), "store"}


@pytest.mark.parametrize(
    ("model", "reasoning", "thinking", "is_emulated"),
    [
        ("gemini-3-flash", Reasoning("low"), {"includeThoughts": True, "thinkingLevel": "LOW"}, False),
        ("gemini-3-flash", Reasoning("max"), {"includeThoughts": True, "thinkingLevel": "HIGH"}, True),
        ("gemini-3-flash", Reasoning("none"), {"thinkingLevel": "MINIMAL"}, True),
        ("gemini-3-flash", Reasoning(None, 4000), {"includeThoughts": True, "thinkingLevel": "MEDIUM"}, True),
        ("gemini-3-flash", Reasoning(None, None, True), {"includeThoughts": True}, False),
        ("gemini-3-flash", Reasoning("low", None, False), {"thinkingLevel": "LOW"}, False),
        ("gemini-2.5-flash", Reasoning(None, 4000), {"includeThoughts": True, "thinkingBudget": 4000}, False),
        ("gemini-2.5-flash", Reasoning(None, 40_000), {"includeThoughts": True, "thinkingBudget": 24576}, True),
        ("gemini-2.5-flash", Reasoning("none"), {"thinkingBudget": 0}, True),
        ("gemini-2.5-pro", Reasoning("none"), {"thinkingBudget": 128}, True),
    ],
)
def test_reasoning(model: str, reasoning: Reasoning, thinking: Fields, is_emulated: bool) -> None:
    rendered = render(model, reasoning=reasoning, names={"reasoning": "reasoning_effort"})
    assert json.loads(rendered.body)["generationConfig"]["thinkingConfig"] == thinking
    assert rendered.emulated == (("reasoning_effort",) if is_emulated else ())


def test_models_that_do_not_think_are_not_asked_to() -> None:
    rendered = render("gemma-4-31b-it", reasoning=Reasoning("high"), names={"reasoning": "reasoning_effort"})
    assert rendered.dropped == ("reasoning_effort",)
    assert "thinkingConfig" not in json.loads(rendered.body)["generationConfig"]


def test_a_schema_for_the_answer() -> None:
    config = sent(output_format=OutputFormat("json_schema", schema=SCHEMA))["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"] == json.loads(bytes(SCHEMA))


def test_any_json_object() -> None:
    config = sent(output_format=OutputFormat("json_object"))["generationConfig"]
    assert config == {"maxOutputTokens": 10, "responseMimeType": "application/json"}


def test_before_gemini_3_json_is_asked_for_in_words_when_there_are_tools() -> None:
    rendered = render(
        "gemini-2.5-flash",
        output_format=OutputFormat("json_schema", schema=SCHEMA),
        tools=(Tool("f", None, SCHEMA),),
        names={"output_format": "response_format"},
    )
    body = json.loads(rendered.body)
    assert "responseMimeType" not in body["generationConfig"]
    assert bytes(SCHEMA).decode() in body["systemInstruction"]["parts"][0]["text"]
    assert rendered.emulated == ("response_format",)
