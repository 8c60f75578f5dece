"""Every dialect of customers on every family of vendors: what the official SDKs hear, wherever the bytes were cut."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import lru_cache
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import types

from kyma.core.answer import Bill, ChatEvent, StreamFailure, UsageReport
from kyma.core.chat import ChatRequest
from kyma.core.errors import UpstreamError
from kyma.core.model import Quirks, Usage
from kyma.dialects import anthropic_messages, gemini, openai_chat, openai_completions, openai_responses
from kyma.dialects.base import ChatDialect
from kyma.providers.compat import DIALECTS, chat_adapter
from tests.customers.by_anthropic import ByMessages
from tests.customers.by_google import ByGoogle
from tests.customers.by_openai import ByChat, ByCompletions, ByResponses
from tests.customers.heard import Broken, Customer, Heard
from tests.dialects.test_openai_chat_stream import Reply
from tests.dialects.vendor_answers import ANSWERS, LLAMA_CPP, VendorAnswer

Send = Callable[[httpx2.Request], httpx2.Response]
URL = "http://gateway.test"


def by_openai(send: Send, *, is_strict: bool = True) -> openai.OpenAI:
    http = httpx2.Client(transport=httpx2.MockTransport(send))
    return openai.OpenAI(
        api_key="k", base_url=f"{URL}/v1", max_retries=0, http_client=http, _strict_response_validation=is_strict
    )


def by_anthropic(send: Send) -> anthropic.Anthropic:
    http = httpx2.Client(transport=httpx2.MockTransport(send))
    return anthropic.Anthropic(
        api_key="k", base_url=URL, max_retries=0, http_client=http, _strict_response_validation=True
    )


def by_google(send: Send) -> genai.Client:
    http = httpx2.Client(transport=httpx2.MockTransport(send))
    return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=URL, httpx_client=http))


CUSTOMERS: dict[str, tuple[ChatDialect, Callable[[Send], Customer]]] = {
    "chat": (openai_chat, lambda send: ByChat(by_openai(send))),
    "completions": (openai_completions, lambda send: ByCompletions(by_openai(send, is_strict=False))),
    "responses": (openai_responses, lambda send: ByResponses(by_openai(send))),
    "messages": (anthropic_messages, lambda send: ByMessages(by_anthropic(send))),
    "gemini": (gemini, lambda send: ByGoogle(by_google(send))),
}
"""By short name: our codec, and the customer who listens to it.

The SDK's type of a legacy chunk has no null where OpenAI's own API writes one, so there it is not held to its types.
"""


def read(dialect: ChatDialect, sent: httpx2.Request) -> ChatRequest:
    body, path = sent.read(), sent.url.path
    if dialect is gemini:
        return gemini.parse_request(body, "m", "stream" in path)
    parse: Any = dialect
    request: ChatRequest = parse.parse_request(body)
    return request


def cuts(stream: bytes) -> Iterator[list[bytes]]:
    """The stream byte by byte, then in two at every boundary."""
    yield [stream[at : at + 1] for at in range(len(stream))]
    for at in range(len(stream) + 1):
        yield [stream[:at], stream[at:]]


@lru_cache(maxsize=2)
def readings(family: str, stream: bytes) -> list[list[ChatEvent]]:
    """What the vendor's bytes say, by each cut; an empty piece would be the end, and is none."""
    found = []
    for pieces in cuts(stream):
        decoder = chat_adapter(family).dialect.stream_decoder(Quirks())
        events = [event for piece in pieces if piece for event in decoder.feed(piece)]
        found.append(events + decoder.close())
    return found


def told(dialect: ChatDialect, request: ChatRequest, events: list[ChatEvent]) -> bytes:
    """The bytes that the customer is sent, as the gateway's pump would send them."""
    encoder = dialect.stream_encoder(request, Reply())
    usage, frames = Usage(), encoder.keep_alive()
    for event in events:
        if isinstance(event, StreamFailure):
            return frames + encoder.error(event.error)
        if isinstance(event, UsageReport):
            usage = event.usage
        frames += encoder.encode(event)
    return frames + encoder.end(Bill(usage, 350_000, 1_500, is_estimated=False))


def expected(customer: str, heard: Heard) -> Heard:
    """Legacy completions know text alone."""
    if customer != "completions":
        return heard
    return Heard(heard.text, "", (), "stop" if heard.ended == "tool_calls" else heard.ended, heard.usage)


STREAMED = [(family, answer) for family in DIALECTS for answer in (*ANSWERS, LLAMA_CPP) if family in answer.streams]
WHOLE = [(family, answer) for family, answer in STREAMED if answer.wholes]


@pytest.mark.parametrize("customer", CUSTOMERS)
@pytest.mark.parametrize(("family", "answer"), STREAMED, ids=[f"{family}-{answer.name}" for family, answer in STREAMED])
def test_a_stream_cut_anywhere_is_the_same_answer(customer: str, family: str, answer: VendorAnswer) -> None:
    dialect, meet = CUSTOMERS[customer]
    emitted: set[bytes] = set()

    def send(sent: httpx2.Request) -> httpx2.Response:
        request = read(dialect, sent)
        emitted.update(told(dialect, request, events) for events in readings(family, answer.streams[family]))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=next(iter(emitted)))

    with closing(meet(send)) as listener:
        if answer.is_broken:
            with pytest.raises(Broken) as caught:
                listener.hear("m", is_streaming=True)
            assert caught.value.said == answer.heard.text
        else:
            assert listener.hear("m", is_streaming=True) == expected(customer, answer.heard)
    assert len(emitted) == 1, "where the vendor's bytes were cut is not to be seen"


@pytest.mark.parametrize("customer", CUSTOMERS)
@pytest.mark.parametrize(("family", "answer"), WHOLE, ids=[f"{family}-{answer.name}" for family, answer in WHOLE])
def test_a_whole_answer_is_the_same_answer(customer: str, family: str, answer: VendorAnswer) -> None:
    dialect, meet = CUSTOMERS[customer]

    def send(sent: httpx2.Request) -> httpx2.Response:
        response = chat_adapter(family).dialect.parse_response(answer.wholes[family], Quirks())
        assert response.report is not None
        bill = Bill(response.report.usage, 350_000, 1_500, is_estimated=False)
        body = dialect.render_response(response, Reply(), bill, read(dialect, sent))
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=body)

    with closing(meet(send)) as listener:
        assert listener.hear("m", is_streaming=False) == expected(customer, answer.heard)


@pytest.mark.parametrize(("family", "answer"), WHOLE, ids=[f"{family}-{answer.name}" for family, answer in WHOLE])
def test_half_a_whole_answer_is_none(family: str, answer: VendorAnswer) -> None:
    body = answer.wholes[family]
    dialect = chat_adapter(family).dialect
    for at in range(len(body) - 1):
        with pytest.raises(UpstreamError):
            dialect.parse_response(body[:at], Quirks())
    assert json.loads(body)
