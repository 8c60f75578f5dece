"""Customers' Messages requests: what is read, what is refused, what is reported as lost."""

import json
from typing import Any

import pytest

from kyma.core.chat import (
    Chat,
    FilePart,
    ImagePart,
    Message,
    NativePart,
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
from kyma.dialects.anthropic_messages import NAME, parse_count, parse_request, render_count, render_error

CACHE = {"type": "ephemeral"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}


def body(**fields: object) -> bytes:
    messages = [{"role": "user", "content": "hi"}]
    return json.dumps({"model": "m", "max_tokens": 10, "messages": messages, **fields}).encode()


def read(**fields: object) -> Chat:
    return parse_request(body(**fields)).chat()


def test_max_tokens_is_required() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode())
    assert caught.value.param == "max_tokens"


def test_count_tokens_needs_no_max_tokens() -> None:
    request = parse_count(json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]}).encode())
    assert request.input_bytes >= 5
    assert render_count(7) == b'{"input_tokens":7}'


def test_system_is_a_string_or_blocks() -> None:
    assert read(system="be brief").messages[0] == Message("system", (TextPart("be brief"),))
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": {**CACHE, "ttl": "1h"}}]
    assert read(system=blocks).messages[0] == Message("system", (TextPart("a"), TextPart("b", "1h")))


def test_system_may_stand_anywhere_among_the_messages() -> None:
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "system", "content": "be kind"},
        {"role": "assistant", "content": "yes"},
        {"role": "system", "content": [{"type": "text", "text": "be quick"}]},
    ]
    assert read(messages=messages).messages == (
        Message("user", (TextPart("hi"),)),
        Message("system", (TextPart("be kind"),)),
        Message("assistant", (TextPart("yes"),)),
        Message("system", (TextPart("be quick"),)),
    )


def test_media_are_read() -> None:
    png = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "BBBB"}
    content = [
        {"type": "image", "source": png},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}, "cache_control": CACHE},
        {"type": "document", "source": pdf, "title": "paper.pdf"},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "document", "title": "T", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "inner"}]}},
        {"type": "search_result", "source": "https://s", "title": "S", "content": [{"type": "text", "text": "found"}]},
    ]
    request = parse_request(body(messages=[{"role": "user", "content": content}]))
    assert request.image_count == 2
    chat = request.chat()
    assert chat.messages[0].parts == (
        ImagePart("data:image/png;base64,AAAA"),
        ImagePart("https://example.com/a.png", cache="5m"),
        FilePart("data:application/pdf;base64,BBBB", None, "paper.pdf"),
        FilePart(None, None, None, url="https://example.com/a.pdf"),
        TextPart("T"),
        TextPart("words"),
        TextPart("inner"),
        TextPart("S\nhttps://s\nfound"),
    )
    assert chat.names == {
        "image": "messages.content.image",
        "cache": "messages.content.cache_control",
        "file": "messages.content.document",
    }
    assert chat.lost == ()


def test_inline_media_do_not_count_as_text() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 100_000}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": source}]}
    request = parse_request(body(messages=[{"role": "user", "content": [{"type": "image", "source": source}, result]}]))
    assert request.input_bytes < 1_000
    assert request.image_count == 2


def test_files_in_a_vendors_keeping_need_that_vendor() -> None:
    block = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
    request = parse_request(body(messages=[{"role": "user", "content": [block]}]))
    assert request.needs_native
    assert request.chat().lost == ("messages.content.image",)
    assert isinstance(request.chat().messages[0].parts[0], NativePart)


def test_calls_and_results_are_read_results_first() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}}
    png = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
    results = [
        {"type": "text", "text": "there"},
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "42", "is_error": True, "cache_control": CACHE},
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": [{"type": "text", "text": "see"}, png]},
        {"type": "tool_result", "tool_use_id": "toolu_3"},
    ]
    messages = [{"role": "assistant", "content": [call]}, {"role": "user", "content": results}]
    chat = read(messages=messages)
    assert chat.messages == (
        Message("assistant", (ToolCallPart("toolu_1", "f", '{"x": 1}'),)),
        Message("tool", (ToolResultPart("toolu_1", (TextPart("42"),), True, "5m"),)),
        Message("tool", (ToolResultPart("toolu_2", (TextPart("see"), ImagePart("data:image/png;base64,AA"))),)),
        Message("tool", (ToolResultPart("toolu_3", ()),)),
        Message("user", (TextPart("there"),)),
    )
    assert chat.names["is_error"] == "messages.content.is_error"


def test_deferred_tools_are_marked_and_the_placeholder_is_never_offered() -> None:
    tools = [
        {"name": "ToolSearch", "input_schema": {"type": "object"}},
        {"name": "WebFetch", "input_schema": {"type": "object"}, "defer_loading": True},
        {"name": "DeferredToolPlaceholder", "input_schema": {"type": "object"}, "defer_loading": True},
    ]
    reference = {"type": "tool_reference", "tool_name": "WebFetch"}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [reference]}
    chat = read(tools=tools, messages=[{"role": "user", "content": [result]}])
    assert [(tool.name, tool.is_deferred) for tool in chat.tools] == [("ToolSearch", False), ("WebFetch", True)]
    assert chat.messages[0].parts == (ToolResultPart("t", (ToolReferencePart("WebFetch"),)),)
    assert chat.names["deferred_tools"] == "tools.defer_loading"


def test_thoughts_keep_their_proof_and_where_it_belongs() -> None:
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "Eq=="},
        {"type": "thinking", "thinking": "unsigned", "signature": ""},
        {"type": "thinking", "thinking": "theirs", "signature": "kyma.openai_responses.gA.A"},
        {"type": "redacted_thinking", "data": "Em=="},
        {"type": "thinking", "thinking": "", "signature": "kyma.gemini#call.Ci"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    ]
    request = parse_request(body(messages=[{"role": "assistant", "content": content}]))
    assert request.needs_native
    assert request.chat().messages[0].parts == (
        ThinkingPart("hm", "Eq==", NAME),
        ThinkingPart("unsigned", None, ""),
        ThinkingPart("theirs", "gA.A", "openai_responses"),
        ThinkingPart("", None, NAME, "Em=="),
        ToolCallPart("t", "f", "{}", signature="Ci", origin="gemini"),
    )


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "hm"},
        {"type": "thinking", "thinking": "hm", "signature": None},
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "thinking", "thinking": "hm", "signature": "kyma.gemini.Ci"},
        {"type": "redacted_thinking", "data": "kyma.openai_responses.gA"},
    ],
)
def test_thoughts_from_elsewhere_need_no_native_upstream(block: dict[str, object]) -> None:
    assert not parse_request(body(messages=[{"role": "assistant", "content": [block]}])).needs_native


@pytest.mark.parametrize(
    "fields",
    [
        {"cache_control": CACHE},
        {"system": [{"type": "text", "text": "x", "cache_control": CACHE}]},
        {"tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": CACHE}]},
        {"tools": [{"type": "web_search_20260209", "name": "web_search"}]},
        {"container": "c_1"},
        {"mcp_servers": [{"type": "url", "url": "https://example.com", "name": "x"}]},
        {"max_tokens": 0},
    ],
)
def test_what_only_anthropic_can_do_prefers_its_routes(fields: dict[str, object]) -> None:
    assert not parse_request(body()).needs_native
    assert parse_request(body(**fields)).needs_native


def test_a_mark_at_the_top_stands_behind_the_last_part() -> None:
    chat = read(cache_control={**CACHE, "ttl": "1h"})
    assert chat.messages[-1].parts == (TextPart("hi", "1h"),)
    assert chat.names["cache"] == "cache_control"


@pytest.mark.parametrize(
    ("choice", "expected", "parallel"),
    [
        ({"type": "auto"}, ToolChoice("auto"), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required"), False),
        ({"type": "tool", "name": "f", "disable_parallel_tool_use": False}, ToolChoice("required", ("f",)), True),
        ({"type": "none"}, ToolChoice("none"), None),
    ],
)
def test_tool_choices(choice: dict[str, object], expected: ToolChoice, parallel: bool | None) -> None:
    chat = read(tool_choice=choice)
    assert (chat.tool_choice, chat.parallel_tool_calls) == (expected, parallel)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Reasoning(budget_tokens=2048)),
        ({"thinking": {"type": "disabled"}}, Reasoning("none")),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, Reasoning(is_shown=False)),
        ({"output_config": {"effort": "max"}}, Reasoning("max")),
        (
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "xhigh"}},
            Reasoning("xhigh", None, True),
        ),
    ],
)
def test_thinking_and_effort_are_one_wish(fields: dict[str, object], expected: Reasoning | None) -> None:
    assert read(**fields).reasoning == expected


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, "output_config.format"),
        ({"output_format": {"type": "json_schema", "schema": SCHEMA}}, "output_format"),
    ],
)
def test_the_output_format_under_either_name(fields: dict[str, object], path: str) -> None:
    chat = read(**fields)
    assert isinstance(chat.output_format, OutputFormat)
    assert chat.output_format.schema is not None
    assert json.loads(bytes(chat.output_format.schema)) == SCHEMA
    assert chat.names["output_format"] == path


def test_the_wishes_of_a_request_are_read_and_named() -> None:
    chat = read(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        stop_sequences=["END"],
        metadata={"user_id": "u"},
        service_tier="standard_only",
    )
    assert (chat.temperature, chat.top_p, chat.top_k, chat.stop) == (0.5, 0.9, 40, ("END",))
    assert (chat.user, chat.service_tier) == ("u", "default")
    assert chat.names["user"] == "metadata.user_id"
    assert chat.names["stop"] == "stop_sequences"
    assert chat.lost == ()


def test_what_no_other_dialect_can_hold_is_reported() -> None:
    tool = {"name": "f", "input_schema": {"type": "object"}, "eager_input_streaming": True, "input_examples": [{}]}
    cited = {"type": "text", "text": "x", "citations": [{"type": "char_location"}]}
    chat = read(
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "hi", "citations": None}], "clear_at": "never"},
            {"role": "assistant", "content": [cited, {"type": "server_tool_use", "id": "s", "name": "w", "input": {}}]},
        ],
        tools=[tool, {"type": "web_search_20260209", "name": "web_search"}],
        context_management={"edits": []},
        thinking={"type": "adaptive", "updates": True},
        output_config={"effort": "high", "task_budget": {"type": "tokens", "total": 9}},
        metadata={"user_id": "u", "team": "t"},
        brand_new_field=1,
        container=None,
    )
    assert set(chat.lost) == {
        "messages.clear_at",
        "messages.content.citations",
        "messages.content.server_tool_use",
        "tools.eager_input_streaming",
        "tools.input_examples",
        "tools.web_search_20260209",
        "context_management",
        "thinking.updates",
        "output_config.task_budget",
        "metadata.team",
        "brand_new_field",
    }


FIELDS: dict[str, object] = {
    "system": "x",
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "stop_sequences": ["x"],
    "stream": True,
    "metadata": {"user_id": "u"},
    "service_tier": "auto",
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "low"},
    "output_format": {"type": "json_schema", "schema": SCHEMA},
    "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto"},
    "cache_control": CACHE,
    "inference_geo": "eu",
    "speed": "fast",
    "diagnostics": {"previous_message_id": "m"},
    "context_management": {"edits": []},
    "container": "c",
    "mcp_servers": [{}],
    "fallbacks": [{}],
    "user_profile_id": "u",
    "x_anything": [1],
}
UNREPORTED = {"system", "stream"}
"""Every dialect can say them."""


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_read_into_a_named_concept_or_reported_as_lost(field: str) -> None:
    chat = read(**{field: FIELDS[field]})
    known = {path.split(".")[0] for name in chat.names.values() for path in name.split(", ")}
    lost = {path.split(".")[0] for path in chat.lost}
    assert (field in known) + (field in lost) + (field in UNREPORTED) == 1


def test_threads_are_refused_so_that_clients_fall_back_to_the_whole_history() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(body(thread={"type": "create"}))
    error: dict[str, Any] = json.loads(render_error(caught.value))
    assert caught.value.status == 400
    assert error["error"]["type"] == "invalid_request_error"
    assert error["error"]["details"] == {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages.0.content.0.source"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64"}}]}]},
            "messages.0.content.0.source.media_type",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]}, "messages.0.content.0.tool_use_id"),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f"}]}]},
            "messages.0.content.0.input",
        ),
        ({"model": 7}, "model"),
        ({"model": ""}, "model"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"stream": "yes"}, "stream"),
        ({"system": 5}, "system"),
        ({"tools": [{"name": "f"}]}, "tools.0.input_schema"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"thinking": {"type": "enabled", "budget_tokens": "x"}}, "thinking.budget_tokens"),
        ({"cache_control": {"type": "ephemeral", "ttl": "2h"}}, "cache_control.ttl"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(body(**fields))
    assert caught.value.param == param


@pytest.mark.parametrize("raw", [b"", b"{", b"null", b"[]", b'{"model":"m"}', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_request(raw)


def test_the_betas_of_a_customer_are_kept() -> None:
    headers = ((b"anthropic-beta", b"context-1m-2025-08-07,whatever-new"),)
    assert parse_request(body(), headers).native.headers == headers


def test_blocks_that_nobody_knows_are_taken_as_they_come() -> None:
    new = {"type": "tool_addition", "tool": {"name": "f"}, "content": {"deep": [1]}}
    request = parse_request(body(messages=[{"role": "user", "content": [new, {"type": "text", "text": "x"}]}]))
    part = request.chat().messages[0].parts[0]
    assert isinstance(part, NativePart)
    assert json.loads(bytes(part.raw)) == new
