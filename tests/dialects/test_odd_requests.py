"""Odd but legal requests of every dialect, in the words of every family: nothing breaks, nothing is lost in silence."""

import json
from typing import Any

import pytest

from kyma.core.errors import InvalidRequest
from kyma.core.model import Quirks
from kyma.dialects import openai_chat
from kyma.providers.compat import DIALECTS
from kyma.providers.translate import READERS, translate

Fields = dict[str, Any]

HI: Fields = {"role": "user", "content": "hi"}
PNG = "data:image/png;base64,iVBORw0KGgo="
TOOL: Fields = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
MESSAGES_TOOL: Fields = {"name": "f", "input_schema": {"type": "object"}}
RESPONSES_TOOL: Fields = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
LONG = "c" * 300


def chat(*messages: Fields, **fields: Any) -> tuple[str, Fields]:
    return "openai_chat", {"model": "m", "messages": list(messages) or [HI], **fields}


def claude(*messages: Fields, **fields: Any) -> tuple[str, Fields]:
    return "anthropic_messages", {"model": "m", "max_tokens": 9, "messages": list(messages) or [HI], **fields}


def responses(*items: Fields, **fields: Any) -> tuple[str, Fields]:
    return "openai_responses", {"model": "m", "input": list(items) or "hi", "store": False, **fields}


def gemini(*contents: Fields, **fields: Any) -> tuple[str, Fields]:
    return "gemini", {"contents": list(contents) or [{"parts": [{"text": "hi"}]}], **fields}


def call(**said: Any) -> Fields:
    function = {"name": "f", "arguments": "{}", **said}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": LONG, "type": "function", "function": function}],
    }


def sent(asked: tuple[str, Fields], family: str) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
    """The request as a vendor of `family` is told it, and the report."""
    shown = translate(asked[0], family, json.dumps(asked[1]).encode())
    return json.loads(bytes(shown.request)), shown.dropped, shown.emulated


ODD: dict[str, tuple[str, Fields]] = {
    "an assistant who said nothing": chat(HI, {"role": "assistant", "content": None}, HI),
    "an empty assistant": chat(HI, {"role": "assistant", "content": ""}, HI),
    "an empty user": chat({"role": "user", "content": ""}),
    "no parts": chat({"role": "user", "content": []}),
    "null content": chat({"role": "user", "content": None}),
    "only a system": chat({"role": "system", "content": "s"}),
    "only an assistant": chat({"role": "assistant", "content": "s "}),
    "a system at the end": chat(HI, {"role": "system", "content": "s"}),
    "two users in a row": chat(HI, HI),
    "a result as parts": chat(
        HI, call(), {"role": "tool", "tool_call_id": LONG, "content": [{"type": "text", "text": "x"}]}, tools=[TOOL]
    ),
    "a null of everything": chat(
        **dict.fromkeys(("temperature", "tools", "tool_choice", "stop", "n", "user", "metadata", "logprobs"))
    ),
    "a tool without parameters": chat(tools=[{"type": "function", "function": {"name": "f"}}]),
    "a tool with null parameters": chat(tools=[{"type": "function", "function": {"name": "f", "parameters": None}}]),
    "no content": claude({"role": "user", "content": []}),
    "a blank text": claude({"role": "user", "content": [{"type": "text", "text": ""}]}),
    "an assistant first": claude({"role": "assistant", "content": "x"}, HI),
    "a result without content": claude(
        HI,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": None}]},
        tools=[MESSAGES_TOOL],
    ),
    "an empty item": responses({"role": "user", "content": []}),
    "an item of the future": responses({"role": "user", "content": "hi"}, {"type": "future_item", "x": 1}),
    "contents without parts": gemini({"role": "user"}),
    "a model's turn without parts": gemini({"parts": [{"text": "a"}]}, {"role": "model", "parts": []}),
    "contents as one object": ("gemini", {"contents": {"parts": {"text": "hi"}}}),
}


@pytest.mark.parametrize("family", DIALECTS)
@pytest.mark.parametrize("what", ODD)
def test_a_vendor_is_told_something_it_takes(what: str, family: str) -> None:
    """At least one turn, and none of it empty where that is refused."""
    body, _, _ = sent(ODD[what], family)
    turns = body.get("messages") or body["contents"]
    assert turns
    if family == ODD[what][0]:
        return
    for turn in turns:
        if family == "anthropic_messages":
            assert turn["content"] and all(block.get("text", "x").strip() for block in turn["content"])
        elif family == "gemini":
            assert turn["parts"]


@pytest.mark.parametrize("family", ["anthropic_messages", "gemini", "openai_chat"])
@pytest.mark.parametrize(
    ("asked", "path"),
    [
        (chat({"role": "user", "content": "hi", "foo": 1}), "messages.foo"),
        (chat({"role": "user", "content": [{"type": "text", "text": "x", "foo": 1}]}), "messages.content.text.foo"),
        (chat({"role": "user", "content": [{"type": "video_url", "video_url": {}}]}), "messages.content.video_url"),
        (chat(tools=[TOOL | {"foo": 1}]), "tools.foo"),
        (chat(tools=[{"type": "function", "function": {"name": "f", "foo": 1}}]), "tools.function.foo"),
        (chat(tools=[{"type": "web_search"}]), "tools.web_search"),
        (chat(foo={"a": 1}), "foo"),
        (claude({"role": "user", "content": [{"type": "tool_reference", "tool_name": "x"}]}),
         "messages.content.tool_reference"),
        (claude({"role": "user", "content": [{"type": "text", "text": "x", "foo": 1}]}), "messages.content.foo"),
        (claude(max_tokens=0), "max_tokens"),
        (responses({"role": "user", "content": "hi", "foo": 1}), "input.message.foo"),
        (responses({"role": "user", "content": "hi"}, {"type": "future_item"}), "input.future_item"),
        (gemini({"parts": [{"text": "x", "videoMetadata": {"fps": 1}}]}), "contents.parts.videoMetadata"),
        (gemini({"parts": [{"text": "x"}, {"fileData": {"fileUri": "https://youtu.be/x"}}]}),
         "contents.parts.fileData"),
    ],
)  # fmt: skip
def test_what_no_word_holds_is_named(asked: tuple[str, Fields], path: str, family: str) -> None:
    if asked[0] != family:
        assert path in sent(asked, family)[1]


NEUTRAL = [
    chat(
        store=False, metadata={}, logprobs=False, presence_penalty=0, frequency_penalty=0.0, logit_bias={}, n=1,
        modalities=["text"], response_format={"type": "text"}, tool_choice="auto", stop=[], service_tier="auto",
    ),
    chat({"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG, "detail": "auto"}}]}),
    claude(container=None, mcp_servers=[], stop_sequences=[], metadata={}),
    responses(
        truncation=None, top_logprobs=0, tool_choice="auto", tools=[], metadata={}, include=[], background=False,
        text={"format": {"type": "text"}}, reasoning={},
    ),
    responses(tools=[RESPONSES_TOOL]),
    gemini(safetySettings=[], labels={}, generationConfig={"responseModalities": ["TEXT"], "stopSequences": []}),
]  # fmt: skip


@pytest.mark.parametrize("family", DIALECTS)
@pytest.mark.parametrize("asked", NEUTRAL)
def test_what_asks_for_nothing_is_no_loss(asked: tuple[str, Fields], family: str) -> None:
    """X-Kyma-Strict must not refuse what clients send by habit."""
    assert sent(asked, family)[1:] == ((), ())


def test_calls_of_custom_tools_go_on() -> None:
    custom = {"id": "c1", "type": "custom", "custom": {"name": "sh", "input": '{"not": "an argument"}'}}
    history = (
        HI,
        {"role": "assistant", "content": None, "tool_calls": [custom]},
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
    )
    asked = chat(*history, tools=[{"type": "custom", "custom": {"name": "sh"}}])
    body, dropped, emulated = sent(asked, "anthropic_messages")
    (block,) = body["messages"][1]["content"]
    assert block == {"type": "tool_use", "id": "c1", "name": "sh", "input": {"input": '{"not": "an argument"}'}}
    assert (dropped, emulated) == ((), ("messages.tool_calls.custom", "tools.custom"))
    said = sent(asked, "gemini")[0]["contents"][1]["parts"][0]["functionCall"]
    assert said == {"id": "c1", "name": "sh", "args": {"input": '{"not": "an argument"}'}}


def test_cache_marks_of_chat_customers_reach_anthropic() -> None:
    """As routers of Anthropic's models take them on parts and tools."""
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    part = {"type": "text", "text": "long", **mark}
    asked = chat({"role": "system", "content": [part]}, {"role": "user", "content": [part]}, tools=[TOOL | mark])
    body, dropped, _ = sent(asked, "anthropic_messages")
    assert body["system"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert body["tools"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert dropped == ()
    assert sent(asked, "gemini")[1] == ("messages.content.cache_control", "tools.cache_control")


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", "not json", '"text"'])
@pytest.mark.parametrize("family", ["anthropic_messages", "gemini"])
def test_arguments_that_are_no_object_stand_in_one_and_are_named(family: str, arguments: str) -> None:
    result = {"role": "tool", "tool_call_id": LONG, "content": "x"}
    body, _, emulated = sent(chat(HI, call(arguments=arguments), result, tools=[TOOL]), family)
    assert json.dumps(arguments)[1:-1] in json.dumps(body)
    assert emulated == ("messages.tool_calls.function.arguments",)


def test_ids_that_anthropic_forbids_stay_apart() -> None:
    calls = [{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id in ("ü|1", "ä|1")]
    results = [{"role": "tool", "tool_call_id": id, "content": id} for id in ("ü|1", "ä|1")]
    body, _, _ = sent(chat(HI, {"role": "assistant", "tool_calls": calls}, *results), "anthropic_messages")
    called = [block["id"] for block in body["messages"][1]["content"]]
    answered = [(block["tool_use_id"], block["content"]) for block in body["messages"][2]["content"]]
    assert len(set(called)) == 2
    assert answered == list(zip(called, ("ü|1", "ä|1"), strict=True))


def test_ids_too_long_for_openai_are_cut_and_still_match() -> None:
    history = (
        HI,
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": LONG + end, "name": "f", "input": {}} for end in "ab"
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": LONG + end, "content": end} for end in "ab"
        ]},
    )  # fmt: skip
    body, _, _ = sent(claude(*history, tools=[MESSAGES_TOOL]), "openai_chat")
    called = [call["id"] for call in body["messages"][1]["tool_calls"]]
    assert len(set(called)) == 2 and max(map(len, called)) <= 40
    assert [message["tool_call_id"] for message in body["messages"][2:]] == called


def test_documents_in_a_result_follow_it() -> None:
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}
    history = (
        HI,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [pdf]}]},
    )
    asked = claude(*history, tools=[MESSAGES_TOOL])
    body, dropped, emulated = sent(asked, "openai_chat")
    assert body["messages"][-1]["content"][1] == {
        "type": "file",
        "file": {"file_data": "data:application/pdf;base64,JVBERi0="},
    }
    assert (dropped, emulated) == ((), ("messages.content.content.document",))
    assert sent(asked, "gemini")[1:] == ((), ("messages.content.content.document",))


def test_a_data_url_without_base64_becomes_base64() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/svg+xml;utf8,%3Csvg/%3E"}}
    asked = chat({"role": "user", "content": [image]})
    source = sent(asked, "anthropic_messages")[0]["messages"][0]["content"][0]["source"]
    assert source == {"type": "base64", "media_type": "image/svg+xml", "data": "PHN2Zy8+"}
    blob = sent(asked, "gemini")[0]["contents"][0]["parts"][0]["inlineData"]
    assert blob == {"mimeType": "image/svg+xml", "data": "PHN2Zy8+"}


@pytest.mark.parametrize(
    ("tier", "told"), [("flex", "flex"), ("priority", "priority"), ("default", "standard"), ("auto", None)]
)
def test_gemini_is_told_the_service_tier(tier: str, told: str | None) -> None:
    body, dropped, _ = sent(chat(service_tier=tier), "gemini")
    assert (body.get("serviceTier"), dropped) == (told, ())
    assert sent(chat(service_tier="scale"), "gemini")[1] == ("service_tier",)


@pytest.mark.parametrize("family", DIALECTS)
def test_words_outside_the_basic_plane_arrive(family: str) -> None:
    asked = chat({"role": "user", "content": "\U0001f914\u0000\u2028\ufeff ü"})
    assert "\U0001f914\u0000\u2028\ufeff ü" in json.dumps(sent(asked, family)[0], ensure_ascii=False).replace(
        "\\u0000", "\u0000"
    )


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic_messages"])
def test_half_a_surrogate_pair_is_refused(dialect: str) -> None:
    """It is no text in UTF-8, so no vendor could be sent it."""
    body = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a\\ud83d b"}]}'
    with pytest.raises(InvalidRequest, match="surrogate"):
        translate(dialect, "gemini", body)


def test_a_thread_is_refused_so_that_the_sdk_sends_the_whole_history() -> None:
    with pytest.raises(InvalidRequest) as caught:
        sent(claude(thread={"type": "create"}), "anthropic_messages")
    assert (caught.value.code, caught.value.param) == ("thread_unsupported_request", "thread")


def test_what_codex_sends_reaches_a_chat_model() -> None:
    items: list[Fields] = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "d"}], "id": "m1"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gAAA"},
        {"type": "function_call", "call_id": "c1", "name": "spawn", "namespace": "agents", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "ok"},
    ]  # fmt: skip
    tools = [
        RESPONSES_TOOL,
        {"type": "namespace", "name": "agents", "description": "d", "tools": [{"type": "function", "name": "spawn"}]},
        {"type": "web_search", "external_web_access": True},
        {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
    ]
    asked = responses(
        *items, tools=tools, include=["reasoning.encrypted_content"], client_metadata={"a": "b"}, prompt_cache_key="k"
    )
    body, dropped, emulated = sent(asked, "openai_chat")
    names = [tool["function"]["name"] for tool in body["tools"]]
    assert names == ["f", "agents__spawn", "apply_patch"]
    assert body["messages"][-2]["tool_calls"][0]["function"]["name"] == "agents__spawn"
    assert set(dropped) == {
        "client_metadata",
        "input.reasoning.encrypted_content",
        "tools.namespace.description",
        "tools.web_search",
    }
    assert emulated == ("tools.custom",)


def test_what_claude_code_sends_reaches_a_chat_model() -> None:
    """System turns in the middle, deferred tools with their placeholder, and a result that refers to one."""
    tools = [
        {"name": "ToolSearch", "input_schema": {"type": "object"}},
        {"name": "WebFetch", "defer_loading": True, "input_schema": {"type": "object"}},
        {"name": "Unasked", "defer_loading": True, "input_schema": {"type": "object"}},
        {"name": "DeferredToolPlaceholder", "defer_loading": True, "input_schema": {"type": "object"}},
    ]
    reference = [{"type": "tool_reference", "tool_name": "WebFetch"}]
    asked = claude(
        HI,
        {"role": "system", "content": "mind the gap"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "ToolSearch", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": reference}]},
        tools=tools,
        thinking={"type": "adaptive", "display": "omitted"},
        output_config={"effort": "high"},
        metadata={"user_id": '{"device":"x"}'},
    )
    body, dropped, emulated = sent(asked, "openai_chat")
    assert [tool["function"]["name"] for tool in body["tools"]] == ["ToolSearch", "WebFetch"]
    assert {"role": "system", "content": "mind the gap"} in body["messages"]
    assert body["messages"][-1]["content"] == "The tool WebFetch can be called now."
    assert (body["reasoning_effort"], body["user"]) == ("high", '{"device":"x"}')
    assert (dropped, emulated) == ((), ("tools.defer_loading",))


QUIRKS = Quirks(
    drop=("seed",),
    drop_message_fields=("name",),
    n_must_be_one=True,
    min_temperature=0.01,
    tool_choices=("auto", "none"),
    efforts=("low", "high"),
    json_schema=False,
)
REFUSED: Fields = {
    "seed": 1,
    "n": 2,
    "temperature": 0,
    "tools": [TOOL],
    "tool_choice": "required",
    "reasoning_effort": "max",
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
}


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses"])
def test_what_one_vendor_refuses_is_named_in_the_customers_words(dialect: str) -> None:
    """A vendor's row may bend requests of its own dialect too."""
    if dialect == "openai_chat":
        asked = chat({"role": "user", "content": "hi", "name": "bob"}, **REFUSED)
        dropped, emulated = {"seed", "n", "tool_choice", "messages.name"}, {
            "temperature", "reasoning_effort", "response_format",
        }  # fmt: skip
    else:
        form = {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}}
        asked = responses(
            temperature=0, tools=[RESPONSES_TOOL], tool_choice="required", text=form, reasoning={"effort": "max"}
        )
        dropped, emulated = {"tool_choice"}, {"temperature", "reasoning.effort", "text.format"}
    request = READERS[asked[0]](json.dumps(asked[1]).encode())
    rendered = openai_chat.render_request(request, "vendor/m", QUIRKS)
    assert (set(rendered.dropped), set(rendered.emulated)) == (dropped, emulated)
