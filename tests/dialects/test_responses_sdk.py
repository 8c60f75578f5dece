"""The official SDK, in its strict mode, as a customer of our Responses answers and streams."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import openai
import pytest
from openai.types.responses import ResponseFunctionToolCall
from pydantic import BaseModel

from kyma.core.answer import (
    Bill,
    ChatEvent,
    ChatResponse,
    Choice,
    Finish,
    FinishReason,
    PartEnd,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
)
from kyma.core.chat import Part, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled, InvalidRequest, KymaError
from kyma.core.model import Usage
from kyma.dialects.openai_responses import parse_request, render_error, render_response, stream_encoder
from tests.dialects.test_responses_stream import Named

BILL = Bill(Usage(8, 4, 2, 30, 20), 350_000, 1_500, is_estimated=False)
TOOL: Any = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": False}
SPACE: Any = {"type": "namespace", "name": "agents", "description": "d", "tools": [{"type": "function", "name": "g"}]}


class Answer(BaseModel):
    city: str


class Script:
    """What the one answer of the server is made of, and the request that it got."""

    parts: tuple[Part, ...] = (TextPart("Hello"),)
    finish = FinishReason.STOP
    events: tuple[ChatEvent, ...] = ()
    error: KymaError | None = None
    breaks: KymaError | None = None

    def answer(self, body: bytes) -> tuple[int, str, bytes]:
        if self.error is not None:
            return self.error.status, "application/json", render_error(self.error)
        request = parse_request(body)
        if not request.is_streaming:
            response = ChatResponse((Choice(0, self.parts, self.finish),), None)
            return 200, "application/json", render_response(response, Named(), BILL, request)
        encoder = stream_encoder(request, Named())
        told = encoder.keep_alive() + b"".join(map(encoder.encode, self.events))
        return 200, "text/event-stream", told + (encoder.error(self.breaks) if self.breaks else encoder.end(BILL))


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def client(script: Script) -> Iterator[openai.OpenAI]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, kind, body = script.answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with openai.OpenAI(
            base_url=f"http://127.0.0.1:{server.server_port}/v1",
            api_key="k",
            max_retries=0,
            timeout=10,
            _strict_response_validation=True,
        ) as sdk:
            yield sdk
        server.shutdown()
        thread.join()


def test_a_plain_answer(client: openai.OpenAI) -> None:
    response = client.responses.create(model="m", input="hi", instructions="be brief")
    assert response.output_text == "Hello"
    assert response.instructions == "be brief"
    assert response.usage is not None
    assert response.usage.input_tokens_details.cached_tokens == 4


def test_an_answer_with_thought_and_call(client: openai.OpenAI, script: Script) -> None:
    script.parts = (ThinkingPart("hm", "sig", "anthropic_messages"), ToolCallPart("c1", "agents__g", '{"a":1}'))
    include: Any = ["reasoning.encrypted_content"]
    response = client.responses.create(model="m", input="hi", tools=[TOOL, SPACE], include=include, store=False)
    thought, call = response.output
    assert thought.type == "reasoning"
    assert thought.encrypted_content == "kyma.anthropic_messages.sig"
    assert isinstance(call, ResponseFunctionToolCall)
    assert (call.name, call.namespace, call.call_id, call.arguments) == ("g", "agents", "c1", '{"a":1}')


def test_structured_output_is_parsed(client: openai.OpenAI, script: Script) -> None:
    script.parts = (TextPart('{"city":"Oslo"}'),)
    assert client.responses.parse(model="m", input="hi", text_format=Answer).output_parsed == Answer(city="Oslo")


def test_an_incomplete_answer(client: openai.OpenAI, script: Script) -> None:
    script.finish = FinishReason.LENGTH
    response = client.responses.create(model="m", input="hi")
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


def test_a_stream_of_raw_events(client: openai.OpenAI, script: Script) -> None:
    script.events = (TextDelta(0, "Hel"), TextDelta(0, "lo"), Finish(0, FinishReason.STOP))
    events = list(client.responses.create(model="m", input="hi", stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "Hello"
    assert events[-1].type == "response.completed"


def test_the_stream_helper_puts_thought_text_and_calls_together(client: openai.OpenAI, script: Script) -> None:
    script.events = (
        ThinkingDelta(0, "hm"),
        TextDelta(0, "I "),
        TextDelta(0, "call"),
        ToolCallStart(0, 0, "a", "f"),
        ToolCallDelta(0, 0, '{"x":'),
        ToolCallStart(0, 1, "b", "agents__g"),
        ToolCallDelta(0, 1, "{}"),
        ToolCallDelta(0, 0, "1}"),
        Finish(0, FinishReason.TOOL_CALLS),
    )
    with client.responses.stream(model="m", input="hi", tools=[TOOL, SPACE]) as stream:
        snapshots = [event.snapshot for event in stream if event.type == "response.function_call_arguments.delta"]
        response = stream.get_final_response()
    assert response.output_text == "I call"
    assert snapshots == ['{"x":', '{"x":1}', "{}"]
    calls = [item for item in response.output if item.type == "function_call"]
    assert [(call.call_id, call.name, call.arguments) for call in calls] == [("a", "f", '{"x":1}'), ("b", "g", "{}")]


def test_the_stream_helper_parses_structured_output(client: openai.OpenAI, script: Script) -> None:
    script.events = (TextDelta(0, '{"city":'), TextDelta(0, '"Oslo"}'), PartEnd(0), Finish(0, FinishReason.STOP))
    with client.responses.stream(model="m", input="hi", text_format=Answer) as stream:
        assert stream.get_final_response().output_parsed == Answer(city="Oslo")


def test_a_stream_that_broke_does_not_look_finished(client: openai.OpenAI, script: Script) -> None:
    script.events, script.breaks = (TextDelta(0, "Hel"), ToolCallStart(0, 0, "a", "f", '{"x":')), Garbled("it broke")
    with client.responses.stream(model="m", input="hi", tools=[TOOL]) as stream:
        last = list(stream)[-1]
        with pytest.raises(RuntimeError):
            stream.get_final_response()
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert last.response.error.message == "it broke"


def test_an_incomplete_stream_keeps_its_text_and_usage(client: openai.OpenAI, script: Script) -> None:
    script.events = (TextDelta(0, "Hel"), Finish(0, FinishReason.LENGTH))
    last = list(client.responses.create(model="m", input="hi", stream=True))[-1]
    assert last.type == "response.incomplete"
    assert last.response.output_text == "Hel"
    assert last.response.usage is not None


def test_what_the_sdk_sends_back_is_read(client: openai.OpenAI, script: Script) -> None:
    script.parts = (ThinkingPart("hm"), TextPart("so"), ToolCallPart("c1", "f", "{}"))
    first = client.responses.create(model="m", input="hi", tools=[TOOL])
    history: Any = [{"role": "user", "content": "hi"}, *(item.model_dump() for item in first.output)]
    script.parts = (TextPart("done"),)
    result: Any = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
    assert client.responses.create(model="m", input=[*history, result], tools=[TOOL]).output_text == "done"


def test_a_refused_request_is_the_sdks_bad_request(client: openai.OpenAI, script: Script) -> None:
    script.error = InvalidRequest("conversation storage is not switched on", param="previous_response_id")
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="m", input="hi", previous_response_id="resp_1")
    assert caught.value.param == "previous_response_id"
