"""The scripts that say a caller's words again; the search for what a gateway keeps stands on them."""

import json
import urllib.error
from collections.abc import Callable
from http.client import IncompleteRead
from urllib.parse import quote

import pytest

from tests.upstream.asking import VERSION, generate, messages, post
from tests.upstream.process import UpstreamProcess

SAID, ANSWERED = "one two three", "eerht owt eno"
TOOL = {"type": "function", "function": {"name": "look"}}


def chat(upstream: UpstreamProcess, model: str, **fields: object) -> bytes:
    body = {"model": model, "messages": [{"role": "user", "content": SAID}], **fields}
    return post(f"{upstream.base_url}/chat/completions", body, VERSION)


ASKS: list[Callable[..., bytes]] = [chat, messages, generate]


@pytest.mark.parametrize("ask", ASKS)
def test_a_mirror_thinks_and_says_the_users_words_backwards(
    upstream: UpstreamProcess, ask: Callable[..., bytes]
) -> None:
    assert ask(upstream, "script:mirror:k=2").decode().count(ANSWERED) == 3


def test_a_mirror_calls_the_first_tool_with_them(upstream: UpstreamProcess) -> None:
    (call,) = json.loads(chat(upstream, "script:mirror", tools=[TOOL]))["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "look", "arguments": json.dumps({"said": ANSWERED}, separators=(",", ":"))}


@pytest.mark.parametrize("end", ["cut", "rst"])
def test_a_mirror_can_be_cut_off(upstream: UpstreamProcess, end: str) -> None:
    with pytest.raises((IncompleteRead, ConnectionResetError)):
        chat(upstream, f"script:mirror:end={end}", stream=True)


@pytest.mark.parametrize("end", ["garbage", "error"])
@pytest.mark.parametrize("is_streaming", [False, True])
def test_what_ends_a_mirror_quotes_the_answer_too(upstream: UpstreamProcess, end: str, is_streaming: bool) -> None:
    answer = chat(upstream, f"script:mirror:end={end}", stream=is_streaming).decode()
    assert answer.count(ANSWERED) == (4 if is_streaming else 1)
    assert "[DONE]" not in answer and '"finish_reason":"' not in answer


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/v1/chat/completions", {"authorization": "Bearer sk-4321-live"}),
        ("/v1/messages", {"x-api-key": "sk-4321-live"}),
        ("/v1beta/models/script:tells-key:generateContent", {"x-goog-api-key": "sk-4321-live"}),
    ],
)
@pytest.mark.parametrize("body", ["json", "html"])
def test_a_failure_can_tell_the_key_it_was_asked_with(
    upstream: UpstreamProcess, path: str, header: dict[str, str], body: str
) -> None:
    asked = {
        "model": f"script:tells-key:code=403,body={body}",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": SAID}],
        "contents": [{"role": "user", "parts": [{"text": SAID}]}],
    }
    where = path.replace("tells-key", quote(f"tells-key:code=403,body={body}", safe=""))
    with pytest.raises(urllib.error.HTTPError) as failed:
        post(upstream.origin + where, asked, VERSION | header)
    with failed.value as answer:
        assert (answer.code, "sk-4321-live" in answer.read().decode()) == (403, True)
        assert (answer.headers.get("x-key") == "sk-4321-live") is (body == "json")
