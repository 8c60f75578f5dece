"""The official OpenAI SDK works, against the real model and against a scripted vendor alike."""

from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.gateway_process import GatewayProcess
from tests.server.waiting import LOCAL_MODEL

PROMPT: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Say hello to the whole world."}]
MAX_TOKENS = 12
UNTIL_IT_STOPS = 200
FIRST_WORD = [" "]
"""Where an answer stops that must end by itself: the helper takes one cut by `max_tokens` for an error."""


class Target(NamedTuple):
    gateway: GatewayProcess
    model: str

    @property
    def base_url(self) -> str:
        return f"{self.gateway.base_url}/v1"


@pytest.fixture(scope="module", params=["local", "scripted"])
def target(request: pytest.FixtureRequest) -> Target:
    if request.param == "local":
        return Target(request.getfixturevalue("local_gateway"), LOCAL_MODEL)
    return Target(request.getfixturevalue("gateway"), "good")


@pytest.fixture
def client(target: Target) -> Iterator[openai.OpenAI]:
    key = target.gateway.key
    with openai.OpenAI(base_url=target.base_url, api_key=key, max_retries=0, timeout=30) as sdk:
        yield sdk


@pytest.fixture
async def async_client(target: Target) -> AsyncIterator[openai.AsyncOpenAI]:
    key = target.gateway.key
    async with openai.AsyncOpenAI(base_url=target.base_url, api_key=key, max_retries=0, timeout=30) as sdk:
        yield sdk


def cost(usage: object) -> float:
    """Kyma's addition to usage, which the SDK keeps as an extra field."""
    value = getattr(usage, "cost", None)
    assert isinstance(value, float)
    return value


def test_completes_a_chat(client: openai.OpenAI, target: Target) -> None:
    answer = client.chat.completions.create(model=target.model, messages=PROMPT, max_tokens=MAX_TOKENS)
    assert answer.model == target.model
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage is not None and 0 < answer.usage.completion_tokens <= MAX_TOKENS
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert cost(answer.usage) > 0


async def test_completes_a_chat_asynchronously(async_client: openai.AsyncOpenAI, target: Target) -> None:
    answer = await async_client.chat.completions.create(model=target.model, messages=PROMPT, max_tokens=MAX_TOKENS)
    assert answer.choices[0].message.content


def test_streams_a_chat(client: openai.OpenAI, target: Target) -> None:
    with client.chat.completions.create(
        model=target.model, messages=PROMPT, max_tokens=MAX_TOKENS, stream=True
    ) as stream:
        chunks = list(stream)
    assert all(len(chunk.choices) == 1 for chunk in chunks), "an empty choices list only comes when usage was asked for"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")
    assert {chunk.usage for chunk in chunks} == {None}
    assert len({chunk.id for chunk in chunks}) == 1


async def test_streams_a_chat_asynchronously(async_client: openai.AsyncOpenAI, target: Target) -> None:
    stream = await async_client.chat.completions.create(
        model=target.model, messages=PROMPT, max_tokens=MAX_TOKENS, stream=True
    )
    async with stream:
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


def test_streams_usage_when_asked(client: openai.OpenAI, target: Target) -> None:
    with client.chat.completions.create(
        model=target.model,
        messages=PROMPT,
        max_tokens=MAX_TOKENS,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        chunks = list(stream)
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    last = chunks[-1]
    assert last.choices == [] and last.usage is not None
    assert last.usage.completion_tokens > 0 and cost(last.usage) > 0


def test_the_stream_helper_puts_the_answer_together(client: openai.OpenAI, target: Target) -> None:
    with client.chat.completions.stream(
        model=target.model, messages=PROMPT, max_tokens=UNTIL_IT_STOPS, stop=FIRST_WORD, temperature=0
    ) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    assert deltas and final.choices[0].message.content == "".join(deltas)


async def test_the_stream_helper_works_asynchronously(async_client: openai.AsyncOpenAI, target: Target) -> None:
    async with async_client.chat.completions.stream(
        model=target.model,
        messages=PROMPT,
        max_tokens=UNTIL_IT_STOPS,
        stop=FIRST_WORD,
        temperature=0,
        stream_options={"include_usage": True},
    ) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.content
    assert final.usage is not None and final.usage.completion_tokens > 0


def test_lists_models(client: openai.OpenAI, target: Target) -> None:
    listed = {model.id: model for model in client.models.list()}
    assert listed[target.model].object == "model"
    assert listed[target.model].created > 0


async def test_lists_models_asynchronously(async_client: openai.AsyncOpenAI, target: Target) -> None:
    assert target.model in [model.id async for model in async_client.models.list()]


def test_retrieves_a_model(client: openai.OpenAI, target: Target) -> None:
    assert client.models.retrieve(target.model).id == target.model


def test_shows_the_receipt_in_headers(client: openai.OpenAI, target: Target) -> None:
    raw = client.chat.completions.with_raw_response.create(model=target.model, messages=PROMPT, max_tokens=2)
    assert raw.headers["x-kyma-model"] == target.model
    assert raw.headers["x-request-id"].removeprefix("req_") == raw.parse().id.removeprefix("chatcmpl-")
    assert "x-kyma-fallback" not in raw.headers and "x-kyma-alias" not in raw.headers


def test_counts_what_it_says(client: openai.OpenAI, target: Target) -> None:
    answer = client.chat.completions.create(model=target.model, messages=PROMPT, max_tokens=3)
    assert answer.usage is not None and answer.usage.completion_tokens == 3
    assert answer.choices[0].finish_reason == "length"
