"""Web pages and browser extensions of any origin may call the gateway and read what it answers."""

import pytest

from tests.server.api import Answer, Api

ORIGIN = {"origin": "https://page.example"}
ALLOWED = {"authorization", "content-type", "x-api-key", "anthropic-version", "idempotency-key", "x-kyma-sdk"}
ALLOWED |= {"x-kyma-strict", "x-kyma-no-substitute", "x-title", "http-referer"}
EXPOSED = {"x-kyma-model", "x-kyma-alias", "x-kyma-fallback", "x-kyma-fallback-layer", "retry-after"}


def listed(answer: Answer, header: str) -> set[str]:
    return {name.strip().lower() for name in answer.headers[header].split(",")}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/v1/auth/keys/x", "/v1/nothing"])
def test_a_preflight_is_answered_without_a_key(operator: Api, path: str) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    answer = operator.as_("").send("OPTIONS", path, headers=ORIGIN | asks)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"get", "post", "delete", "options"} <= listed(answer, "access-control-allow-methods")
    assert listed(answer, "access-control-allow-headers") >= ALLOWED
    assert int(answer.headers["access-control-max-age"]) > 0


@pytest.mark.parametrize("model", ["good", "failed-500", "rejected", "nope"])
@pytest.mark.parametrize("is_streaming", [False, True])
def test_a_page_may_read_every_answer_of_a_chat(operator: Api, model: str, is_streaming: bool) -> None:
    answer = operator.chat(model, stream=is_streaming)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert listed(answer, "access-control-expose-headers") >= EXPOSED


@pytest.mark.parametrize("path", ["/v1/models", "/v1/credits/balance", "/v1/nothing", "/v1/models/nope", "/healthz"])
@pytest.mark.parametrize("key", ["", "ky-nonsense"])
def test_a_page_may_read_every_answer_of_the_control_plane(operator: Api, path: str, key: str) -> None:
    assert operator.as_(key).get(path).headers["access-control-allow-origin"] == "*"


def test_a_page_may_read_that_its_body_was_too_large(operator: Api) -> None:
    answer = operator.send("POST", "/v1/chat/completions", b"x" * (11 * 1024 * 1024))
    assert answer.status == 413
    assert answer.headers["access-control-allow-origin"] == "*"
