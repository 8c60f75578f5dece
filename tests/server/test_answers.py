"""Odd but sound answers of a vendor reach the customer whole."""

import json

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.server.api import Api
from tests.upstream.process import UpstreamProcess

PROMPT: list[ChatCompletionMessageParam] = [{"role": "user", "content": "one two three"}]


def tool(name: str) -> ChatCompletionToolParam:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


def test_parallel_tool_calls_arrive_whole(sdk: openai.OpenAI) -> None:
    answer = sdk.chat.completions.create(model="tools", messages=PROMPT, tools=[tool("weather"), tool("time")])
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.content is None
    calls = answer.choices[0].message.tool_calls or []
    assert [(call.type == "function" and call.function.name) for call in calls] == ["weather", "time"]


def test_fragments_of_parallel_tool_calls_add_up(sdk: openai.OpenAI) -> None:
    with sdk.chat.completions.stream(model="tools", messages=PROMPT, tools=[tool("weather"), tool("time")]) as stream:
        message = stream.get_final_completion().choices[0].message
    calls = message.tool_calls or []
    assert [call.id for call in calls] == ["call_0", "call_1"]
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Paris"}] * 2


@pytest.mark.parametrize("model", ["think", "think-tags"])
@pytest.mark.parametrize("is_streaming", [False, True])
def test_reasoning_has_a_field_of_its_own(operator: Api, model: str, is_streaming: bool) -> None:
    answer = operator.chat(model, stream=is_streaming)
    assert answer.text.strip() == {"think": "w0 w1 w2 w3 w4", "think-tags": "w2 w3 w4"}[model]
    if is_streaming:
        messages = [choice["delta"] for chunk in answer.chunks() for choice in chunk["choices"]]
    else:
        messages = [answer.json()["choices"][0]["message"]]
    thought = "".join(message.get("reasoning_content", "") for message in messages)
    assert thought.strip() == {"think": "t0 t1 t2", "think-tags": "hm"}[model]


def test_reasoning_is_counted_as_part_of_the_output(operator: Api) -> None:
    usage = operator.chat("think").json()["usage"]
    assert usage["completion_tokens_details"] == {"reasoning_tokens": 3}
    assert usage["completion_tokens"] == 8


def test_a_slow_first_byte_is_waited_for(operator: Api) -> None:
    assert operator.stream("slow").text == "w0 w1 w2 w3 w4"


def test_a_silent_stream_is_kept_alive_by_comments(operator: Api) -> None:
    answer = operator.stream("slow-head")
    assert answer.body.count(b": keep-alive\n\n") >= 2
    assert answer.text == "w0 w1 w2 w3 w4" and answer.is_finished


def test_a_vendors_comments_are_not_passed_on(operator: Api) -> None:
    answer = operator.stream("chatty")
    assert b": keep-alive" not in answer.body
    assert answer.text == "w0 w1 w2 w3 w4"


@pytest.mark.parametrize("is_streaming", [False, True])
def test_a_false_content_type_does_no_harm(operator: Api, is_streaming: bool) -> None:
    assert operator.chat("false-name", stream=is_streaming).text == "w0 w1 w2 w3 w4"


@pytest.mark.parametrize("is_streaming", [False, True])
def test_an_answer_that_says_nothing_is_free(customer: Api, is_streaming: bool) -> None:
    before = customer.balance()
    answer = customer.chat("empty", stream=is_streaming)
    assert answer.status == 200 and answer.text == ""
    assert customer.balance() == before


@pytest.mark.parametrize("is_streaming", [False, True])
def test_text_of_every_kind_comes_back_unharmed(operator: Api, is_streaming: bool) -> None:
    said = 'tiếng_Việt 😀 "quoted" \\back </script> \u2028 zero\u0000byte'
    messages = [{"role": "user", "content": said}]
    answer = operator.post("/v1/chat/completions", {"model": "echo", "messages": messages, "stream": is_streaming})
    assert answer.text == " ".join(said.split())


def test_unknown_parameters_reach_the_vendor(operator: Api, upstream: UpstreamProcess) -> None:
    extra = {"seed": 7, "logit_bias": {"50256": -100}, "made_up": [1, {"x": None}], "user": "u", "stop": ["\n\n"]}
    assert operator.chat("good", **extra).status == 200
    sent = upstream.log("script:ok")[-1].body
    assert {name: sent[name] for name in extra} == extra


def test_without_max_tokens_the_vendor_gets_4096(operator: Api, upstream: UpstreamProcess) -> None:
    operator.chat("good")
    assert upstream.log("script:ok")[-1].body["max_tokens"] == 4096


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_max_tokens_is_never_capped(operator: Api, upstream: UpstreamProcess, name: str) -> None:
    operator.chat("good", **{name: 60_001})
    assert upstream.log("script:ok")[-1].body["max_tokens"] == 60_001


def test_the_vendor_gets_its_own_key_and_not_the_customers(operator: Api, upstream: UpstreamProcess) -> None:
    operator.chat("good")
    headers = upstream.log("script:ok")[-1].headers
    assert headers["authorization"] == "Bearer sk-test-upstream"
    assert operator.key not in repr(headers)


def test_a_stream_always_asks_the_vendor_for_usage(operator: Api, upstream: UpstreamProcess) -> None:
    operator.stream("good")
    assert upstream.log("script:ok")[-1].body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("is_streaming", [False, True])
def test_an_alias_is_named_beside_the_model_that_answered(operator: Api, is_streaming: bool) -> None:
    answer = operator.chat("nickname", stream=is_streaming)
    assert (answer.headers["x-kyma-model"], answer.headers["x-kyma-alias"]) == ("good", "nickname")
    first = answer.chunks()[0] if is_streaming else answer.json()
    assert first["model"] == "good"


def test_an_alias_and_a_fallback_are_told_together(operator: Api) -> None:
    headers = operator.chat("stand-in").headers
    assert (headers["x-kyma-alias"], headers["x-kyma-model"]) == ("stand-in", "after-failed-500")
    assert (headers["x-kyma-fallback"], headers["x-kyma-fallback-layer"]) == ("true", "1")


@pytest.mark.parametrize("name", ["GOOD", "Good", "NickName"])
def test_names_are_taken_in_any_case(operator: Api, name: str) -> None:
    assert operator.chat(name).headers["x-kyma-model"] == "good"
