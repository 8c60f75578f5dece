"""Whatever goes wrong reaches a program as the SDK's own error class, and never as an answer that looks finished."""

import re
from collections.abc import Mapping

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.catalog import CUTS, FAILURES

PROMPT: list[ChatCompletionMessageParam] = [{"role": "user", "content": "one two three"}]


def body(error: openai.APIStatusError) -> Mapping[str, object]:
    """The error object as the SDK keeps it."""
    assert isinstance(error.body, dict)
    return error.body


def test_a_wrong_value_is_a_bad_request(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(model="good", messages=PROMPT, temperature=9)
    assert caught.value.param == "temperature"


def test_a_wrong_key_is_an_authentication_error(gateway: GatewayProcess) -> None:
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key="ky-wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            client.chat.completions.create(model="good", messages=PROMPT)
    assert caught.value.code == "invalid_api_key"


def test_an_unknown_model_is_not_found(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.chat.completions.create(model="gooood", messages=PROMPT)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert "good" in str(body(caught.value)["message"])


def test_an_unknown_model_is_not_retrieved(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("gooood")


def test_too_little_credit_is_status_402(customer: Api) -> None:
    with openai.OpenAI(base_url=f"{customer.base_url}/v1", api_key=customer.key, max_retries=0) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model="dear", messages=PROMPT)
    assert (caught.value.status_code, caught.value.code) == (402, "insufficient_credits")


def test_what_a_vendor_refuses_is_a_bad_request_without_its_names(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(model="rejected", messages=PROMPT)
    assert "no script is called 'rejected'" in str(body(caught.value)["message"])


@pytest.mark.parametrize("model", FAILURES)
def test_a_model_without_a_working_source_is_a_server_error(sdk: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        sdk.chat.completions.create(model=model, messages=PROMPT)
    assert caught.value.status_code == 503
    assert (body(caught.value)["type"], caught.value.code) == ("provider_error", "no_source_available")
    assert re.fullmatch(r"[1-9]\d*", caught.value.response.headers["retry-after"])


@pytest.mark.parametrize("model", FAILURES)
def test_a_stream_without_a_working_source_is_a_server_error(sdk: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        sdk.chat.completions.create(model=model, messages=PROMPT, stream=True)
    assert caught.value.status_code == 503


@pytest.mark.parametrize("model", CUTS)
def test_a_broken_stream_raises_after_what_it_delivered(sdk: openai.OpenAI, model: str) -> None:
    said = []
    with sdk.chat.completions.create(model=model, messages=PROMPT, stream=True) as stream:
        with pytest.raises(openai.APIError, match="3 output tokens were delivered and billed"):
            for chunk in stream:
                said.append(chunk.choices[0].delta.content or "")
                assert chunk.choices[0].finish_reason is None
    assert "".join(said) == "w0 w1 w2"


@pytest.mark.parametrize("model", CUTS)
async def test_a_broken_stream_raises_asynchronously(gateway: GatewayProcess, model: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.key, max_retries=0) as client:
        stream = await client.chat.completions.create(model=model, messages=PROMPT, stream=True)
        async with stream:
            with pytest.raises(openai.APIError):
                async for _ in stream:
                    pass


@pytest.mark.parametrize("model", CUTS)
def test_the_stream_helper_makes_no_answer_of_a_broken_stream(sdk: openai.OpenAI, model: str) -> None:
    with sdk.chat.completions.stream(model=model, messages=PROMPT) as stream, pytest.raises(openai.APIError):
        stream.get_final_completion()


@pytest.mark.parametrize("model", CUTS)
def test_a_broken_whole_answer_is_a_server_error(sdk: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.InternalServerError):
        sdk.chat.completions.create(model=model, messages=PROMPT)
