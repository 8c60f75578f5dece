"""Every dialect on every family through a real gateway, whose vendor writes each byte alone: what the SDKs hear."""

from collections.abc import Callable, Iterator
from contextlib import closing

import anthropic
import msgspec
import openai
import pytest
from google import genai
from google.genai import types

from tests.customers.by_anthropic import ByMessages
from tests.customers.by_google import ByGoogle
from tests.customers.by_openai import ByChat, ByCompletions, ByResponses
from tests.customers.heard import Broken, Customer, Heard
from tests.gateway_catalog import SUFFIXES
from tests.gateway_process import GatewayProcess

CUSTOMERS: dict[str, Callable[[GatewayProcess], Customer]] = {
    "chat": lambda gateway: ByChat(by_openai(gateway, is_strict=True)),
    "completions": lambda gateway: ByCompletions(by_openai(gateway, is_strict=False)),
    "responses": lambda gateway: ByResponses(by_openai(gateway, is_strict=True)),
    "messages": lambda gateway: ByMessages(
        anthropic.Anthropic(
            base_url=gateway.base_url, api_key=gateway.key, max_retries=0, _strict_response_validation=True
        )
    ),
    "gemini": lambda gateway: ByGoogle(
        genai.Client(api_key=gateway.key, http_options=types.HttpOptions(base_url=gateway.base_url))
    ),
}

ANSWERS = {
    "bytes-plain": Heard("w0 w1 w2 w3 w4", "", (), "stop", (3, 5)),
    "bytes-think": Heard("w0 w1 w2 w3 w4", "t0 t1 t2", (), "stop", (3, 8)),
    "bytes-calls": Heard(
        "", "", (("look_up", '{"city": "Paris"}'), ("book", '{"city": "Paris"}')), "tool_calls", (3, 8)
    ),
    "bytes-structured": Heard('{"city":"Zürich","days":[1,2]}', "", (), "stop", (3, 4)),
    "bytes-decline": Heard("I can't help with that.", "", (), "refusal", (3, 3)),
}


def by_openai(gateway: GatewayProcess, *, is_strict: bool) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{gateway.base_url}/v1", api_key=gateway.key, max_retries=0, _strict_response_validation=is_strict
    )


@pytest.fixture(params=CUSTOMERS)
def customer_of(request: pytest.FixtureRequest, gateway: GatewayProcess) -> Iterator[tuple[str, Customer]]:
    """Each kind of customer in turn."""
    with closing(CUSTOMERS[request.param](gateway)) as customer:
        yield request.param, customer


@pytest.mark.parametrize("family", SUFFIXES)
@pytest.mark.parametrize("model", ANSWERS)
@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
def test_what_the_vendor_says_is_heard(
    customer_of: tuple[str, Customer], family: str, model: str, is_streaming: bool
) -> None:
    name, customer = customer_of
    heard, wanted = customer.hear(model + SUFFIXES[family], is_streaming=is_streaming), ANSWERS[model]
    if family == "cohere_chat" and wanted.ended == "refusal":  # it has no word for that
        wanted = msgspec.structs.replace(wanted, ended="stop")
    if name != "completions":
        assert heard == wanted
    elif model != "bytes-calls":  # legacy completions offer no tools
        assert heard == Heard(wanted.text, "", (), wanted.ended, wanted.usage)


@pytest.mark.parametrize("family", SUFFIXES)
@pytest.mark.parametrize("model", ["bytes-cut", "bytes-error"])
def test_a_stream_that_breaks_is_heard_to_break(customer_of: tuple[str, Customer], family: str, model: str) -> None:
    with pytest.raises(Broken) as caught:
        customer_of[1].hear(model + SUFFIXES[family], is_streaming=True)
    assert caught.value.said == "w0 w1 w2"
