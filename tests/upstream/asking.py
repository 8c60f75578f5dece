"""Raw requests to the scripted upstream as Anthropic's and Gemini's customers make them."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.upstream.process import UpstreamProcess

VERSION = {"anthropic-version": "2023-06-01"}
ANTHROPIC_TOOLS = [{"name": "look", "input_schema": {"type": "object"}}, {"name": "find", "input_schema": {}}]
GEMINI_TOOLS = [{"functionDeclarations": [{"name": "look"}, {"name": "find"}]}]

Json = dict[str, Any]


def post(url: str, body: Json, headers: dict[str, str]) -> bytes:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=5) as response:
        answer: bytes = response.read()
    return answer


def messages(upstream: UpstreamProcess, model: str, **fields: Any) -> bytes:
    body = {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": "one two three"}], **fields}
    return post(f"{upstream.origin}/v1/messages", body, VERSION)


def message(upstream: UpstreamProcess, model: str, **fields: Any) -> Json:
    answer: Json = json.loads(messages(upstream, model, **fields))
    return answer


def events(upstream: UpstreamProcess, model: str, **fields: Any) -> list[Json]:
    """The events of an Anthropic stream; every name is that of its data."""
    found = []
    for frame in messages(upstream, model, stream=True, **fields).decode().removesuffix("\n\n").split("\n\n"):
        name, data = frame.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def generate(upstream: UpstreamProcess, model: str, *, verb: str = "generateContent", **fields: Any) -> bytes:
    body = {"contents": [{"role": "user", "parts": [{"text": "one two three"}]}], **fields}
    return post(f"{upstream.origin}/v1beta/models/{quote(model, safe='')}:{verb}", body, {})


def response(upstream: UpstreamProcess, model: str, **fields: Any) -> Json:
    answer: Json = json.loads(generate(upstream, model, **fields))
    return answer


def chunks(upstream: UpstreamProcess, model: str, **fields: Any) -> list[Json]:
    lines = generate(upstream, model, verb="streamGenerateContent?alt=sse", **fields).decode().split("\r\n\r\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line]


def parts(answers: list[Json]) -> list[Json]:
    return [part for answer in answers for part in answer["candidates"][0]["content"]["parts"]]


def kinds(found: list[Json]) -> list[str]:
    return [event["type"] for event in found]


def refusal(ask: Callable[[], object]) -> tuple[int, str]:
    """Status and kind of a refusal, in the words of its family."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask()
    with caught.value as error:
        said = json.load(error)["error"]
    return error.code, said.get("status") or said["type"]
