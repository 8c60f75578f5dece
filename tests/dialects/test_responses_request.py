"""Customers' Responses requests: what is read, what is refused, what is reported."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from kyma.core.chat import (
    AudioPart,
    Chat,
    FilePart,
    ImagePart,
    Message,
    OutputFormat,
    Reasoning,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolChoice,
    ToolReferencePart,
    ToolResultPart,
)
from kyma.core.errors import InvalidRequest
from kyma.core.model import Quirks
from kyma.dialects import openai_chat
from kyma.dialects.openai_responses import parse_request
from kyma.dialects.openai_responses.read import ACTED_ON


def body(**fields: object) -> bytes:
    return json.dumps({"model": "m", "input": "hi", "store": False, **fields}).encode()


def chat(**fields: object) -> Chat:
    return parse_request(body(**fields)).chat()


def said(*items: object) -> tuple[Message, ...]:
    return chat(input=list(items)).messages


def refused(**fields: object) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(body(**fields))
    return caught.value


def user(*parts: object) -> dict[str, object]:
    return {"type": "message", "role": "user", "content": list(parts)}


MEMBERS = ("type", "text", "content", "output", "summary", "tools", "format", "name", "arguments", "image_url", "mode")
CALL = {"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "c1", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "done"}
FUNCTION = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": False}
NAMESPACE = {
    "type": "namespace",
    "name": "multi_agent_v1",
    "description": "Other agents",
    "tools": [{"type": "function", "name": "spawn", "parameters": {"type": "object"}}],
}
ADDITIONAL = {
    "type": "additional_tools",
    "id": "at_1",
    "role": "developer",
    "tools": [
        {"type": "namespace", "name": "functions", "description": "", "tools": [{"type": "custom", "name": "exec"}]},
        FUNCTION,
    ],
}
"""How Codex 0.169 offers tools to models that it knows. Source: seen on the wire, November 2026."""

SEARCH = {"type": "tool_search", "execution": "client", "description": "Finds tools", "parameters": {"type": "object"}}

CODEX: dict[str, Any] = {
    "model": "m",
    "input": [
        {"type": "message", "id": "m1", "role": "developer", "content": [{"type": "input_text", "text": "be exact"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "list the files"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "I look"}], "encrypted_content": None},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Looking.", "annotations": [], "logprobs": []}],
        },
        CALL | {"name": "exec_command", "arguments": '{"cmd":"ls"}'},
        RESULT,
    ],
    "tools": [
        FUNCTION | {"name": "exec_command"},
        NAMESPACE,
        {"type": "web_search", "external_web_access": False},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"summary": "auto"},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "thread-1",
    "text": {"format": {"type": "json_schema", "name": "out", "schema": {"type": "object"}, "strict": True}},
    "client_metadata": {"x-codex-installation-id": "1"},
}
"""What Codex 0.169 sends. Source: clients.md, November 2026."""


def test_a_string_is_one_message_of_the_user() -> None:
    assert chat().messages == (Message("user", (TextPart("hi"),)),)


def test_instructions_stand_first_as_system_message() -> None:
    assert chat(instructions="be brief").messages[0] == Message("system", (TextPart("be brief"),))


def test_max_tokens_defaults_to_4096() -> None:
    assert parse_request(body()).max_tokens == 4096
    assert parse_request(body(max_output_tokens=7)).max_tokens == 7


def test_admission_knows_roles_tools_images_and_size() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 5000}
    request = parse_request(body(instructions="x", input=[user(image), CALL, RESULT], tools=[FUNCTION], stream=True))
    assert request.roles == {"system", "user", "assistant", "tool"}
    assert (request.has_tools, request.image_count, request.is_streaming) == (True, 1, True)
    assert 300 < request.input_bytes < 1000


def test_short_messages_need_no_type() -> None:
    short = (
        {"role": "system", "content": "a"},
        {"role": "developer", "content": "b"},
        {"role": "user", "content": "c"},
    )
    assert [message.role for message in said(*short)] == ["system", "developer", "user"]


def test_a_turn_of_the_model_is_one_message_and_so_are_its_results() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]}
    text = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I call"}]}
    second = CALL | {"call_id": "c2"}
    messages = said(
        user({"type": "input_text", "text": "go"}), thought, text, CALL, second, RESULT, RESULT | {"call_id": "c2"}
    )
    assert messages[1:] == (
        Message(
            "assistant",
            (ThinkingPart("hm"), TextPart("I call"), ToolCallPart("c1", "f", "{}"), ToolCallPart("c2", "f", "{}")),
        ),
        Message("tool", (ToolResultPart("c1", (TextPart("done"),)), ToolResultPart("c2", (TextPart("done"),)))),
    )


def test_media_parts_are_read() -> None:
    (message,) = said(
        user(
            {"type": "input_text", "text": "look"},
            {"type": "input_image", "image_url": "https://x/y.png", "detail": "high"},
            {"type": "input_file", "file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"},
            {"type": "input_file", "file_url": "https://x/y.pdf"},
            {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        )
    )
    assert message.parts == (
        TextPart("look"),
        ImagePart("https://x/y.png", "high"),
        FilePart("data:application/pdf;base64,AA", None, "a.pdf"),
        FilePart(None, None, None, "https://x/y.pdf"),
        AudioPart("AA", "wav"),
    )


def test_a_result_may_hold_images() -> None:
    parts = [{"type": "input_text", "text": "seen"}, {"type": "input_image", "image_url": "https://x"}]
    result = said(CALL, RESULT | {"output": parts})[1].parts[0]
    assert result == ToolResultPart("c1", (TextPart("seen"), ImagePart("https://x")))


def test_an_image_by_file_id_is_lost_and_said_so() -> None:
    image = {"type": "input_image", "file_id": "file-1"}
    assert "input.content.input_image.file_id" in chat(input=[user(image, {"type": "input_text", "text": "x"})]).lost


def test_custom_tool_calls_and_their_results_are_read() -> None:
    call = {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": "*** Begin"}
    result = {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"}
    assert said(call, result) == (
        Message("assistant", (ToolCallPart("c1", "apply_patch", "*** Begin", is_custom=True),)),
        Message("tool", (ToolResultPart("c1", (TextPart("ok"),)),)),
    )


@pytest.mark.parametrize(
    ("sealed", "part"),
    [
        ("kyma.anthropic_messages.a.b==", ThinkingPart("hm", "a.b==", "anthropic_messages")),
        ("kyma.anthropic_messages:redacted.zz", ThinkingPart("hm", None, "anthropic_messages", "zz")),
    ],
)
def test_a_thought_comes_home_with_its_origin(sealed: str, part: ThinkingPart) -> None:
    summary = [{"type": "summary_text", "text": "hm"}]
    assert said({"type": "reasoning", "summary": summary, "encrypted_content": sealed})[0].parts == (part,)


def test_the_proof_of_a_call_comes_home_on_the_call() -> None:
    proof = {"type": "reasoning", "summary": [], "encrypted_content": "kyma.gemini:call.sig"}
    assert said(proof, CALL)[0].parts == (ToolCallPart("c1", "f", "{}", signature="sig", origin="gemini"),)


def test_a_foreign_encrypted_thought_is_dropped_and_said_so() -> None:
    foreign = {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAA"}
    request = parse_request(body(input=[user({"type": "input_text", "text": "x"}), foreign]))
    assert request.needs_native
    assert "input.reasoning.encrypted_content" in request.chat().lost
    assert len(request.chat().messages) == 1


@pytest.mark.parametrize(
    "item",
    [
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}},
        {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}},
        {"type": "local_shell_call", "id": "l", "call_id": "c", "action": {}, "status": "completed"},
        {"type": "compaction", "encrypted_content": "x"},
        {"type": "mcp_approval_response", "approve": True, "approval_request_id": "a"},
        {"type": "something_new", "role": 5, "content": {"a": 1}},
    ],
)
def test_items_of_other_kinds_are_skipped_and_said_so(item: dict[str, object]) -> None:
    found = chat(input=[{"role": "user", "content": "hi"}, item])
    assert len(found.messages) == 1
    assert f"input.{item['type']}" in found.lost


def test_members_that_mean_something_are_reported() -> None:
    message = {"type": "message", "role": "assistant", "phase": "commentary", "id": "m", "content": "x"}
    assert "input.message.phase" in chat(input=[{"role": "user", "content": "x"}, message]).lost


def test_a_cache_breakpoint_is_read() -> None:
    marked = {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}
    found = chat(input=[user(marked)])
    assert found.messages[0].parts == (TextPart("x", "1h"),)
    assert found.names["cache"] == "input.content.prompt_cache_breakpoint"


def test_tools_of_a_namespace_get_flat_names() -> None:
    found = chat(tools=[FUNCTION, NAMESPACE, {"type": "web_search"}])
    assert [tool.name for tool in found.tools] == ["f", "multi_agent_v1__spawn"]
    assert set(found.lost) == {"tools.namespace.description", "tools.web_search"}


def test_a_call_in_a_namespace_bears_the_same_flat_name() -> None:
    assert said(CALL | {"namespace": "multi_agent_v1", "name": "spawn"})[0].parts == (
        ToolCallPart("c1", "multi_agent_v1__spawn", "{}"),
    )


def test_only_a_strict_tool_asks_for_strictness() -> None:
    assert "strict" not in chat(tools=[FUNCTION]).names
    assert chat(tools=[FUNCTION | {"strict": True}]).names["strict"] == "tools.strict"


def test_long_flat_names_fit_and_stay_apart() -> None:
    long = [
        {
            "type": "namespace",
            "name": "n" * 40,
            "description": "",
            "tools": [FUNCTION | {"name": "t" * 40 + end} for end in "ab"],
        }
    ]
    names = [tool.name for tool in chat(tools=long).tools]
    assert len(set(names)) == 2
    assert all(len(name) <= 64 for name in names)


def test_tools_may_stand_in_the_input() -> None:
    found = chat(input=[ADDITIONAL, {"role": "user", "content": "x"}], tool_choice="auto")
    assert [(tool.name, tool.is_custom) for tool in found.tools] == [("functions__exec", True), ("f", False)]
    assert [message.role for message in found.messages] == ["user"]
    assert found.tool_choice == ToolChoice("auto")
    assert not found.lost


def test_admission_knows_of_tools_in_the_input() -> None:
    items = [ADDITIONAL, {"role": "user", "content": "x"}]
    request = parse_request(body(input=items))
    assert request.has_tools and not request.needs_native
    assert request.roles == {"user"}
    hosted = {"type": "additional_tools", "role": "developer", "tools": [{"type": "web_search"}]}
    assert parse_request(body(input=[*items, hosted])).needs_native


def test_two_tools_of_one_flat_name_are_told_apart_by_report() -> None:
    found = chat(tools=[FUNCTION | {"name": "multi_agent_v1__spawn"}, NAMESPACE])
    assert len(found.tools) == 1
    assert "tools.spawn" in found.lost


def test_only_what_a_vendor_itself_would_run_asks_for_one_of_this_dialect() -> None:
    assert not parse_request(body(tools=[FUNCTION, NAMESPACE])).needs_native
    assert parse_request(body(tools=[FUNCTION, {"type": "web_search"}])).needs_native


def test_custom_tools_keep_their_format() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
    (tool,) = chat(tools=[{"type": "custom", "name": "p", "description": "d", "format": grammar}]).tools
    assert tool.is_custom
    assert tool.format is not None
    assert json.loads(bytes(tool.format)) == grammar


def test_deferred_tools_wait_for_the_clients_search() -> None:
    deferred = FUNCTION | {"defer_loading": True}
    call = {
        "type": "tool_search_call",
        "call_id": "s1",
        "execution": "client",
        "arguments": {"q": "x"},
        "status": "completed",
    }
    output = {"type": "tool_search_output", "call_id": "s1", "execution": "client", "tools": [deferred, NAMESPACE]}
    found = chat(tools=[deferred, SEARCH], input=[{"role": "user", "content": "x"}, call, output])
    assert [(tool.name, tool.is_deferred) for tool in found.tools] == [
        ("f", True),
        ("tool_search", False),
        ("multi_agent_v1__spawn", False),
    ]
    assert found.messages[1:] == (
        Message("assistant", (ToolCallPart("s1", "tool_search", '{"q": "x"}'),)),
        Message("tool", (ToolResultPart("s1", (ToolReferencePart("f"), ToolReferencePart("multi_agent_v1__spawn"))),)),
    )


def test_deferred_tools_that_only_the_vendor_could_find_are_offered_at_once() -> None:
    found = chat(tools=[FUNCTION | {"defer_loading": True}, {"type": "tool_search"}])
    assert [tool.is_deferred for tool in found.tools] == [False]
    assert {"tools.tool_search", "tools.defer_loading"} <= set(found.lost)


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("required", ("f",))),
        ({"type": "function", "name": "spawn"}, ToolChoice("required", ("multi_agent_v1__spawn",))),
        (
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
            },
            ToolChoice("auto", ("f",)),
        ),
    ],
)
def test_tool_choices(choice: object, read: ToolChoice) -> None:
    found = chat(tools=[FUNCTION, NAMESPACE], tool_choice=choice)
    assert found.tool_choice == read
    assert found.names["tool_choice"] == "tool_choice"


def test_the_choice_of_a_hosted_tool_is_lost() -> None:
    found = chat(tools=[FUNCTION], tool_choice={"type": "web_search"})
    assert found.tool_choice is None
    assert "tool_choice" in found.lost


def test_settings_are_read() -> None:
    found = chat(
        temperature=0.5, top_p=0.9, parallel_tool_calls=False, service_tier="flex", prompt_cache_key="k",
        safety_identifier="u", reasoning={"effort": "high", "summary": "auto"},
        text={"format": {"type": "json_object"}, "verbosity": "low"},
    )  # fmt: skip
    assert (found.temperature, found.top_p, found.parallel_tool_calls, found.service_tier) == (0.5, 0.9, False, "flex")
    assert (found.cache_key, found.user, found.verbosity) == ("k", "u", "low")
    assert found.reasoning == Reasoning("high", None, True)
    assert found.output_format == OutputFormat("json_object")
    assert found.lost == ()
    assert found.names["output_format"] == "text.format"


@pytest.mark.parametrize(
    ("fields", "lost"),
    [
        ({"store": True}, "store"),
        ({"truncation": "auto"}, "truncation"),
        ({"include": ["message.output_text.logprobs"], "top_logprobs": 2}, "include.message.output_text.logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
        ({"reasoning": {"effort": "enormous"}}, "reasoning.effort"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format"),
        ({"client_metadata": {"a": "b"}}, "client_metadata"),
        ({"context_management": [{"type": "compaction"}]}, "context_management"),
        ({"safety_identifier": "a", "user": "b"}, "user"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
    ],
)
def test_what_cannot_be_kept_is_reported(fields: dict[str, object], lost: str) -> None:
    assert lost in chat(**fields).lost


@pytest.mark.parametrize("field", sorted(ResponseCreateParamsBase.__annotations__))
def test_every_field_of_the_dialect_is_mapped_or_reported(field: str) -> None:
    samples: dict[str, object] = {
        "input": "hi", "model": "m", "text": {"verbosity": "low"}, "reasoning": {"effort": "low"}, "include": ["x"],
        "tools": [FUNCTION], "tool_choice": "auto", "temperature": 1, "top_p": 1, "parallel_tool_calls": True,
        "max_output_tokens": 5, "metadata": {"a": "b"}, "instructions": "x", "store": False, "truncation": "disabled",
        "stream_options": {}, "background": False, "previous_response_id": None, "conversation": None, "prompt": None,
    }  # fmt: skip
    found = chat(**{field: samples.get(field, "sample")})
    named = {path.split(".")[0] for path in (*found.names.values(), *found.lost)}
    assert field in named or field in ACTED_ON or field == "truncation"


def test_an_unknown_field_is_reported() -> None:
    assert chat(weird={"a": 1}).lost == ("weird",)


def test_a_request_of_codex_is_read_whole() -> None:
    request = parse_request(json.dumps(CODEX).encode())
    found = request.chat()
    assert [message.role for message in found.messages] == ["developer", "user", "assistant", "tool"]
    assert [tool.name for tool in found.tools] == ["exec_command", "multi_agent_v1__spawn"]
    assert found.output_format is not None
    assert found.reasoning == Reasoning(is_shown=True)
    assert set(found.lost) == {"client_metadata", "tools.namespace.description", "tools.web_search"}


def test_a_request_of_codex_reaches_a_chat_vendor() -> None:
    rendered = openai_chat.render_request(parse_request(json.dumps(CODEX).encode()), "vendor/m", Quirks())
    upstream = json.loads(rendered.body)
    assert [message["role"] for message in upstream["messages"]] == ["system", "user", "assistant", "tool"]
    assert upstream["messages"][2]["tool_calls"][0]["id"] == "c1"
    assert upstream["response_format"]["json_schema"]["name"] == "out"
    assert upstream["prompt_cache_key"] == "thread-1"
    assert "client_metadata" in rendered.dropped


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input.0"),
        ({"input": [{"id": "msg_1"}]}, "input.0"),
        ({"input": []}, "input"),
        ({"input": [{"type": "compaction"}]}, "input"),
        ({"input": 5}, "input"),
        ({"input": [{"role": "user", "content": 5}]}, "input.0.content"),
        ({"input": [{"role": "king", "content": "x"}]}, "input.0.role"),
        ({"input": [{"role": "user", "content": "x"}, {"type": "function_call", "name": "f"}]}, "input.1.call_id"),
        ({"input": [user({"type": "input_text"})]}, "input.0.content.0"),
        ({"tools": [{"type": "function"}]}, "tools.0.name"),
        ({"tools": [NAMESPACE | {"tools": [{"type": "function"}]}]}, "tools.0.tools.0.name"),
        ({"input": [{"type": "tool_search_output", "call_id": "c", "tools": [{}]}]}, "input.0.tools.0.name"),
        ({"input": [{"type": "additional_tools", "tools": [{}]}]}, "input.0.tools.0.name"),
        ({"input": [ADDITIONAL]}, "input"),
        ({"temperature": 3}, "temperature"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"model": ""}, "model"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_wrong_requests_are_refused_naming_the_field(fields: dict[str, object], param: str) -> None:
    assert refused(**fields).param == param


def test_a_continued_conversation_is_refused_with_the_code_that_clients_know() -> None:
    assert refused(previous_response_id="resp_1").code == "previous_response_not_found"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["user", "hi", "function", "f", "auto", "input_text"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(ResponseCreateParamsBase.__annotations__)), JSON, max_size=4),
    st.lists(
        st.builds(
            lambda kind, more: {"type": kind, "role": "user", "call_id": "c", "name": "f"} | more,
            st.sampled_from(
                ["message", "function_call", "function_call_output", "reasoning", "tool_search_output", "x"]
            ),
            st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=3),
        ),
        max_size=3,
    ),
)
def test_what_is_accepted_can_be_read(fields: dict[str, object], items: list[object]) -> None:
    """Nothing but a refusal comes of a wrong request, and none comes later than the parsing."""
    try:
        request = parse_request(body(**fields | {"input": items}))
    except InvalidRequest:
        return
    found = request.chat()
    named = {path.split(".")[0] for path in (*found.names.values(), *found.lost)}
    sent = {field for field, value in fields.items() if value is not None} - {"truncation"}
    assert sent <= named | set(ACTED_ON)
