"""Legacy completions: prompts that become chats, and chats that come back as plain text; the SDK takes both."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import msgspec
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion

from kyma.core.answer import (
    Bill,
    ChatEvent,
    ChatResponse,
    Choice,
    Finish,
    FinishReason,
    NativeDelta,
    PartEnd,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import Message, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import InvalidRequest, NoRouteLeft
from kyma.core.model import Quirks, Usage
from kyma.dialects import openai_chat
from kyma.dialects.openai_completions import parse_request, render_error, render_response, stream_encoder
from kyma.dialects.openai_completions.read import CHECKED, OURS


@dataclass
class OurReply:
    request_id: str = "req_1"
    model_id: str = "m"
    created: int = 1_700_000_000
    input_estimate: int = 1


BILL = Bill(Usage(8, 4, 0, 3, 1), 5_000, 1_000, False)
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 3,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 1},
    "cached_tokens": 4,
    "cache_write_tokens": 0,
    "cost": 0.000005,
    "cache_discount": 0.000001,
}


def body(**fields: object) -> bytes:
    return json.dumps({"model": "m", "prompt": "Once upon", **fields}).encode()


def shown(*choices: Choice) -> dict[str, Any]:
    """What the customer sees of an answer."""
    rendered: dict[str, Any] = json.loads(render_response(ChatResponse(choices, None), OurReply(), BILL))
    Completion.model_validate(rendered)
    return rendered


def stream(*events: ChatEvent, **fields: object) -> list[dict[str, Any]]:
    """The chunks that the customer sees of a whole stream."""
    encoder = stream_encoder(parse_request(body(stream=True, **fields)), OurReply())
    frames = b"".join([*map(encoder.encode, events), encoder.end(BILL)]).split(b"\n\n")
    assert frames.pop() == b"" and frames.pop() == b"data: [DONE]"
    return [json.loads(frame.removeprefix(b"data: ")) for frame in frames]


def test_a_prompt_becomes_one_user_message() -> None:
    for prompt in ("Once upon", ["Once upon"]):
        request = parse_request(body(prompt=prompt))
        assert request.chat().messages == (Message("user", (TextPart("Once upon"),)),)
        assert request.roles == {"user"}
        assert request.input_bytes >= len("Once upon")


def test_max_tokens_defaults_to_openais_16() -> None:
    assert parse_request(body()).max_tokens == parse_request(body()).chat().max_tokens == 16
    assert parse_request(body(max_tokens=500)).chat().max_tokens == 500


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"prompt": ["a", "b"]}, "prompt", "2 prompts in one request are not supported"),
        ({"prompt": [1, 2, 3]}, "prompt", "a prompt of token ids is not supported"),
        ({"prompt": [[1, 2], [3]]}, "prompt", "a prompt of token ids is not supported"),
        ({"prompt": ""}, "prompt", "must not be empty"),
        ({"prompt": []}, "prompt", "must not be empty"),
        ({"prompt": [""]}, "prompt", "must not be empty"),
        ({"prompt": None}, "prompt", "Expected"),
        ({"suffix": "the end"}, "suffix", "suffix is not supported"),
        ({"echo": True}, "echo", "echo is not supported"),
        ({"n": 2, "best_of": 1}, "best_of", "smaller than n"),
        ({"max_tokens": 0}, "max_tokens", ">= 1"),
        ({"temperature": 3}, "temperature", "<= 2"),
        ({"top_p": -1}, "top_p", ">= 0"),
        ({"n": 0}, "n", ">= 1"),
        ({"stop": 3}, "stop", "Expected"),
        ({"presence_penalty": 5}, "presence_penalty", "<= 2"),
        ({"model": ""}, "model", "must name a model"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(fields: dict[str, object], param: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_request(body(**fields))
    assert (caught.value.status, caught.value.param) == (400, param)
    assert words in caught.value.message


def test_a_missing_prompt_is_named() -> None:
    with pytest.raises(InvalidRequest, match="missing required field prompt"):
        parse_request(b'{"model":"m"}')


def test_what_a_chat_can_say_is_said() -> None:
    chat = parse_request(
        body(temperature=0.5, top_p=0.9, top_k=3, n=2, seed=7, stop="END", presence_penalty=1, user="u")
    ).chat()
    assert (chat.temperature, chat.top_p, chat.top_k, chat.n, chat.seed) == (0.5, 0.9, 3, 2, 7)
    assert (chat.stop, chat.presence_penalty, chat.user) == (("END",), 1, "u")
    assert chat.lost == ()


def test_an_empty_list_of_stops_asks_for_nothing() -> None:
    chat = parse_request(body(stop=[])).chat()
    assert (chat.stop, chat.names, chat.lost) == ((), {}, ())


def test_what_no_chat_can_say_is_reported() -> None:
    assert parse_request(body(best_of=3, logprobs=2, odd={"a": 1})).chat().lost == ("best_of", "logprobs", "odd")
    assert parse_request(body(logprobs=0)).chat().lost == ("logprobs",)


def test_fields_that_ask_for_nothing_are_not_reported() -> None:
    request = parse_request(body(suffix="", echo=False, best_of=2, n=2, logprobs=None, user=None))
    assert request.chat().lost == ()


VALUES: dict[str, object] = {
    **{"stream": True, "stream_options": {"include_usage": True}, "max_tokens": 5, "n": 2, "temperature": 1.0},
    **{"top_p": 0.5, "top_k": 5, "stop": ["a"], "seed": 1, "presence_penalty": 0.1, "frequency_penalty": 0.1},
    **{"logit_bias": {"50256": -100}, "user": "u", "suffix": "", "echo": False, "best_of": 4, "logprobs": 1},
    **{"odd": [], "min_p": 0.1, "idempotency_key": "k"},
}


@given(st.sets(st.sampled_from(sorted(VALUES))))
def test_every_field_is_mapped_or_reported(used: set[str]) -> None:
    chat = parse_request(body(**{name: VALUES[name] for name in used})).chat()
    told = {*OURS, *CHECKED, *chat.names.values(), *chat.lost}
    assert used <= told
    assert set(chat.lost).isdisjoint(chat.names.values())


def test_a_chat_vendor_is_sent_a_chat_and_the_report_names_the_customers_fields() -> None:
    request = parse_request(body(stop=["a"], temperature=0, logit_bias={"5": 1}, logprobs=1, seed=3, stream=True))
    rendered = openai_chat.render_request(request, "vendor/m", Quirks(drop=("seed",)))
    sent = json.loads(rendered.body)
    assert sent["messages"] == [{"role": "user", "content": "Once upon"}]
    assert (sent["model"], sent["max_tokens"], sent["temperature"], sent["stop"]) == ("vendor/m", 16, 0, ["a"])
    assert (sent["logit_bias"], sent["stream"]) == ({"5": 1}, True)
    assert set(rendered.dropped) == {"logprobs", "seed"}


def test_an_answer_is_a_text_completion() -> None:
    assert shown(Choice(0, (TextPart(" a time"),), FinishReason.LENGTH)) == {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": "m",
        "choices": [{"text": " a time", "index": 0, "logprobs": None, "finish_reason": "length"}],
        "usage": USAGE,
    }


def test_thoughts_and_calls_are_left_out_of_the_text() -> None:
    parts = (ThinkingPart("hm"), TextPart("a"), ToolCallPart("c", "f", "{}"), TextPart("b"))
    (choice,) = shown(Choice(0, parts, FinishReason.TOOL_CALLS))["choices"]
    assert choice == {"text": "ab", "index": 0, "logprobs": None, "finish_reason": "stop"}


def test_a_chat_vendors_clean_answer_is_read() -> None:
    answer = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }
    response = openai_chat.parse_response(json.dumps(answer).encode(), Quirks())
    assert json.loads(render_response(response, OurReply(), BILL))["choices"][0]["text"] == "hi"


def test_a_stream_is_text_completion_chunks() -> None:
    chunks = stream(TextDelta(0, " a"), TextDelta(0, " time"), Finish(0, FinishReason.STOP), UsageReport(Usage()))
    assert chunks[0] == {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": "m",
        "choices": [{"text": " a", "index": 0, "logprobs": None, "finish_reason": None}],
    }
    ends = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert ends == [None, None, "stop"]


def test_usage_is_shown_if_it_was_asked_for() -> None:
    chunks = stream(TextDelta(0, "a"), Finish(0, FinishReason.STOP), stream_options={"include_usage": True})
    assert [chunk["usage"] for chunk in chunks] == [None, None, USAGE]
    assert chunks[-1]["choices"] == []
    assert "usage" not in stream(TextDelta(0, "a"))[0]


def test_usage_of_an_empty_stream_is_shown_too() -> None:
    (chunk,) = stream(stream_options={"include_usage": True})
    assert (chunk["usage"], chunk["id"]) == (USAGE, "cmpl-1")


def test_what_this_dialect_cannot_say_makes_no_chunk() -> None:
    events: list[ChatEvent] = [
        ThinkingDelta(0, "hm"),
        SignatureDelta(0, "s", "anthropic_messages"),
        PartEnd(0),
        ToolCallStart(0, 0, "c", "f"),
        ToolCallDelta(0, 0, "{}"),
        NativeDelta(0, "openai_chat", {"refusal": msgspec.Raw(b'"no"')}, {}),
        UsageReport(Usage(1)),
    ]
    assert stream(*events) == []


def test_several_choices_keep_their_places() -> None:
    chunks = stream(TextDelta(1, "b"), TextDelta(0, "a"), Finish(1, FinishReason.STOP), Finish(0, FinishReason.LENGTH))
    assert [chunk["choices"][0]["index"] for chunk in chunks] == [1, 0, 1, 0]


def test_text_that_json_must_escape_survives() -> None:
    text = 'quote " newline \n ümlaut \u2028 emoji 🐈'
    (chunk,) = stream(TextDelta(0, text))
    assert chunk["choices"][0]["text"] == text


def test_errors_have_openais_envelope() -> None:
    error = NoRouteLeft("all sources are busy")
    expected = {"message": "all sources are busy", "type": "provider_error", "param": None}
    assert json.loads(render_error(error)) == {"error": expected | {"code": "no_source_available"}}


def test_a_broken_stream_ends_with_the_error_and_no_done() -> None:
    frame = stream_encoder(parse_request(body(stream=True)), OurReply()).error(NoRouteLeft("cut"))
    assert json.loads(frame.removeprefix(b"data: "))["error"]["message"] == "cut"
    assert b"[DONE]" not in frame


def customer(serve: Callable[[bytes], bytes], content_type: str) -> openai.OpenAI:
    """The official SDK, its requests answered by `serve`."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=serve(request.content), headers={"content-type": content_type})

    transport = httpx2.MockTransport(answer)
    return openai.OpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=httpx2.Client(transport=transport))


def test_the_official_sdk_takes_an_answer() -> None:
    def serve(content: bytes) -> bytes:
        prompt = parse_request(content).chat().messages[0].parts[0]
        assert isinstance(prompt, TextPart)
        choice = Choice(0, (TextPart(prompt.text.upper()),), FinishReason.STOP)
        return render_response(ChatResponse((choice,), None), OurReply(), BILL)

    with customer(serve, "application/json") as client:
        completion = client.completions.create(model="m", prompt="hi", max_tokens=5)
    assert (completion.choices[0].text, completion.choices[0].finish_reason) == ("HI", "stop")
    assert completion.usage is not None and completion.usage.total_tokens == 15


def test_the_official_sdk_takes_a_stream() -> None:
    def serve(content: bytes) -> bytes:
        request = parse_request(content)
        encoder = stream_encoder(request, OurReply())
        events: list[ChatEvent] = [TextDelta(0, "a"), TextDelta(0, "b"), Finish(0, FinishReason.STOP)]
        return b"".join([encoder.keep_alive(), *map(encoder.encode, events), encoder.end(BILL)])

    with customer(serve, "text/event-stream") as client:
        usage = openai.types.chat.ChatCompletionStreamOptionsParam(include_usage=True)
        chunks = list(client.completions.create(model="m", prompt="hi", stream=True, stream_options=usage))
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == "ab"
    assert chunks[-1].usage is not None and chunks[-1].usage.prompt_tokens == 12
