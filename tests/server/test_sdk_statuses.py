"""Each status that a customer can meet, on every dialect, as the error class of the dialect's own SDK."""

from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types

from tests.gateway_process import GatewayProcess
from tests.server.api import Api
from tests.server.customers import open_account

HI: Any = [{"role": "user", "content": "hi"}]
Ask = Callable[[Api, str, Any], object]
"""Puts a prompt to a model; extra fields for the body."""


def by_chat(api: Api, model: str, more: Any, is_streaming: bool = False) -> object:
    with openai.OpenAI(base_url=f"{api.base_url}/v1", api_key=api.key, max_retries=0) as sdk:
        return _all(sdk.chat.completions.create(model=model, messages=HI, stream=is_streaming, extra_body=more))


def by_chat_streamed(api: Api, model: str, more: Any) -> object:
    return by_chat(api, model, more, True)


def by_responses(api: Api, model: str, more: Any, is_streaming: bool = False) -> object:
    with openai.OpenAI(base_url=f"{api.base_url}/v1", api_key=api.key, max_retries=0) as sdk:
        return _all(sdk.responses.create(model=model, input="hi", stream=is_streaming, extra_body=more))


def by_responses_streamed(api: Api, model: str, more: Any) -> object:
    return by_responses(api, model, more, True)


def by_completions(api: Api, model: str, more: Any) -> object:
    with openai.OpenAI(base_url=f"{api.base_url}/v1", api_key=api.key, max_retries=0) as sdk:
        return sdk.completions.create(model=model, prompt="hi", max_tokens=4096, extra_body=more)


def by_messages(api: Api, model: str, more: Any, is_streaming: bool = False) -> object:
    with anthropic.Anthropic(base_url=api.base_url, api_key=api.key, max_retries=0) as sdk:
        asked: Any = {"model": model, "max_tokens": 4096, "messages": HI, "extra_body": more}
        return _all(sdk.messages.create(**asked, stream=is_streaming))


def by_messages_streamed(api: Api, model: str, more: Any) -> object:
    return by_messages(api, model, more, True)


def by_gemini(api: Api, model: str, more: Any, is_streaming: bool = False) -> object:
    with genai.Client(api_key=api.key, http_options=types.HttpOptions(base_url=api.base_url, extra_body=more)) as sdk:
        if is_streaming:
            return list(sdk.models.generate_content_stream(model=model, contents="hi"))
        return sdk.models.generate_content(model=model, contents="hi")


def by_gemini_streamed(api: Api, model: str, more: Any) -> object:
    return by_gemini(api, model, more, True)


def _all(answer: Any) -> object:
    return list(answer) if hasattr(answer, "__next__") or hasattr(answer, "__iter__") else answer


OPENAI = (by_chat, by_chat_streamed, by_responses, by_responses_streamed, by_completions)
ANTHROPIC = (by_messages, by_messages_streamed)
GOOGLE = (by_gemini, by_gemini_streamed)

CLASSES: dict[int, tuple[type[Exception], type[Exception], type[Exception]]] = {
    400: (openai.BadRequestError, anthropic.BadRequestError, errors.ClientError),
    401: (openai.AuthenticationError, anthropic.AuthenticationError, errors.ClientError),
    402: (openai.APIStatusError, anthropic.APIStatusError, errors.ClientError),
    404: (openai.NotFoundError, anthropic.NotFoundError, errors.ClientError),
    413: (openai.APIStatusError, anthropic.APIStatusError, errors.ClientError),
    429: (openai.RateLimitError, anthropic.RateLimitError, errors.ClientError),
    503: (openai.InternalServerError, anthropic.InternalServerError, errors.ServerError),
}
ASKS = [(ask, kind) for kind, asks in enumerate((OPENAI, ANTHROPIC, GOOGLE)) for ask in asks]


def refused(ask: Ask, kind: int, api: Api, status: int, model: str, more: Any = None) -> Any:
    """What the SDK raised, which must be of the class for that status."""
    with pytest.raises(CLASSES[status][kind]) as caught:
        ask(api, model, more)
    error: Any = caught.value
    assert (error.code if kind == 2 else error.status_code) == status
    return error


@pytest.fixture(params=ASKS, ids=[ask.__name__ for ask, _ in ASKS])
def asking(request: pytest.FixtureRequest) -> tuple[Ask, int]:
    asked: tuple[Ask, int] = request.param
    return asked


def test_a_wrong_field_is_a_400(asking: tuple[Ask, int], customer: Api) -> None:
    more = {"generationConfig": {"temperature": 9}} if asking[1] == 2 else {"temperature": 9}
    refused(*asking, customer, 400, "good", more)


def test_a_wrong_key_is_a_401(asking: tuple[Ask, int], customer: Api) -> None:
    refused(*asking, customer.as_("ky-wrong"), 401, "good")


def test_too_little_credit_is_a_402(asking: tuple[Ask, int], customer: Api) -> None:
    error = refused(*asking, customer, 402, "dear")
    if asking[1] == 1:
        assert error.type == "billing_error"


def test_an_unknown_model_is_a_404(asking: tuple[Ask, int], customer: Api) -> None:
    assert "gooood" in str(refused(*asking, customer, 404, "gooood"))


def test_too_large_a_body_is_a_413(asking: tuple[Ask, int], operator: Api) -> None:
    refused(*asking, operator, 413, "good", {"padding": "x" * 11_000_000})


def test_too_many_requests_are_a_429(asking: tuple[Ask, int], limited_gateway: GatewayProcess) -> None:
    customer = open_account(limited_gateway.port)
    while customer.chat("good", max_tokens=2).status != 429:
        pass
    error = refused(*asking, customer, 429, "good")
    if asking[1] != 2:
        assert int(error.response.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "model", ["failed-500", "status-529", "refused-401", "status-402-anthropic", "throttled-gemini"]
)
def test_whatever_ails_every_source_is_a_503(asking: tuple[Ask, int], customer: Api, model: str) -> None:
    """Also when a vendor refuses our key or our credit: that is no business of the customer's."""
    refused(*asking, customer, 503, model)
