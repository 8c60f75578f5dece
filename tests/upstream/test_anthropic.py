"""The scripted upstream as Anthropic: its messages, events, blocks, counts and refusals."""

import json
import urllib.error

import anthropic
import pytest

from tests.upstream import anthropic_talk
from tests.upstream.asking import ANTHROPIC_TOOLS, VERSION, Json, events, kinds, message, messages, post, refusal
from tests.upstream.process import UpstreamProcess


def test_a_message_counts_its_words(upstream: UpstreamProcess) -> None:
    answer = message(upstream, "script:ok:tokens=3", system=[{"type": "text", "text": "be brief"}])
    assert answer["content"] == [{"type": "text", "text": "w0 w1 w2"}]
    assert (answer["type"], answer["role"], answer["stop_reason"]) == ("message", "assistant", "end_turn")
    assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (5, 3)


def test_the_events_of_a_message_come_in_order(upstream: UpstreamProcess) -> None:
    found = events(upstream, "script:ok:tokens=2")
    assert kinds(found) == [
        *("message_start", "ping", "content_block_start", "content_block_delta", "content_block_delta"),
        *("content_block_stop", "message_delta", "message_stop"),
    ]
    assert found[0]["message"]["content"] == []
    assert found[0]["message"]["usage"]["input_tokens"] == 3
    assert found[-2]["delta"]["stop_reason"] == "end_turn"
    assert found[-2]["usage"]["output_tokens"] == 2


def test_a_thinking_block_is_signed_just_before_its_end(upstream: UpstreamProcess) -> None:
    found = events(upstream, "script:think:tokens=1")
    stop = kinds(found).index("content_block_stop")
    signature = {"type": "signature_delta", "signature": anthropic_talk.SIGNATURE}
    assert found[stop - 1] == {"type": "content_block_delta", "index": 0, "delta": signature}
    assert found[stop + 1]["content_block"] == {"type": "text", "text": ""}
    assert found[-2]["usage"]["output_tokens"] == 4
    assert found[-2]["usage"]["output_tokens_details"] == {"thinking_tokens": 3}


def test_a_whole_message_holds_the_same_thought(upstream: UpstreamProcess) -> None:
    thought = {"type": "thinking", "thinking": "t0 t1 t2", "signature": anthropic_talk.SIGNATURE}
    assert message(upstream, "script:think:tokens=1")["content"] == [thought, {"type": "text", "text": "w0"}]


def test_blocks_never_overlap_though_calls_interleave(upstream: UpstreamProcess) -> None:
    found = events(upstream, "script:interleaved", tools=ANTHROPIC_TOOLS)
    open_block, arguments = None, {}
    for event in found:
        if event["type"] == "content_block_start":
            assert open_block is None
            open_block = event["index"]
            arguments[event["content_block"].get("id")] = ""
        elif event["type"] == "content_block_delta":
            assert event["index"] == open_block
            arguments[list(arguments)[-1]] += event["delta"].get("partial_json", "")
        elif event["type"] == "content_block_stop":
            open_block = None
    del arguments[None]
    assert {id: json.loads(text) for id, text in arguments.items()} == {
        "call_paris": {"city": "Paris"},
        "call_oslo": {"city": "Oslo"},
    }
    assert found[-2]["delta"]["stop_reason"] == "tool_use"


def test_a_whole_message_holds_both_calls(upstream: UpstreamProcess) -> None:
    answer = message(upstream, "script:interleaved", tools=ANTHROPIC_TOOLS)
    assert answer["content"][1:] == [
        {"type": "tool_use", "id": "call_paris", "name": "look", "input": {"city": "Paris"}},
        {"type": "tool_use", "id": "call_oslo", "name": "find", "input": {"city": "Oslo"}},
    ]


def test_anthropic_counts_cached_tokens_beside_the_input(upstream: UpstreamProcess) -> None:
    usage = message(upstream, "script:cached")["usage"]
    assert usage["input_tokens"] == 0
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (2, 1)
    assert events(upstream, "script:cached")[0]["message"]["usage"]["cache_read_input_tokens"] == 2


def test_an_anthropic_agent_asks_once_and_answers_the_result(upstream: UpstreamProcess) -> None:
    asked = message(upstream, "script:agent", tools=ANTHROPIC_TOOLS)
    assert [block["type"] for block in asked["content"]] == ["thinking", "tool_use"]
    turns = [
        {"role": "user", "content": "weather"},
        {"role": "assistant", "content": asked["content"]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "sun and rain"}]},
    ]
    answer = message(upstream, "script:agent", tools=ANTHROPIC_TOOLS, messages=turns)
    assert [block["type"] for block in answer["content"]] == ["thinking", "text"]
    assert answer["usage"]["input_tokens"] == 4
    later = [*turns, {"role": "assistant", "content": "fine"}, {"role": "user", "content": "again"}]
    assert message(upstream, "script:agent", tools=ANTHROPIC_TOOLS, messages=later)["stop_reason"] == "end_turn"
    again = message(upstream, "script:agent:again=1", tools=ANTHROPIC_TOOLS, messages=later)
    assert again["stop_reason"] == "tool_use"


def test_an_anthropic_agent_without_tools_just_answers(upstream: UpstreamProcess) -> None:
    assert message(upstream, "script:agent")["stop_reason"] == "end_turn"


def test_an_error_event_ends_a_message(upstream: UpstreamProcess) -> None:
    found = events(upstream, "script:error-in-stream:k=1")
    assert kinds(found)[-2:] == ["content_block_delta", "error"]
    assert found[-1]["error"]["type"] == "overloaded_error"
    assert message(upstream, "script:error-in-stream")["type"] == "error"


def test_anthropic_wants_its_version(upstream: UpstreamProcess) -> None:
    body = {"model": "script:ok", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
    assert refusal(lambda: post(f"{upstream.origin}/v1/messages", body, {})) == (400, "invalid_request_error")


@pytest.mark.parametrize("fields", [{"model": "script:nope"}, {"max_tokens": None}, {"messages": [{"role": "tool"}]}])
def test_what_anthropic_would_not_take_is_refused_in_its_words(upstream: UpstreamProcess, fields: Json) -> None:
    body = {"model": "script:ok", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}], **fields}
    url = f"{upstream.origin}/v1/messages"
    assert refusal(lambda: post(url, body, VERSION)) == (400, "invalid_request_error")


def test_anthropics_refusals_carry_type_and_retry_after(upstream: UpstreamProcess) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        messages(upstream, "script:429:s=7")
    with caught.value as error:
        assert (error.code, error.headers["retry-after"]) == (429, "7")
        assert error.headers["request-id"]
        assert json.load(error)["error"]["type"] == "rate_limit_error"
    assert refusal(lambda: messages(upstream, "script:status:code=529")) == (529, "overloaded_error")


def test_the_official_client_understands_the_messages(upstream: UpstreamProcess) -> None:
    turn: anthropic.types.MessageParam = {"role": "user", "content": "hi"}
    with (
        anthropic.Anthropic(base_url=upstream.origin, api_key="none", max_retries=0) as client,
        client.messages.stream(model="script:agent", max_tokens=64, messages=[turn]) as stream,
    ):
        final = stream.get_final_message()
    thought, text = final.content
    assert thought.type == "thinking" and thought.signature == anthropic_talk.SIGNATURE
    assert text.type == "text" and text.text == "w0 w1 w2 w3 w4"
    assert final.usage.output_tokens == 8


def test_the_log_keeps_the_form_of_a_message_and_signed_blocks_whole(upstream: UpstreamProcess) -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    thought = {"type": "thinking", "thinking": "hm é", "signature": "a+b/c=="}
    call = {"type": "tool_use", "id": "call_1", "name": "look", "input": {"city": "secret"}}
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "secret"}]}
    turns = [
        {"role": "user", "content": "secret"},
        {"role": "assistant", "content": [thought, call]},
        {"role": "user", "content": [result, {"type": "text", "text": "secret", "cache_control": mark}]},
    ]
    messages(upstream, "script:ok", system="secret", messages=turns)
    (entry,) = upstream.log()
    assert entry.dialect == "anthropic_messages"
    assert entry.body == {
        "model": "script:ok",
        "max_tokens": 64,
        "system": "",
        "messages": [
            {"role": "user", "content": ""},
            {"role": "assistant", "content": [thought, {**call, "input": {}}]},
            {
                "role": "user",
                "content": [
                    {**result, "content": [{"type": "text", "text": ""}]},
                    {"type": "text", "text": "", "cache_control": mark},
                ],
            },
        ],
    }
    assert entry.signed == [json.dumps(thought)]
