"""Customers' chat completion requests: what is read, what is refused, what travels on unchanged."""

import json

import pytest

from kyma.core.chat import ImagePart, TextPart, ThinkingPart, ToolCallPart, ToolResultPart
from kyma.core.errors import InvalidRequest
from kyma.core.model import Quirks
from kyma.dialects import anthropic_messages
from kyma.dialects.openai_chat import parse_request, render_request


def body(**fields: object) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}).encode()


def sent(quirks: Quirks | None = None, **fields: object) -> dict[str, object]:
    """What an upstream gets for a request with these fields."""
    rendered = render_request(parse_request(body(**fields)), "vendor/m", quirks or Quirks())
    result: dict[str, object] = json.loads(rendered.body)
    return result


def test_max_tokens_defaults_to_4096() -> None:
    assert parse_request(body()).max_tokens == 4096


def test_max_tokens_is_never_capped() -> None:
    assert sent(max_tokens=2_000_000)["max_tokens"] == 2_000_000


def test_max_completion_tokens_wins_and_is_sent_under_the_vendors_name() -> None:
    upstream = sent(Quirks(max_tokens_field="max_completion_tokens"), max_tokens=5, max_completion_tokens=7)
    assert upstream["max_completion_tokens"] == 7
    assert "max_tokens" not in upstream


def test_unknown_fields_travel_unchanged() -> None:
    assert sent(weird={"a": [1, 2.5, None]}, seed=7)["weird"] == {"a": [1, 2.5, None]}


def test_usage_is_asked_for_upstream_whether_or_not_the_caller_did() -> None:
    assert sent(stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in sent()


def test_messages_keep_members_we_do_not_know() -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "x", "cache_hint": 1}], "custom": 3}]
    assert sent(messages=messages)["messages"] == messages


def test_roles_and_parts_are_read() -> None:
    request = parse_request(
        body(
            messages=[
                {"role": "developer", "content": "be brief"},
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}],
                },
                {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "hm",
                    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
                {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "42"}]},
            ]
        )
    )
    parts = [message.parts for message in request.chat().messages]
    assert parts[0] == (TextPart("be brief"),)
    assert parts[1] == (ImagePart("data:image/png;base64,AAAA"),)
    assert parts[2] == (ThinkingPart("hm"), ToolCallPart("c1", "f", "{}"))
    assert parts[3] == (ToolResultPart("c1", (TextPart("42"),)),)


def test_inline_images_do_not_count_as_text() -> None:
    url = "data:image/png;base64," + "A" * 100_000
    request = parse_request(body(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": url}]}]))
    assert request.input_bytes < 1_000
    assert request.image_count == 1


def test_input_bytes_bound_the_utf8_text() -> None:
    text = "naïve 漢字 \n" * 50
    request = parse_request(body(messages=[{"role": "user", "content": text}]))
    assert request.input_bytes >= len(text.encode())


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.tool_call_id"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content.0"),
        ({"model": 7}, "model"),
        ({"model": ""}, "model"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"n": 0}, "n"),
        ({"stream": "yes"}, "stream"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(body(**fields))
    assert caught.value.param == param


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"null", b"[]", b'{"model":"m"}', b"\xff\xfe", b'{"model":"\xff","messages":[]}', b"[" * 100_000],
)
def test_what_is_no_request_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_request(raw)


def test_deep_nesting_is_refused_and_brackets_in_text_are_not() -> None:
    with pytest.raises(InvalidRequest, match="64 levels"):
        parse_request(b'{"model":"m","messages":[],"x":' + b"[" * 70 + b"]" * 70 + b"}")
    assert parse_request(body(messages=[{"role": "user", "content": '[{"' * 200 + '\\"'}])).chat().messages


def test_developer_becomes_system_where_the_vendor_needs_it() -> None:
    messages = [{"role": "developer", "content": "x"}, {"role": "user", "content": "y"}]
    assert sent(messages=messages)["messages"] == [{"role": "system", "content": "x"}, messages[1]]
    assert sent(Quirks(roles_developer=True), messages=messages)["messages"] == messages


def test_several_system_messages_are_joined_where_only_one_is_taken() -> None:
    messages = [
        {"role": "system", "content": "a"},
        {"role": "user", "content": "u"},
        {"role": "system", "content": [{"type": "text", "text": "b"}]},
    ]
    assert sent(Quirks(single_system=True), messages=messages)["messages"] == [
        {"role": "system", "content": "a\n\nb"},
        {"role": "user", "content": "u"},
    ]


def test_a_default_system_message_is_sent_only_when_there_is_none() -> None:
    quirks = Quirks(default_system="You are a helpful assistant.")
    messages = sent(quirks)["messages"]
    assert isinstance(messages, list)
    assert messages[0] == {"role": "system", "content": "You are a helpful assistant."}
    own = [{"role": "system", "content": "mine"}, {"role": "user", "content": "u"}]
    assert sent(quirks, messages=own)["messages"] == own


def test_refused_fields_are_left_out() -> None:
    upstream = sent(Quirks(drop=("logprobs",), n_must_be_one=True), logprobs=True, n=2)
    assert "logprobs" not in upstream
    assert "n" not in upstream


def test_names_are_left_out_where_refused() -> None:
    messages = [{"role": "user", "content": "x", "name": "bob"}]
    assert sent(Quirks(drop_message_fields=("name",)), messages=messages)["messages"] == [
        {"role": "user", "content": "x"}
    ]


def test_tool_results_become_strings_where_needed() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    messages = [{"role": "tool", "tool_call_id": "c", "content": parts}]
    upstream = sent(Quirks(string_tool_content=True), messages=messages)["messages"]
    assert upstream == [{"role": "tool", "tool_call_id": "c", "content": "a\nb"}]


def test_a_refused_tool_choice_becomes_auto_or_goes() -> None:
    named = {"type": "function", "function": {"name": "f"}}
    assert sent(Quirks(tool_choices=("none", "auto")), tool_choice=named)["tool_choice"] == "auto"
    assert "tool_choice" not in sent(Quirks(tool_choices=()), tool_choice="required")
    assert sent(tool_choice=named)["tool_choice"] == named


@pytest.mark.parametrize(("asked", "given"), [("minimal", "low"), ("medium", "high"), ("xhigh", "max"), ("low", "low")])
def test_an_effort_becomes_the_nearest_taken(asked: str, given: str) -> None:
    assert sent(Quirks(efforts=("low", "high", "max")), reasoning_effort=asked)["reasoning_effort"] == given


def test_a_schema_is_said_in_words_where_it_is_not_taken() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    upstream = sent(Quirks(json_schema=False), response_format=wanted)
    assert upstream["response_format"] == {"type": "json_object"}
    messages = upstream["messages"]
    assert isinstance(messages, list)
    assert '"properties"' in messages[0]["content"]
    assert sent(response_format=wanted)["response_format"] == wanted


def test_earlier_reasoning_goes_back_in_the_vendors_field() -> None:
    messages = [{"role": "assistant", "content": "a", "reasoning_content": "r"}, {"role": "user", "content": "u"}]
    upstream = sent(Quirks(reasoning_field="reasoning"), messages=messages)["messages"]
    assert upstream == [{"role": "assistant", "content": "a", "reasoning": "r"}, {"role": "user", "content": "u"}]


def test_reasoning_is_given_back_empty_where_it_is_required() -> None:
    messages = [{"role": "assistant", "content": "a"}, {"role": "user", "content": "u"}]
    upstream = sent(Quirks(reasoning_required=True), messages=messages)["messages"]
    assert isinstance(upstream, list)
    assert upstream[0]["reasoning_content"] == ""


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
EPHEMERAL = {"type": "ephemeral"}


def test_a_cache_mark_on_a_part_a_message_or_a_tool_is_read() -> None:
    marked = [
        {"role": "system", "content": [{"type": "text", "text": "long", "cache_control": {**EPHEMERAL, "ttl": "1h"}}]},
        {"role": "user", "content": "hi", "cache_control": EPHEMERAL},
        {"role": "assistant", "content": "", "tool_calls": [CALL], "cache_control": EPHEMERAL},
        {"role": "tool", "tool_call_id": "c1", "content": "done", "cache_control": EPHEMERAL},
    ]
    tool = {"type": "function", "function": {"name": "f"}, "cache_control": EPHEMERAL}
    chat = parse_request(body(messages=marked, tools=[tool])).chat()
    system, user, assistant, result = (message.parts[-1] for message in chat.messages)
    assert system == TextPart("long", "1h")
    assert user == TextPart("hi", "5m")
    assert isinstance(assistant, ToolCallPart) and assistant.cache == "5m"
    assert isinstance(result, ToolResultPart) and result.cache == "5m"
    assert chat.tools[0].cache == "5m"
    places = "messages.content.cache_control, messages.cache_control, tools.cache_control"
    assert (chat.names["cache"], chat.lost) == (places, ())


def test_what_is_no_cache_mark_is_left_out_and_named() -> None:
    strange = [{"role": "user", "content": "hi", "cache_control": {"type": "eternal"}}]
    chat = parse_request(body(messages=strange)).chat()
    assert chat.messages[0].parts == (TextPart("hi"),)
    assert chat.lost == ("messages.cache_control",)


def test_a_cache_mark_reaches_a_vendor_of_messages() -> None:
    marked = [{"role": "user", "content": "hi", "cache_control": EPHEMERAL}]
    rendered = anthropic_messages.render_request(parse_request(body(messages=marked)), "claude-x", Quirks())
    assert json.loads(rendered.body)["messages"][0]["content"][-1]["cache_control"] == EPHEMERAL
    assert rendered.dropped == ()
