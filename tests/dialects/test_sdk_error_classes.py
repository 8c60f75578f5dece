"""Every error of ours in every dialect's envelope is the class of that status in the dialect's SDK, with its words."""

from typing import Any

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import errors, types

from kyma.core.errors import (
    Bug,
    Conflict,
    Draining,
    Forbidden,
    InsufficientCredits,
    InvalidRequest,
    KymaError,
    NotFound,
    Overloaded,
    RateLimited,
    TooLarge,
    Unauthenticated,
    UnsupportedMedia,
    UpstreamFailed,
    UpstreamTimeout,
)
from kyma.dialects import anthropic_messages, gemini, openai_chat

CASES: list[tuple[KymaError, type[Exception], type[Exception], type[Exception]]] = [
    (InvalidRequest("no"), openai.BadRequestError, anthropic.BadRequestError, errors.ClientError),
    (Unauthenticated("no"), openai.AuthenticationError, anthropic.AuthenticationError, errors.ClientError),
    (InsufficientCredits("no"), openai.APIStatusError, anthropic.PaymentRequiredError, errors.ClientError),
    (Forbidden("no"), openai.PermissionDeniedError, anthropic.PermissionDeniedError, errors.ClientError),
    (NotFound("no"), openai.NotFoundError, anthropic.NotFoundError, errors.ClientError),
    (Conflict("no"), openai.ConflictError, anthropic.ConflictError, errors.ClientError),
    (TooLarge("no"), openai.APIStatusError, anthropic.ContentTooLargeError, errors.ClientError),
    (UnsupportedMedia("no"), openai.APIStatusError, anthropic.APIStatusError, errors.ClientError),
    (RateLimited("no", retry_after_s=7), openai.RateLimitError, anthropic.RateLimitError, errors.ClientError),
    (Bug("no"), openai.InternalServerError, anthropic.InternalServerError, errors.ServerError),
    (UpstreamFailed("no"), openai.InternalServerError, anthropic.InternalServerError, errors.ServerError),
    (UpstreamTimeout("no"), openai.InternalServerError, anthropic.InternalServerError, errors.ServerError),
    (Overloaded("no"), openai.InternalServerError, anthropic.ServiceUnavailableError, errors.ServerError),
    (Draining("no"), openai.InternalServerError, anthropic.ServiceUnavailableError, errors.ServerError),
]
HI: Any = [{"role": "user", "content": "hi"}]
URL = "http://gateway.test"


def http(status: int, body: bytes) -> httpx2.Client:
    answer = httpx2.Response(status, headers={"content-type": "application/json"}, content=body)
    return httpx2.Client(transport=httpx2.MockTransport(lambda request: answer))


@pytest.mark.parametrize(("error", "kind", "_", "__"), CASES, ids=[type(case[0]).__name__ for case in CASES])
def test_openai(error: KymaError, kind: type[openai.APIStatusError], _: object, __: object) -> None:
    client = http(error.status, openai_chat.render_error(error))
    with openai.OpenAI(api_key="k", base_url=URL, max_retries=0, http_client=client) as sdk:
        with pytest.raises(kind, match="no") as caught:
            sdk.chat.completions.create(model="m", messages=HI)
        with pytest.raises(kind):
            sdk.responses.create(model="m", input="hi")
    assert (caught.value.status_code, caught.value.code, caught.value.type) == (error.status, error.code, error.type)


@pytest.mark.parametrize(("error", "_", "kind", "__"), CASES, ids=[type(case[0]).__name__ for case in CASES])
def test_anthropic(error: KymaError, _: object, kind: type[anthropic.APIStatusError], __: object) -> None:
    client = http(error.status, anthropic_messages.render_error(error))
    with anthropic.Anthropic(api_key="k", base_url=URL, max_retries=0, http_client=client) as sdk:
        with pytest.raises(kind, match="no") as caught:
            sdk.messages.create(model="m", max_tokens=5, messages=HI)
        with pytest.raises(kind):
            sdk.messages.count_tokens(model="m", messages=HI)
    assert caught.value.status_code == error.status
    assert caught.value.type and caught.value.type.endswith(("_error", "_too_large"))


@pytest.mark.parametrize(("error", "_", "__", "kind"), CASES, ids=[type(case[0]).__name__ for case in CASES])
def test_google(error: KymaError, _: object, __: object, kind: type[errors.APIError]) -> None:
    client = http(error.status, gemini.render_error(error))
    with genai.Client(api_key="k", http_options=types.HttpOptions(base_url=URL, httpx_client=client)) as sdk:
        with pytest.raises(kind, match="no") as caught:
            sdk.models.generate_content(model="m", contents="hi")
    assert (caught.value.code, caught.value.message) == (error.status, "no")
    assert caught.value.status and caught.value.status.isupper()
