"""Conversations of an Anthropic customer over two turns, and across to OpenAI chat and back."""

import json
from dataclasses import dataclass
from typing import Any

from anthropic.types import RawMessageStreamEvent
from openai.types.chat import ChatCompletionChunk
from pydantic import TypeAdapter

from kyma.core.answer import Bill, ChatEvent, UsageReport
from kyma.core.model import Quirks, Usage
from kyma.dialects import anthropic_messages, openai_chat
from tests.dialects import test_anthropic_stream as anthropic_streams
from tests.dialects import test_openai_chat_stream as openai_streams

BILL = Bill(Usage(8, 4, 2, 3, 1), 350_000, 622_000, is_estimated=False)
MARK = {"type": "ephemeral"}


@dataclass(frozen=True)
class Reply:
    request_id: str = "req_abc"
    model_id: str = "claude-sonnet-4-6"
    created: int = 1779000000
    input_estimate: int = 12


def agent_request(*later: dict[str, Any]) -> bytes:
    """What Claude Code sends, with its system blocks, marks, deferred tools and a system message in the middle."""
    schema = {"type": "object", "properties": {}}
    return json.dumps(
        {
            "model": "claude-sonnet-4-6",
            "max_tokens": 32000,
            "stream": True,
            "system": [
                {"type": "text", "text": "You are an agent."},
                {"type": "text", "text": "x", "cache_control": MARK},
            ],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "fix it", "cache_control": MARK}]},
                {"role": "system", "content": "The user is in Paris."},
                *later,
            ],
            "tools": [
                {"name": "get_weather", "description": "d", "input_schema": schema, "eager_input_streaming": True},
                {"name": "now", "input_schema": schema},
                {"name": "WebFetch", "input_schema": schema, "defer_loading": True},
                {"name": "DeferredToolPlaceholder", "input_schema": schema, "defer_loading": True},
            ],
            "thinking": {"type": "adaptive", "display": "omitted"},
            "output_config": {"effort": "high"},
            "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
            "metadata": {"user_id": '{"device":"d"}'},
        }
    ).encode()


def told(body: bytes, events: list[ChatEvent]) -> bytes:
    encoder = anthropic_messages.stream_encoder(anthropic_messages.parse_request(body), Reply())
    return b"".join(map(encoder.encode, events)) + encoder.end(BILL)


def put_together(stream: bytes) -> list[dict[str, Any]]:
    """The blocks of a stream, as an SDK gives them back in the next turn."""
    blocks: list[dict[str, Any]] = []
    for frame in stream.decode().strip().split("\n\n"):
        event = json.loads(frame.split("\n")[1].removeprefix("data: "))
        TypeAdapter(RawMessageStreamEvent).validate_python(event)
        if event["type"] == "content_block_start":
            blocks.append({**event["content_block"], "json": ""})
        elif event["type"] == "content_block_delta":
            said = event["delta"]
            for member in ("text", "thinking", "signature"):
                if member in said:
                    blocks[-1][member] += said[member]
            blocks[-1]["json"] += said.get("partial_json", "")
    for block in blocks:
        arguments = block.pop("json")
        if block["type"] == "tool_use":
            block["input"] = json.loads(arguments or "{}")
    return blocks


def second_turn(blocks: list[dict[str, Any]]) -> bytes:
    calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    reference = [{"type": "tool_reference", "tool_name": "WebFetch"}]
    results = [{"type": "tool_result", "tool_use_id": call, "content": reference} for call in calls]
    return agent_request({"role": "assistant", "content": blocks}, {"role": "user", "content": results})


def test_two_turns_through_the_gateway_keep_signed_blocks_to_the_byte() -> None:
    decoder = anthropic_messages.stream_decoder(Quirks())
    events = decoder.feed(anthropic_streams.THINKING) + decoder.close()
    blocks = put_together(told(agent_request(), events))
    body = second_turn(blocks)
    sent = anthropic_messages.render_request(anthropic_messages.parse_request(body), "vendor/claude", Quirks())
    assert json.loads(sent.body) == {**json.loads(body), "model": "vendor/claude"}
    assert b'"signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3h=="' in sent.body
    assert b'"data": "EmwKAhgBEgy3va3pzix/LafPsn4a"' in sent.body
    assert (sent.dropped, sent.emulated) == ((), ())


def test_the_same_conversation_against_openai_chat_reports_what_it_lost() -> None:
    decoder = anthropic_messages.stream_decoder(Quirks())
    blocks = put_together(told(agent_request(), decoder.feed(anthropic_streams.THINKING)))
    request = anthropic_messages.parse_request(second_turn(blocks))
    sent = openai_chat.render_request(request, "vendor/gpt", Quirks())
    body = json.loads(sent.body)
    assert "context_management" in sent.dropped
    assert "tools.eager_input_streaming" in sent.dropped
    assert any("thinking" in path for path in sent.dropped)
    assert any("cache_control" in path for path in sent.dropped)
    assert "Eq" not in json.dumps(body["messages"])
    roles = [message["role"] for message in body["messages"]]
    assert [role for role in roles if role != "system"] == ["user", "assistant", "tool", "tool"]
    assert "DeferredToolPlaceholder" not in sent.body.decode()
    assert "WebFetch" in {tool["function"]["name"] for tool in body["tools"]}


def test_streams_of_openai_chat_reach_an_anthropic_customer() -> None:
    for stream in (openai_streams.PLAIN, openai_streams.TOOLS):
        for at in range(0, len(stream), 7):
            decoder = openai_chat.stream_decoder(Quirks())
            events = decoder.feed(stream[:at]) + decoder.feed(stream[at:]) + decoder.close()
            blocks = put_together(told(agent_request(), events))
            if stream is openai_streams.PLAIN:
                assert blocks == [{"type": "text", "text": "Hello ümlaut"}]
            else:
                assert [(block["id"], block["input"]) for block in blocks] == [("a", {"x": 1}), ("b", {})]


def test_streams_of_anthropic_reach_an_openai_chat_customer() -> None:
    decoder = anthropic_messages.stream_decoder(Quirks())
    events = decoder.feed(anthropic_streams.THINKING) + decoder.close()
    message = {"role": "user", "content": "hi"}
    request = openai_chat.parse_request(json.dumps({"model": "m", "messages": [message], "stream": True}).encode())
    encoder = openai_chat.stream_encoder(request, Reply())
    spoken = [event for event in events if not isinstance(event, UsageReport)]
    stream = b"".join(map(encoder.encode, spoken)) + encoder.end(BILL)
    chunks = [json.loads(line[6:]) for line in stream.split(b"\n\n") if line.startswith(b"data: {")]
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk)
    arguments: dict[int, str] = {}
    for chunk in chunks:
        for call in chunk["choices"][0]["delta"].get("tool_calls", ()):
            arguments[call["index"]] = arguments.get(call["index"], "") + call["function"].get("arguments", "")
    assert arguments == {0: '{"city": "Paris"}', 1: "{}"}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_chat_of_openai_goes_to_anthropic_in_its_words() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
    body = {
        "model": "m",
        "messages": [
            {"role": "developer", "content": "be brief"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]},
            {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "42"}]},
            {"role": "user", "content": "and?"},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "parallel_tool_calls": False,
        "seed": 7,
        "stop": "END",
    }
    request = openai_chat.parse_request(json.dumps(body).encode())
    sent = anthropic_messages.render_request(request, "claude-x", Quirks())
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}
    assert json.loads(sent.body) == {
        "model": "claude-x",
        "max_tokens": 4096,
        "system": [{"type": "text", "text": "be brief"}],
        "messages": [
            {"role": "user", "content": [image]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1", "name": "f", "input": {}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "42"},
                    {"type": "text", "text": "and?"},
                ],
            },
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "stop_sequences": ["END"],
    }
    assert set(sent.dropped) == {"seed", "messages.reasoning_content"}
