"""The same scripts in every family that the scripted upstream speaks: limits, faults, strange counts."""

import http.client
import json
import urllib.error
from typing import Any

import pytest

from tests.upstream.asking import chunks, events, generate, kinds, message, messages, post, response
from tests.upstream.process import UpstreamProcess
from tests.upstream.scripts import SCRIPTS


def test_openais_form_lets_the_fragments_of_two_calls_interleave(upstream: UpstreamProcess) -> None:
    body = {"model": "script:interleaved", "stream": True, "messages": []}
    lines = post(f"{upstream.base_url}/chat/completions", body, {}).decode().split("\n")
    deltas = [json.loads(line[6:])["choices"][0]["delta"] for line in lines if line.startswith("data: {")]
    indexes = [call["index"] for delta in deltas for call in delta.get("tool_calls", ())]
    assert indexes == [0, 0, 1, 1, 0, 1, 1, 0, 1]


@pytest.mark.parametrize("name", ["ok:tokens=9", "think", "tools:parallel=2", "interleaved", "agent", "echo"])
@pytest.mark.parametrize("limit", [1, 2, 4])
def test_no_family_says_more_than_was_asked_for(upstream: UpstreamProcess, name: str, limit: int) -> None:
    model = f"script:{name}"
    turns = [{"role": "user", "content": "one two three four five"}]
    found = events(upstream, model, max_tokens=limit, messages=turns)
    assert found[-2]["delta"]["stop_reason"] == "max_tokens"
    assert found[-2]["usage"]["output_tokens"] == limit
    assert message(upstream, model, max_tokens=limit, messages=turns)["usage"]["output_tokens"] == limit
    contents = [{"parts": [{"text": "one two three four five"}]}]
    for answer in (
        response(upstream, model, contents=contents, generationConfig={"maxOutputTokens": limit}),
        chunks(upstream, model, contents=contents, generation_config={"max_output_tokens": limit})[-1],
    ):
        assert answer["candidates"][0]["finishReason"] == "MAX_TOKENS"
        usage = answer["usageMetadata"]
        assert usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0) == limit


@pytest.mark.parametrize("mode", ["fin", "rst"])
@pytest.mark.parametrize("ask", [events, chunks])
def test_a_cut_stream_of_any_family_stops_after_k_tokens(upstream: UpstreamProcess, ask: Any, mode: str) -> None:
    model = f"script:cut:k=2,mode={mode}"
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        ask(upstream, model)
    (entry,) = upstream.log(model)
    assert (entry.tokens_sent, entry.outcome) == (2, "cut")


@pytest.mark.parametrize("ask", [messages, generate])
def test_a_cut_body_of_any_family_is_shorter_than_its_length(upstream: UpstreamProcess, ask: Any) -> None:
    with pytest.raises(http.client.IncompleteRead):
        ask(upstream, "script:cut")


@pytest.mark.parametrize("ask", [events, chunks, message, response])
def test_garbage_is_no_json_in_any_family(upstream: UpstreamProcess, ask: Any) -> None:
    with pytest.raises(json.JSONDecodeError):
        ask(upstream, "script:garbage-chunk")


def test_no_usage_means_none_in_any_family(upstream: UpstreamProcess) -> None:
    assert b'"usage' not in messages(upstream, "script:no-usage")
    assert b'"usage' not in messages(upstream, "script:no-usage", stream=True)
    assert b'"usage' not in generate(upstream, "script:no-usage")
    assert b'"usage' not in generate(upstream, "script:no-usage", verb="streamGenerateContent?alt=sse")


def test_strange_counts_are_said_in_each_familys_words(upstream: UpstreamProcess) -> None:
    assert message(upstream, "script:negative-usage")["usage"] == {"input_tokens": -5, "output_tokens": -7}
    assert events(upstream, "script:string-usage")[-2]["usage"] == {"input_tokens": "12", "output_tokens": "5"}
    usage = {"promptTokenCount": -5, "candidatesTokenCount": -7, "totalTokenCount": -12}
    assert response(upstream, "script:negative-usage")["usageMetadata"] == usage
    assert chunks(upstream, "script:negative-usage")[-1]["usageMetadata"] == usage


def test_a_final_count_can_come_twice_in_any_family(upstream: UpstreamProcess) -> None:
    assert kinds(events(upstream, "script:repeated-usage"))[-3:] == ["message_delta", "message_delta", "message_stop"]
    assert messages(upstream, "script:repeated-usage").count(b'"usage"') == 2
    assert generate(upstream, "script:repeated-usage").count(b'"usageMetadata"') == 2


def test_a_sign_of_life_comes_before_every_word(upstream: UpstreamProcess) -> None:
    assert kinds(events(upstream, "script:keepalive-comments:tokens=3")).count("ping") == 4
    stream = generate(upstream, "script:keepalive-comments:tokens=3", verb="streamGenerateContent?alt=sse")
    assert stream.count(b": keep-alive\n\n") == 3


@pytest.mark.parametrize("ask", [message, response])
def test_any_family_echoes_the_last_user_text(upstream: UpstreamProcess, ask: Any) -> None:
    assert '"one two three"' in json.dumps(ask(upstream, "script:echo"))


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in ("hang", "stall", "slow-first-byte")])
@pytest.mark.parametrize("is_streaming", [False, True])
def test_every_script_comes_to_an_end_in_every_family(upstream: UpstreamProcess, name: str, is_streaming: bool) -> None:
    model = f"script:{name}" + (":events=2" if name == "paced" else "")
    verb = "streamGenerateContent?alt=sse" if is_streaming else "generateContent"
    for ask, fields in ((messages, {"stream": is_streaming}), (generate, {"verb": verb})):
        try:
            ask(upstream, model, **fields)
        except urllib.error.HTTPError as error:
            error.close()
        except (http.client.HTTPException, ConnectionError):
            pass
    assert [entry.outcome in ("finished", "cut") for entry in upstream.log(model)] == [True, True]
    assert {entry.is_streaming for entry in upstream.log(model)} == {is_streaming}
