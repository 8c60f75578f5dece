"""A stream put together again is the whole answer: in Kyma's words, and for the customers of every dialect."""

import json
from typing import Any

import pytest

from kyma.core.answer import Bill, ChatEvent, ChatResponse, FinishReason, Relay, UsageReport
from kyma.core.chat import NativePart, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, UpstreamError
from kyma.core.model import Quirks, Usage
from kyma.dialects import gemini, openai_chat
from kyma.dialects.assemble import Assembler
from kyma.providers.compat import DIALECTS, chat_adapter
from tests.dialects import test_anthropic_stream as anthropic_frames
from tests.dialects import test_gemini_stream as gemini_frames
from tests.dialects import test_openai_chat_stream as openai_frames
from tests.dialects.test_every_cut import CUSTOMERS, STREAMED, WHOLE
from tests.dialects.test_openai_chat_stream import Reply
from tests.dialects.vendor_answers import LLAMA_CPP, VendorAnswer

BILL = Bill(Usage(12, output=7), 350_000, 0, is_estimated=False)
MESSAGES: Any = [{"role": "user", "content": "hi"}]
ASKED: dict[str, Any] = {
    "chat": {"model": "m", "messages": MESSAGES},
    "completions": {"model": "m", "prompt": "hi"},
    "responses": {"model": "m", "input": "hi"},
    "messages": {"model": "m", "max_tokens": 9, "messages": MESSAGES},
}
"""A request of each kind of customer; Gemini's has its model in the path."""


def assembled(family: str, stream: bytes, size: int | None = None) -> ChatResponse:
    """The stream in pieces of `size` bytes, put together."""
    adapter = chat_adapter(family)
    decoder, assembler = adapter.dialect.stream_decoder(Quirks()), adapter.assembler()
    events: list[ChatEvent] = []
    for at in range(0, len(stream), size or len(stream)):
        events += decoder.feed(stream[at : at + (size or len(stream))])
    for event in [*events, *decoder.close()]:
        assembler.see(event)
    return assembler.response


def parsed(family: str, body: Any) -> ChatResponse:
    """The whole answer, its letters outside ASCII as they stand in streams: arguments are kept as they were written."""
    said = json.loads(body) if isinstance(body, bytes) else body
    return chat_adapter(family).dialect.parse_response(json.dumps(said, ensure_ascii=False).encode(), Quirks())


def told(customer: str, response: ChatResponse) -> Any:
    """The body that a customer is given."""
    dialect: Any = CUSTOMERS[customer][0]
    if customer == "gemini":
        body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}).encode()
        request = dialect.parse_request(body, "m", False)
    else:
        request = dialect.parse_request(json.dumps(ASKED[customer]).encode())
    return json.loads(dialect.render_response(response, Reply(), BILL, request))


def without_nulls(said: Any) -> Any:
    """The one difference: OpenAI's whole answers, relayed as they came, hold members that are null, and streams do not.

    Customers whose answers are translated have never been given them.
    """
    if isinstance(said, list):
        return [without_nulls(item) for item in said]
    return (
        {name: without_nulls(value) for name, value in said.items() if value is not None or name == "content"}
        if (isinstance(said, dict))
        else said
    )


@pytest.mark.parametrize("size", [1, None], ids=["bytewise", "at-once"])
@pytest.mark.parametrize(("family", "answer"), WHOLE, ids=[f"{family}-{answer.name}" for family, answer in WHOLE])
def test_a_stream_says_in_our_words_what_the_whole_answer_says(
    family: str, answer: VendorAnswer, size: int | None
) -> None:
    whole, streamed = parsed(family, answer.wholes[family]), assembled(family, answer.streams[family], size)
    assert (streamed.choices, streamed.is_blank) == (whole.choices, whole.is_blank)
    if answer is not LLAMA_CPP:  # two real calls, of which the second found the first one's prompt in its cache
        assert streamed.report == whole.report


@pytest.mark.parametrize("customer", CUSTOMERS)
@pytest.mark.parametrize(("family", "answer"), WHOLE, ids=[f"{family}-{answer.name}" for family, answer in WHOLE])
def test_every_customer_is_given_the_same_body(customer: str, family: str, answer: VendorAnswer) -> None:
    whole = told(customer, parsed(family, answer.wholes[family]))
    streamed = told(customer, assembled(family, answer.streams[family]))
    if (customer, family) == ("chat", "openai_chat"):
        whole = without_nulls(whole)
    assert streamed == whole


@pytest.mark.parametrize(
    ("family", "answer"), [(family, answer) for family, answer in STREAMED if answer.is_broken], ids=str
)
def test_a_broken_stream_is_no_answer(family: str, answer: VendorAnswer) -> None:
    with pytest.raises(UpstreamError):
        assembled(family, answer.streams[family])


@pytest.mark.parametrize("family", DIALECTS)
def test_a_stream_that_says_nothing_is_no_answer(family: str) -> None:
    with pytest.raises(Garbled):
        assembled(family, b": nothing\n\n")
    with pytest.raises(Garbled, match="no choices"):
        _ = chat_adapter(family).assembler().response


def test_a_dialect_without_words_of_its_own_needs_no_assembler_of_its_own() -> None:
    decoder, assembler = openai_chat.stream_decoder(Quirks()), Assembler()
    for event in decoder.feed(openai_frames.PLAIN) + decoder.close():
        assembler.see(event)
    (choice,) = assembler.response.choices
    assert (choice.parts, choice.finish) == ((TextPart("Hello ümlaut"),), FinishReason.STOP)
    assert assembler.response.report == UsageReport(Usage(8, 4, 0, 3, 0))


def test_choices_side_by_side_stay_apart() -> None:
    said = [(0, {"content": "one"}), (1, {"content": "uno"}), (1, {"content": " due"}), (0, {"content": " two"})]
    frames: list[Any] = [{"choices": [{"index": index, "delta": delta}]} for index, delta in said]
    frames += [{"choices": [{"index": index, "delta": {}, "finish_reason": "stop"}]} for index in (1, 0)]
    stream = b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames)
    choices = assembled("openai_chat", stream).choices
    assert [(choice.index, choice.parts) for choice in choices] == [
        (0, (TextPart("one two"),)),
        (1, (TextPart("uno due"),)),
    ]


def test_what_chat_alone_knows_reaches_its_customers() -> None:
    noted = [{"type": "url_citation", "url": f"https://example.com/{number}"} for number in range(3)]
    stream = b"\n\n".join(
        [
            openai_frames.chunk({"content": "so", "annotations": noted[:1]}),
            openai_frames.chunk({"annotations": noted[1:]}),
            openai_frames.chunk(finish="stop"),
            openai_frames.DONE,
            b"",
        ]
    )
    message = {"role": "assistant", "content": "so", "annotations": noted}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    streamed = assembled("openai_chat", stream)
    assert streamed.choices[0].parts == parsed("openai_chat", whole).choices[0].parts
    assert told("chat", streamed) == told("chat", parsed("openai_chat", whole))
    assert told("messages", streamed) == told("messages", parsed("openai_chat", whole))


def test_fragments_of_reasoning_are_the_details_they_make_up() -> None:
    """As OpenRouter streams them."""
    start = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    sealed = {"type": "reasoning.encrypted", "data": "x", "index": 1}
    told_apart = [start | {"text": "let me"}, start | {"text": " see"}, start | {"signature": "s"}, sealed, sealed]
    frames = [openai_frames.chunk({"reasoning_details": [fragment]}) for fragment in told_apart]
    ended = [openai_frames.chunk({"content": "4"}), openai_frames.chunk(finish="stop"), openai_frames.DONE, b""]
    message = told("chat", assembled("openai_chat", b"\n\n".join([*frames, *ended])))["choices"][0]["message"]
    assert message["reasoning_details"] == [start | {"text": "let me see", "signature": "s"}, sealed, sealed]


SEARCHED: list[dict[str, Any]] = [
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [anthropic_frames.SEARCH_RESULT]},
    {"type": "text", "text": "It is so.", "citations": [anthropic_frames.CITATION]},
]


def whole_message(content: list[Any], reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 25, "output_tokens": 15}
    ended = {"stop_reason": reason, "stop_sequence": None}
    return {"type": "message", "role": "assistant", "content": content, **ended, "usage": usage, **more}


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_searches_and_citations_reach_customers_of_messages_and_their_text_all_others(customer: str) -> None:
    whole = parsed("anthropic_messages", whole_message(SEARCHED, "pause_turn"))
    streamed = assembled("anthropic_messages", anthropic_frames.SERVER_TOOLS)
    assert told(customer, streamed) == told(customer, whole)
    assert isinstance(streamed.said, Relay) and not streamed.is_blank
    found = [
        (part.kind, json.loads(bytes(part.raw))) for part in streamed.choices[0].parts if isinstance(part, NativePart)
    ]
    assert found == [(block["type"], block) for block in SEARCHED[:2]]


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_who_called_a_tool_reaches_customers_of_messages(customer: str) -> None:
    by = {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}
    call: dict[str, Any] = {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "look_up",
        "input": {"city": "Paris"},
        "caller": by,
    }
    start, delta, stop = anthropic_frames.start, anthropic_frames.delta, anthropic_frames.stop
    stream = anthropic_frames.begin() + start(0, **(call | {"input": {}}))
    stream += delta(0, type="input_json_delta", partial_json='{"city": "Paris"}') + stop(0)
    stream += anthropic_frames.end("tool_use")
    streamed = told(customer, assembled("anthropic_messages", stream))
    assert streamed == told(customer, parsed("anthropic_messages", whole_message([call], "tool_use")))


def test_deltas_that_nobody_knows_add_up_in_their_block() -> None:
    start, delta, stop = anthropic_frames.start, anthropic_frames.delta, anthropic_frames.stop
    stream = anthropic_frames.begin() + start(0, type="compaction", content=None)
    stream += delta(0, type="compaction_delta", content="so ") + delta(0, type="compaction_delta", content="far")
    stream += stop(0) + anthropic_frames.end("compaction")
    (part,) = assembled("anthropic_messages", stream).choices[0].parts
    assert isinstance(part, NativePart) and json.loads(bytes(part.raw)) == {"type": "compaction", "content": "so far"}


def test_an_input_that_was_cut_off_stays_out_of_its_block() -> None:
    """What is no JSON would break the whole answer."""
    start, delta, stop = anthropic_frames.start, anthropic_frames.delta, anthropic_frames.stop
    stream = anthropic_frames.begin() + start(0, type="server_tool_use", id="s", name="web_search", input={})
    stream += delta(0, type="input_json_delta", partial_json='{"query":"x') + stop(0)
    said = told("messages", assembled("anthropic_messages", stream + anthropic_frames.end("max_tokens")))
    assert said["content"] == [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}]


def test_what_stands_beside_a_message_stays_there() -> None:
    beside: dict[str, Any] = {"container": {"id": "c", "expires_at": "2026-11-21T00:00:00Z"}}
    ended = {"stop_reason": "end_turn", "stop_sequence": None, **beside}
    stream = anthropic_frames.PLAIN.partition(b"event: message_delta")[0]
    stream += anthropic_frames.frame(type="message_delta", delta=ended, usage={"output_tokens": 15})
    stream += anthropic_frames.frame(type="message_stop")
    whole = whole_message([{"type": "text", "text": "Hello ümlaut"}], **beside)
    streamed = told("messages", assembled("anthropic_messages", stream))
    assert streamed == told("messages", parsed("anthropic_messages", whole))


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_what_gemini_alone_knows_reaches_its_customers(customer: str) -> None:
    code, result = {"executableCode": {"code": "1"}}, {"codeExecutionResult": {"output": "1"}}
    stream = b"".join(
        [
            gemini_frames.piece([code], beside_groundingMetadata={"webSearchQueries": ["q"]}),
            gemini_frames.piece([result]),
            gemini_frames.piece([{"text": "It is "}]),
            gemini_frames.piece([{"text": "1"}], "STOP", beside_groundingMetadata={"webSearchQueries": ["q", "r"]}),
        ]
    )
    content = {"role": "model", "parts": [code, result, {"text": "It is 1"}]}
    beside = {"finishReason": "STOP", "index": 0, "groundingMetadata": {"webSearchQueries": ["q", "r"]}}
    whole: Any = {"candidates": [{"content": content, **beside}], "responseId": "r-1"}
    assert told(customer, assembled("gemini", stream)) == told(customer, parsed("gemini", whole))


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_a_prompt_that_gemini_blocked_is_told_as_one(customer: str) -> None:
    feedback = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}}
    stream = b"data: " + json.dumps(feedback).encode() + b"\r\n\r\n"
    streamed, whole = assembled("gemini", stream), parsed("gemini", feedback)
    assert told(customer, streamed) == told(customer, whole)
    assert streamed.report == whole.report


def test_a_proof_stands_with_its_thought_its_call_or_alone() -> None:
    choice = assembled("gemini", gemini_frames.THOUGHTFUL).choices[0]
    assert choice.parts == (ThinkingPart("hm"), TextPart("Hello ümlaut"), ThinkingPart("", "c2ln", "gemini"))
    parts = assembled("anthropic_messages", anthropic_frames.THINKING).choices[0].parts
    assert parts[:2] == (
        ThinkingPart("let me see", "EqQBCgIYAhIM1gbcDa9GJwZA2b3h==", "anthropic_messages"),
        ThinkingPart("", origin="anthropic_messages", redacted="EmwKAhgBEgy3va3pzix/LafPsn4a"),
    )
    call = assembled("gemini", gemini_frames.CALLS).choices[0].parts[0]
    assert isinstance(call, ToolCallPart) and call.origin == "gemini"


WHOLE_ALONE: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"logprobs": False, "modalities": ["text"], "functions": []}, True),
    ({"logprobs": True}, False),
    ({"modalities": ["text", "audio"]}, False),
    ({"functions": [{"name": "f"}]}, False),
    ({"reasoning_split": True}, False),
]


@pytest.mark.parametrize(("fields", "is_told"), WHOLE_ALONE)
def test_chat_that_asks_for_what_streams_garble_is_asked_whole(fields: dict[str, Any], is_told: bool) -> None:
    request = openai_chat.parse_request(json.dumps(ASKED["chat"] | fields).encode())
    assert chat_adapter("openai_chat").can_assemble(request) is is_told
    assert chat_adapter("gemini").can_assemble(request), "nothing of it reaches a customer of another dialect"


@pytest.mark.parametrize(
    ("config", "is_told"),
    [
        (None, True),
        ({"temperature": 1, "responseLogprobs": False}, True),
        ({"responseModalities": ["TEXT"]}, True),
        ({"responseLogprobs": True}, False),
        ({"response_logprobs": True}, False),
        ({"responseModalities": ["TEXT", "IMAGE"]}, False),
        ({"speechConfig": {"languageCode": "de-DE"}}, False),
    ],
)
def test_gemini_that_asks_for_what_streams_garble_is_asked_whole(config: dict[str, Any] | None, is_told: bool) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]} | (
        {"generationConfig": config} if config else {}
    )
    request = gemini.parse_request(json.dumps(body).encode(), "m", False)
    assert chat_adapter("gemini").can_assemble(request) is is_told
