"""Anthropic's own SDK as a customer of what we write. Its transport ends in this process: nothing is sent anywhere."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import Anthropic, beta_tool
from anthropic.types import MessageParam
from anthropic.types.beta import BetaMessageParam
from pydantic import BaseModel

from kyma.core.answer import (
    Bill,
    ChatEvent,
    ChatResponse,
    Choice,
    Finish,
    FinishReason,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import TextPart, ToolCallPart
from kyma.core.errors import (
    Bug,
    Forbidden,
    InsufficientCredits,
    InvalidRequest,
    KymaError,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthenticated,
)
from kyma.core.model import Usage
from kyma.dialects.anthropic_messages import (
    parse_count,
    parse_request,
    render_count,
    render_error,
    render_response,
    stream_encoder,
)

BILL = Bill(Usage(8, 4, 2, 3, 1), 350_000, 622_000, is_estimated=False)
SSE = {"content-type": "text/event-stream"}
HELLO: list[MessageParam] = [{"role": "user", "content": "hi"}]
BETA_HELLO: list[BetaMessageParam] = [{"role": "user", "content": "hi"}]


class Person(BaseModel):
    name: str


@dataclass(frozen=True)
class Reply:
    request_id: str = "req_abc"
    model_id: str = "claude-sonnet-4-6"
    created: int = 1779000000
    input_estimate: int = 12


def client(answer: Callable[[bytes], httpx2.Response]) -> Anthropic:
    transport = httpx2.MockTransport(lambda request: answer(request.read()))
    return Anthropic(
        api_key="k", base_url="http://gateway.test", max_retries=0, http_client=httpx2.Client(transport=transport)
    )


def stream_of(*events: ChatEvent, error: KymaError | None = None) -> Callable[[bytes], httpx2.Response]:
    def answer(body: bytes) -> httpx2.Response:
        encoder = stream_encoder(parse_request(body), Reply())
        data = b"".join([encoder.keep_alive(), *map(encoder.encode, events)])
        return httpx2.Response(200, headers=SSE, content=data + (encoder.error(error) if error else encoder.end(BILL)))

    return answer


def whole(*parts: Any, finish: FinishReason = FinishReason.STOP) -> httpx2.Response:
    response = ChatResponse((Choice(0, parts, finish),), None)
    return httpx2.Response(
        200, headers={"content-type": "application/json"}, content=render_response(response, Reply(), BILL)
    )


def refusal(error: KymaError) -> httpx2.Response:
    return httpx2.Response(error.status, headers={"content-type": "application/json"}, content=render_error(error))


def test_a_plain_answer() -> None:
    with client(lambda body: whole(TextPart("Hello."))) as sdk:
        message = sdk.messages.create(model="m", max_tokens=5, messages=HELLO)
    assert (message.content[0].type, message.stop_reason, message.usage.input_tokens) == ("text", "end_turn", 8)


def test_a_stream_is_put_together_again() -> None:
    events = (
        UsageReport(Usage(7, 0, 0, 1, 0)),
        ThinkingDelta(0, "let me "),
        ThinkingDelta(0, "see"),
        SignatureDelta(0, "Eq==", "anthropic_messages"),
        TextDelta(0, "I look "),
        TextDelta(0, "twice."),
        ToolCallStart(0, 0, "a", "f"),
        ToolCallDelta(0, 0, '{"x":'),
        ToolCallStart(0, 1, "b", "g"),
        ToolCallDelta(0, 1, '{"y":2}'),
        ToolCallDelta(0, 0, "1}"),
        ToolCallStart(0, 2, "c", "h"),
        Finish(0, FinishReason.TOOL_CALLS),
    )
    with (
        client(stream_of(*events)) as sdk,
        sdk.messages.stream(model="m", max_tokens=5, messages=HELLO) as stream,
    ):
        message = stream.get_final_message()
    said = [block.to_dict() for block in message.content]
    assert said[0] == {"type": "thinking", "thinking": "let me see", "signature": "Eq=="}
    assert said[1]["text"] == "I look twice."
    assert [(block["id"], block["name"], block["input"]) for block in said[2:]] == [
        ("a", "f", {"x": 1}),
        ("b", "g", {"y": 2}),
        ("c", "h", {}),
    ]
    assert message.stop_reason == "tool_use"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (8, 3)
    assert message.usage.cache_read_input_tokens == 4


def test_a_broken_stream_raises() -> None:
    with client(stream_of(TextDelta(0, "Hel"), error=Bug("it broke"))) as sdk:
        stream = sdk.messages.create(model="m", max_tokens=5, messages=HELLO, stream=True)
        with pytest.raises(anthropic.APIStatusError, match="it broke"):
            list(stream)


def test_tokens_are_counted() -> None:
    def answer(body: bytes) -> httpx2.Response:
        return httpx2.Response(200, content=render_count(parse_count(body).input_bytes))

    with client(answer) as sdk:
        assert sdk.messages.count_tokens(model="m", messages=HELLO).input_tokens > 2


def test_an_answer_is_parsed_under_a_schema() -> None:
    seen: list[bytes] = []

    def answer(body: bytes) -> httpx2.Response:
        seen.append(body)
        return whole(TextPart('{"name":"Ada"}'))

    with client(answer) as sdk:
        message = sdk.messages.parse(model="m", max_tokens=5, messages=HELLO, output_format=Person)
    assert message.parsed_output == Person(name="Ada")
    wanted = parse_request(seen[0]).chat().output_format
    assert wanted is not None and wanted.schema is not None
    assert json.loads(bytes(wanted.schema))["required"] == ["name"]


def test_the_tool_runner_falls_back_from_threads_and_sends_the_whole_conversation() -> None:
    bodies: list[dict[str, Any]] = []
    refused: list[InvalidRequest] = []

    @beta_tool
    def add(a: int, b: int) -> str:
        """Add two numbers."""
        return str(a + b)

    def answer(body: bytes) -> httpx2.Response:
        try:
            request = parse_request(body)
        except InvalidRequest as error:
            refused.append(error)
            return refusal(error)
        bodies.append(json.loads(body))
        if "tool" in request.roles:
            return whole(TextPart("It is 5."))
        return whole(ToolCallPart("call_1", "add", '{"a":2,"b":3}'), finish=FinishReason.TOOL_CALLS)

    with client(answer) as sdk:
        runner = sdk.beta.messages.tool_runner(model="m", max_tokens=99, messages=BETA_HELLO, tools=[add])
        last = runner.until_done()
    assert [error.param for error in refused] == ["thread"]
    assert last.content[0].type == "text"
    assert [message["role"] for message in bodies[-1]["messages"]] == ["user", "assistant", "user"]
    assert bodies[-1]["messages"][2]["content"][0]["content"] == "5"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequest("no"), anthropic.BadRequestError),
        (Unauthenticated("no"), anthropic.AuthenticationError),
        (InsufficientCredits("no"), anthropic.APIStatusError),
        (Forbidden("no"), anthropic.PermissionDeniedError),
        (NotFound("no"), anthropic.NotFoundError),
        (TooLarge("no"), anthropic.APIStatusError),
        (RateLimited("no"), anthropic.RateLimitError),
        (Bug("no"), anthropic.InternalServerError),
    ],
)
def test_errors_are_of_their_class(error: KymaError, kind: type[anthropic.APIStatusError]) -> None:
    with client(lambda body: refusal(error)) as sdk, pytest.raises(kind, match="no") as caught:
        sdk.messages.create(model="m", max_tokens=5, messages=HELLO)
    assert caught.value.status_code == error.status
