"""A base address with `/v1` where a tool adds its own, or without it where none is added, is understood."""

import pytest

from tests.server.api import Api


@pytest.mark.parametrize("path", ["/v1/v1/models", "/models", "/v1/v1/models/good", "/models/good"])
def test_discovery_is_found(customer: Api, path: str) -> None:
    assert customer.get(path).status == 200


@pytest.mark.parametrize("path", ["/v1/v1/chat/completions", "/chat/completions"])
def test_chat_is_found(customer: Api, path: str) -> None:
    answer = customer.post(path, {"model": "good", "messages": [{"role": "user", "content": "hi"}]})
    assert answer.status == 200, answer


@pytest.mark.parametrize("prefix", ["/v1beta", "/v1", "/v1alpha", "", "/v1/v1beta", "/v1/v1"])
def test_geminis_verbs_are_found(customer: Api, prefix: str) -> None:
    """Google's SDKs put a version of their own behind any base address; the newest says v1."""
    body = {"contents": [{"parts": [{"text": "hi"}]}]}
    answer = customer.post(f"{prefix}/models/good:generateContent", body)
    assert answer.status == 200, answer
    assert "candidates" in answer.json()


@pytest.mark.parametrize("path", ["/v1/v1/v1/models", "//models", "/v2/models"])
def test_anything_else_is_not(customer: Api, path: str) -> None:
    assert customer.get(path).status == 404
